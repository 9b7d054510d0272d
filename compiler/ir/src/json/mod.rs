//! JSON: values for people and scripts, and the DAG in `flow-dag/1`.

mod border;
mod constant;
mod entries;
mod natural;
mod read;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
mod write;

/// The format of the DAG's JSON, with its version. A reader refuses any other.
pub const FORMAT: &str = "flow-dag/1";
