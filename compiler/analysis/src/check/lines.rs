//! Records where lines of a table are wanted: `data.rows([(city: "SF", tipped: true)])`.

use flow_ir::types::{Row, Type};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{Checker, Given, Typed};
use crate::{
    names::did_you_mean,
    types::{show_columns, written_lines},
};

impl<'db> Checker<'db> {
    /// A list of records, each with a value for every column of the row. What is wrong with one is told where it
    /// stands; of a list that is no literal the whole is compared.
    pub(super) fn lines(&mut self, given: Given<'db>, row: &Row) -> Typed {
        let wanted = written_lines(row);
        let (Given::Expr(ast::Expr { kind: ExprKind::List(lines), span }), Type::List(line)) =
            (&given, &wanted)
        else {
            return self.given(given, Some(&wanted));
        };
        let (mut typed, mut is_sound) = (Vec::with_capacity(lines.len()), true);
        for written in lines {
            let has_columns = match &written.kind {
                ExprKind::Record(fields) => self.has_columns(fields, row, written.span),
                _ => true,
            };
            let value = self.expr(written, Some(line));
            let value =
                if has_columns { self.coerce(value, line, "for a row") } else { Typed::error(written.span) };
            is_sound &= value.ty().is_some();
            typed.push(value);
        }
        if is_sound { self.list_of(typed, Some((**line).clone()), *span) } else { Typed::error(*span) }
    }

    /// Whether a record has the columns of a row; reported where it has not, once.
    fn has_columns(&mut self, fields: &[ast::RecordField], row: &Row, span: Span) -> bool {
        let is_field = |name: &&str| fields.iter().any(|field| field.name.text == **name);
        let missing: Vec<&str> =
            row.columns.iter().map(|column| column.name.as_str()).filter(|name| !is_field(name)).collect();
        if let Some(field) = fields.iter().find(|field| row.column(&field.name.text).is_none()) {
            let name = &field.name;
            let message = format!("this row has no column `{}`", name.text);
            let diagnostic = Diagnostic::error(code::NO_SUCH_COLUMN, name.span, message);
            self.report(did_you_mean(diagnostic, &name.text, name.span, missing));
            return false;
        }
        if !missing.is_empty() {
            let message = format!("this row lacks {}", show_columns(missing.iter().copied()));
            self.report(
                Diagnostic::error(code::COLUMNS_DIFFER, span, message)
                    .help("a value that is missing is written `none`, where its column takes that"),
            );
            return false;
        }
        true
    }
}
