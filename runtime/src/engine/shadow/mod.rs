//! Replays a recorded run against another text, without executing anything, and compares.
//!
//! A [`recording`] has what the run's operators did, [`changes`] says what in the other text is not as it was,
//! [`answers`] gives the simulation what its operators would give, and a [`comparison`] tells both runs side by side.

mod answers;
mod changes;
mod comparison;
mod recording;

pub use answers::Knowledge;
pub use comparison::{Comparison, NodeComparison};
