//! The standard library itself has nothing wrong with it, and its catalogue is complete.
#![allow(clippy::unwrap_used, reason = "a test")]

use flow_analysis::{Analysis, Source};

#[test]
fn std_checks_clean() {
    let analysis = Analysis::new();
    for (module, _) in flow_stdlib_text::MODULES {
        assert_eq!(analysis.check(module), [], "{module}");
    }
}

#[test]
fn the_catalogue_has_operators_and_verbs() {
    let analysis = Analysis::new();
    let operators = analysis.operators();
    let gbdt = operators.iter().find(|operator| operator.name == "std.tree.gbdt").unwrap();
    assert_eq!(gbdt.result, "Predictor<R>");
    let trees = gbdt.params.iter().find(|param| param.name == "trees").unwrap();
    assert_eq!((trees.ty.as_str(), trees.default.as_deref()), ("Int in 1..=100_000", Some("100")));
    assert_eq!(trees.doc.as_deref(), Some("Boosting rounds."));
    assert!(operators.iter().any(|operator| operator.name == "std.table.where"));

    let hashes = analysis.operator_signatures();
    assert_eq!(hashes.len(), operators.len());
    assert!(hashes.iter().any(|(name, hash)| name == "std.tree.gbdt" && *hash == gbdt.signature));
}

#[test]
fn a_signature_hash_is_of_the_declaration_alone() {
    let hash = |text: &str| {
        let mut analysis = Analysis::new();
        analysis.set_file("main", "main.flow", text);
        let hashes = analysis.operator_signatures();
        hashes.into_iter().find(|(name, _)| name == "main.embed").unwrap().1
    };
    let plain = hash("operator embed(text: Text, batch: Int = 64) -> Text = python \"a:b\"");
    let documented = hash(
        "/// Words.\noperator embed(\n    /// More.\n    text: Text, // why\n    batch: Int = 64\n) -> Text = python \"a:b\"",
    );
    let changed = hash("operator embed(text: Text, batch: Int = 65) -> Text = python \"a:b\"");
    assert_eq!(plain, documented);
    assert_ne!(plain, changed);
}

#[test]
fn a_source_gives_a_module_and_what_it_imports() {
    struct Files;
    impl Source for Files {
        fn read(&self, module: &str) -> Option<(String, String)> {
            let text = match module {
                "main" => "use a\nuse b\nuse gone\n\nfn f() -> Int { a.one() + b.two() + gone.three() }\n",
                "a" => "use b\n\nfn one() -> Int { b.two() }\n",
                "b" => "fn two() -> Int { 2 }\n",
                "unwanted" => "fn",
                _ => return None,
            };
            Some((format!("{module}.flow"), text.to_owned()))
        }
    }
    let mut analysis = Analysis::new();
    analysis.load("main", &Files);
    assert_eq!(analysis.modules(), ["a", "b", "main"]);
    let codes: Vec<u16> = analysis.check("main").iter().map(|found| found.code.0).collect();
    assert_eq!(codes, [202]);
}
