//! What differs between two DAGs, and what each difference means for results that are kept.
//!
//! [`diff`] (in `scope`) finds for every node of the one DAG its counterpart in the other (`pair`), says what differs
//! between the two (`compare`; `input`, `region`, `parameter` and `output` for their parts, `key_changes` for what of
//! it changes results), and follows what changes results along the edges. What comes out is a [`DagDiff`] (`model`):
//! data, with a `text` and a `json` form, in the `words` of the language.

mod compare;
mod input;
mod json;
mod key_changes;
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
