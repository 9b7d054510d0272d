//! Expressions over the columns of a table, by DataFusion.
//!
//! [`lower`] turns an expression into one of DataFusion's; where DataFusion means the same as the
//! language it serves as it is (columns, literals, `case`, `and`, comparisons of anything but floats),
//! and everything else is a [`function`] of our own, on whole columns by `kernel` or cell by cell.
//! [`Evaluator`] runs it over a batch. Where that fails, the reference interpreter decides: it
//! names the row, or finds that no row needed what failed.
//!
//! `cells` are the border between arrays and values.

mod cells;
mod evaluate;
mod function;
mod kernel;
mod lower;
mod operand;

pub use evaluate::Evaluator;

#[cfg(test)]
pub(crate) mod tests;
