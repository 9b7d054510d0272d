//! `tests/golden/syntax/CASE.flow` gives `CASE.ast`. `BLESS=1` writes the latter.

use crate::outline::Outline;
use flow_syntax::diagnostic::Diagnostic;
use flow_syntax::lines::LineIndex;
use flow_syntax::parse::parse;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn cases_parse_as_written_down() {
    let mut wrong = Vec::new();
    for path in cases() {
        let actual = describe(&fs::read_to_string(&path).unwrap());
        let golden = path.with_extension("ast");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&golden, &actual).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != actual {
            wrong.push(format!("{}:\n{actual}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 rewrites these cases:\n{}", wrong.join("\n"));
}

/// Recovery leaves a diagnostic wherever it acts, so a text without any is read by the rules alone.
#[test]
fn sound_text_has_a_whole_tree() {
    for path in cases().into_iter().chain(texts_of_the_project()) {
        let text = fs::read_to_string(&path).unwrap();
        let (file, diagnostics) = parse(&text);
        let errors: usize =
            file.items.iter().map(|(start, item)| Outline::item(&text[*start as usize..], item).1).sum();
        if diagnostics.is_empty() {
            assert_eq!(errors, 0, "{}", path.display());
        }
    }
}

#[test]
fn the_standard_library_and_the_examples_are_sound() {
    let texts = texts_of_the_project();
    assert!(!texts.is_empty());
    for path in texts {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(parse(&text).1, [], "{}", path.display());
    }
}

/// What every case shows: the module's documentation, its items, and what is wrong.
pub fn describe(text: &str) -> String {
    let (file, diagnostics) = parse(text);
    let mut out = String::new();
    for line in file.doc.iter().flat_map(|doc| doc.text.lines()) {
        out += &format!("//! {line}\n");
    }
    for (start, item) in &file.items {
        out += &Outline::item(&text[*start as usize..], item).0;
    }
    for comment in &file.comments {
        out += &format!("comment {:?}\n", &text[comment.range()]);
    }
    for diagnostic in &diagnostics {
        out += &describe_diagnostic(text, diagnostic);
    }
    out
}

fn describe_diagnostic(text: &str, diagnostic: &Diagnostic) -> String {
    let position = LineIndex::new(text).position(text, diagnostic.span.start);
    let place = &text[diagnostic.span.range()];
    let mut out = format!(
        "{} {}:{} {place:?}: {}\n",
        diagnostic.code, position.line, position.column, diagnostic.message
    );
    if let Some(help) = &diagnostic.help {
        out += &format!("    {help}\n");
    }
    out
}

pub fn cases() -> Vec<PathBuf> {
    let mut cases = flow_files(&repository().join("tests/golden/syntax"));
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn texts_of_the_project() -> Vec<PathBuf> {
    ["stdlib/text", "examples"].iter().flat_map(|folder| flow_files(&repository().join(folder))).collect()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn flow_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    let entries: Vec<PathBuf> = entries.unwrap_or_default();
    let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    let files =
        files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "flow"));
    files.chain(folders.iter().flat_map(|folder| flow_files(folder))).collect()
}
