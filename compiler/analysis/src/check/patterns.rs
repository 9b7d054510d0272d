//! What a pattern binds.

use flow_ir::types::{RecordType, Type};
use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use rustc_hash::FxHashMap;

use super::{Binding, Checker, EntryKind};
use crate::{
    body,
    names::quoted,
    stages::Stage,
    ty::Ty,
    types::{show, show_columns},
};

impl<'db> Checker<'db> {
    /// Binds the names of a pattern to a value of this type, or to its fields.
    pub fn pattern(
        &mut self,
        pattern: &'db ast::Pattern,
        ty: &Ty,
        stage: &Stage,
        kind: EntryKind,
    ) -> Option<body::Pattern> {
        match pattern {
            ast::Pattern::Name(name) => {
                let local = self.new_local(&name.text, ty.clone());
                let binding = Binding::Local { id: local.id, ty: ty.clone(), stage: stage.clone() };
                self.bind(name, binding, kind);
                Some(body::Pattern::Local(local))
            }
            ast::Pattern::Record { fields, span } => self.record_pattern(fields, ty, stage, *span),
            ast::Pattern::Error(_) => None,
        }
    }

    /// The uses of the field that was probably meant are no mistakes of their own.
    fn expect_meant(&mut self, field: &ast::PatternField, record: &RecordType) {
        let fields = record.fields.iter().map(|field| field.name.as_str());
        if field.field.span == field.binding.span
            && let Some(meant) = flow_syntax::suggest::suggest(&field.field.text, fields)
        {
            self.is_told(meant);
        }
    }

    fn record_pattern(
        &mut self,
        fields: &'db [ast::PatternField],
        ty: &Ty,
        stage: &Stage,
        span: Span,
    ) -> Option<body::Pattern> {
        let record = match ty {
            Ty::Ground(Type::Record(record)) => Some(record),
            Ty::Ground(other) => {
                let message =
                    format!("`(…)` takes a record apart by its fields, and this is `{}`", show(other));
                self.fail(code::TYPE_MISMATCH, span, message);
                None
            }
            Ty::Error => None,
        };
        let unknown: Vec<&ast::PatternField> = match record {
            Some(record) => fields.iter().filter(|field| record.field(&field.field.text).is_none()).collect(),
            None => Vec::new(),
        };
        if let (Some(record), [first, others @ ..]) = (record, unknown.as_slice())
            && !others.is_empty()
        {
            self.report(no_such_fields(first, others, fields, record));
        }
        let mut bound = Vec::with_capacity(fields.len());
        let mut first = FxHashMap::default();
        for field in fields {
            let field_ty = match record.map(|record| (record, record.field(&field.field.text))) {
                Some((_, Some(field))) => Ty::Ground(field.ty.clone()),
                Some((record, None)) => {
                    if unknown.len() == 1 {
                        self.no_such_field(&field.field, record);
                    }
                    self.expect_meant(field, record);
                    Ty::Error
                }
                None => Ty::Error,
            };
            let first = *first.entry(&field.binding.text).or_insert(field.binding.span);
            if first != field.binding.span {
                let message = format!("`{}` is bound twice in this pattern", field.binding.text);
                self.report(
                    Diagnostic::error(code::DEFINED_TWICE, field.binding.span, message)
                        .label(first, "the first is here")
                        .help(format!("give one of the two a name of its own: `{}: name`", field.field.text)),
                );
                continue;
            }
            let local = self.new_local(&field.binding.text, field_ty.clone());
            let stage = stage.field(&field.field.text);
            let kind = if field.field.span == field.binding.span { EntryKind::Field } else { EntryKind::Let };
            self.bind(&field.binding, Binding::Local { id: local.id, ty: field_ty, stage }, kind);
            bound.push((field.field.text.clone(), local));
        }
        Some(body::Pattern::Record(bound))
    }
}

/// Several names that a record does not have: one mistake, which record it is. Where as many of its fields are left
/// over, these are what was meant, in their order.
fn no_such_fields(
    first: &ast::PatternField,
    others: &[&ast::PatternField],
    all: &[ast::PatternField],
    record: &RecordType,
) -> Diagnostic {
    let unknown: Vec<&ast::PatternField> = std::iter::once(first).chain(others.iter().copied()).collect();
    let names = show_columns(unknown.iter().map(|field| field.field.text.as_str()));
    let message = format!("there are no fields {names} in this record");
    let fields = record.fields.iter().map(|field| field.name.as_str());
    let mut diagnostic = Diagnostic::error(code::UNKNOWN_NAME, first.field.span, message)
        .help(format!("its fields are {}", show_columns(fields.clone())));
    for other in others {
        diagnostic = diagnostic.label(other.field.span, "nor this");
    }
    let is_left = |name: &&str| all.iter().all(|field| field.field.text != *name);
    let left: Vec<&str> = fields.filter(is_left).collect();
    if left.len() != unknown.len() {
        return diagnostic;
    }
    let edits = unknown.iter().zip(&left).map(|(field, name)| {
        let name = quoted(name);
        let is_short = field.field.span == field.binding.span;
        let text = if is_short { format!("{name}: {}", quoted(&field.binding.text)) } else { name };
        Edit { span: field.field.span, text }
    });
    let edits = edits.collect();
    diagnostic.fix(format!("bind {}", show_columns(left.iter().copied())), edits)
}
