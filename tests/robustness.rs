//! Feeds random bytes and mutated programs to `check` and `fmt`: a diagnostic or success, never a panic,
//! and every place lies in the text.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::Path;

use flow_analysis::Analysis;
use flow_syntax::{diagnostic::Diagnostic, format::format};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_tokens(words in prop::collection::vec(prop::sample::select(WORDS), 0..120)) {
        survives(&words.join(" "));
    }

    #[test]
    fn mutated_examples(program in 0..3_usize, edits in prop::collection::vec(edit(), 1..6)) {
        let mut text = programs().swap_remove(program);
        for edit in &edits {
            edit.apply(&mut text);
        }
        survives(&text);
    }
}

#[test]
fn deep_and_long_programs() {
    for text in [
        "(".repeat(100_000),
        "[".repeat(100_000),
        "{".repeat(100_000),
        format!("const A: Int = {}1", "-".repeat(100_000)),
        format!("const A: Int = {}", "1 + ".repeat(50_000)),
        format!("const A: Bool = {}true", "not ".repeat(100_000)),
        format!("type A = Int{}", "?".repeat(100_000)),
        format!("type A = {}Int{}", "List<".repeat(50_000), ">".repeat(50_000)),
        format!("fn f() -> Int {{ {} }}", "if true { 1 } else ".repeat(20_000)),
        format!("const A: Int = a{}", ".b".repeat(100_000)),
        format!("const A: Text = \"{}\"", "{\"".repeat(50_000)),
        format!(
            "workflow w({}) -> (a: Int) {{ 1 }}",
            (0..10_000).map(|n| format!("p{n}: Int, ")).collect::<String>()
        ),
        format!("// {}", "x".repeat(1 << 20)),
    ] {
        survives(&text);
    }
}

fn survives(text: &str) {
    let mut analysis = Analysis::new();
    analysis.set_file("program", "program.flow", text);
    for diagnostic in analysis.check("program") {
        lies_within(&diagnostic, text);
    }
    match format(text) {
        Ok(formatted) => assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "formatting is idempotent"),
        Err(diagnostics) => diagnostics.iter().for_each(|diagnostic| lies_within(diagnostic, text)),
    }
}

fn lies_within(diagnostic: &Diagnostic, text: &str) {
    assert!(!diagnostic.message.contains('\n'), "{}", diagnostic.message);
    assert!(text.get(diagnostic.span.range()).is_some(), "{diagnostic:?} lies outside of {text:?}");
    for edit in diagnostic.fix.iter().flat_map(|fix| &fix.edits) {
        assert!(text.get(edit.span.range()).is_some(), "{edit:?} lies outside of {text:?}");
    }
}

fn programs() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["examples/iris/iris.flow", "examples/diabetes/diabetes.flow", "stdlib/text/std/tree.flow"]
        .map(|path| std::fs::read_to_string(root.join(path)).unwrap())
        .to_vec()
}

/// A change of a program, at a share of its length.
#[derive(Clone, Debug)]
enum Edit {
    Remove(f64, usize),
    Insert(f64, &'static str),
    Duplicate(f64, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0.0..1.0, 1..40_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        (0.0..1.0, prop::sample::select(WORDS)).prop_map(|(at, word)| Edit::Insert(at, word)),
        (0.0..1.0, 1..80_usize).prop_map(|(at, length)| Edit::Duplicate(at, length)),
    ]
}

impl Edit {
    fn apply(&self, text: &mut String) {
        let (Self::Remove(share, _) | Self::Insert(share, _) | Self::Duplicate(share, _)) = self;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a short text"
        )]
        let start = text.floor_char_boundary((share * text.len() as f64) as usize);
        match self {
            Self::Insert(_, word) => text.insert_str(start, word),
            Self::Remove(_, length) => {
                let end = text.floor_char_boundary(start + length);
                text.replace_range(start..end.max(start), "");
            }
            Self::Duplicate(_, length) => {
                let end = text.floor_char_boundary(start + length).max(start);
                let piece = text[start..end].to_owned();
                text.insert_str(end, &piece);
            }
        }
    }
}

const WORDS: &[&str] = &[
    "use",
    "const",
    "type",
    "enum",
    "schema",
    "fn",
    "operator",
    "workflow",
    "test",
    "let",
    "if",
    "else",
    "match",
    "for",
    "in",
    "and",
    "or",
    "not",
    "true",
    "false",
    "none",
    "run",
    "while",
    "with",
    "rows of",
    "part of",
    "fitted on",
    "unseen by",
    "from",
    "max",
    "native",
    "std.tree",
    "gbdt",
    "Dataset<R>",
    "Int",
    "Float?",
    "x",
    "y",
    "model",
    "data",
    ".a",
    ".b",
    "`a b`",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ":",
    ";",
    "=",
    "=>",
    "->",
    "..",
    "..=",
    "??",
    "?",
    "+",
    "-",
    "*",
    "**",
    "/",
    "%",
    "==",
    "!=",
    "1",
    "0.5",
    "80%",
    "4GiB",
    "2h",
    "99z",
    "1..",
    "\"text {x} {{\"",
    "\"",
    "r\"raw\"",
    "date\"2026-01-01\"",
    "date\"2026-13-01\"",
    "// comment",
    "/// doc",
    "\n",
    "\n\n",
    "é",
    "🌱",
    "\u{0}",
    "\u{feff}",
    "\r\n",
    "@",
    "#",
];
