//! One task, and the envelope it travels in.
//!
//! [`envelope`] says all that another process must know to run it; [`execute`] runs it, here or there, with
//! equal output hashes: this is the boundary at which an engine elsewhere attaches.

mod envelope;
mod execute;
mod json;
mod result;

pub use envelope::{Envelope, EnvelopeError, Identity, Resolve, Source, parameter};
pub use execute::{Executed, Failure, Load, Scalars, datum, execute, finish, scalar};
pub use json::TASK_FORMAT;
pub use result::{RESULT_FORMAT, run_envelope};
