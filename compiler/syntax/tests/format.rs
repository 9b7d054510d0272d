//! The formatter: each case is a pair `tests/golden/format/CASE.in.flow` and `CASE.out.flow`; `BLESS=1` rewrites the second.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a case that cannot be read or formatted has failed")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use flow_syntax::format::format;
use flow_syntax::lex::{Kind, lex};
use flow_syntax::parse::parse;
use proptest::prelude::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn flow_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "flow"))
        .collect();
    files.sort();
    files
}

/// Everything that people wrote, file names and texts: the cases, the standard library, the examples.
static CORPUS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let folders = ["tests/golden/format", "stdlib/text/std", "examples/iris", "examples/diabetes"];
    let files = folders.into_iter().flat_map(flow_files);
    files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect()
});

/// The trees of a file without their places.
fn trees(text: &str) -> String {
    let (file, diagnostics) = parse(text);
    assert!(diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{diagnostics:#?}\n{text}");
    let items: Vec<_> = file.items.iter().map(|(_, item)| item).collect();
    let debug = format!("{:?} {items:?}", file.doc);
    let mut parts = debug.split("Span { start: ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('}').map_or("", |(_, rest)| rest))
}

/// Comments in their order; those behind code without what they are behind.
fn comments(text: &str) -> Vec<String> {
    let (file, _) = parse(text);
    file.comments.iter().map(|span| text[span.range()].trim_end().to_owned()).collect()
}

/// The spelling of every token but commas, of which the last of a list comes and goes.
fn spelling(text: &str) -> Vec<&str> {
    let tokens = lex(text).tokens;
    let counts = |kind: Kind| !matches!(kind, Kind::Comma | Kind::Doc | Kind::ModuleDoc);
    tokens.iter().filter(|token| counts(token.kind)).map(|token| &text[token.span.range()]).collect()
}

/// What holds for every text that parses.
fn holds(name: &str, text: &str) -> String {
    let once = format(text).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
    same(name, "the meaning is now", &trees(&once), &trees(text));
    same(name, "the comments are now", &comments(&once).join("\n"), &comments(text).join("\n"));
    same(name, "the tokens are now", &spelling(&once).join("\n"), &spelling(text).join("\n"));
    let twice = format(&once).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
    same(name, "formatted again it is", &twice, &once);
    assert!(once.lines().all(|line| line.trim_end() == line), "{name}: spaces at the end of a line:\n{once}");
    once
}

/// Fails with the lines around the first difference.
fn same(name: &str, what: &str, left: &str, right: &str) {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let common = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let around = |lines: &[&str]| {
        let shown = lines.iter().skip(common.saturating_sub(4)).take(9);
        shown.map(|line| format!("    {line}\n")).collect::<String>()
    };
    assert!(left == right, "{name}: {what}\n{}and not\n{}", around(&left), around(&right));
}

#[test]
fn cases() {
    let inputs = flow_files("tests/golden/format");
    let inputs: Vec<_> = inputs.iter().filter(|path| path.to_string_lossy().ends_with(".in.flow")).collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        let name = input.display().to_string();
        let actual = holds(&name, &std::fs::read_to_string(input).unwrap());
        let output = name.replace(".in.flow", ".out.flow");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&output, &actual).unwrap();
        }
        let expected = std::fs::read_to_string(&output).unwrap_or_default();
        same(&name, "the result (BLESS=1 rewrites it) is", &actual, &expected);
    }
}

#[test]
fn everything_there_is_can_be_formatted() {
    for (name, text) in &*CORPUS {
        holds(name, text);
    }
}

#[test]
fn windows_line_ends_become_plain_ones() {
    for (name, text) in &*CORPUS {
        let windows = text.replace('\n', "\r\n");
        assert_eq!(holds(name, &windows), holds(name, text), "{name}");
    }
}

#[test]
fn a_text_with_mistakes_is_left_alone() {
    let errors = format("const SEED: Int 7\n").unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code.to_string(), "F0101");
}

