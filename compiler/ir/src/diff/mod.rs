//! What differs between two DAGs, and what each difference means for results that are kept.
//!
//! [`diff`] finds for every node of the one DAG its counterpart in the other ([`pair`]), says what differs
//! between the two ([`compare`]), and follows what changes results along the edges ([`scope`]). What comes out is a
//! [`DagDiff`]: data, with a text and a JSON form.

mod compare;
mod cost;
mod input;
mod json;
mod model;
mod output;
mod pair;
mod parameter;
mod region;
mod scope;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use json::FORMAT;
pub use model::{
    Cause, Change, DagDiff, Effect, FieldChange, Follower, Kind, NodeDiff, OutputDiff, ParameterDiff, Part,
};
pub use scope::diff;
pub use text::Summary;
