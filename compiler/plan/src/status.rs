//! What a run would do: which nodes the cache has, and how long the way through the others is.

use std::cell::RefCell;

use flow_ir::{
    dag::Dag,
    hash::Hash,
    key::{Key, KeyFacts, Known, node_key},
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, Port, PortRef},
    region::Region,
    types::Type,
    value::Value,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::PlanFacts;

/// What becomes of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// An earlier result serves.
    Cached { key: Key },
    /// It runs.
    Runs { because: Runs },
    /// Only the run can tell: something it reads is not there yet.
    Unknown { because: Unknown },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    NotCached {
        key: Key,
    },
    /// The policy says `cache: off`.
    CacheOff,
    /// An operator with an effect always runs.
    Effect,
    /// It computes nothing: it waits, or gives on what it is given.
    Control,
    /// It runs other nodes, which have results of their own.
    Regions,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// It reads the result of this node, which is not cached.
    Result { of: NodeIndex },
    /// It reads the files that this node's cached result names. What stands in them counts as well.
    Files { of: NodeIndex },
    /// It reads this file, whose content is not known.
    File { path: String },
    /// It reads this file, which is not there.
    NoFile { path: String },
    /// It is an external operator whose code is not known.
    Environment,
    /// It stands in a region and reads this parameter of it, whose content is not known.
    Parameter { name: String },
    /// Whether it runs, or how often, is decided while the workflow runs.
    Undecided,
}

/// A node's status, and for each of its regions those of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    pub status: Status,
    pub regions: Vec<Vec<Self>>,
}

/// A plan in numbers; nodes of regions count like others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub nodes: usize,
    pub cached: usize,
    pub runs: usize,
    pub unknown: usize,
    /// The most nodes on one level: see [`extent`](flow_ir::extent) for those of regions.
    pub width: usize,
    /// The longest path, in nodes.
    pub depth: usize,
    /// The longest path of nodes that are not cached, by their ids.
    pub critical_path: Vec<String>,
}

/// The status of every node, in their order.
pub fn statuses(dag: &Dag, facts: &dyn PlanFacts) -> Vec<NodeStatus> {
    statuses_and_keys(dag, facts).0
}

/// The status of every node, in their order, and what is known for their keys.
pub fn statuses_and_keys<'a>(dag: &'a Dag, facts: &'a dyn PlanFacts) -> (Vec<NodeStatus>, Keys<'a>) {
    let parameters = dag.parameters.iter();
    let parameters =
        parameters.map(|parameter| (&*parameter.name, Some(Known::Value(&parameter.value)))).collect();
    statuses_of(&dag.nodes, facts, parameters)
}

fn statuses_of<'a>(
    nodes: &'a [Node],
    facts: &'a dyn PlanFacts,
    parameters: FxHashMap<&'a str, Option<Known<'a>>>,
) -> (Vec<NodeStatus>, Keys<'a>) {
    let (outputs, is_cached) = (RefCell::default(), RefCell::default());
    let keys = Keys { facts, parameters, outputs, is_cached };
    let status = |node: &Node| {
        let (status, outputs) = keys.status(node);
        keys.is_cached.borrow_mut().push(matches!(status.status, Status::Cached { .. }));
        keys.outputs.borrow_mut().push(outputs);
        status
    };
    let statuses = nodes.iter().map(status).collect();
    (statuses, keys)
}

/// The plan in numbers, from its DAG and what [`statuses`] says of it.
pub fn summary(dag: &Dag, statuses: &[NodeStatus]) -> Summary {
    let count = |is: fn(&Status) -> bool| statuses.iter().map(|status| status.count(is)).sum();
    let mut cached = FxHashSet::default();
    add_cached(&dag.nodes, statuses, &mut cached);
    let graph = dag.graph();
    let path = graph.critical_path(|node| u64::from(!cached.contains(&std::ptr::from_ref(node))));
    Summary {
        nodes: count(|_| true),
        cached: count(|status| matches!(status, Status::Cached { .. })),
        runs: count(|status| matches!(status, Status::Runs { .. })),
        unknown: count(|status| matches!(status, Status::Unknown { .. })),
        width: graph.width(),
        depth: graph.depth(),
        critical_path: path.ids,
    }
}

