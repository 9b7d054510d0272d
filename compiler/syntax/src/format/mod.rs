//! The one style of `.flow` text.
//!
//! [`format`] parses a file and prints its trees again: [`comments`] finds what trees do not hold, [`item`],
//! [`types`], [`expr`] and [`chain`] turn trees into a [`doc`], and that decides where lines break.
//!
//! What the author decides: which names, numbers and parentheses are written; single empty lines; whether
//! a list or block whose first element begins a line, or a chain of calls that is broken, stays open. All else
//! is decided here, and formatting twice gives what formatting once gave.

mod chain;
mod comments;
mod doc;
mod expr;
mod file;
mod item;
mod printer;
mod types;

pub use file::format;
