//! Which node after is which one before.
//!
//! A name that a person gave stays with its node, whatever else becomes of it. Names that count
//! (`gbdt#2`, `candidates[1].gbdt`) say little once there are more or fewer of them: then, and where a name is
//! gone, a node's counterpart is the one whose call is equal.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::node::{Input, Node, NodeIndex, NodeKind};

/// Counterparts among the nodes of a DAG, or of a region.
#[derive(Debug, Default)]
pub struct Pairs {
    /// For each node before, that after.
    to_after: Vec<Option<usize>>,
    /// For each node after, that before.
    to_before: Vec<Option<usize>>,
}

/// The names after of parameters before, by these.
pub type Names<'a> = HashMap<&'a str, &'a str>;

impl Pairs {
    pub fn of(before: &[Node], after: &[Node], parameters: &Names<'_>) -> Self {
        let mut pairs = Self { to_after: vec![None; before.len()], to_before: vec![None; after.len()] };
        let counting = pairs.by_name(before, after);
        if pairs.to_after.iter().any(Option::is_none) && pairs.to_before.iter().any(Option::is_none) {
            pairs.by_call(before, after, parameters);
            if !counting.is_empty() {
                pairs.by_arguments(before, after);
                pairs.by_id(before, after, |_| true);
            }
        }
        pairs
    }

    pub fn after(&self, before: NodeIndex) -> Option<usize> {
        self.to_after.get(before.0 as usize).copied().flatten()
    }

    pub fn before(&self, after: usize) -> Option<usize> {
        self.to_before.get(after).copied().flatten()
    }

    /// Pairs nodes of one id, except those whose ids count and are more or fewer than before; gives what is
    /// common to the ids of these.
    fn by_name(&mut self, before: &[Node], after: &[Node]) -> HashMap<String, i64> {
        let mut counts: HashMap<String, i64> = HashMap::new();
        before.iter().filter(|node| counts_up(&node.id)).for_each(|node| {
            *counts.entry(stem(&node.id)).or_default() += 1;
        });
        after.iter().filter(|node| counts_up(&node.id)).for_each(|node| {
            *counts.entry(stem(&node.id)).or_default() -= 1;
        });
        counts.retain(|_, more| *more != 0);
        // The first of several has no number: `gbdt`, `gbdt#2`.
        self.by_id(before, after, |id| counts.is_empty() || !counts.contains_key(&stem(id)));
        counts
    }

    fn by_id(&mut self, before: &[Node], after: &[Node], is_meant: impl Fn(&str) -> bool) {
        let ids: HashMap<&str, usize> = free(&self.to_before, after)
            .filter(|(_, node)| is_meant(&node.id))
            .map(|(index, node)| (node.id.as_str(), index))
            .collect();
        let found: Vec<(usize, usize)> = free(&self.to_after, before)
            .filter_map(|(index, node)| Some((index, *ids.get(node.id.as_str())?)))
            .collect();
        found.into_iter().for_each(|(before, after)| self.join(before, after));
    }

    /// Pairs nodes without a counterpart whose calls are equal: those of one id first, the others in order.
    fn by_call(&mut self, before: &[Node], after: &[Node], parameters: &Names<'_>) {
        let old = calls(before, &self.to_after, |name| parameters.get(name).copied().unwrap_or(name));
        let identity: Vec<Option<usize>> =
            self.to_before.iter().enumerate().map(|(index, pair)| pair.map(|_| index)).collect();
        let new = calls(after, &identity, |name| name);
        self.by_hash(before, after, &old, &new, true);
        self.by_hash(before, after, &old, &new, false);
    }

    /// Pairs nodes without a counterpart whose ids count alike, and which are given the same but for what they read.
    fn by_arguments(&mut self, before: &[Node], after: &[Node]) {
        let arguments = |nodes: &[Node]| -> Vec<u64> {
            let hash = |node: &Node| {
                let mut hasher = DefaultHasher::new();
                stem(&node.id).hash(&mut hasher);
                hash_call(node, &mut hasher, &mut |input, hasher| match input {
                    Input::Port(_) => hasher.write_u8(0),
                    other => other.hash(hasher),
                });
                hasher.finish()
            };
            nodes.iter().map(hash).collect()
        };
        self.by_hash(before, after, &arguments(before), &arguments(after), false);
    }

