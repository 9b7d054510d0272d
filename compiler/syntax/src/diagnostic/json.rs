//! Diagnostics for programs: the document of `flowc check --format json`.
//!
//! Lines and columns count from 1, columns in characters; offsets are bytes. Every key is always there; what
//! a diagnostic lacks is `null` or an empty list.

use serde::Serialize;

use super::{Diagnostic, Severity, Source, Sources};
use crate::span;

/// What `flowc check --format json` prints.
#[derive(Debug, Default, Serialize)]
pub struct Document {
    pub files: usize,
    pub errors: usize,
    pub warnings: usize,
    pub diagnostics: Vec<Entry>,
}

impl Document {
    /// Adds what is said of other files.
    pub fn append(&mut self, other: Self) {
        self.files += other.files;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.diagnostics.extend(other.diagnostics);
    }
}

#[derive(Debug, Serialize)]
pub struct Entry {
    pub code: String,
    pub severity: &'static str,
    pub message: String,
    pub file: String,
    pub span: Span,
    pub labels: Vec<Label>,
    pub help: Option<String>,
    pub fix: Option<Fix>,
}

#[derive(Debug, Serialize)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

#[derive(Debug, Serialize)]
pub struct Position {
    pub line: u32,
    pub column: u32,
    pub offset: u32,
}

#[derive(Debug, Serialize)]
pub struct Label {
    pub file: String,
    pub span: Span,
    pub message: String,
}

#[derive(Debug, Serialize)]
pub struct Fix {
    pub title: String,
    pub edits: Vec<Edit>,
}

#[derive(Debug, Serialize)]
pub struct Edit {
    pub file: String,
    pub span: Span,
    pub text: String,
}

/// The document about `files` checked files. Each diagnostic comes with the module it was found in, its
/// spans counted from the begin of the file; one whose module is not among the sources is left out.
pub fn document<'d>(
    files: usize,
    diagnostics: impl IntoIterator<Item = (&'d str, &'d Diagnostic)>,
    sources: &Sources<'_>,
) -> Document {
    let mut document = Document { files, errors: 0, warnings: 0, diagnostics: Vec::new() };
    for (module, diagnostic) in diagnostics {
        match diagnostic.severity {
            Severity::Error => document.errors += 1,
            Severity::Warning => document.warnings += 1,
        }
        document.diagnostics.extend(sources.get(module).map(|source| entry(diagnostic, source, sources)));
    }
    document
}

fn entry(diagnostic: &Diagnostic, source: &Source<'_>, sources: &Sources<'_>) -> Entry {
    Entry {
        code: diagnostic.code.to_string(),
        severity: diagnostic.severity.word(),
        message: diagnostic.message.clone(),
        file: source.file.clone(),
        span: place(diagnostic.span, source),
        labels: diagnostic
            .labels
            .iter()
            .filter_map(|label| {
                let source = label.module.as_deref().map_or(Some(source), |module| sources.get(module))?;
                Some(Label {
                    file: source.file.clone(),
                    span: place(label.span, source),
                    message: label.message.clone(),
                })
            })
            .collect(),
        help: diagnostic.help.clone(),
        fix: diagnostic.fix.as_ref().map(|fix| Fix {
            title: fix.title.clone(),
            edits: fix
                .edits
                .iter()
                .map(|edit| Edit {
                    file: source.file.clone(),
                    span: place(edit.span, source),
                    text: edit.text.clone(),
                })
                .collect(),
        }),
    }
}

fn place(span: span::Span, source: &Source<'_>) -> Span {
    let position = |offset| {
        let position = source.lines().position(source.text, offset);
        Position { line: position.line, column: position.column, offset }
    };
    Span { start: position(span.start), end: position(span.end) }
}

#[cfg(test)]
mod tests {
    use super::super::{Diagnostic, Edit, Sources, code};
    use crate::span::Span;

    #[test]
    fn the_document_is_the_one_that_is_promised() {
        let text = "schema Ride { distance: Float }\nfn f() -> Float {\n    .größe + .distnce\n}\n";
        let start = text.find(".distnce").unwrap() as u32;
        let span = Span::new(start, start + 8);
        let diagnostic = Diagnostic::error(code::NO_SUCH_COLUMN, span, "no column `distnce` in `Ride`")
            .label_in("rides", Span::new(7, 11), "the row")
            .label_in("gone", Span::new(0, 1), "left out: nobody knows this module")
            .help("did you mean `distance`?")
            .fix("write `.distance`", vec![Edit { span, text: ".distance".to_owned() }]);
        let mut sources = Sources::new();
        sources.add("a", "a.flow", text);
        sources.add("rides", "rides.flow", "schema Ride { }");
        let document = super::document(3, [("a", &diagnostic)], &sources);
        let place = serde_json::json!({
            "start": {"line": 3, "column": 14, "offset": 65},
            "end": {"line": 3, "column": 22, "offset": 73},
        });
        let expected = serde_json::json!({"files": 3, "errors": 1, "warnings": 0, "diagnostics": [{
            "code": "F0401", "severity": "error", "message": "no column `distnce` in `Ride`", "file": "a.flow",
            "span": place,
            "labels": [{
                "file": "rides.flow",
                "span": {
                    "start": {"line": 1, "column": 8, "offset": 7},
                    "end": {"line": 1, "column": 12, "offset": 11},
                },
                "message": "the row",
            }],
            "help": "did you mean `distance`?",
            "fix": {
                "title": "write `.distance`",
                "edits": [{"file": "a.flow", "span": place, "text": ".distance"}],
            },
        }]});
        assert_eq!(serde_json::to_string(&document).unwrap(), expected.to_string());
    }
}
