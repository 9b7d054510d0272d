//! Runs one DAG: joins the decider, the scheduler, the cache and the store with the world.
//!
//! The [`driver`] holds all state, and touches nothing outside by itself: time, threads and files stand behind
//! [`world`], so that the same turns happen in production ([`threads`]), in a simulation and under injected faults.
//! What happens reaches it as a [`Message`]; it asks the decider, does what that commands, and hands the store
//! what is to be said. In production [`turns`] says which thread takes the next turn. [`data`] is what nodes gave,
//! [`prepare`] what must be known before a node starts, [`launch`] how it starts, [`job`] what is to be done then,
//! [`control`] what nodes that steer others want, [`part`] what is taken out of lists and records, [`region`] what
//! names mean within them, [`lost`] who makes again what is gone, and [`nodes`] where each node stands in the DAG. [`stuck`] tells of what runs too long, [`record`] of all else, and
//! [`reached`] reads it again when another process takes the run over.

mod control;
mod data;
mod driver;
mod job;
mod launch;
mod lost;
pub(crate) mod nodes;
mod part;
mod prepare;
mod reached;
mod record;
mod region;
mod stuck;
mod threads;
mod turns;
mod world;

pub use driver::{Driver, Finished, Setup};
pub use job::Job;
pub use prepare::{FileHash, content};
pub use reached::Reached;
pub use threads::{Commands, Threads};
pub use turns::take_turns;
pub use world::{Message, World};
