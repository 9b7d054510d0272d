//! No row is used twice: where the rows of every value come from, and whether what measures a model is new to it.
//!
//! Typed bodies in, diagnostics out. A body is walked once ([`evaluate`]), each expression gives a [`value`]: what it
//! is, as a [`terms::Term`] that equal values share, and sets of rows it holds, was fitted and chosen on, and has
//! seen. A set is a union of [`region`]s: rows of one source that partitions and predicates put in some part.
//! Two regions are disjoint where their sources differ, or one partition puts them in two parts, or [`limits`] on one
//! column exclude one another; else they may overlap. [`operators`] pass sets on by the phrases of a signature,
//! [`verbs`], [`joins`] and [`parts`] by what each of them does; [`choices`] and [`lists`] by what the language's own
//! forms do. [`require`] checks what a signature asks, [`personal`] where personal data goes, and [`messages`] says
//! where the rows met.
//!
//! A fn or workflow is walked once for all of its calls, on parameters that stand for themselves. What remains is a
//! [`summary`], of [`bound`]ed size: its value and what it could not decide. A call puts its arguments in their place.

mod bound;
mod choices;
mod evaluate;
mod joins;
mod limits;
mod lists;
mod map;
mod messages;
mod operators;
mod parts;
mod personal;
mod predicates;
mod queries;
mod region;
mod require;
mod show;
mod summary;
mod terms;
mod value;
mod verbs;

pub(crate) use queries::{diagnostics_where_same, provenance_diagnostics, rows_of_lets};
