//! The one contract between the compiler and the runtime.
//!
//! The compiler writes a [`dag::Dag`] of [`node::Node`]s; their inputs are [`value::Value`]s, [`expr::Expr`]s and the
//! ports of other nodes, and every port has a [`types::Type`]. A node has a [`policy`] of how it is run, and some run
//! a [`region::Region`], a DAG within. The runtime reads nothing else: it knows no syntax, and a DAG that comes from
//! a file on another machine runs just as well.
//!
//! The data structures here carry no `serde`; their written forms are borders of their own: [`json`] for machines,
//! [`text`] for people and golden files, [`pictures`] for both. What is read is doubted first: [`read_error`] says
//! that it is no DAG, [`check`] that no planner would have written it, [`fits`] that a value is not one of its type.
//!
//! What an expression means stands in [`expr`], with [`calendar`] for its dates; what a DAG is asked, in [`query`]
//! and [`extent`]; what a run calls the nodes of regions, in [`template`]; when a result may serve again, in [`key`],
//! by [`hash`]; what differs between two DAGs, in [`mod@diff`].
#![warn(clippy::indexing_slicing, clippy::string_slice)]

#[cfg(test)]
mod arbitrary;
pub mod calendar;
pub mod check;
pub mod dag;
pub mod diff;
pub mod expr;
pub mod extent;
pub mod fits;
pub mod hash;
pub mod json;
pub mod key;
pub mod node;
mod order;
pub mod pictures;
pub mod policy;
pub mod query;
pub mod read_error;
pub mod region;
mod rows;
pub mod template;
pub mod text;
pub mod types;
pub mod value;
