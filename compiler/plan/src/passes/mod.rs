//! What is done to a DAG between its text and its run. Every function here is pure and takes time in proportion to
//! the DAG.
//!
//! Three passes give a smaller DAG with the same results: [`prune()`] takes out what reaches no output, [`merge()`]
//! makes one of equal nodes, [`fuse()`] one query of dataset verbs in a row. [`at_stage`] carries them out in that
//! order, with `body` for the nodes that are left. [`place()`] changes nothing: it says where a node computes, and
//! why.

mod body;
mod fuse;
mod merge;
mod place;
mod prune;
#[cfg(test)]
mod tests;

use flow_ir::dag::Dag;

use crate::program::PlanFacts;

pub use fuse::fuse;
pub use merge::merge;
pub use place::{Because, Placement, place};
pub use prune::{Pruned, prune};

/// Which of a workflow's DAGs is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// As the text says it: a node for each call.
    Dag,
    /// What runs: without what reaches no output, equal nodes as one, and verbs in a row as one query.
    #[default]
    Plan,
}

/// The DAG of a text at a stage, and the nodes of the text that are of no use, which is worth a warning at either.
pub fn at_stage(dag: Dag, stage: Stage, facts: &dyn PlanFacts) -> (Dag, Vec<Pruned>) {
    match stage {
        Stage::Dag => {
            let (_, pruned) = prune(dag.clone());
            (dag, pruned)
        }
        Stage::Plan => {
            let (dag, pruned) = prune(dag);
            (fuse(merge(dag), facts), pruned)
        }
    }
}
