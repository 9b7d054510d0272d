//! Types.

use super::doc::{Doc, concat_docs};
use super::printer::{Brackets, Printer};
use crate::ast::{Name, Refinement, RowChange, RowEntry, TypeArg, TypeExpr, TypeKind};

impl<'t> Printer<'t> {
    pub(super) fn ty(&mut self, ty: &TypeExpr) -> Doc<'t> {
        match &ty.kind {
            TypeKind::Named { path, args } => {
                let path = self.path(path);
                if args.is_empty() {
                    return path;
                }
                // What stands between angle brackets breaks, if it must, within its own brackets.
                let args = args.iter().map(|arg| self.type_arg(arg)).collect();
                concat_docs![path, Doc::Text("<"), joined(args), Doc::Text(">")]
            }
            // `T??` would be read as an operator.
            TypeKind::Optional(inner) if matches!(inner.kind, TypeKind::Optional(_)) => {
                concat_docs![self.ty(inner), Doc::Text(" ?")]
            }
            TypeKind::Optional(inner) => concat_docs![self.ty(inner), Doc::Text("?")],
            TypeKind::Refined { base, refinement } => {
                concat_docs![self.ty(base), Doc::Text(" "), self.refinement(refinement)]
            }
            TypeKind::Row(entries) => self.row(entries, ty.span.end),
            TypeKind::Record(fields) => self.list(
                Brackets::PARENS,
                fields,
                ty.span.end,
                |field| field.name.span.start,
                |printer, field| printer.typed(&field.name, &field.ty),
            ),
            TypeKind::Error => Doc::Text(self.source(ty.span)),
        }
    }

    /// `name: Type`
    pub(super) fn typed(&mut self, name: &Name, ty: &TypeExpr) -> Doc<'t> {
        let name = self.name(name);
        concat_docs![name, self.after(":", ty.span.start, |printer| printer.ty(ty))]
    }

    fn type_arg(&mut self, arg: &TypeArg) -> Doc<'t> {
        match arg {
            TypeArg::Type(ty) => self.ty(ty),
            TypeArg::Number(_, span) => Doc::Text(self.source(*span)),
            TypeArg::Text(text) => Doc::Text(self.source(text.span)),
        }
    }

    fn refinement(&mut self, refinement: &Refinement) -> Doc<'t> {
        match refinement {
            Refinement::In { low, high, inclusive } => {
                let low = low.as_ref().map_or(Doc::Nil, |low| self.expr(low));
                let dots = Doc::Text(if *inclusive { "..=" } else { ".." });
                let high = high.as_ref().map_or(Doc::Nil, |high| self.expr(high));
                concat_docs![Doc::Text("in "), low, dots, high]
            }
            Refinement::Matching(text) => {
                concat_docs![Doc::Text("matching "), Doc::Text(self.source(text.span))]
            }
        }
    }

    fn row(&mut self, entries: &[RowEntry], end: u32) -> Doc<'t> {
        let start = |entry: &RowEntry| match entry {
            RowEntry::Spread { span, .. } | RowEntry::Named { span, .. } | RowEntry::Open(span) => span.start,
            RowEntry::Column { name, .. } => name.span.start,
        };
        self.list(Brackets::BRACES, entries, end, start, |printer, entry| match entry {
            RowEntry::Spread { row, change, .. } => {
                let row = printer.path(row);
                let change = change.as_ref().map_or(Doc::Nil, |change| printer.row_change(change));
                concat_docs![Doc::Text(".."), row, change]
            }
            RowEntry::Column { name, ty } => printer.typed(name, ty),
            RowEntry::Named { param, ty, .. } => {
                let name = concat_docs![Doc::Text("["), printer.name(param), Doc::Text("]")];
                concat_docs![name, printer.after(":", ty.span.start, |printer| printer.ty(ty))]
            }
            RowEntry::Open(_) => Doc::Text(".."),
        })
    }

    fn row_change(&mut self, change: &RowChange) -> Doc<'t> {
        match change {
            RowChange::Without(names) => {
                let names: Vec<Doc<'t>> = names.iter().map(|name| self.name(name)).collect();
                concat_docs![Doc::Text(" without ("), joined(names), Doc::Text(")")]
            }
            RowChange::WithoutListed(name) => concat_docs![Doc::Text(" without "), self.name(name)],
            RowChange::WithPresent(name) => {
                concat_docs![Doc::Text(" with "), self.name(name), Doc::Text(" present")]
            }
            RowChange::WithType(name, ty) => concat_docs![Doc::Text(" with "), self.typed(name, ty)],
        }
    }
}

/// `a, b, c` on one line.
pub(super) fn joined(docs: Vec<Doc<'_>>) -> Doc<'_> {
    let mut parts = Vec::new();
    for (position, doc) in docs.into_iter().enumerate() {
        if position > 0 {
            parts.push(Doc::Text(", "));
        }
        parts.push(doc);
    }
    Doc::Concat(parts)
}
