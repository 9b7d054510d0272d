//! The reference interpreter: an expression's value for one row. Every other way to compute an
//! expression must agree with it.

use super::{Expr, ExprKind, convert, scalar};
use crate::{expr::Function, types::Type, value::Value};

/// Where an expression finds its columns and parameters.
pub trait Scope {
    fn column(&self, name: &str) -> Option<&Value>;
    fn parameter(&self, name: &str) -> Option<&Value>;
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    #[error("there is no column `{name}`")]
    UnknownColumn { name: String },
    #[error("there is no parameter `{name}`")]
    UnknownParameter { name: String },
    /// The result is beyond 64 bits, or beyond what the type holds.
    #[error("`{}` overflows: {}", function.name(), listed(args))]
    Overflow { function: Function, args: Vec<Value> },
    #[error("`{}` divides by zero: {}", function.name(), listed(args))]
    DivisionByZero { function: Function, args: Vec<Value> },
    /// An Int to a negative power is no Int.
    #[error("an Int has no power of {exponent}: write the base as a Float")]
    NegativeExponent { exponent: i64 },
    #[error("{value} is no {ty}")]
    Conversion { value: String, ty: Type },
    #[error("`{pattern}` is not a regular expression")]
    Pattern { pattern: String },
    #[error("there is no element {index} in a list of {length}")]
    NoElement { index: i64, length: usize },
    #[error("the record has no field `{name}`")]
    NoField { name: String },
    /// Values that the function has no meaning for; a checked expression has them only where the bounds of a
    /// `bucket` turn out not to ascend.
    #[error("`{}` does not take {}", function.name(), listed(args))]
    Arguments { function: Function, args: Vec<Value> },
}

/// The value of an expression in a scope.
///
/// # Errors
/// Int overflow and the like, or a name that the scope lacks.
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Result<Value, EvalError> {
    let value = match &expr.kind {
        ExprKind::Column(name) => {
            scope.column(name).cloned().ok_or_else(|| EvalError::UnknownColumn { name: name.clone() })?
        }
        ExprKind::Parameter(name) => scope
            .parameter(name)
            .cloned()
            .ok_or_else(|| EvalError::UnknownParameter { name: name.clone() })?,
        ExprKind::Literal(value) => value.clone(),
        ExprKind::Cast(operand) => convert::convert(&evaluate(operand, scope)?, &expr.ty)?,
        ExprKind::Call { function, args } => call(*function, args, scope)?,
        ExprKind::Case { arms, otherwise } => {
            for (condition, value) in arms {
                if evaluate(condition, scope)? == Value::Bool(true) {
                    return evaluate(value, scope).map(|value| convert::widen(value, &expr.ty));
                }
            }
            evaluate(otherwise, scope)?
        }
    };
    Ok(convert::widen(value, &expr.ty))
}

/// `and`, `or` and `??` look at their second argument only where it decides.
fn call(function: Function, args: &[Expr], scope: &dyn Scope) -> Result<Value, EvalError> {
    if let [first, second] = args {
        // `x == none` asks whether it is there.
        let is_comparison = matches!(function, Function::Equal | Function::NotEqual);
        if is_comparison && (first.ty == Type::Nothing || second.ty == Type::Nothing) {
            let are_equal = evaluate(first, scope)? == evaluate(second, scope)?;
            return Ok(Value::Bool(are_equal == (function == Function::Equal)));
        }
        let decided = match function {
            Function::And => Some(Value::Bool(false)),
            Function::Or => Some(Value::Bool(true)),
            _ => None,
        };
        if decided.is_some() || function == Function::OrElse {
            let first = evaluate(first, scope)?;
            let is_decided = if function == Function::OrElse {
                first != Value::None
            } else {
                Some(&first) == decided.as_ref()
            };
            if is_decided {
                return Ok(first);
            }
            return scalar::apply(function, &[first, evaluate(second, scope)?]);
        }
    }
    let args: Result<Vec<_>, _> = args.iter().map(|arg| evaluate(arg, scope)).collect();
    scalar::apply(function, &args?)
}

fn listed(args: &[Value]) -> String {
    args.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}
