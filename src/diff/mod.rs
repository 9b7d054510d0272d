//! `flowc diff`: what differs between two texts, DAGs or runs, what that would run again, and what it cost last time.

mod command;
mod cost;
mod executed;
mod side;
mod text;

pub use command::{Options, execute};
pub use text::painted;
