//! Expressions to typed expressions, in both directions: a wanted type goes down, the type that is there comes up.
//!
//! [`items`] asks the queries of [`bodies`], [`declaration`] and [`default_values`] what is wrong with a module. Each
//! of these hands its trees to a [`checker`], which has one rule for each form of expression and the names in scope
//! ([`env`]).
//!
//! Expressions: [`expr`] has the rules, [`literal`], [`operators`], [`conditions`], [`loops`], [`blocks`],
//! [`patterns`] and [`lambda`] those of their forms. [`coerce`] fits a value to the type that is wanted; [`fold`],
//! [`length`] and [`lines`] tell what can be told before planning.
//!
//! Calls go through [`calls`] or [`dot`], [`arguments`] (and [`swapped`], [`columns`], [`aggregates`]),
//! [`parameters`] (and [`trainer`]) and [`results`]. The language's own functions are in [`functions`] and
//! [`scalar`]. What [`special`] names has a rule of its own: [`search`], [`pipeline`], [`out_of_fold`]; so have the
//! dataset verbs, in `rows`.
//!
//! Nodes: [`policy`] is how one is to run, [`waiting`] what only orders others, [`outputs`] what a workflow gives.
//! [`testing`] checks `test` blocks.

mod aggregates;
mod arguments;
mod blocks;
mod bodies;
mod calls;
mod checker;
mod coerce;
mod columns;
mod conditions;
mod declaration;
mod default_values;
mod dot;
mod env;
mod expr;
mod fold;
mod functions;
mod items;
mod lambda;
mod length;
mod lines;
mod literal;
mod loops;
mod operators;
mod out_of_fold;
mod outputs;
mod parameters;
mod patterns;
mod pipeline;
mod policy;
mod results;
mod scalar;
mod search;
mod special;
mod swapped;
mod testing;
mod trainer;
mod waiting;

pub(crate) use aggregates::column_name;
pub(crate) use arguments::Given;
pub use bodies::{InstanceKey, checked_body, workflow_outputs};
pub(crate) use checker::{Checker, Context, MAX_SUGGESTIONS, RowInScope, Typed};
pub use declaration::operator_info;
pub use default_values::defaults;
pub(crate) use env::{Binding, Entry, EntryKind};
pub use items::module_diagnostics;
pub(crate) use literal::known_value;
pub use literal::literal_value;
