//! `snake_case` for values, `PascalCase` for types.

use flow_syntax::{
    ast::ItemKind,
    diagnostic::{Diagnostic, Edit, code},
    lex::{Kind, cut, lex},
    span::Span,
};

use super::{Import, scope};
use crate::db::{Db, Item, Project, parse_item};

/// Warns where a name that an item defines is written in the other case. Places count from the file's start,
/// since the fix renames in the whole file.
pub(super) fn check_case<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Diagnostic> {
    let kind = &parse_item(db, item).item.kind;
    let name = kind.name()?;
    let (what, case, mended) = match kind {
        // A constant may be written as C and Rust write it.
        ItemKind::Const(_) => return None,
        ItemKind::Type(_) | ItemKind::Enum(_) | ItemKind::Schema(_) if is_pascal(&name.text) => return None,
        ItemKind::Type(_) | ItemKind::Enum(_) | ItemKind::Schema(_) => {
            ("type", "PascalCase", pascal(&name.text))
        }
        _ if is_snake(&name.text) => return None,
        ItemKind::Fn(_) => ("fn", "snake_case", snake(&name.text)),
        ItemKind::Operator(_) => ("operator", "snake_case", snake(&name.text)),
        _ => ("workflow", "snake_case", snake(&name.text)),
    };
    let span = name.span.shift(item.start(db));
    let message = format!("the {what} `{}` is not in {case}", name.text);
    let diagnostic = Diagnostic::warning(code::NAME_CASE, span, message).help(format!("write `{mended}`"));
    if is_imported(db, item) {
        return Some(diagnostic);
    }
    let edits = mentions(item.file(db).text(db), &name.text);
    let edits = edits.into_iter().map(|span| Edit { span, text: mended.clone() }).collect();
    Some(diagnostic.fix(format!("write `{mended}`"), edits))
}

/// Whether another module may name the item, which an edit of this file alone would break.
fn is_imported<'db>(db: &'db dyn Db, item: Item<'db>) -> bool {
    let Some(project) = Project::try_get(db) else { return false };
    let others = project.modules(db).values().filter(|file| **file != item.file(db));
    others.flat_map(|file| scope(db, *file).imports.values()).any(|import| match import {
        Import::Module(file) => *file == item.file(db),
        Import::Item(other) => *other == item,
        Import::Broken => false,
    })
}

/// Where a file names an item: not behind a dot, where it is a field or another module's, nor before a
/// colon, where it is a field or parameter.
fn mentions(text: &str, name: &str) -> Vec<Span> {
    let tokens: Vec<(Kind, Span)> = cut(text)
        .items
        .iter()
        .flat_map(|chunk| {
            let tokens = lex(chunk.text).tokens;
            tokens.into_iter().map(|token| (token.kind, token.span.shift(chunk.start)))
        })
        .collect();
    let kind = |index: usize| tokens.get(index).map(|(kind, _)| *kind);
    let is_it = |(index, (at, span)): &(usize, &(Kind, Span))| {
        *at == Kind::Name
            && text.get(span.range()) == Some(name)
            && index.checked_sub(1).and_then(kind) != Some(Kind::Dot)
            && kind(index + 1) != Some(Kind::Colon)
    };
    tokens.iter().enumerate().filter(is_it).map(|(_, (_, span))| *span).collect()
}

/// Names that are no plain words, such as those in backticks, come from outside and stay as they are.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_pascal(name: &str) -> bool {
    let bare = name.trim_start_matches('_');
    !is_plain(name) || bare.starts_with(|c: char| c.is_ascii_uppercase()) && !bare.contains('_')
}

fn is_snake(name: &str) -> bool {
    !is_plain(name) || !name.contains(|c: char| c.is_ascii_uppercase())
}

fn pascal(name: &str) -> String {
    let mut word_starts = true;
    let mut out = String::new();
    for c in name.chars() {
        if c == '_' {
            word_starts = true;
        } else if std::mem::take(&mut word_starts) {
            out.push(c.to_ascii_uppercase());
        } else {
            out.push(c);
        }
    }
    out
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = !c.is_ascii_uppercase() && c != '_';
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_names() {
        assert_eq!(snake("trainModel"), "train_model");
        assert_eq!(snake("HTTPServer"), "httpserver");
        assert_eq!(pascal("taxi_ride"), "TaxiRide");
        assert_eq!(pascal("ride"), "Ride");
        assert!(is_snake("_private") && is_snake("fixed acidity") && !is_snake("aB"));
        assert!(is_pascal("F1") && !is_pascal("Taxi_ride"));
    }
}
