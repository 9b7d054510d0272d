//! Questions about a DAG: what depends on what. How wide, deep and long it is stands in [`extent`](crate::extent).

use std::collections::HashMap;

use crate::{
    dag::Dag,
    node::{Input, Node, NodeIndex, PortRef},
    region::Region,
};

/// A DAG with its edges in both directions and its ids by name. Building it costs one pass over the
/// nodes; every question is answered without looking at a node twice.
#[derive(Debug)]
pub struct Graph<'a> {
    pub(crate) dag: &'a Dag,
    ids: HashMap<&'a str, NodeIndex>,
    dependencies: Edges,
    dependents: Edges,
}

/// A name in a question that the DAG has not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no node, port or output `{name}`")]
pub struct UnknownName {
    pub name: String,
}

/// What is asked for by name.
enum Named {
    Node(NodeIndex),
    Port(PortRef),
    /// Nodes that an output reads.
    Output(Vec<PortRef>),
}

impl Dag {
    /// The DAG, ready for questions. Edges to nodes that are not there are left out.
    pub fn graph(&self) -> Graph<'_> {
        Graph::new(self)
    }

    /// How many nodes call the operator of that full name.
    pub fn count(&self, op: &str) -> usize {
        self.nodes.iter().filter(|node| node.op() == op).count()
    }

    /// The query that a node has become a step of, by the ids that a run has for both: `days[3]/load`.
    pub fn query_with_step(&self, id: &str) -> Option<String> {
        query_among(&self.nodes, id)
    }

    fn indexed(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        (0..).map(NodeIndex).zip(&self.nodes)
    }
}

impl<'a> Graph<'a> {
    fn new(dag: &'a Dag) -> Self {
        let count = dag.nodes.len();
        let mut pairs = Vec::new();
        for (index, node) in dag.indexed() {
            let start = pairs.len();
            node.for_each_dependency(|dependency| {
                if (dependency.0 as usize) < count {
                    pairs.push((index, dependency));
                }
            });
            // A node may read several ports of another: that is one edge.
            if let Some(own) = pairs.get_mut(start..) {
                own.sort_unstable();
            }
        }
        pairs.dedup();
        Self {
            dag,
            ids: dag.indexed().map(|(index, node)| (node.id.as_str(), index)).collect(),
            dependencies: Edges::new(count, pairs.iter().copied()),
            dependents: Edges::new(count, pairs.iter().map(|(node, dependency)| (*dependency, *node))),
        }
    }

    /// The node of that id, at the cost of one hash.
    pub fn find(&self, id: &str) -> Option<NodeIndex> {
        self.ids.get(id).copied()
    }

    /// The nodes that a node waits for directly, in order.
    pub fn dependencies(&self, node: NodeIndex) -> &[NodeIndex] {
        self.dependencies.of(node)
    }

    /// The nodes that wait for a node directly, in order.
    pub fn dependents(&self, node: NodeIndex) -> &[NodeIndex] {
        self.dependents.of(node)
    }

    /// All nodes that must finish before a node runs, in order, without itself.
    pub fn ancestors(&self, node: NodeIndex) -> Vec<NodeIndex> {
        self.reached(&self.dependencies, self.dependencies.of(node))
    }

    /// All nodes that run only after a node has finished, in order, without itself.
    pub fn descendants(&self, node: NodeIndex) -> Vec<NodeIndex> {
        self.reached(&self.dependents, self.dependents.of(node))
    }

    /// Whether node `a` waits for node `b`, directly or through others.
    ///
    /// # Errors
    /// Where one of them is no node, port or output of the DAG.
    pub fn depends(&self, a: &str, b: &str) -> Result<bool, UnknownName> {
        self.feeds(b, a)
    }