/// Nodes by where they are, since ids say it within a region alone.
fn add_cached(nodes: &[Node], statuses: &[NodeStatus], cached: &mut FxHashSet<*const Node>) {
    for (node, NodeStatus { status, regions }) in nodes.iter().zip(statuses) {
        if matches!(status, Status::Cached { .. }) {
            cached.insert(std::ptr::from_ref(node));
        }
        for ((_, region), statuses) in node.kind.regions().into_iter().zip(regions) {
            add_cached(&region.nodes, statuses, cached);
        }
    }
}

impl NodeStatus {
    fn alone(status: Status) -> Self {
        Self { status, regions: Vec::new() }
    }

    /// Of a node of which only the run knows whether it runs.
    fn undecided(node: &Node) -> Self {
        Self {
            status: Status::Unknown { because: Unknown::Undecided },
            regions: regions_of(node, |region| region.nodes.iter().map(Self::undecided).collect()),
        }
    }

    fn count(&self, is: fn(&Status) -> bool) -> usize {
        let inside = self.regions.iter().flatten().map(|status| status.count(is));
        usize::from(is(&self.status)) + inside.sum::<usize>()
    }
}

impl Status {
    /// One line for people: `cached`, or why it runs. `nodes` are those among which the node stands.
    pub fn in_words(&self, nodes: &[Node]) -> String {
        let id = |of: NodeIndex| nodes.get(of.0 as usize).map_or("", |node| &node.id);
        match self {
            Self::Cached { .. } => "cached".to_owned(),
            Self::Runs { because: Runs::NotCached { .. } } => "runs".to_owned(),
            Self::Runs { because: Runs::CacheOff } => "runs: its cache is off".to_owned(),
            Self::Runs { because: Runs::Effect } => "runs: it has an effect".to_owned(),
            Self::Runs { because: Runs::Control } => "runs: it computes nothing".to_owned(),
            Self::Runs { because: Runs::Regions } => "runs: its nodes decide".to_owned(),
            Self::Unknown { because: Unknown::Result { of } } => {
                format!("unknown: it reads what `{}` will give", id(*of))
            }
            Self::Unknown { because: Unknown::Files { of } } => {
                format!("unknown: it reads the files that `{}` names", id(*of))
            }
            Self::Unknown { because: Unknown::File { path } } => {
                format!("unknown: `{path}` has not been read yet")
            }
            Self::Unknown { because: Unknown::NoFile { path } } => {
                format!("unknown: there is no file `{path}`")
            }
            Self::Unknown { because: Unknown::Environment } => {
                "unknown: the operator's code is not known yet".to_owned()
            }
            Self::Unknown { because: Unknown::Parameter { name } } => {
                format!("unknown: it reads what `{name}` will be")
            }
            Self::Unknown { because: Unknown::Undecided } => {
                "unknown: only the run knows whether it runs".to_owned()
            }
        }
    }
}

/// What is known, before anything runs, of that which the keys of a plan's nodes rest on.
pub struct Keys<'a> {
    facts: &'a dyn PlanFacts,
    parameters: FxHashMap<&'a str, Option<Known<'a>>>,
    /// For each node so far that is cached, or gives on what is, what its outputs count for in the keys of others,
    /// where that is known.
    outputs: RefCell<Vec<Option<Vec<Option<Hash>>>>>,
    /// Whether each node so far is cached itself.
    is_cached: RefCell<Vec<bool>>,
}

