//! Doing what was decided. [`native`] runs operators on threads of this process; [`notes`] keeps what an
//! attempt says beside its outputs; [`cancel`] stops a run.

mod cancel;
mod native;
mod notes;

pub use cancel::Cancel;
pub use native::{NativeContext, Pool, Throttle};
pub use notes::Notes;
