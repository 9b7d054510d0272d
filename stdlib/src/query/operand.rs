//! Arguments of kernels: a column of numbers, or one number for all rows.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray},
    compute::kernels::arity,
    error::ArrowError,
};

#[derive(Clone, Debug)]
pub enum Operand<T: ArrowPrimitiveType> {
    Column(PrimitiveArray<T>),
    Constant(T::Native),
}

/// The language's rules have no value for a row.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure;

impl<T: ArrowPrimitiveType> Operand<T> {
    pub fn map(self, function: impl Fn(T::Native) -> T::Native) -> Option<ArrayRef> {
        match self {
            Self::Column(column) => Some(Arc::new(column.unary::<_, T>(function))),
            Self::Constant(_) => None,
        }
    }

    /// None where both are constant: then there is no column to go along.
    pub fn combine(
        self,
        other: Self,
        function: impl Fn(T::Native, T::Native) -> T::Native,
    ) -> Option<ArrayRef> {
        Some(Arc::new(match (self, other) {
            (Self::Column(a), Self::Column(b)) => arity::binary::<_, _, _, T>(&a, &b, function).ok()?,
            (Self::Column(a), Self::Constant(b)) => a.unary::<_, T>(|a| function(a, b)),
            (Self::Constant(a), Self::Column(b)) => b.unary::<_, T>(|b| function(a, b)),
            (Self::Constant(_), Self::Constant(_)) => return None,
        }))
    }

    /// As [`Self::combine`], for a function that not all numbers have a value in.
    pub fn try_combine(
        self,
        other: Self,
        function: impl Fn(T::Native, T::Native) -> Option<T::Native>,
    ) -> Result<Option<ArrayRef>, Failure> {
        let function = |a, b| function(a, b).ok_or_else(|| ArrowError::ComputeError(String::new()));
        let combined = match (self, other) {
            (Self::Column(a), Self::Column(b)) => arity::try_binary::<_, _, _, T>(&a, &b, function),
            (Self::Column(a), Self::Constant(b)) => a.try_unary::<_, T, _>(|a| function(a, b)),
            (Self::Constant(a), Self::Column(b)) => b.try_unary::<_, T, _>(|b| function(a, b)),
            (Self::Constant(_), Self::Constant(_)) => return Ok(None),
        };
        combined.map(|column| Some(Arc::new(column) as ArrayRef)).map_err(|_| Failure)
    }

    pub fn compare(self, other: Self, holds: impl Fn(T::Native, T::Native) -> bool) -> Option<ArrayRef> {
        Some(Arc::new(match (self, other) {
            (Self::Column(a), Self::Column(b)) => BooleanArray::from_binary(&a, &b, holds),
            (Self::Column(a), Self::Constant(b)) => BooleanArray::from_unary(&a, |a| holds(a, b)),
            (Self::Constant(a), Self::Column(b)) => BooleanArray::from_unary(&b, |b| holds(a, b)),
            (Self::Constant(_), Self::Constant(_)) => return None,
        }))
    }
}
