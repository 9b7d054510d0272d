//! Each body's provenance, on its own: what is wrong in it, and what callers need of it.

use std::sync::Arc;

use flow_syntax::{diagnostic::Diagnostic, span::Span};

use super::{
    evaluate::{Evaluator, carries_rows},
    show::show,
    summary::Summary,
};
use crate::{
    check::{InstanceKey, checked_body},
    db::{Db, Item, Keyword},
    ty::Ty,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evaluated {
    summary: Arc<Summary>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The provenance of a body, on its parameters as they are.
#[salsa::tracked(cycle_result = circular)]
pub(crate) fn provenance<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Evaluated {
    let Some(body) = &checked_body(db, key).body else { return Evaluated::default() };
    let mut evaluator = Evaluator::new(db);
    let value = evaluator.body(body, &[]);
    let diagnostics = std::mem::take(&mut evaluator.diagnostics);
    let mistake = own_mistake(db, key, &diagnostics);
    let value = evaluator.bounded(value);
    let summary = Arc::new(evaluator.summary(&value, mistake));
    Evaluated { summary, diagnostics }
}

/// What callers read: it stays equal when nothing in the body changed that matters to rows.
#[salsa::tracked(cycle_result = circular_summary)]
pub(crate) fn summary<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Arc<Summary> {
    Arc::clone(&provenance(db, key).summary)
}

/// What breaks a rule of provenance in an item's body.
pub(crate) fn provenance_diagnostics<'db>(db: &'db dyn Db, item: Item<'db>) -> &'db [Diagnostic] {
    let key = InstanceKey::new(db, item, Vec::new());
    let may_break = match item.keyword(db) {
        Keyword::Workflow => true,
        // What computes with numbers alone has no rows.
        Keyword::Fn => checked_body(db, key).body.as_ref().is_some_and(|body| {
            let mut types = body.params.iter().map(|param| &param.ty).chain([&body.value.ty]);
            types.any(|ty| matches!(ty, Ty::Ground(ty) if carries_rows(ty)))
        }),
        _ => false,
    };
    if may_break { &provenance(db, key).diagnostics } else { &[] }
}

/// The same, where parameters with one number are bound to one file.
pub(crate) fn diagnostics_where_same<'db>(db: &'db dyn Db, item: Item<'db>, same: &[u32]) -> Vec<Diagnostic> {
    let key = InstanceKey::new(db, item, Vec::new());
    let Some(body) = &checked_body(db, key).body else { return Vec::new() };
    let mut evaluator = Evaluator::new(db);
    evaluator.body(body, same);
    let known = &provenance(db, key).diagnostics;
    evaluator.diagnostics.into_iter().filter(|found| !known.contains(found)).collect()
}

/// For each `let` of a body whose value has rows: where it stands, and the rows in words.
pub(crate) fn rows_of_lets<'db>(db: &'db dyn Db, item: Item<'db>) -> Vec<(Span, String)> {
    let key = InstanceKey::new(db, item, Vec::new());
    let Some(body) = &checked_body(db, key).body else { return Vec::new() };
    let mut evaluator = Evaluator::new(db);
    evaluator.lets = Some(Vec::new());
    evaluator.body(body, &[]);
    let params: Vec<String> = body.params.iter().map(|param| param.name.clone()).collect();
    let lets = evaluator.lets.take().unwrap_or_default();
    lets.iter().filter_map(|(span, value)| Some((*span, show(value, &params, &evaluator)?))).collect()
}

/// The first mistake that a generic body has for these rows alone.
fn own_mistake<'db>(
    db: &'db dyn Db,
    key: InstanceKey<'db>,
    diagnostics: &[Diagnostic],
) -> Option<(flow_syntax::diagnostic::Code, String)> {
    if key.type_args(db).is_empty() || diagnostics.is_empty() {
        return None;
    }
    let declared = &provenance(db, InstanceKey::new(db, key.item(db), Vec::new())).diagnostics;
    let own = diagnostics.iter().find(|found| !declared.iter().any(|other| other.span == found.span))?;
    Some((own.code, own.message.clone()))
}

fn circular<'db>(_: &'db dyn Db, _: salsa::Id, _: InstanceKey<'db>) -> Evaluated {
    Evaluated::default()
}

fn circular_summary<'db>(_: &'db dyn Db, _: salsa::Id, _: InstanceKey<'db>) -> Arc<Summary> {
    Arc::default()
}
