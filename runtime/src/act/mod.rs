//! Doing what was decided. [`native`] runs operators on threads of this process; [`cancel`] stops a run.

mod cancel;
mod native;

pub use cancel::Cancel;
pub use native::{NativeContext, Pool, Throttle};
