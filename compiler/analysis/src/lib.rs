//! Syntax trees in; diagnostics and typed bodies out.
//!
//! [`Analysis`] is the door: it is given files and asked for what is wrong with them and what they mean.
//! Behind it every answer is a query of its own, remembered until something that it read has changed. Data
//! visits the modules in this order: [`db`] cuts files into items, [`names`] says which item a name means,
//! [`types`] reads types and compares them, [`header`] gives what a call needs to know of an item, `check` types
//! bodies, with `rows` for the dataset verbs and [`stages`] for what is known when. `provenance` walks typed bodies
//! again and finds rows that are used twice. What comes out: diagnostics, each mistake `told_once`; a [`signature`],
//! for command lines and forms; a [`body`], which the planner reads: expressions with every name resolved, every
//! default filled in and every type known.
//!
//! Many questions are answered at once (`parallel`); an `interrupt` stops them; `stack` grows for deep texts.
//!
//! This crate opens no file and runs nothing; no input makes it fail.
#![warn(clippy::indexing_slicing, clippy::string_slice)]

mod analysis;
pub mod body;
mod check;
pub mod db;
pub mod header;
mod interrupt;
pub mod names;
mod parallel;
mod provenance;
mod rows;
pub mod signature;
mod stack;
pub mod stages;
mod told_once;
pub mod ty;
pub mod types;

pub use analysis::{Analysis, Operator, OperatorParam, Source, Test};
pub use interrupt::{Interrupt, Interrupted};
