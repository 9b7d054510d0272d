//! The dataset verbs.

pub mod columns;
pub mod derive;
pub mod filter;
pub mod predict;
pub mod split;
