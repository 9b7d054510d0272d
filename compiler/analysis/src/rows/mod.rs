//! The dataset verbs whose rows follow from more than their signatures: one file each.
//!
//! A rule is given a call and gives the node's inputs and the row ([`verb`]). Several share how arguments are read
//! ([`arguments`]; [`declared`] where the declaration says it all), [`columns`], [`keys`], [`aggregates`] and the
//! [`other_table`]. A verb without a rule is typed by its signature alone, as `bootstrap` is.

mod aggregates;
mod apply;
mod arguments;
mod assume_unseen;
mod columns;
mod declared;
mod derive;
mod distinct;
mod drop;
mod folds;
mod group;
mod join;
mod join_asof;
mod keys;
mod other_table;
mod predict;
mod rename;
mod select;
mod sort;
mod split;
mod split_at;
mod split_named;
mod split_where;
mod union;
mod values;
mod verb;
mod where_rows;
mod window;

pub(crate) use columns::{column_list, column_value};
pub(crate) use derive::column_type;
pub(crate) use predict::with_predictions;
pub(crate) use verb::{Rule, VerbCall, VerbResult};

/// The rule of a verb, where it has one.
pub(crate) fn rule(verb: &str) -> Option<Rule> {
    Some(match verb {
        "apply" => apply::apply,
        "assume_unseen" => assume_unseen::assume_unseen,
        "derive" => derive::derive,
        "distinct" => distinct::distinct,
        "drop" => drop::drop_columns,
        "folds" => folds::folds,
        "folds_at" => folds::folds_at,
        "group" => group::group,
        "join" => join::join,
        "join_asof" => join_asof::join_asof,
        "predict" => predict::predict,
        "rename" => rename::rename,
        "select" => select::select,
        "sort" => sort::sort,
        "split" => split::split,
        "split_at" => split_at::split_at,
        "split_named" => split_named::split_named,
        "split_where" => split_where::split_where,
        "union" => union::union,
        "values" => values::values,
        "where" => where_rows::where_rows,
        "window" => window::window,
        _ => return None,
    })
}
