//! A name that is unknown in several items of a file is one mistake: it is told where it stands first, and its
//! other places are labels of that.

use flow_syntax::diagnostic::{Diagnostic, code};
use rustc_hash::FxHashMap;

/// Further places are shown up to this many.
const MAX_LABELS: usize = 8;

/// The same findings, in the same order, each unknown name once. They come in the order of the text.
pub fn told_once(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut first: FxHashMap<String, usize> = FxHashMap::default();
    let mut told: Vec<Diagnostic> = Vec::with_capacity(found.len());
    for diagnostic in found {
        let Some(name) = unknown_name(&diagnostic) else {
            told.push(diagnostic);
            continue;
        };
        let index = *first.entry(name).or_insert(told.len());
        match told.get_mut(index) {
            Some(first) => add(first, diagnostic),
            None => told.push(diagnostic),
        }
    }
    told
}

/// What makes two findings the same: the name, and where it was looked for.
fn unknown_name(diagnostic: &Diagnostic) -> Option<String> {
    let message = &diagnostic.message;
    let is_it = diagnostic.code == code::UNKNOWN_NAME
        && (message.starts_with("there is no `")
            || message.starts_with("there is no type `")
            || message.contains(" has no variant `")
            || message.contains(" has no item `"));
    is_it.then(|| message.replacen("no type `", "no `", 1))
}

fn add(first: &mut Diagnostic, other: Diagnostic) {
    if first.labels.len() < MAX_LABELS {
        first.labels.push(flow_syntax::diagnostic::Label {
            module: None,
            span: other.span,
            message: "and here".to_owned(),
        });
    }
    if let (Some(fix), Some(more)) = (&mut first.fix, other.fix)
        && fix.title == more.title
    {
        fix.edits.extend(more.edits);
    }
}