    /// Whether what `from` gives reaches `to`: each is a node (`split`), a port (`split.test`) or, as
    /// `to` alone, an output of the DAG. A node does not feed itself; it feeds the output that shows it.
    ///
    /// # Errors
    /// Where one of them is no node, port or output of the DAG.
    pub fn feeds(&self, from: &str, to: &str) -> Result<bool, UnknownName> {
        let source = self.named(from, false)?;
        let target = self.named(to, true)?;
        let is_source = |port: PortRef| match &source {
            Named::Node(node) => port.node == *node,
            Named::Port(source) => port == *source,
            Named::Output(_) => false,
        };
        let starts: Vec<NodeIndex> = match &source {
            Named::Node(node) => self.dependents.of(*node).to_vec(),
            Named::Port(port) => {
                let reads = |node: &&NodeIndex| self.reads(**node, *port);
                self.dependents.of(port.node).iter().filter(reads).copied().collect()
            }
            Named::Output(_) => Vec::new(),
        };
        let goals: Vec<NodeIndex> = match target {
            Named::Node(node) | Named::Port(PortRef { node, .. }) => vec![node],
            Named::Output(ports) if ports.iter().any(|port| is_source(*port)) => return Ok(true),
            Named::Output(ports) => ports.into_iter().map(|port| port.node).collect(),
        };
        let reached = self.reached(&self.dependents, &starts);
        Ok(goals.iter().any(|goal| reached.binary_search(goal).is_ok()))
    }

    /// `starts` and what can be reached from them, in order.
    fn reached(&self, edges: &Edges, starts: &[NodeIndex]) -> Vec<NodeIndex> {
        let mut seen = vec![false; self.dag.nodes.len()];
        let mut open = starts.to_vec();
        while let Some(node) = open.pop() {
            if let Some(seen) = seen.get_mut(node.0 as usize)
                && !*seen
            {
                *seen = true;
                open.extend_from_slice(edges.of(node));
            }
        }
        self.dag.indexed().zip(seen).filter(|(_, seen)| *seen).map(|((index, _), _)| index).collect()
    }

    fn named(&self, name: &str, is_target: bool) -> Result<Named, UnknownName> {
        let output = self.dag.outputs.iter().find(|output| is_target && output.name == name);
        if let Some(output) = output {
            return Ok(Named::Output(ports_of(&output.input)));
        }
        if let Some(node) = self.find(name) {
            return Ok(Named::Node(node));
        }
        let port = name.rsplit_once('.').and_then(|(id, port)| {
            let node = self.find(id)?;
            Some(PortRef { node, port: self.dag.node(node)?.port(port)? })
        });
        port.map(Named::Port).ok_or_else(|| UnknownName { name: name.to_owned() })
    }

    fn reads(&self, node: NodeIndex, port: PortRef) -> bool {
        let inputs = self.dag.node(node).map(|node| node.inputs.as_slice()).unwrap_or_default();
        inputs.iter().any(|(_, input)| ports_of(input).contains(&port))
    }
}