impl std::fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl KeyFacts for Keys<'_> {
    fn port(&self, port: PortRef) -> Option<Hash> {
        let outputs = self.outputs.borrow();
        outputs.get(port.node.0 as usize)?.as_ref()?.get(port.port as usize).copied()?
    }

    fn parameter(&self, name: &str) -> Option<Known<'_>> {
        self.parameters.get(name)?.clone()
    }

    fn file(&self, path: &str) -> Option<Hash> {
        self.facts.file_hash(path)
    }

    fn environment(&self, place: &OperatorPlace) -> Option<Hash> {
        self.facts.environment(place)
    }

    fn numerics(&self) -> &str {
        self.facts.numerics()
    }
}

impl Keys<'_> {
    fn status(&self, node: &Node) -> (NodeStatus, Option<Vec<Option<Hash>>>) {
        if !matches!(node.kind, NodeKind::Task(_) | NodeKind::Expression(_) | NodeKind::Query { .. }) {
            return self.control_status(node);
        }
        let (status, outputs) = self.task_status(node);
        (NodeStatus::alone(status), outputs)
    }

    fn task_status(&self, node: &Node) -> (Status, Option<Vec<Option<Hash>>>) {
        if node.effect {
            return (Status::Runs { because: Runs::Effect }, None);
        }
        if !node.policy.cache {
            return (Status::Runs { because: Runs::CacheOff }, None);
        }
        let Some(key) = node_key(node, self) else {
            return (Status::Unknown { because: self.unknown(node) }, None);
        };
        match self.facts.cached(key) {
            Some(outputs) => {
                let known = |(hash, port): (Hash, &Port)| (!names_files(&port.ty)).then_some(hash);
                (Status::Cached { key }, Some(outputs.into_iter().zip(&node.outputs).map(known).collect()))
            }
            None => (Status::Runs { because: Runs::NotCached { key } }, None),
        }
    }

    /// Of a node that steers others. What it gives on is what it was given.
    fn control_status(&self, node: &Node) -> (NodeStatus, Option<Vec<Option<Hash>>>) {
        let has_regions = !node.kind.regions().is_empty();
        let status = Status::Runs { because: if has_regions { Runs::Regions } else { Runs::Control } };
        let given_on = |name: &str| self.hash(node.input(name)?);
        match &node.kind {
            NodeKind::Workflow { body, .. } => {
                let bound = |port: &'_ Port| node.input(&port.name).and_then(|input| self.known(input));
                let parameters = body.parameters.iter().map(|port| (&*port.name, bound(port))).collect();
                let (statuses, inside) = statuses_of(&body.nodes, self.facts, parameters);
                let output = |port: &Port| {
                    let output = body.outputs.iter().find(|output| output.name == port.name)?;
                    inside.hash(&output.input)
                };
                let outputs = node.outputs.iter().map(output).collect();
                (NodeStatus { status, regions: vec![statuses] }, Some(outputs))
            }
            NodeKind::Pass | NodeKind::Wait | NodeKind::WaitFor => {
                let outputs = node.outputs.iter().map(|port| given_on(&port.name)).collect();
                (NodeStatus::alone(status), Some(outputs))
            }
            _ => {
                let regions =
                    regions_of(node, |region| region.nodes.iter().map(NodeStatus::undecided).collect());
                (NodeStatus { status, regions }, None)
            }
        }
    }

    /// What is read counts for in a key, where it is an artifact that is known.
    fn hash(&self, input: &Input) -> Option<Hash> {
        match self.known(input)? {
            Known::Artifact(hash) => Some(hash),
            _ => None,
        }
    }

    /// What the parameter of a region that reads this is bound to.
    fn known<'b>(&'b self, input: &'b Input) -> Option<Known<'b>> {
        match input {
            Input::Constant(value) => Some(Known::Value(value)),
            Input::Parameter(name) => self.parameter(name),
            Input::Port(port) => self.port(*port).map(Known::Artifact),
            Input::List(items) => {
                items.iter().map(|item| self.known(item)).collect::<Option<_>>().map(Known::List)
            }
            Input::Record(fields) => {
                let known = |(name, field): &'b (String, Input)| Some((name.as_str(), self.known(field)?));
                fields.iter().map(known).collect::<Option<_>>().map(Known::Record)
            }
            Input::Expression { .. } => None,
        }
    }

    /// What a node reads that is not known: the first such result, else the first such file.
    fn unknown(&self, node: &Node) -> Unknown {
        let mut result = None;
        for (_, input) in &node.inputs {
            input.for_each_port(&mut |port| {
                if result.is_none() && self.port(port).is_none() {
                    result = Some(port.node);
                }
            });
        }
        if let Some(of) = result {
            let is_cached = self.is_cached.borrow().get(of.0 as usize).copied().unwrap_or(false);
            return if is_cached { Unknown::Files { of } } else { Unknown::Result { of } };
        }
        let mut parameter = None;
        for (_, input) in &node.inputs {
            input.for_each_parameter(&mut |name| {
                if parameter.is_none() && self.parameter(name).is_none() {
                    parameter = Some(name.to_owned());
                }
            });
        }
        if let Some(name) = parameter {
            return Unknown::Parameter { name };
        }
        if let NodeKind::Task(operator) = &node.kind
            && operator.place != OperatorPlace::Native
            && self.facts.environment(&operator.place).is_none()
        {
            return Unknown::Environment;
        }
        let path = node.inputs.iter().find_map(|(_, input)| self.unknown_file(input));
        path.map_or(Unknown::Environment, |path| {
            if self.facts.is_absent(&path) { Unknown::NoFile { path } } else { Unknown::File { path } }
        })
    }

    fn unknown_file(&self, input: &Input) -> Option<String> {
        match input {
            Input::Constant(value) => self.unknown_path(value),
            Input::Parameter(name) => self.unknown_within(&self.parameter(name)?),
            Input::List(items) => items.iter().find_map(|item| self.unknown_file(item)),
            Input::Record(fields) | Input::Expression { bindings: fields, .. } => {
                fields.iter().find_map(|(_, field)| self.unknown_file(field))
            }
            Input::Port(_) => None,
        }
    }

    fn unknown_within(&self, known: &Known<'_>) -> Option<String> {
        match known {
            Known::Value(value) => self.unknown_path(value),
            Known::Artifact(_) => None,
            Known::List(items) => items.iter().find_map(|item| self.unknown_within(item)),
            Known::Record(fields) => fields.iter().find_map(|(_, field)| self.unknown_within(field)),
        }
    }

    fn unknown_path(&self, value: &Value) -> Option<String> {
        match value {
            Value::File(path) => self.facts.file_hash(path).is_none().then(|| path.clone()),
            Value::List(items) => items.iter().find_map(|item| self.unknown_path(item)),
            Value::Record(fields) => fields.iter().find_map(|(_, field)| self.unknown_path(field)),
            _ => None,
        }
    }
}

