//! Expressions of the language to expressions of DataFusion.

use arrow::datatypes::DataType;
use datafusion::{
    common::{Column, ScalarValue},
    logical_expr::{Case, Expr as Lowered, Operator, binary_expr, lit},
};
use flow_ir::{
    expr::{Expr, ExprKind, Function, Scope, evaluate},
    types::Type,
    value::Value,
};

use super::{
    cells,
    function::{Operation, Slot, call},
};
use crate::storage;

/// Parameters by name, and no columns.
#[derive(Clone, Copy, Debug)]
pub struct Bindings<'a>(pub &'a [(String, Value)]);

impl Scope for Bindings<'_> {
    fn column(&self, _name: &str) -> Option<&Value> {
        None
    }

    fn parameter(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(parameter, _)| parameter == name).map(|(_, value)| value)
    }
}

/// None for what no column can hold, as a record of tables.
pub fn lower(expr: &Expr, bindings: Bindings<'_>) -> Option<Lowered> {
    if let Some(value) = constant(expr, bindings) {
        return cells::scalar(&value, &expr.ty).map(lit);
    }
    match &expr.kind {
        ExprKind::Column(name) => Some(Lowered::Column(Column::from_name(name))),
        // Without a value: each row that needs it fails.
        ExprKind::Parameter(_) | ExprKind::Literal(_) => failing(expr),
        ExprKind::Cast(operand) => {
            let lowered = lower(operand, bindings)?;
            if storage::data_type(&operand.ty) == storage::data_type(&expr.ty) {
                return Some(lowered);
            }
            call(Operation::Cast, vec![Slot::Input(operand.ty.clone())], vec![lowered], &expr.ty)
        }
        ExprKind::Case { arms, otherwise } => {
            let arms = arms.iter().map(|(condition, value)| {
                Some((Box::new(lower(condition, bindings)?), Box::new(lower_as(value, &expr.ty, bindings)?)))
            });
            let otherwise = Box::new(lower_as(otherwise, &expr.ty, bindings)?);
            Some(Lowered::Case(Case::new(None, arms.collect::<Option<_>>()?, Some(otherwise))))
        }
        ExprKind::Call { function, args } => lower_call(*function, args, expr, bindings),
    }
}

/// An Int where a Float is asked, a Date where a Time is.
pub fn widened(value: Value, ty: &Type) -> Value {
    match (&value, ty.storage()) {
        (Value::Int(_), Type::Float | Type::Float32) | (Value::Date(_), Type::Time) => {
            flow_ir::expr::convert(&value, ty).unwrap_or(value)
        }
        _ => value,
    }
}

fn lower_call(function: Function, args: &[Expr], expr: &Expr, bindings: Bindings<'_>) -> Option<Lowered> {
    let pair = |a: &Expr, b: &Expr| Some((lower(a, bindings)?, lower(b, bindings)?));
    match (function, args) {
        (Function::IsMissing, [value]) => return Some(lower(value, bindings)?.is_null()),
        (Function::Not, [value]) => return Some(Lowered::Not(Box::new(lower(value, bindings)?))),
        (Function::And | Function::Or, [a, b]) => {
            let (first, second) = pair(a, b)?;
            let decisive = lit(function == Function::Or);
            let operator = if function == Function::Or { Operator::Or } else { Operator::And };
            let both = binary_expr(first.clone(), operator, second);
            // DataFusion may compute the second argument for rows that the first decides.
            return Some(if may_fail(b) {
                let is_decided = binary_expr(first, Operator::IsNotDistinctFrom, decisive.clone());
                choose(is_decided, decisive, both)
            } else {
                both
            });
        }
        (Function::OrElse, [value, default]) => {
            let first = lower_as(value, &expr.ty, bindings)?;
            let default = lower_as(default, &expr.ty, bindings)?;
            return Some(choose(first.clone().is_not_null(), first, default));
        }
        (_, [a, b]) if is_comparable(a, b) => {
            if let Some(operator) = comparison(function) {
                let (a, b) = pair(a, b)?;
                return Some(binary_expr(a, operator, b));
            }
        }
        (Function::In, [value, members @ ..]) => {
            if let Some(members) = comparable_members(value, members, bindings) {
                return Some(lower(value, bindings)?.in_list(members, false));
            }
        }
        _ => {}
    }
    let (mut slots, mut inputs) = (Vec::with_capacity(args.len()), Vec::new());
    for arg in args {
        if let Some(value) = constant(arg, bindings) {
            slots.push(Slot::Constant(value));
        } else {
            inputs.push(lower(arg, bindings)?);
            slots.push(Slot::Input(arg.ty.clone()));
        }
    }
    call(Operation::Call(function), slots, inputs, &expr.ty)
}

