//! The syntax tree of one item, with places and documentation.
//!
//! Trees keep what the formatter needs to print the author's text back (parentheses, the spelling
//! of literals) and nothing about meaning. Spans count from the start of the item.

mod expr;
mod item;
mod ty;

pub use expr::*;
pub use item::*;
pub use ty::*;

use crate::span::Span;

/// A file as its items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct File {
    /// The `//!` lines at the file's start.
    pub doc: Option<Doc>,
    /// Where each item begins in the file, and the item.
    pub items: Vec<(u32, Item)>,
    /// Every `//` comment, in the file's order; documentation is no comment.
    pub comments: Vec<Span>,
}

/// A name as written, without its backticks.
///
/// It is empty where a name is missing; a diagnostic says so already.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// `a.b.c`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    pub names: Vec<Name>,
    pub span: Span,
}

/// The text of `///` or `//!` lines, without the markers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Doc {
    pub text: String,
    pub span: Span,
}
