//! Runs in virtual time, on one thread, without executing anything.
//!
//! The conductor's own loop runs here, with a world and a store that are made up: [`timeline`] is the time,
//! [`store`] the disk, [`random`] what chance there is. Equal seeds give equal runs.

mod random;
mod store;
mod timeline;

pub use random::Random;
pub use store::{Disk, Settled, SimulatedStore};
pub use timeline::Timeline;
