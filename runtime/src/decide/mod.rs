//! What happens next, decided purely: `(state, event) -> (state, commands)`.
//!
//! No clock, no I/O, no randomness. Production, simulation and fault injection drive this same code.
//! [`graph`] is what it must know of a DAG; [`state`] is where each node stands and how it moves on.

mod graph;
mod state;
#[cfg(test)]
mod tests;

pub use graph::{Graph, GraphError};
pub use state::{Cause, Command, Counts, Event, NodeState, RunStatus, State, Step};
