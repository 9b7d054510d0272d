//! That every node of a DAG, and of its regions, stands after those it depends on.

use crate::{
    dag::Dag,
    node::{Node, NodeIndex},
    read_error::ReadError,
};

impl Dag {
    /// Checks that nodes are in topological order, those of regions too.
    ///
    /// # Errors
    /// The whole path of a cycle, or else the first node that stands too early.
    pub fn check_order(&self) -> Result<(), ReadError> {
        check(&self.nodes)
    }
}

fn check(nodes: &[Node]) -> Result<(), ReadError> {
    for (index, node) in nodes.iter().enumerate() {
        node.kind
            .nested()
            .into_iter()
            .try_for_each(|(_, region)| check(&region.nodes).map_err(|error| error.within(&node.id)))?;
        let Some(dependency) = first_dependency(node, |dependency| dependency >= index) else { continue };
        let id = |index: usize| nodes.get(index).map(|node| node.id.clone()).unwrap_or_default();
        if let Some(path) = find_cycle(nodes) {
            return Err(ReadError::Cycle {
                path: path.into_iter().map(|index| id(index.0 as usize)).collect(),
            });
        }
        return Err(ReadError::Order { node: node.id.clone(), dependency: id(dependency) });
    }
    Ok(())
}

/// The nodes of a cycle, each feeding the next, the first one once more at the end.
///
/// Nodes without unmet dependencies are taken away until none is left (A. Kahn, 1962). What
/// remains has a dependency that remains too, so going from one to the next must come around.
fn find_cycle(nodes: &[Node]) -> Option<Vec<NodeIndex>> {
    let mut unmet: Vec<usize> = vec![0; nodes.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        node.for_each_dependency(|dependency| {
            if let Some(list) = dependents.get_mut(dependency.0 as usize) {
                list.push(index);
                if let Some(count) = unmet.get_mut(index) {
                    *count += 1;
                }
            }
        });
    }
    let mut ready: Vec<usize> =
        unmet.iter().enumerate().filter(|(_, count)| **count == 0).map(|(index, _)| index).collect();
    while let Some(index) = ready.pop() {
        for dependent in dependents.get(index).into_iter().flatten() {
            if let Some(count) = unmet.get_mut(*dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(*dependent);
                }
            }
        }
    }
    let remains = |index: usize| unmet.get(index).is_some_and(|count| *count > 0);
    let mut at = (0..nodes.len()).find(|index| remains(*index))?;
    let mut path = Vec::new();
    let mut seen = vec![None; nodes.len()];
    loop {
        if let Some(Some(start)) = seen.get(at) {
            let mut cycle: Vec<NodeIndex> = path.split_off(*start);
            cycle.push(*cycle.first()?);
            cycle.reverse();
            return Some(cycle);
        }
        *seen.get_mut(at)? = Some(path.len());
        path.push(NodeIndex(u32::try_from(at).ok()?));
        at = first_dependency(nodes.get(at)?, remains)?;
    }
}

fn first_dependency(node: &Node, holds: impl Fn(usize) -> bool) -> Option<usize> {
    let mut found = None;
    node.for_each_dependency(|dependency| {
        let index = dependency.0 as usize;
        if found.is_none() && holds(index) {
            found = Some(index);
        }
    });
    found
}
