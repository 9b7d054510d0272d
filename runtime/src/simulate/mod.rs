//! Runs in virtual time, on one thread, without executing anything.
//!
//! The driver's own loop runs here, with a world and a store that are made up. [`run`] is the way in: a DAG and
//! [`answer`]s for its operators in, an [`outcome`] out. [`world`] is what the driver sees, [`timeline`] the
//! time, [`store`] the disk, [`stub`] the simplest value of a type, [`random`] what chance there is. The faults
//! that tests inject stand on the same parts. Equal seeds give equal runs.

mod answer;
mod outcome;
mod random;
mod run;
mod store;
mod stub;
mod timeline;
mod world;

pub use answer::{Answer, Answers, Asked, Instant, Made};
pub use outcome::{Follower, NodeOutcome, Outcome};
pub use random::Random;
pub use run::{SimulateError, SimulateOptions, simulate};
pub use store::{Disk, Settled, SimulatedStore};
pub use stub::value as simplest_value;
pub use timeline::Timeline;