/// The value of an expression over no column; none where it has none.
fn constant(expr: &Expr, bindings: Bindings<'_>) -> Option<Value> {
    if has_column(expr) { None } else { evaluate(expr, &bindings).ok() }
}

fn has_column(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(_) => true,
        ExprKind::Parameter(_) | ExprKind::Literal(_) => false,
        ExprKind::Cast(operand) => has_column(operand),
        ExprKind::Call { args, .. } => args.iter().any(has_column),
        ExprKind::Case { arms, otherwise } => {
            arms.iter().any(|(condition, value)| has_column(condition) || has_column(value))
                || has_column(otherwise)
        }
    }
}

/// Whether a row may have no value, so that the expression must not be computed where it is not needed.
fn may_fail(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => false,
        ExprKind::Parameter(_) | ExprKind::Cast(_) => true,
        ExprKind::Case { arms, otherwise } => {
            arms.iter().any(|(condition, value)| may_fail(condition) || may_fail(value))
                || may_fail(otherwise)
        }
        ExprKind::Call { function, args } => {
            let is_safe = match function {
                Function::And | Function::Or | Function::Not | Function::IsMissing | Function::OrElse => true,
                Function::Equal | Function::NotEqual | Function::In => true,
                Function::Less | Function::LessEqual | Function::Greater | Function::GreaterEqual => true,
                _ => *expr.ty.storage() == Type::Float && args.iter().all(|arg| is_number(&arg.ty)),
            };
            !is_safe || args.iter().any(may_fail)
        }
    }
}

/// The value's expression, widened to `ty` where an arm's type is narrower than the whole.
fn lower_as(expr: &Expr, ty: &Type, bindings: Bindings<'_>) -> Option<Lowered> {
    if let Some(value) = constant(expr, bindings) {
        return cells::scalar(&widened(value, ty), ty).map(lit);
    }
    let lowered = lower(expr, bindings)?;
    if storage::data_type(&expr.ty) == storage::data_type(ty) {
        return Some(lowered);
    }
    call(Operation::Cast, vec![Slot::Input(expr.ty.clone())], vec![lowered], ty)
}

/// A function without a value, for an expression that has none.
fn failing(expr: &Expr) -> Option<Lowered> {
    call(Operation::Cast, Vec::new(), Vec::new(), &expr.ty)
}

fn choose(condition: Lowered, value: Lowered, otherwise: Lowered) -> Lowered {
    let arms = vec![(Box::new(condition), Box::new(value))];
    Lowered::Case(Case::new(None, arms, Some(Box::new(otherwise))))
}

fn comparison(function: Function) -> Option<Operator> {
    Some(match function {
        Function::Equal => Operator::Eq,
        Function::NotEqual => Operator::NotEq,
        Function::Less => Operator::Lt,
        Function::LessEqual => Operator::LtEq,
        Function::Greater => Operator::Gt,
        Function::GreaterEqual => Operator::GtEq,
        _ => return None,
    })
}

/// Whether DataFusion compares two columns of these types as the language does: not floats.
fn is_comparable(a: &Expr, b: &Expr) -> bool {
    let plain = |ty: &Type| {
        storage::data_type(ty).filter(|of| {
            !matches!(
                of,
                DataType::Float64
                    | DataType::Float32
                    | DataType::List(_)
                    | DataType::FixedSizeList(..)
                    | DataType::Struct(_)
            )
        })
    };
    plain(&a.ty).is_some_and(|of| plain(&b.ty) == Some(of))
}

/// The members of `in`, where they are constants that DataFusion compares as the language does. A
/// missing one would make its `in` missing.
fn comparable_members(value: &Expr, members: &[Expr], bindings: Bindings<'_>) -> Option<Vec<Lowered>> {
    if members.is_empty() || !members.iter().all(|member| is_comparable(value, member)) {
        return None;
    }
    let literal = |member: &Expr| {
        let member = cells::scalar(&constant(member, bindings)?, &member.ty)?;
        (!ScalarValue::is_null(&member)).then(|| lit(member))
    };
    members.iter().map(literal).collect()
}

fn is_number(ty: &Type) -> bool {
    matches!(ty.storage(), Type::Float | Type::Float32 | Type::Int)
}
