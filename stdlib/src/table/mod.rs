//! The dataset verbs.

pub mod columns;
pub mod derive;
pub mod filter;
mod identity;
pub mod predict;
pub mod split;
mod spread;
pub mod steps;
#[cfg(test)]
mod steps_tests;
mod strata;
pub mod unseen;
