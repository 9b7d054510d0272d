//! How many elements a list has, where that can be read.

use flow_ir::value::Value;

use super::{Checker, known_value};
use crate::body::{Builtin, Expr, ExprKind, LocalId};

/// The verbs that give a list of as many elements as they are told.
const FOLDS: [&str; 2] = ["std.table.folds", "std.table.folds_at"];

impl Checker<'_> {
    pub fn known_length(&self, list: &Expr) -> Option<usize> {
        match &list.kind {
            ExprKind::List(values) => Some(values.len()),
            ExprKind::Value(Value::List(values)) => Some(values.len()),
            ExprKind::Local(local) => self.lengths.get(local).copied(),
            ExprKind::For { list, .. } | ExprKind::Cast(list) => self.known_length(list),
            ExprKind::Builtin { builtin: Builtin::SortedBy, args, .. } => self.known_length(args.first()?),
            ExprKind::Block { value, .. } => self.known_length(value),
            ExprKind::CallOperator(call) if FOLDS.contains(&call.operator.name.as_str()) => {
                let (_, k) = call.inputs.iter().find(|(name, _)| name == "k")?;
                match known_value(k)? {
                    Value::Int(k) => usize::try_from(k).ok(),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Remembers the length of what a name is bound to.
    pub fn note_length(&mut self, local: LocalId, value: &Expr) {
        if let Some(length) = self.known_length(value) {
            self.lengths.insert(local, length);
        }
    }
}
