//! What happens next, decided purely: `(state, event) -> (state, commands)`.
//!
//! No clock, no I/O, no randomness. Production, simulation and fault injection drive this same code.
//!
//! [`graph`] is what it must know of a DAG, and [`shape`] that the DAG has it; [`step`] what it hears and says,
//! [`status`] where a node may stand. [`state`] is every node, and takes each event to the file that knows what it
//! does: [`flow`] to start and to finish, [`retry`] to fail, [`cancel`] to stop, [`control`] to branch, map, loop
//! and wait. A run and every instance of a region is a [`scope`]: they end alike. [`past`] is how a run goes on
//! that another process began, and [`name`] what nodes are called.

mod cancel;
mod control;
mod flow;
mod graph;
mod name;
mod past;
mod retry;
mod scope;
mod shape;
mod state;
mod status;
mod step;
#[cfg(test)]
mod tests;

pub use graph::{Graph, GraphError, Part};
pub use past::Past;
pub use retry::seed;
pub use scope::{Instance, Place};
pub use state::State;
pub use status::{Counts, NodeState, RunStatus};
pub use step::{Cause, Command, Event, Gather, Step, Told};
