//! Which nodes share a card.
#![expect(
    clippy::indexing_slicing,
    reason = "nodes, levels and groups are counted here, and no group is empty"
)]

use std::collections::{HashMap, HashSet};

use crate::{node::Node, pictures::layered::ranks};

/// More nodes than this that are alike and stand beside each other share a card.
const MOST_SIBLINGS: usize = 6;
/// Cards beside each other; fewer while there are too many in all.
const MOST_ACROSS: [usize; 3] = [16, 6, 2];
/// Cards of one body.
pub const MOST_CARDS: usize = 150;
/// Pairs of cards with an edge between them.
const MOST_PAIRS: usize = 300;
/// Cards below each other, and how many there are where levels share one.
const MOST_LEVELS: usize = 80;
const MOST_BANDS: usize = 24;

/// Nodes in groups, in an order in which every edge goes to a later group. Nodes of a group stand on one level, or the
/// group holds all nodes of some levels that follow each other: so no group needs another that needs it.
pub fn groups(nodes: &[Node], edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let levels = Levels::new(nodes, edges);
    let is_fit = |groups: &Vec<Vec<usize>>| {
        groups.len() <= MOST_CARDS && pairs(nodes.len(), edges, groups) <= MOST_PAIRS
    };
    let folded = MOST_ACROSS.iter().filter(|_| levels.levels.len() <= MOST_LEVELS);
    folded.map(|across| levels.fold(*across)).find(is_fit).unwrap_or_else(|| levels.bands())
}

/// How many pairs of groups have edges between them.
fn pairs(nodes: usize, edges: &[(usize, usize)], groups: &[Vec<usize>]) -> usize {
    let mut group_of = vec![0; nodes];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|node| group_of[*node] = number);
    }
    let pairs: HashSet<(usize, usize)> =
        edges.iter().map(|(from, to)| (group_of[*from], group_of[*to])).collect();
    pairs.len()
}

/// What nodes that differ by a number alone have in common: `candidates[…].gbdt`.
pub fn family(id: &str) -> String {
    let unnumbered = match id.rsplit_once('#') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => id,
    };
    let mut family = String::with_capacity(unnumbered.len());
    for c in unnumbered.chars() {
        if !c.is_ascii_digit() {
            family.push(c);
        } else if !family.ends_with('…') {
            family.push('…');
        }
    }
    family
}

struct Levels<'a> {
    nodes: &'a [Node],
    above: Vec<Vec<usize>>,
    /// The nodes of each level, in order.
    levels: Vec<Vec<usize>>,
}

impl<'a> Levels<'a> {
    fn new(nodes: &'a [Node], edges: &[(usize, usize)]) -> Self {
        let ranks = ranks(nodes.len(), edges);
        let mut levels = vec![Vec::new(); ranks.iter().max().map_or(0, |rank| rank + 1)];
        for (node, rank) in ranks.iter().enumerate() {
            levels[*rank].push(node);
        }
        let mut above = vec![Vec::new(); nodes.len()];
        for &(from, to) in edges {
            above[to].push(from);
        }
        Self { nodes, above, levels }
    }

    fn fold(&self, across: usize) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_of = vec![0; self.nodes.len()];
        for level in &self.levels {
            let own = level.iter().map(|node| vec![*node]).collect();
            let mut own = self.siblings(own, &group_of);
            if own.len() > across {
                own = merge(own, 1, |group| self.nodes[group[0]].op());
            }
            if own.len() > across {
                let rest = own.split_off(across - 1);
                own.push(rest.into_iter().flatten().collect());
            }
            for group in own {
                group.iter().for_each(|node| group_of[*node] = groups.len());
                groups.push(group);
            }
        }
        groups
    }

    /// Nodes are alike that differ by a number in their ids alone and read from the same groups.
    fn siblings(&self, own: Vec<Vec<usize>>, group_of: &[usize]) -> Vec<Vec<usize>> {
        merge(own, MOST_SIBLINGS, |group| {
            let node = group[0];
            let mut sources: Vec<usize> = self.above[node].iter().map(|from| group_of[*from]).collect();
            sources.sort_unstable();
            sources.dedup();
            (self.nodes[node].kind.name(), self.nodes[node].op(), family(&self.nodes[node].id), sources)
        })
    }

    fn bands(&self) -> Vec<Vec<usize>> {
        let height = self.levels.len().div_ceil(MOST_BANDS).max(1);
        self.levels.chunks(height).map(|levels| levels.iter().flatten().copied().collect()).collect()
    }
}

/// Joins groups of one key where there are more than `most` of them; in the place of the first.
fn merge<K: std::hash::Hash + Eq>(
    groups: Vec<Vec<usize>>,
    most: usize,
    key: impl Fn(&[usize]) -> K,
) -> Vec<Vec<usize>> {
    let keys: Vec<K> = groups.iter().map(|group| key(group)).collect();
    let mut counts: HashMap<&K, usize> = HashMap::new();
    keys.iter().for_each(|key| *counts.entry(key).or_default() += 1);
    let mut place_of: HashMap<&K, usize> = HashMap::new();
    let mut merged: Vec<Vec<usize>> = Vec::new();
    for (group, key) in groups.into_iter().zip(&keys) {
        match place_of.get(key) {
            Some(place) => merged[*place].extend(group),
            None => {
                if counts.get(key).is_some_and(|count| *count > most) {
                    place_of.insert(key, merged.len());
                }
                merged.push(group);
            }
        }
    }
    merged
}
