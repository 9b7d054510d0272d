//! What an editor can ask, as plain functions. Places are spans of bytes, counted from the file's start.

mod diagnostics;
mod fixes;

pub use diagnostics::{diagnostics, explanation, is_unnecessary};
pub use fixes::fixes;
