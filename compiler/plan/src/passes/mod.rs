//! DAG in, a smaller DAG that gives the same out. Every pass is pure and takes time in proportion to
//! the DAG.

mod body;
mod merge;
mod prune;
#[cfg(test)]
mod tests;

use flow_ir::dag::Dag;

pub use merge::merge;
pub use prune::{Pruned, prune};

/// Which of a workflow's DAGs is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// As the text says it: a node for each call.
    Dag,
    /// What runs: without what reaches no output, and equal nodes as one.
    #[default]
    Plan,
}

/// The DAG at a stage, and the nodes of the text that are of no use, which is worth a warning at either.
pub fn at_stage(dag: Dag, stage: Stage) -> (Dag, Vec<Pruned>) {
    match stage {
        Stage::Dag => {
            let (_, pruned) = prune(dag.clone());
            (dag, pruned)
        }
        Stage::Plan => {
            let (dag, pruned) = prune(dag);
            (merge(dag), pruned)
        }
    }
}
