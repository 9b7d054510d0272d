//! Known operands go through the IR's reference interpreter: there is one table of meanings.

use std::cmp::Ordering;

use flow_ir::{
    expr::{EvalError, Expr, ExprKind, Function, Scope, convert, evaluate},
    types::Type,
    value::Value,
};

/// The value of a function for known arguments, or why it has none.
pub(super) fn call<'a>(
    function: Function,
    args: impl Iterator<Item = (&'a Value, &'a Type)>,
    ty: Type,
) -> Result<Value, EvalError> {
    let literal =
        |(value, ty): (&Value, &Type)| Expr { kind: ExprKind::Literal(value.clone()), ty: ty.clone() };
    let kind = ExprKind::Call { function, args: args.map(literal).collect() };
    evaluate(&Expr { kind, ty }, &Nothing)
}

/// A known value as one of type `to`.
pub(super) fn cast(value: &Value, to: &Type) -> Result<Value, EvalError> {
    convert(value, to)
}

/// The order of two values; missing ones come last.
pub(super) fn compare(left: &Value, right: &Value) -> Result<Ordering, EvalError> {
    match (left, right) {
        (Value::None, Value::None) => return Ok(Ordering::Equal),
        (Value::None, _) => return Ok(Ordering::Greater),
        (_, Value::None) => return Ok(Ordering::Less),
        _ => {}
    }
    let is_less = |left: &Value, right: &Value| {
        Function::Less.apply(&[left.clone(), right.clone()]).map(|value| value == Value::Bool(true))
    };
    Ok(if is_less(left, right)? {
        Ordering::Less
    } else if is_less(right, left)? {
        Ordering::Greater
    } else {
        Ordering::Equal
    })
}

/// A scope without columns and parameters.
struct Nothing;

impl Scope for Nothing {
    fn column(&self, _: &str) -> Option<&Value> {
        None
    }

    fn parameter(&self, _: &str) -> Option<&Value> {
        None
    }
}