    fn by_hash(&mut self, before: &[Node], after: &[Node], old: &[u64], new: &[u64], same_id: bool) {
        let name = |node: &Node| if same_id { node.id.clone() } else { String::new() };
        let mut found: HashMap<(u64, String), VecDeque<usize>> = HashMap::new();
        for (index, node) in free(&self.to_after, before) {
            if let Some(hash) = old.get(index) {
                found.entry((*hash, name(node))).or_default().push_back(index);
            }
        }
        let mut joined = Vec::new();
        for (index, node) in free(&self.to_before, after) {
            let hash = new.get(index).copied().unwrap_or_default();
            if let Some(other) = found.get_mut(&(hash, name(node))).and_then(VecDeque::pop_front) {
                joined.push((other, index));
            }
        }
        joined.into_iter().for_each(|(before, after)| self.join(before, after));
    }

    fn join(&mut self, before: usize, after: usize) {
        if let (Some(to_after), Some(to_before)) =
            (self.to_after.get_mut(before), self.to_before.get_mut(after))
        {
            *to_after = Some(after);
            *to_before = Some(before);
        }
    }
}

/// The nodes that have no counterpart.
fn free<'a>(
    pairs: &'a [Option<usize>],
    nodes: &'a [Node],
) -> impl Iterator<Item = (usize, &'a Node)> + use<'a> {
    let free = pairs.iter().zip(nodes).enumerate().filter(|(_, (pair, _))| pair.is_none());
    free.map(|(index, (_, node))| (index, node))
}

/// A hash of what each node calls, and with what. A node that it reads counts by its counterpart after, or else by
/// what it calls itself. Two that differ have one hash by bad luck alone, and are then shown as one that changed.
fn calls<'a>(nodes: &'a [Node], pairs: &[Option<usize>], name: impl Fn(&'a str) -> &'a str) -> Vec<u64> {
    let mut calls: Vec<u64> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let mut hasher = DefaultHasher::new();
        match pairs.get(index).copied().flatten() {
            Some(after) => (0_u8, after).hash(&mut hasher),
            None => {
                hasher.write_u8(1);
                hash_call(node, &mut hasher, &mut |input, hasher| match input {
                    Input::Port(port) => {
                        let producer = nodes.get(port.node.0 as usize);
                        let port_name =
                            producer.and_then(|node| node.outputs.get(port.port as usize)).map(|p| &p.name);
                        (calls.get(port.node.0 as usize), port_name).hash(hasher);
                    }
                    Input::Parameter(parameter) => name(parameter).hash(hasher),
                    other => other.hash(hasher),
                });
            }
        }
        calls.push(hasher.finish());
    }
    calls
}

/// What is called, and the inputs; `leaf` hashes those that refer to something.
fn hash_call<'a>(
    node: &'a Node,
    hasher: &mut DefaultHasher,
    leaf: &mut impl FnMut(&'a Input, &mut DefaultHasher),
) {
    // A region's own nodes count with their names.
    match &node.kind {
        NodeKind::Workflow { body, .. } => (0_u8, body).hash(hasher),
        kind => (1_u8, kind).hash(hasher),
    }
    for (name, input) in &node.inputs {
        name.hash(hasher);
        hash_input(input, hasher, leaf);
    }
}

fn hash_input<'a>(
    input: &'a Input,
    hasher: &mut DefaultHasher,
    leaf: &mut impl FnMut(&'a Input, &mut DefaultHasher),
) {
    std::mem::discriminant(input).hash(hasher);
    match input {
        Input::List(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| hash_input(item, hasher, leaf));
        }
        Input::Record(fields) => {
            fields.len().hash(hasher);
            for (name, field) in fields {
                name.hash(hasher);
                hash_input(field, hasher, leaf);
            }
        }
        Input::Expression { expr, bindings } => {
            (expr, bindings.len()).hash(hasher);
            for (name, bound) in bindings {
                name.hash(hasher);
                hash_input(bound, hasher, leaf);
            }
        }
        Input::Constant(_) | Input::Parameter(_) | Input::Port(_) => leaf(input, hasher),
    }
}

/// Whether the planner counted: `gbdt#2`, `candidates[1].gbdt`.
fn counts_up(id: &str) -> bool {
    id.bytes().any(|byte| byte == b'#' || byte == b'[')
}

/// An id without its numbers: `candidates[].gbdt`.
fn stem(id: &str) -> String {
    let mut stem = String::with_capacity(id.len());
    let mut is_number = false;
    for c in id.chars() {
        is_number = match c {
            '#' => true,
            '[' => {
                stem.push('[');
                true
            }
            c => is_number && c.is_ascii_digit(),
        };
        if !is_number {
            stem.push(c);
        }
    }
    stem
}
