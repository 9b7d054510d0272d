//! That every node of a DAG stands after those it depends on.

use crate::{
    dag::Dag,
    node::{Node, NodeIndex},
    read_error::ReadError,
};

impl Dag {
    /// Checks that nodes are in topological order.
    ///
    /// # Errors
    /// The whole path of a cycle, or else the first node that stands too early.
    pub fn check_order(&self) -> Result<(), ReadError> {
        let too_early = self.nodes.iter().enumerate().find_map(|(index, node)| {
            let mut later = None;
            node.for_each_dependency(|dependency| {
                if dependency.0 as usize >= index {
                    later = Some(dependency);
                }
            });
            later.map(|dependency| (node, dependency))
        });
        let Some((node, dependency)) = too_early else { return Ok(()) };
        let id = |index: NodeIndex| self.node(index).map(|node| node.id.clone()).unwrap_or_default();
        if let Some(path) = self.find_cycle() {
            return Err(ReadError::Cycle { path: path.into_iter().map(id).collect() });
        }
        Err(ReadError::Order { node: node.id.clone(), dependency: id(dependency) })
    }

    /// The nodes of a cycle, each feeding the next, the first one once more at the end.
    ///
    /// Nodes without unmet dependencies are taken away until none is left (A. Kahn, 1962). What
    /// remains has a dependency that remains too, so going from one to the next must come around.
    pub fn find_cycle(&self) -> Option<Vec<NodeIndex>> {
        let mut unmet: Vec<usize> = vec![0; self.nodes.len()];
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
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
        let mut at = (0..self.nodes.len()).find(|index| remains(*index))?;
        let mut path = Vec::new();
        let mut seen = vec![None; self.nodes.len()];
        loop {
            if let Some(Some(start)) = seen.get(at) {
                let mut cycle: Vec<NodeIndex> = path.split_off(*start);
                cycle.push(*cycle.first()?);
                cycle.reverse();
                return Some(cycle);
            }
            *seen.get_mut(at)? = Some(path.len());
            path.push(NodeIndex(u32::try_from(at).ok()?));
            at = first_dependency(self.nodes.get(at)?, remains)?;
        }
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
