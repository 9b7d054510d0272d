//! The dataset verbs.

pub mod columns;
pub mod predict;
pub mod split;
