//! Programs in text that the planner refuses, describes, or must at least survive.

use std::sync::LazyLock;

use flow_analysis::Analysis;
use flow_ir::{node::Input, value::Value};
use flow_syntax::diagnostic::{
    Diagnostic, apply_fixes,
    catalogue::{self, Stage},
};
use proptest::prelude::*;

use super::{golden::cases, support::Facts};
use crate::{
    error::PlanError,
    evaluate::evaluate,
    one_file::check_one_file,
    parameters::{Given, describe},
    passes::{self, at_stage},
};

fn analysis(text: &str) -> Analysis {
    let mut analysis = Analysis::new();
    analysis.set_file("m", "m.flow", text);
    analysis
}

fn refused(text: &str) -> PlanError {
    let analysis = analysis(text);
    let errors: Vec<_> = analysis.check("m").into_iter().filter(Diagnostic::is_error).collect();
    assert_eq!(errors, [], "the checker lets it pass");
    evaluate(&analysis, &Facts, "m", "main", &Given::default()).unwrap_err()
}

/// The text that the error's place stands for, and its message.
fn told(text: &str) -> (String, String) {
    let error = refused(text);
    let place = error.place.clone().unwrap();
    assert_eq!(place.module, "m");
    (text.get(place.span.range()).unwrap().to_owned(), error.to_string())
}

#[test]
fn the_examples_of_plan_diagnostics() {
    let pages: Vec<_> = catalogue::codes().filter_map(catalogue::page).collect();
    let pages: Vec<_> = pages.into_iter().filter(|page| page.stage == Stage::Plan).collect();
    assert!(!pages.is_empty());
    for page in pages {
        for (example, fails) in [(&page.failing, true), (&page.mended, false)] {
            let mut analysis = Analysis::new();
            for (file, text) in &example.files {
                analysis.set_file(file.trim_end_matches(".flow"), file, *text);
            }
            let module = example.files[0].0.trim_end_matches(".flow");
            let workflow = analysis.workflows(module).remove(0);
            let planned = evaluate(&analysis, &Facts, module, &workflow, &Given::default());
            let found = planned.err().map(|error| error.diagnostic().unwrap().code);
            assert_eq!(found, fails.then_some(page.code), "{}", page.code);
        }
    }
}

#[test]
fn errors_stand_at_their_place() {
    let overflow = "const MOST: Int = 9223372036854775807\n\nworkflow main(by: Int = 1) -> (x: Int) {\n    MOST + by\n}\n";
    assert_eq!(
        told(overflow),
        ("MOST + by".to_owned(), "`add` overflows: 9223372036854775807, 1".to_owned())
    );
    let limit =
        "use std.debug\n\nworkflow main(by: Int = -1) -> (x: Int) {\n    debug.fail(1, times: by)\n}\n";
    assert_eq!(told(limit), ("by".to_owned(), "`times` of `std.debug.fail`: -1 is not in 0..".to_owned()));
    assert_eq!(refused(limit).diagnostic().unwrap().code.to_string(), "F0304");
    let policy = "use std.debug\n\nworkflow main(cores: Int = 0) -> (x: Int) {\n    debug.noop(1) with (cpu: cores)\n}\n";
    assert_eq!(told(policy), ("cores".to_owned(), "`cpu` must be Int ≥ 1, not 0".to_owned()));
    let device = "use std.debug\n\nworkflow main(gpus: Int = 1) -> (x: Int) {\n    debug.noop(1) with (cpu: 2, gpu: gpus)\n}\n";
    assert_eq!(
        told(device),
        ("gpus".to_owned(), "`std.debug.noop` cannot use a GPU, and `gpu` asks for one".to_owned())
    );
    let index = "workflow main(at: Int = 2) -> (x: Int) {\n    let xs = [1, 2]\n    xs[at]\n}\n";
    assert_eq!(told(index), ("at".to_owned(), "index 2 is outside a list of 2".to_owned()));
    let inner = "use std.debug\n\nworkflow inner(n: Int) -> (x: List<Int>) {\n    for i in 0..n { i }\n}\n\nworkflow main() -> (x: List<Int>) {\n    inner(debug.noop(3)).x\n}\n";
    let late = "is needed when the workflow is planned, but it is known only when it runs";
    assert_eq!(told(inner), ("n".to_owned(), format!("the end of a range {late}")));
    let limit = "workflow inner(n: Int in 1..=3) -> (x: Int) { n }\n\nworkflow main(n: Int = 4) -> (x: Int) {\n    inner(n).x\n}\n";
    assert_eq!(told(limit), ("n".to_owned(), "`n` of `m.inner`: 4 is not in 1..=3".to_owned()));
    let long = "workflow main(days: List<Int> = [1, 2, 3]) -> (x: List<Int>) {\n    run for day in days max 2 { day }\n}\n";
    assert_eq!(told(long), ("days".to_owned(), "this list has 3 elements, and `max` is 2".to_owned()));
    let negative =
        "workflow main(most: Int = -1) -> (x: Int) {\n    run while n > 3 from n = 1 max most { n }\n}\n";
    assert_eq!(told(negative), ("most".to_owned(), "`max` is a count, and this is -1".to_owned()));
    let endless = "workflow main(n: Int = 1_000_000_000) -> (x: Int) {\n    len(0..n)\n}\n";
    assert_eq!(
        told(endless),
        (
            "0..n".to_owned(),
            "planning this workflow takes more than 64 MiB of values: it was stopped".to_owned()
        )
    );
}