fn regions_of(node: &Node, statuses: impl Fn(&Region) -> Vec<NodeStatus>) -> Vec<Vec<NodeStatus>> {
    node.kind.regions().into_iter().map(|(_, region)| statuses(region)).collect()
}

/// Whether a value of the type may hold a path, which does not say what stands in the file.
fn names_files(ty: &Type) -> bool {
    match ty.storage() {
        Type::File => true,
        Type::List(element) => names_files(element),
        Type::Record(record) => record.fields.iter().any(|field| names_files(&field.ty)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::tests::support::*;

    /// Files by path, and results by key.
    #[derive(Default)]
    struct World {
        files: HashMap<String, Hash>,
        results: HashMap<Key, Vec<Hash>>,
    }

    impl PlanFacts for World {
        fn operator_version(&self, _: &str) -> Option<u32> {
            Some(1)
        }

        fn can_use_gpu(&self, _: &str) -> bool {
            false
        }

        fn file_hash(&self, path: &str) -> Option<Hash> {
            self.files.get(path).copied()
        }

        fn environment(&self, _: &OperatorPlace) -> Option<Hash> {
            None
        }

        fn cached(&self, key: Key) -> Option<Vec<Hash>> {
            self.results.get(&key).cloned()
        }
    }

    fn dag() -> Dag {
        let noop = |value| operator("std.debug.noop", vec![("value", value)], "Int");
        let program = TestProgram::default()
            .param("rows", TABLE, Some(csv("rows.csv")))
            .output("x", "Int")
            .body(block(
                vec![
                    (1, "count", operator("std.debug.count", vec![("data", get(0, TABLE))], "Int")),
                    (2, "more", noop(get(1, "Int"))),
                    (3, "alone", noop(value("1", "Int"))),
                ],
                operator(
                    "std.data.write_csv",
                    vec![("values", list(vec![get(2, "Int"), get(3, "Int")], "List<Int>"))],
                    "Int",
                ),
            ));
        program.plan().unwrap()
    }

    fn told(dag: &Dag, world: &World) -> Vec<String> {
        let statuses = statuses(dag, world);
        dag.nodes
            .iter()
            .zip(&statuses)
            .map(|(node, status)| format!("{}: {}", node.id, status.status.in_words(&dag.nodes)))
            .collect()
    }

    /// Runs the node: its result is in the cache from then on.
    fn run(dag: &Dag, world: &mut World, id: &str) {
        let index = dag.find(id).unwrap();
        match &statuses(dag, world)[index.0 as usize].status {
            Status::Runs { because: Runs::NotCached { key } } => {
                world.results.insert(*key, vec![Hash::of(id.as_bytes())]);
            }
            other => panic!("{id} is {other:?}"),
        }
    }

    #[test]
    fn each_result_that_is_there_makes_the_next_one_known() {
        let (dag, mut world) = (dag(), World::default());
        assert_eq!(
            told(&dag, &world),
            [
                "rows: unknown: `flows/rows.csv` has not been read yet",
                "count: unknown: it reads what `rows` will give",
                "more: unknown: it reads what `count` will give",
                "alone: runs",
                "write_csv: runs: it has an effect",
            ]
        );
        world.files.insert("flows/rows.csv".to_owned(), Hash::of(b"a"));
        for id in ["rows", "alone", "count"] {
            run(&dag, &mut world, id);
        }
        assert_eq!(
            told(&dag, &world),
            [
                "rows: cached",
                "count: cached",
                "more: runs",
                "alone: cached",
                "write_csv: runs: it has an effect"
            ]
        );
        let numbers = summary(&dag, &statuses(&dag, &world));
        assert_eq!(
            numbers,
            Summary {
                nodes: 5,
                cached: 3,
                runs: 2,
                unknown: 0,
                width: 2,
                depth: 4,
                critical_path: vec!["more".to_owned(), "write_csv".to_owned()],
            }
        );
        // Another content of the file: nothing that hangs on it serves any more.
        world.files.insert("flows/rows.csv".to_owned(), Hash::of(b"b"));
        assert_eq!(
            told(&dag, &world),
            [
                "rows: runs",
                "count: unknown: it reads what `rows` will give",
                "more: unknown: it reads what `count` will give",
                "alone: cached",
                "write_csv: runs: it has an effect",
            ]
        );
    }

    #[test]
    fn a_cache_that_is_off_is_not_asked() {
        let (mut dag, mut world) = (dag(), World::default());
        run(&dag, &mut world, "alone");
        dag.nodes[3].policy.cache = false;
        assert_eq!(told(&dag, &world)[3], "alone: runs: its cache is off");
    }
    #[test]
    fn a_result_that_names_a_file_says_not_what_stands_in_it() {
        let (mut dag, mut world) = (dag(), World::default());
        world.files.insert("flows/rows.csv".to_owned(), Hash::of(b"a"));
        dag.nodes[1].outputs[0].ty = Type::List(Box::new(Type::File.optional()));
        for id in ["rows", "count"] {
            run(&dag, &mut world, id);
        }
        assert_eq!(
            told(&dag, &world)[1..3],
            ["count: cached", "more: unknown: it reads the files that `count` names"]
        );
    }
}
