//! Everything that is wrong with a module, gathered from the queries of its items.

use flow_syntax::diagnostic::{Diagnostic, code};

use super::{InstanceKey, checked_body, declaration::declaration, defaults};
use crate::{
    db::{Db, File, Item, Keyword, items, parse_item},
    header::header,
    names::{Mistake, check_uses, recursion},
    provenance::provenance_diagnostics,
    types::type_item,
};

/// Everything that is wrong with a module.
#[salsa::tracked(returns(deref))]
pub fn module_diagnostics<'db>(db: &'db dyn Db, file: File) -> Vec<Mistake<'db>> {
    let of_items = items(db, file).iter().flat_map(|&item| {
        item_diagnostics(db, item).into_iter().map(move |diagnostic| Mistake { item: Some(item), diagnostic })
    });
    let mut found: Vec<Mistake<'db>> = of_items.chain(check_uses(db, file).iter().cloned()).collect();
    // What is wrong may be the very use of what seems unused.
    if found.iter().any(|found| found.diagnostic.is_error()) {
        found.retain(|found| found.diagnostic.code != code::UNUSED);
    }
    found
}

/// Everything that is wrong with one item, but for what concerns its module: imports and repeated names.
fn item_diagnostics<'db>(db: &'db dyn Db, item: Item<'db>) -> Vec<Diagnostic> {
    let parsed = parse_item(db, item);
    let keyword = item.keyword(db);
    let mut diagnostics = Vec::new();
    if keyword.is_type() {
        diagnostics.extend(type_item(db, item).diagnostics.iter().cloned());
    }
    if matches!(keyword, Keyword::Fn | Keyword::Operator | Keyword::Workflow) {
        let header = header(db, item);
        diagnostics.extend(header.diagnostics.iter().cloned());
        if header.callable.as_ref().is_some_and(|callable| callable.params.iter().any(|p| p.has_default)) {
            diagnostics.extend(defaults(db, item).diagnostics.iter().cloned());
        }
    }
    if keyword == Keyword::Operator {
        diagnostics.extend(declaration(db, item).diagnostics.iter().cloned());
    }
    if matches!(keyword, Keyword::Const | Keyword::Fn | Keyword::Workflow | Keyword::Test) {
        let key = InstanceKey::new(db, item, Vec::new());
        diagnostics.extend(checked_body(db, key).diagnostics.iter().cloned());
        diagnostics.extend(provenance_diagnostics(db, item).iter().cloned());
    }
    diagnostics.extend(recursion_of(db, item));
    if let Some(at) = parsed.broken_at() {
        let before = item.text(db).get(..at as usize).unwrap_or_default();
        let line = before.rfind('\n').unwrap_or(0);
        // What is missing may stand in what cannot be read.
        let is_guess = |code| matches!(code, code::NOT_EXHAUSTIVE | code::RECURSION);
        diagnostics.retain(|diagnostic: &Diagnostic| {
            diagnostic.span.end as usize <= line && !is_guess(diagnostic.code)
        });
    }
    diagnostics.extend(parsed.diagnostics.iter().cloned());
    diagnostics
}

/// An item that needs itself, told once for each circle: at the first of its items.
fn recursion_of<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Diagnostic> {
    let path = recursion(db, item)?;
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
