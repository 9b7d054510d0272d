//! Values that can be told before planning: arithmetic on literals, and the turns of a loop over literals.

use flow_ir::{expr::EvalError, value::Value};
use flow_syntax::span::Span;

use super::{Checker, known_value};
use crate::{
    body::{Expr, ExprKind, Pattern},
    stack::with_stack,
};

/// Of a list with more elements, nothing is said of each.
const MAX_TURNS: usize = 1_000;

impl Checker<'_> {
    /// Remembers what the variable of a loop stands for, where its list is written out.
    pub fn note_turns(&mut self, pattern: &Pattern, list: &Expr) {
        let (Pattern::Local(local), ExprKind::List(values)) = (pattern, &list.kind) else { return };
        if values.len() <= MAX_TURNS {
            let turns = values.iter().filter_map(|value| Some((known_value(value)?, value.span)));
            self.turns.insert(local.id, turns.collect());
        }
    }

    /// The values that are known of an expression, each with its place: one, or those of a loop's turns.
    pub fn known_values(&self, expr: &Expr) -> Vec<(Value, Span)> {
        match &expr.kind {
            ExprKind::Local(local) => self.turns.get(local).cloned().unwrap_or_default(),
            _ => fold(expr).ok().flatten().map(|value| (value, expr.span)).into_iter().collect(),
        }
    }
}

/// The value of an expression of literals; `None` where that is for the planner to tell.
///
/// # Errors
/// Where it has no value whatever happens, and why: an Int beyond 64 bits, a division by zero.
pub(super) fn fold(expr: &Expr) -> Result<Option<Value>, (Span, EvalError)> {
    let ExprKind::Scalar { function, args } = &expr.kind else { return Ok(known_value(expr)) };
    let mut values = Vec::with_capacity(args.len());
    for arg in args {
        let Some(value) = with_stack(|| fold(arg))? else { return Ok(None) };
        values.push(value);
    }
    match function.apply(&values) {
        Ok(value) => Ok(Some(value)),
        Err(
            error @ (EvalError::Overflow { .. }
            | EvalError::DivisionByZero { .. }
            | EvalError::NegativeExponent { .. }),
        ) => Err((expr.span, error)),
        Err(_) => Ok(None),
    }
}
