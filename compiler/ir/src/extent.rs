//! How wide, how deep and how long a DAG is, its regions included.
//!
//! All three are bounds, known before anything runs. A node that runs regions counts as what it runs and not itself:
//! a called workflow as its body; a conditional as the greater of its arms; a map as its body, `max` times side by
//! side; a loop as its condition and its body one after the other, `max` times. Where a region is empty the node
//! counts as one. A query is one node.

use crate::{
    node::{Node, NodeIndex, NodeKind},
    query::Graph,
    region::Region,
};

/// The longest path of a DAG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriticalPath {
    /// Those of the DAG's own nodes that are on it, in the order in which they run.
    pub nodes: Vec<NodeIndex>,
    /// The nodes that make it long, by their ids: in place of those that run regions the ones within, as in
    /// `days[]/load`. Those that cost nothing are left out.
    pub ids: Vec<String>,
    /// The sum of their costs. It stops at the greatest number there is.
    pub cost: u64,
}

impl Graph<'_> {
    /// The most nodes that run one after the other.
    pub fn depth(&self) -> usize {
        count(extent(&self.dag.nodes).depth)
    }

    /// The most nodes that stand on one level, where a node's level is the length of the longest path to it: how
    /// many run at once when all take equally long and nothing is short. What runs regions has its greatest width
    /// on all levels that it takes.
    pub fn width(&self) -> usize {
        count(extent(&self.dag.nodes).width)
    }

    /// The path whose costs have the greatest sum; of equal ones that through the earliest nodes. `cost` is asked of
    /// nodes that run no regions.
    pub fn critical_path(&self, cost: impl Fn(&Node) -> u64) -> CriticalPath {
        path(&self.dag.nodes, "", &cost)
    }
}

/// In nodes. Numbers stop at the greatest there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    width: u64,
    depth: u64,
}

fn extent(nodes: &[Node]) -> Extent {
    // The levels that each node takes, and its width.
    let mut ends: Vec<u64> = Vec::with_capacity(nodes.len());
    let mut changes: Vec<(u64, i128)> = Vec::with_capacity(2 * nodes.len());
    for node in nodes {
        let mut start = 0;
        node.for_each_dependency(|before| {
            start = start.max(ends.get(before.0 as usize).copied().unwrap_or(0))
        });
        let own = extent_of(node);
        let end = start.saturating_add(own.depth);
        ends.push(end);
        changes.push((start, own.width.into()));
        changes.push((end, -i128::from(own.width)));
    }
    // What ends on a level makes room for what begins there.
    changes.sort_unstable();
    let (mut width, mut now) = (0, 0);
    for (_, change) in changes {
        now += change;
        width = width.max(now);
    }
    Extent { width: u64::try_from(width).unwrap_or(u64::MAX), depth: ends.into_iter().max().unwrap_or(0) }
}

fn extent_of(node: &Node) -> Extent {
    let of = |region: &Region| {
        let Extent { width, depth } = extent(&region.nodes);
        Extent { width: width.max(1), depth: depth.max(1) }
    };
    match &node.kind {
        NodeKind::Workflow { body, .. } => of(body),
        NodeKind::Conditional { then, otherwise } => {
            let (then, otherwise) = (of(then), of(otherwise));
            Extent { width: then.width.max(otherwise.width), depth: then.depth.max(otherwise.depth) }
        }
        NodeKind::Map { max, body } => {
            let body = of(body);
            Extent { width: body.width.saturating_mul(*max).max(1), ..body }
        }
        NodeKind::Loop { max, condition, body } => {
            let (body, tests) = (of(body), extent(&condition.nodes));
            let once = body.depth.saturating_add(tests.depth);
            Extent { width: body.width.max(tests.width), depth: once.saturating_mul(*max).max(1) }
        }
        _ => Extent { width: 1, depth: 1 },
    }
}

/// `scope` stands before the ids.
fn path(nodes: &[Node], scope: &str, cost: &dyn Fn(&Node) -> u64) -> CriticalPath {
    let (best, cost_of_all) = longest(nodes, cost);
    let mut on_it: Vec<usize> =
        std::iter::successors(best.1, |index| best.0.get(*index).copied().flatten()).collect();
    on_it.reverse();
    let mut ids = Vec::new();
    for node in on_it.iter().filter_map(|index| nodes.get(*index)) {
        add_ids(node, scope, cost, &mut ids);
    }
    let nodes = on_it.into_iter().filter_map(|index| u32::try_from(index).ok()).map(NodeIndex).collect();
    CriticalPath { nodes, ids, cost: cost_of_all }
}

