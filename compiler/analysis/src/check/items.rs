//! Everything that is wrong with one item, gathered from its queries.

use flow_syntax::diagnostic::{Diagnostic, code};

use super::{InstanceKey, checked_body, declaration::declaration, defaults};
use crate::{
    db::{Db, Item, Keyword, parse_item},
    header::header,
    names::recursion,
    types::type_item,
};

/// Everything that is wrong with one item, but for what concerns its module: imports and repeated names.
#[salsa::tracked(returns(deref))]
pub fn item_diagnostics<'db>(db: &'db dyn Db, item: Item<'db>) -> Vec<Diagnostic> {
    let parsed = parse_item(db, item);
    let mut diagnostics = Vec::new();
    match item.keyword(db) {
        Keyword::Type | Keyword::Enum | Keyword::Schema => {
            diagnostics.extend(type_item(db, item).diagnostics.iter().cloned());
        }
        Keyword::Const => {
            let key = InstanceKey::new(db, item, Vec::new());
            diagnostics.extend(checked_body(db, key).diagnostics.iter().cloned());
        }
        Keyword::Fn | Keyword::Operator | Keyword::Workflow => {
            diagnostics.extend(header(db, item).diagnostics.iter().cloned());
            diagnostics.extend(defaults(db, item).diagnostics.iter().cloned());
            diagnostics.extend(declaration(db, item).diagnostics.iter().cloned());
            let key = InstanceKey::new(db, item, Vec::new());
            diagnostics.extend(checked_body(db, key).diagnostics.iter().cloned());
        }
        Keyword::Use | Keyword::Test | Keyword::Unknown => {}
    }
    diagnostics.extend(recursion_of(db, item));
    if let Some(at) = parsed.broken_at() {
        let before = item.text(db).get(..at as usize).unwrap_or_default();
        let line = before.rfind('\n').unwrap_or(0);
        diagnostics.retain(|diagnostic: &Diagnostic| diagnostic.span.end as usize <= line);
    }
    diagnostics.extend(parsed.diagnostics.iter().cloned());
    diagnostics
}

/// An item that needs itself, told once for each circle: at the first of its items.
fn recursion_of<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Diagnostic> {
    let path = recursion(db).get(&item)?;
    let place = |item: &Item<'db>| (item.file(db).module(db).clone(), item.start(db));
    if path.iter().any(|other| place(other) < place(&item)) {
        return None;
    }
    let name = parse_item(db, item).item.kind.name()?;
    let steps: Vec<String> = path.iter().map(|item| format!("`{}`", item.name(db))).collect();
    let (what, help) = match item.keyword(db) {
        Keyword::Fn => {
            ("calls itself", "nothing recurses, so that planning always ends; `for` runs over a list")
        }
        Keyword::Workflow => (
            "calls itself",
            "nothing recurses, so that planning always ends; to repeat until it is good enough, use `run while`",
        ),
        _ => ("needs itself", "break the circle: one of them must stand alone"),
    };
    let message = format!("`{}` {what}: {}", name.text, steps.join(" → "));
    Some(Diagnostic::error(code::RECURSION, name.span, message).help(help))
}
