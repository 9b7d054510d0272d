//! JSON: values for people and scripts, and the DAG in `flow-dag/1`.
//!
//! `write` turns a DAG into the shapes of `border`, `read` turns them back and doubts everything; both keep the order
//! of keys with `entries`, and write values with `constant`, which needs no type to read them. `natural` is the other
//! form of values, the one people type: there the type says what is meant.

mod border;
mod constant;
mod entries;
mod natural;
mod read;
#[cfg(test)]
pub(crate) mod schema_tests;
#[cfg(test)]
mod tests;
mod write;

use crate::value::Value;

/// A value as JSON that says what it is and needs no type to be read, as constants in `flow-dag/1` stand.
pub fn tagged(value: &Value) -> serde_json::Value {
    serde_json::to_value(constant::Borrowed(value)).unwrap_or_default()
}

/// Reads back what [`tagged`] wrote; `None` where it is something else.
pub fn from_tagged(json: &serde_json::Value) -> Option<Value> {
    serde::Deserialize::deserialize(json).ok().map(|constant::Constant(value)| value)
}

/// The format of the DAG's JSON, with its version. A reader refuses any other.
pub const FORMAT: &str = "flow-dag/1";