#[test]
fn a_device_that_cannot_be_used_is_asked_for_no_more() {
    let text =
        "use std.debug\n\nworkflow main() -> (x: Int) {\n    debug.noop(1) with (cpu: 2, device: gpu)\n}\n";
    let diagnostic = refused(text).diagnostic().unwrap();
    assert_eq!(diagnostic.code.to_string(), "F0702");
    let (mended, _) = apply_fixes(text, &diagnostic.fix);
    assert!(mended.contains("with (cpu: 2, device: auto)"), "{mended}");
    let analysis = analysis(&mended);
    evaluate(&analysis, &Facts, "m", "main", &Given::default()).unwrap();
}

/// Two parameters are two tables, until both are bound to one file.
#[test]
fn parameters_that_are_one_file_are_one_source() {
    let text = "use std.data
use std.metrics
use std.tree

schema Ride { distance: Float, tipped: Label<Bool> }

workflow main(
    more: Dataset<Ride>,
    train: Dataset<Ride> = data.csv(\"rides.csv\"),
    test: Dataset<Ride> = data.csv(\"rides.csv\"),
) -> (report: ClassificationReport) {
    metrics.classification(tree.gbdt(train.union(more)), test)
}
";
    let analysis = analysis(text);
    assert_eq!(analysis.check("m"), [], "as it is written it may be right");
    let found = |files: &[(&str, &str)]| {
        let mut given = Given::default();
        for (name, path) in files {
            given.set(name, Value::File((*path).to_owned()));
        }
        let dag = evaluate(&analysis, &Facts, "m", "main", &given).unwrap();
        let identity = |path: &str| path.trim_start_matches("./").to_owned();
        let found = check_one_file(&analysis, "m", "main", &dag.parameters, &identity).into_iter();
        found.map(|found| (found.code.to_string(), found.message)).collect::<Vec<_>>()
    };
    let error = |words: &str| {
        let message = format!("{words}: `test` holds rows that the model was fitted on");
        vec![("F0601".to_owned(), message)]
    };
    assert_eq!(found(&[("more", "more.csv"), ("test", "test.csv")]), []);
    assert_eq!(found(&[("more", "more.csv")]), error("`train` and `test` are both `rides.csv`"));
    assert_eq!(
        found(&[("more", "a.csv"), ("train", "b.csv"), ("test", "./a.csv")]),
        error("`more` and `test` are both `a.csv`")
    );
    assert_eq!(found(&[("more", "rides.csv")]), error("`more`, `train` and `test` are all `rides.csv`"));
    assert_eq!(found(&[("more", "rides.csv"), ("test", "test.csv")]), []);
}

/// Each passes a text of half a megabyte on, a thousand times over.
#[test]
fn copies_of_known_values_are_counted() {
    let doubled = |name: &str, of: &str| format!("    let {name} = \"{}\"\n", format!("{{{of}}}").repeat(16));
    let text: String = [("b", "a"), ("c", "b"), ("d", "c")].map(|(name, of)| doubled(name, of)).concat();
    for body in ["xs[0]", "xs", "(x: d)", "[d]", "for x in xs { x }"] {
        let program = format!(
            "workflow main(n: Int = 1_000) -> (count: Int) {{\n    let a = \"{}\"\n{text}    let xs = [d]\n    len(for i in 0..n {{ {body} }})\n}}\n",
            "0123456789".repeat(12)
        );
        assert_eq!(
            refused(&program).to_string(),
            "planning this workflow takes more than 64 MiB of values: it was stopped",
            "{body}"
        );
    }
}

#[test]
fn what_is_missing_or_empty_has_its_type() {
    for (text, expected) in [
        (
            "fn first(xs: List<Float>?) -> Int { if xs == none { 0 } else { 1 } }\nworkflow main(xs: List<Int>? = none) -> (x: Int) { first(xs) }\n",
            Value::Int(0),
        ),
        (
            "fn first(r: (a: Float)?) -> Int { if r == none { 0 } else { 1 } }\nworkflow main(r: (a: Int)? = none) -> (x: Int) { first(r) }\n",
            Value::Int(0),
        ),
        ("workflow main(xs: List<Size> = []) -> (x: Size) { sum(xs) }\n", Value::Size(0)),
    ] {
        let analysis = analysis(text);
        assert_eq!(analysis.check("m"), [], "{text}");
        let dag = evaluate(&analysis, &Facts, "m", "main", &Given::default()).unwrap();
        assert_eq!(dag.outputs[0].input, Input::Constant(expected), "{text}");
    }
}

#[test]
fn parameters_are_described_for_help() {
    let text = include_str!("../../../../examples/iris/iris.flow");
    let analysis = analysis(text);
    let signature = analysis.signature("m", "iris").unwrap();
    let described: Vec<_> = describe(&analysis, &Facts, "m", "iris", &signature)
        .into_iter()
        .map(|param| format!("--{} {} = {}", param.flag, param.ty, param.default.unwrap_or_default()))
        .collect();
    assert_eq!(
        described,
        [
            "--flowers Dataset = iris.csv",
            "--train-share Fraction = 70%",
            "--trees Int in 1..=1000 = 50",
            "--seed Int = 0",
        ]
    );
}

/// The programs of the golden cases.
static SOURCES: LazyLock<Vec<String>> =
    LazyLock::new(|| cases().into_iter().map(|(_, _, text)| text).collect());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the checker thinks of it: a DAG whose nodes stand behind what they need, or an error.
    #[test]
    fn mutated_programs_never_panic(
        source in 0usize..18,
        cuts in prop::collection::vec((0usize..4_000, 0usize..12, "[a-z0-9.(){}\\[\\], =<>*+-]{0,6}"), 0..4),
    ) {
        let mut text = SOURCES[source % SOURCES.len()].clone();
        for (at, length, insert) in cuts {
            let at = text.floor_char_boundary(at.min(text.len()));
            let end = text.floor_char_boundary((at + length).min(text.len()));
            text.replace_range(at..end, &insert);
        }
        let analysis = analysis(&text);
        for workflow in analysis.workflows("m") {
            if let Ok(dag) = evaluate(&analysis, &Facts, "m", &workflow, &Given::default()) {
                let (plan, _) = at_stage(dag, passes::Stage::Plan, &Facts);
                for (index, node) in plan.nodes.iter().enumerate() {
                    node.for_each_dependency(|dependency| assert!((dependency.0 as usize) < index));
                }
            }
        }
    }
}

/// As deep as the parser lets one expression be, and a little deeper through a fn: whoever walks the DAG
/// must bear it.
#[test]
fn the_deepest_expressions_are_planned() {
    let (deep, more) = (vec!["x"; 480].join(" + "), vec!["x"; 130].join(" + "));
    let planned = |wrapped: &str| {
        let text = format!(
            "use std.data\nuse std.debug\n\nschema Row {{ a: Int }}\n\nfn deep(x: Int) -> Int {{ {deep} }}\n\nfn deeper(x: Int) -> Int {{ deep(x) + {more} }}\n\nworkflow main(rows: Dataset<Row> = data.csv(\"r.csv\")) -> (table: Dataset, x: Int) {{\n    let seen = debug.noop(1)\n    (table: rows.derive(b: {}), x: {})\n}}\n",
            wrapped.replace('x', ".a"),
            wrapped.replace('x', "seen"),
        );
        let analysis = analysis(&text);
        assert_eq!(analysis.check("m"), []);
        let dag = evaluate(&analysis, &Facts, "m", "main", &Given::default())?;
        let (plan, _) = at_stage(dag, passes::Stage::Plan, &Facts);
        crate::status::statuses(&plan, &Facts);
        assert_eq!(flow_ir::dag::Dag::from_text(&plan.to_text()).unwrap(), plan);
        Ok::<_, PlanError>(plan.nodes.len())
    };
    assert_eq!(planned("deep(x)").unwrap(), 4);
    assert_eq!(
        planned("deeper(x)").unwrap_err().to_string(),
        "planning this workflow takes more than 600 expressions in each other: it was stopped"
    );
}

/// Workflows that call each other in a chain; at the end of it stands no node.
fn chain(length: usize) -> String {
    let call = |index: usize| match index {
        0 => "n".to_owned(),
        index => format!("w{}(n).x", index - 1),
    };
    let workflow = |index| format!("workflow w{index}(n: Int) -> (x: Int) {{ {} }}\n", call(index));
    let main = format!(
        "use std.debug\nworkflow main() -> (x: Int) {{ {} }}\n",
        call(length).replace('n', "debug.noop(1)")
    );
    main + &(0..length).map(workflow).collect::<String>()
}

#[test]
fn regions_stand_in_each_other_as_deep_as_can_be_read_back() {
    let (text, analysis) = (chain(30), analysis(&chain(30)));
    assert_eq!(analysis.check("m"), [], "{text}");
    let dag = evaluate(&analysis, &Facts, "m", "main", &Given::default()).unwrap();
    assert_eq!(dag.nodes[1].count(), 30);
    assert_eq!(flow_ir::dag::Dag::from_json(&dag.to_json()).unwrap(), dag);
    assert_eq!(flow_ir::dag::Dag::from_text(&dag.to_text()).unwrap(), dag);
    assert_eq!(
        refused(&chain(31)).to_string(),
        "planning this workflow takes more than 30 regions in each other: it was stopped"
    );
}
