//! What we say, in the protocol's words.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use flow_syntax::diagnostic::{Diagnostic, Fix, Severity};
use tower_lsp::ls_types::{
    self, CodeAction, CodeActionKind, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    DocumentChanges, Location, NumberOrString, OneOf, OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit, TextEdit, Uri, WorkspaceEdit,
};

use super::{
    client::Abilities,
    position::{Encoding, Places},
};
use crate::{
    features::{explanation, is_unnecessary},
    workspace::Project,
};

/// The file that a URI names; `None` for what is no `.flow` file of this machine: some clients send all texts.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    let is_file = uri.scheme().as_str().eq_ignore_ascii_case("file");
    let is_source = |path: &Path| path.is_absolute() && path.extension().is_some_and(|end| end == "flow");
    uri.to_file_path().filter(|path| is_file && is_source(path)).map(|path| path.into_owned())
}

pub fn uri(path: &Path) -> Option<Uri> {
    Uri::from_file_path(path)
}

/// The diagnostics of one module. Labels in `std` are left out: an editor has no file to show.
pub fn diagnostics(
    project: &Project,
    module: &str,
    found: &[Diagnostic],
    abilities: &Abilities,
) -> Vec<ls_types::Diagnostic> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut files = Files { project, encoding: abilities.encoding, known: HashMap::new() };
    found
        .iter()
        .filter_map(|diagnostic| {
            let related = diagnostic.labels.iter().filter_map(|label| {
                let location = files.location(label.module.as_deref().unwrap_or(module), label.span)?;
                Some(DiagnosticRelatedInformation { location, message: label.message.clone() })
            });
            let related: Vec<_> = related.filter(|_| abilities.related_information).collect();
            let is_unnecessary = is_unnecessary(diagnostic) && abilities.unnecessary_tag;
            Some(ls_types::Diagnostic {
                range: files.location(module, diagnostic.span)?.range,
                severity: Some(severity(diagnostic.severity)),
                code: Some(NumberOrString::String(diagnostic.code.to_string())),
                source: Some("flow".to_owned()),
                message: explanation(diagnostic),
                related_information: Some(related).filter(|related| !related.is_empty()),
                tags: is_unnecessary.then(|| vec![DiagnosticTag::UNNECESSARY]),
                ..ls_types::Diagnostic::default()
            })
        })
        .collect()
}

/// A fix as an action; it speaks of that version of the text and no other.
pub fn quick_fix(
    fix: &Fix,
    uri: &Uri,
    version: i32,
    places: &Places<'_>,
    abilities: &Abilities,
    mended: Option<ls_types::Diagnostic>,
) -> CodeAction {
    let edits =
        fix.edits.iter().map(|edit| TextEdit { range: places.range(edit.span), new_text: edit.text.clone() });
    let edit = if abilities.document_changes {
        let text_document =
            OptionalVersionedTextDocumentIdentifier { uri: uri.clone(), version: Some(version) };
        let edit = TextDocumentEdit { text_document, edits: edits.map(OneOf::Left).collect() };
        WorkspaceEdit { document_changes: Some(DocumentChanges::Edits(vec![edit])), ..Default::default() }
    } else {
        let changes = HashMap::from_iter([(uri.clone(), edits.collect())]);
        WorkspaceEdit { changes: Some(changes), ..Default::default() }
    };
    CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: mended.map(|diagnostic| vec![diagnostic]),
        edit: Some(edit),
        is_preferred: Some(true),
        ..CodeAction::default()
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
    }
}

/// Where the modules are that a module's diagnostics point into.
struct Files<'a> {
    project: &'a Project,
    encoding: Encoding,
    known: HashMap<String, Option<(Uri, Places<'a>)>>,
}

impl Files<'_> {
    fn location(&mut self, module: &str, span: flow_syntax::span::Span) -> Option<Location> {
        if !self.known.contains_key(module) {
            let text = self.project.analysis().text(module);
            let uri = self.project.file(module).as_deref().and_then(uri);
            let file = uri.zip(text).map(|(uri, text)| (uri, Places::new(text, self.encoding)));
            self.known.insert(module.to_owned(), file);
        }
        let (uri, places) = self.known.get(module)?.as_ref()?;
        Some(Location::new(uri.clone(), places.range(span)))
    }
}