fn add_ids(node: &Node, scope: &str, cost: &dyn Fn(&Node) -> u64, ids: &mut Vec<String>) {
    let regions: Vec<&Region> = match &node.kind {
        NodeKind::Conditional { then, otherwise } => {
            let is_longer = sum(&otherwise.nodes, cost) > sum(&then.nodes, cost);
            vec![if is_longer { otherwise } else { then }]
        }
        kind => kind.regions().into_iter().map(|(_, region)| region).collect(),
    };
    if regions.is_empty() && cost(node) > 0 {
        ids.push(format!("{scope}{}", node.id));
    }
    let scope = scope.to_owned() + &node.scope();
    regions.into_iter().for_each(|region| ids.append(&mut path(&region.nodes, &scope, cost).ids));
}

/// For each node the one before it on the longest path to it, the last node of the longest of all, and its cost.
type Longest = ((Vec<Option<usize>>, Option<usize>), u64);

fn longest(nodes: &[Node], cost: &dyn Fn(&Node) -> u64) -> Longest {
    let mut totals: Vec<u64> = Vec::with_capacity(nodes.len());
    let mut before: Vec<Option<usize>> = Vec::with_capacity(nodes.len());
    let mut last: Option<(u64, usize)> = None;
    for (index, node) in nodes.iter().enumerate() {
        let mut most: Option<(u64, usize)> = None;
        node.for_each_dependency(|other| {
            let other = other.0 as usize;
            let Some(total) = totals.get(other) else { return };
            // Of equal ones the earliest.
            if most.is_none_or(|(most, place)| *total > most || *total == most && other < place) {
                most = Some((*total, other));
            }
        });
        let total = most.map_or(0, |(most, _)| most).saturating_add(cost_of(node, cost));
        totals.push(total);
        before.push(most.map(|(_, other)| other));
        if last.is_none_or(|(most, _)| total > most) {
            last = Some((total, index));
        }
    }
    ((before, last.map(|(_, index)| index)), last.map_or(0, |(total, _)| total))
}

fn sum(nodes: &[Node], cost: &dyn Fn(&Node) -> u64) -> u64 {
    longest(nodes, cost).1
}

fn cost_of(node: &Node, cost: &dyn Fn(&Node) -> u64) -> u64 {
    match &node.kind {
        NodeKind::Workflow { body, .. } | NodeKind::Map { body, .. } => sum(&body.nodes, cost),
        NodeKind::Conditional { then, otherwise } => sum(&then.nodes, cost).max(sum(&otherwise.nodes, cost)),
        NodeKind::Loop { max, condition, body } => {
            sum(&condition.nodes, cost).saturating_add(sum(&body.nodes, cost)).saturating_mul(*max)
        }
        _ => cost(node),
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{arbitrary, dag::Dag};

    const REGIONS: &str = "dag a.a

days = load() -> List<Int>
each = run for(over: days) max 9 -> List<Int>
body(day: Int) {
    read = load(day: $day) -> List<Int>
    left = fit(data: read) -> Int
    right = fit(data: read) -> Int
    best = best(models: [left, right]) -> Int
    output value: Int = best
}
good = load() -> Int
last = run while(from: good) max 4 -> Int
condition(s: Int) {
    is_far = { let s = $s; s < 9 } -> Bool
    output value: Bool = is_far
}
body(s: Int) {
    step = fit(data: $s) -> Int
    output value: Int = step
}
sent = run if(condition: good, each: each) -> Int
then(each: List<Int>) {
    a = fit(data: $each) -> Int
    b = fit(data: a) -> Int
    output value: Int = b
}
otherwise() {
    output value: Int = 0
}
all = best(models: [sent, last]) -> Int

output value: Int = all

op load version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op fit version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op best version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
";

    #[test]
    fn regions_count_as_what_they_run() {
        let dag = Dag::from_text(REGIONS).unwrap();
        let graph = dag.graph();
        // Nine times the two fits, and the loop beside them.
        assert_eq!(graph.width(), 19);
        // The loop: four times a test and a step, after one node and before one.
        assert_eq!(graph.depth(), 1 + 4 * 2 + 1);
        let path = graph.critical_path(|_| 1);
        assert_eq!(path.cost, 10);
        assert_eq!(path.ids, ["good", "last[]/is_far", "last[]/step", "all"]);
        let path = graph.critical_path(|node| u64::from(node.id != "is_far" && node.id != "step"));
        assert_eq!(
            path.ids,
            ["days", "each[]/read", "each[]/left", "each[]/best", "sent/a", "sent/b", "all"]
        );
        assert_eq!(path.cost, 7);
        let ids: Vec<&str> = path.nodes.iter().map(|index| dag.node(*index).unwrap().id.as_str()).collect();
        assert_eq!(ids, ["days", "each", "sent", "all"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn with_costs_of_one_the_longest_path_is_the_depth_where_no_region_is_empty(dag in arbitrary::dag()) {
            let graph = dag.graph();
            prop_assert!(graph.critical_path(|_| 1).cost <= graph.depth() as u64);
            let mut has_regions = false;
            dag.for_each_node(&mut |node| has_regions |= !node.kind.regions().is_empty());
            if !has_regions {
                prop_assert_eq!(graph.critical_path(|_| 1).cost, graph.depth() as u64);
            }
        }
    }
}
