//! What happens next, decided purely: `(state, event) -> (state, commands)`.
//!
//! No clock, no I/O, no randomness. Production, simulation and fault injection drive this same code.
//! [`graph`] is what it must know of a DAG, [`step`] what it hears and says, [`status`] where a node may stand;
//! [`state`] moves each node on.

mod graph;
mod state;
mod status;
mod step;
#[cfg(test)]
mod tests;

pub use graph::{Graph, GraphError};
pub use state::State;
pub use status::{Counts, NodeState, RunStatus};
pub use step::{Cause, Command, Event, Step};
