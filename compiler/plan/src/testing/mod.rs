//! What a test asks of the outside, and what it ends in.
//!
//! The block of a test is walked by [`crate::evaluate::evaluate_test`]. What it plans, it looks at by itself ([`ids`],
//! [`flow`]); what it simulates, runs and compares with files it asks of a [`TestHost`].

mod failure;
pub(crate) mod flow;
mod host;
pub(crate) mod ids;

pub use failure::{Failure, FailureKind};
pub use host::{Choice, Fault, Golden, Refused, Simulated, SimulatedNode, Simulation, TestHost};
pub use ids::template;
