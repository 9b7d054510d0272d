//! Doing what was decided. [`native`] runs operators on threads of this process, [`process`] those that are
//! processes of their own; [`notes`] keeps what an attempt says beside its outputs; [`cancel`] stops a run.

mod cancel;
mod native;
mod notes;
pub mod process;

pub use cancel::Cancel;
pub use native::{NativeContext, Throttle, Workers};
pub use notes::Notes;