#[test]
fn nothing_stays_nothing() {
    for text in ["", "\n\n", "  \n"] {
        assert_eq!(format(text).unwrap(), "");
    }
}

#[test]
fn deep_and_long_expressions() {
    let forms: [(&str, &str, &str); 12] = [
        ("(", "a", ")"),
        ("[", "a", "]"),
        ("f(", "a", ")"),
        ("(x: ", "a", ")"),
        ("(x) => ", "a", ""),
        ("not ", "a", ""),
        ("-", "a", ""),
        ("a + ", "a", ""),
        ("a ** ", "a", ""),
        ("", "a", ".f(b)"),
        ("", "a", "[0]"),
        ("if a { b } else ", "{ a }", ""),
    ];
    for (before, inside, behind) in forms {
        let mut formatted = 0;
        for depth in [1, 50, 150, 190, 490, 10_000] {
            let value = format!("{}{inside}{}", before.repeat(depth), behind.repeat(depth));
            let text = format!("fn f() {{\n    let x = {value}\n}}\n");
            if format(&text).is_ok() {
                holds(before, &text);
                formatted += 1;
            }
        }
        assert!((3..6).contains(&formatted), "`{before}{behind}`: {formatted}");
    }
}

/// Puts spaces, line breaks and comments between tokens, and makes names longer. Where that changes what the
/// text means, or makes it meaningless, the test looks at what comes out all the same.
fn mutated(text: &str, changes: &[(usize, usize)]) -> String {
    const INSERTED: [&str; 7] =
        [" ", "\n", "\n\n\n", " // a comment\n", "\n// a comment\n", "\n\n    // one\n// two\n\n", "\t"];
    let tokens = lex(text).tokens;
    let mut places: Vec<(usize, &str)> = changes
        .iter()
        .map(|(place, what)| {
            let token = &tokens[place % tokens.len()];
            match INSERTED.get(what % (2 * INSERTED.len())) {
                Some(inserted) => (token.span.start as usize, *inserted),
                None if token.kind == Kind::Name => {
                    (token.span.end as usize, "_and_that_is_a_very_long_name")
                }
                None => (token.span.start as usize, " "),
            }
        })
        .collect();
    places.sort_unstable();
    let mut mutated = text.to_owned();
    for (place, what) in places.into_iter().rev() {
        mutated.insert_str(place, what);
    }
    mutated
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn space_and_comments_anywhere(
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<usize>(), any::<usize>()), 1..24),
    ) {
        let (name, text) = file.get(&CORPUS);
        let mutated = mutated(text, &changes);
        if format(&mutated).is_ok() {
            holds(name, &mutated);
        }
    }

    #[test]
    fn texts_with_parts_missing(
        file in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize), 1..4),
    ) {
        let (name, text) = file.get(&CORPUS);
        let mut characters: Vec<char> = text.chars().collect();
        for (start, length) in cuts {
            let start = start.index(characters.len().max(1));
            let end = (start + length).min(characters.len());
            characters.drain(start.min(end)..end);
        }
        let text: String = characters.into_iter().collect();
        if format(&text).is_ok() {
            holds(name, &text);
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = format(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_tokens(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        let text = words.join(" ");
        if format(&text).is_ok() {
            holds("any tokens", &text);
        }
    }
}

const WORDS: &[&str] = &[
    "const",
    "fn",
    "workflow",
    "schema",
    "test",
    "use",
    "let",
    "if",
    "else",
    "match",
    "for",
    "in",
    "run",
    "while",
    "with",
    "a",
    "b",
    "C",
    "R",
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
    ".",
    "..",
    "?",
    "=",
    "=>",
    "->",
    "+",
    "-",
    "*",
    "%",
    "??",
    "not",
    "and",
    "==",
    "1",
    "2.5",
    "80%",
    "\"text\"",
    "\"{",
    "}\"",
    "\n",
    "\n\n",
    "// comment\n",
    "/// documentation\n",
    "//! module\n",
];
