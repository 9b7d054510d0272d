//! Which ready node runs next, within what there is: cores, memory, GPUs and named pools.
//!
//! A [`machine`] says what there is; an [`amount`] is what a node takes of it. The [`queue`] hands out ready
//! nodes, best first, as long as they fit; a [`lend::Lender`] may stand between it and the machine, so that
//! several runs share one: that is the [`ledger`]. [`waiting`] says why a node has not been handed out.

pub mod amount;
pub mod ledger;
pub mod lend;
pub mod machine;
mod queue;
pub mod waiting;

#[cfg(test)]
mod tests;

pub use amount::{Amount, Lack, Need, WHOLE};
pub use machine::{CannotFit, Gpu, Machine};
pub use queue::{Scheduler, Weights};