fn query_among(nodes: &[Node], id: &str) -> Option<String> {
    nodes.iter().find_map(|node| {
        let is_step = |steps: &Region| steps.nodes.iter().any(|step| step.id == id);
        if node.id != id && node.kind.steps().is_some_and(is_step) {
            return Some(node.id.clone());
        }
        // `days[3]/` or `nightly/`
        let behind = id.strip_prefix(node.id.as_str())?;
        let (instance, within) = behind.split_once('/')?;
        let is_instance = instance.is_empty()
            || instance.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(is_number);
        let mut regions = node.kind.regions().into_iter().filter(|_| is_instance);
        let found = regions.find_map(|(_, region)| query_among(&region.nodes, within))?;
        Some(format!("{}{instance}/{found}", node.id))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn ports_of(input: &Input) -> Vec<PortRef> {
    let mut ports = Vec::new();
    input.for_each_port(&mut |port| ports.push(port));
    ports
}

/// Neighbours of all nodes in one vector: those of node `i` stand from `starts[i]` to `starts[i + 1]`.
#[derive(Debug)]
struct Edges {
    starts: Vec<usize>,
    ends: Vec<NodeIndex>,
}

impl Edges {
    fn new(count: usize, pairs: impl Iterator<Item = (NodeIndex, NodeIndex)>) -> Self {
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_unstable();
        let mut starts = Vec::with_capacity(count + 1);
        let mut at = 0;
        for index in 0..=count {
            while pairs.get(at).is_some_and(|(from, _)| (from.0 as usize) < index) {
                at += 1;
            }
            starts.push(at);
        }
        Self { starts, ends: pairs.into_iter().map(|(_, to)| to).collect() }
    }

    fn of(&self, node: NodeIndex) -> &[NodeIndex] {
        let index = node.0 as usize;
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(start), Some(end)) => self.ends.get(*start..*end).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary;

    const SPLIT: &str = "dag a.a

data = load() -> Dataset<{ x: Int }>
split = split(data: data) -> (train: Dataset<{ x: Int }>, test: Dataset<{ x: Int }>)
left = fit(data: split.train, depth: 4) -> Regressor<{ x: Int }>
right = fit(data: split.train, depth: 6) -> Regressor<{ x: Int }> with (gpu: 1)
best = best(models: [left, right]) -> Regressor<{ x: Int }> with (pool: \"db\")
report = report(model: best, data: split.test) -> Rmse
last = notify() after (report) -> ()

output model: Regressor<{ x: Int }> = best
output report: Rmse = report

op load version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op split version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op fit version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op best version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op report version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op notify version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
";

    #[test]
    fn what_feeds_what() {
        let dag = Dag::from_text(SPLIT).unwrap();
        let graph = dag.graph();
        for (from, to, expected) in [
            ("data", "model", true),
            ("split.train", "model", true),
            ("split.test", "model", false),
            ("split.test", "report", true),
            ("split.test", "last", true),
            ("split", "best", true),
            ("best", "best", false),
            ("best", "model", true),
            ("report", "data", false),
            ("left", "right", false),
        ] {
            assert_eq!(graph.feeds(from, to), Ok(expected), "{from} feeds {to}");
        }
        assert_eq!(graph.depends("report", "left"), Ok(true));
        assert_eq!(graph.feeds("split.tset", "model"), Err(UnknownName { name: "split.tset".to_owned() }));
        assert!(graph.feeds("model", "report").is_err(), "an output feeds nothing");
    }

    #[test]
    fn shape() {
        let dag = Dag::from_text(SPLIT).unwrap();
        let graph = dag.graph();
        assert_eq!((graph.width(), graph.depth()), (2, 6));
        assert_eq!(dag.count("fit"), 2);
        assert_eq!(graph.ancestors(NodeIndex(2)), [NodeIndex(0), NodeIndex(1)]);
        assert_eq!(graph.descendants(NodeIndex(4)), [NodeIndex(5), NodeIndex(6)]);
        assert_eq!(graph.dependents(NodeIndex(1)), [NodeIndex(2), NodeIndex(3), NodeIndex(5)]);
        let path = graph.critical_path(|node| if node.id == "right" { 10 } else { 1 });
        let ids: Vec<&str> = path.nodes.iter().map(|index| dag.node(*index).unwrap().id.as_str()).collect();
        assert_eq!((ids, path.cost), (vec!["data", "split", "right", "best", "report", "last"], 15));
        let empty =
            Dag { workflow: String::new(), parameters: vec![], nodes: vec![], outputs: vec![], origin: None };
        assert_eq!((empty.graph().width(), empty.graph().depth()), (0, 0));
        assert_eq!(empty.graph().critical_path(|_| 1).cost, 0);
    }

    #[test]
    fn steps_are_found_in_their_queries() {
        let dag = Dag::from_text(
            "dag a.a

clean = run query() -> Int
body() {
    first = a() -> Int
    clean = b(x: first) -> Int
    output value: Int = clean
}
days = run for(over: [1]) max 3 -> List<Int>
body(day: Int) {
    last = run query(day: $day) -> Int
    body(day: Int) {
        load = a(x: $day) -> Int
        last = b(x: load) -> Int
        output value: Int = last
    }
    output value: Int = last
}

op a version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op b version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
",
        )
        .unwrap();
        for (id, query) in [
            ("first", Some("clean")),
            ("clean", None),
            ("days[12]/load", Some("days[12]/last")),
            ("days[12]/last", None),
            ("days[]/load", None),
            ("load", None),
        ] {
            assert_eq!(dag.query_with_step(id).as_deref(), query, "{id}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Three ways to ask for a path agree.
        #[test]
        fn ancestors_descendants_and_feeds_agree(dag in arbitrary::dag()) {
            let graph = dag.graph();
            for (a, first) in dag.indexed() {
                for (b, second) in dag.indexed() {
                    let is_before = graph.ancestors(b).contains(&a);
                    prop_assert_eq!(graph.descendants(a).contains(&b), is_before);
                    if dag.outputs.iter().all(|output| output.name != second.id) {
                        prop_assert_eq!(graph.feeds(&first.id, &second.id), Ok(is_before));
                    }
                }
            }
        }
    }
}
