//! Typed, canonical expressions over the columns of one row and over scalar parameters.
//!
//! `fn` bodies and lambdas are inlined by the time an expression gets here.

mod aggregate;
mod convert;
mod function;
mod interpret;
pub mod math;
mod named;
mod scalar;
mod signature;
#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, AggregateError, is_key};
pub use convert::{convert, text_of};
pub use function::Function;
pub use interpret::{EvalError, Scope, evaluate};
pub use signature::{SignatureError, common_type, field_type};

use crate::{types::Type, value::Value};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    pub kind: ExprKind,
    /// What it evaluates to; optional where the result may be missing.
    pub ty: Type,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// A column of the row in scope.
    Column(String),
    /// A scalar that is bound by name where the expression stands.
    Parameter(String),
    Literal(Value),
    Call {
        function: Function,
        args: Vec<Expr>,
    },
    /// The operand as a value of the expression's type: a widening, `int float text`, or a change of
    /// meaning alone (`label category id weight event_time`).
    Cast(Box<Expr>),
    /// The value of the first arm whose condition holds; `if` and `match`.
    Case {
        arms: Vec<(Expr, Expr)>,
        otherwise: Box<Expr>,
    },
}
