//! The planner from text to DAG, and what its modules' own tests stand on.

mod flow;
mod golden;
mod programs;
pub(crate) mod support;
