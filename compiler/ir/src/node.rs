//! One node of the DAG.

use std::borrow::Cow;

use crate::{expr::Expr, hash::Hash, policy::Policy, region::Region, types::Type, value::Value};

/// A node's place among those of its DAG, or of its region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeIndex(pub u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// For people, and last: `model`, `candidates[2].gbdt`, `gbdt#2`. Unique in its DAG; in a region, among all
    /// nodes of all regions of the node that has it.
    pub id: String,
    pub kind: NodeKind,
    /// By the parameters' names, in the operator's order; those at their default are there too.
    pub inputs: Vec<(String, Input)>,
    /// Nodes that must have finished first, though no data comes from them.
    pub after: Vec<NodeIndex>,
    pub outputs: Vec<Port>,
    pub policy: Policy,
    /// Never pruned, merged or cached. One that runs regions has an effect if any node in them has.
    pub effect: bool,
    /// Equal inputs give equal outputs, so that equal nodes may be merged.
    pub deterministic: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A call of an operator.
    Task(OperatorRef),
    /// A scalar computed from other scalars, which are its inputs; its one port is `value`.
    Expression(Expr),
    /// Gives its inputs on when all are there; the ports are named as the inputs.
    Pass,
    /// Gives `value` on after its input `duration`, counted from when it starts.
    Wait,
    /// Gives `value` on when a signal of its input `name` (a Text, known when planned) has come for the run.
    /// The input `timeout`, a Duration, may be missing or none; the policy's `on_failure` says what it does.
    WaitFor,
    /// Runs one of two regions, as its input `condition` says; the nodes of the other are skipped. Its ports are
    /// what both give.
    Conditional { then: Region, otherwise: Region },
    /// Runs the region for each element of its input `over`, which is bound to the region's first parameter. Each
    /// port is the List of what the regions give. A list longer than `max` fails before anything runs.
    Map { max: u64, body: Region },
    /// Runs `body` as long as `condition` gives true, at most `max` times. The first parameter of both is the
    /// state: at first the input `from`, then what `body` has given. Its one port `value` is the last state, or its
    /// ports are the fields of that record.
    Loop { max: u64, condition: Region, body: Region },
    /// Runs another workflow; its ports are that one's outputs.
    Workflow { name: String, body: Region },
    /// Calls the tasks of `body` one after the other as one operator would: one attempt, one result, one cache entry.
    /// The first parameter is the table that the first of them reads; the others read the one before. Its one
    /// port is the last one's. It comes of the plan, never of a text.
    Query { body: Region },
}

/// Which operator, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperatorRef {
    /// With its module: `std.tree.gbdt`.
    pub name: String,
    /// Rises when the operator's results change.
    pub version: u32,
    /// Of its signature, as declared.
    pub signature: Hash,
    pub place: OperatorPlace,
}

/// The name of the operator that runs the steps of queries.
pub const QUERY: &str = "query";

/// Where an operator's body is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperatorPlace {
    /// In the standard library; dataset verbs too.
    Native,
    /// `module:function`
    Python(String),
    Command(Vec<CommandWord>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CommandWord {
    Text(String),
    /// The path of an input's file, or the input itself where it is a scalar.
    Input(String),
    /// The path where the output of that name is to be written.
    Output(String),
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    Constant(Value),
    /// A parameter of the workflow; in a region, one of the region.
    Parameter(String),
    Port(PortRef),
    /// An expression over the columns of the node's table; `bindings` gives its scalar parameters.
    Expression {
        expr: Expr,
        bindings: Vec<(String, Input)>,
    },
    List(Vec<Input>),
    Record(Vec<(String, Input)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRef {
    pub node: NodeIndex,
    /// The place among the node's outputs.
    pub port: u32,
}

/// An output of a node. An operator with one unnamed result has the one port `value`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Port {
    pub name: String,
    pub ty: Type,
}

/// The name of the port of an operator with one unnamed result.
pub const VALUE_PORT: &str = "value";

impl Input {
    /// Calls `visit` with every port this input reads.
    pub fn for_each_port(&self, visit: &mut impl FnMut(PortRef)) {
        match self {
            Self::Port(port) => visit(*port),
            Self::Expression { bindings: inputs, .. } | Self::Record(inputs) => {
                for (_, input) in inputs {
                    input.for_each_port(visit);
                }
            }
            Self::List(inputs) => {
                for input in inputs {
                    input.for_each_port(visit);
                }
            }
            Self::Constant(_) | Self::Parameter(_) => {}
        }
    }

    /// Calls `visit` with every parameter this input reads.
    pub fn for_each_parameter<'a>(&'a self, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::Parameter(name) => visit(name),
            Self::Expression { bindings: inputs, .. } | Self::Record(inputs) => {
                for (_, input) in inputs {
                    input.for_each_parameter(visit);
                }
            }
            Self::List(inputs) => {
                for input in inputs {
                    input.for_each_parameter(visit);
                }
            }
            Self::Constant(_) | Self::Port(_) => {}
        }
    }
}

impl Node {
    pub fn port(&self, name: &str) -> Option<u32> {
        self.outputs.iter().position(|port| port.name == name).and_then(|index| u32::try_from(index).ok())
    }

    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|(input, _)| input == name).map(|(_, input)| input)
    }

    /// Calls `visit` with every node this one waits for; a node may come up more than once.
    pub fn for_each_dependency(&self, mut visit: impl FnMut(NodeIndex)) {
        for (_, input) in &self.inputs {
            input.for_each_port(&mut |port| visit(port.node));
        }
        for node in &self.after {
            visit(*node);
        }
    }

    /// Whether it runs outside of flowc's own process.
    pub fn is_external(&self) -> bool {
        matches!(&self.kind, NodeKind::Task(operator) if operator.place != OperatorPlace::Native)
    }

    /// How many nodes there are, with those of its regions and the steps of a query.
    pub fn count(&self) -> usize {
        let regions = self.kind.nested().into_iter();
        1 + regions.flat_map(|(_, region)| &region.nodes).map(Self::count).sum::<usize>()
    }

    /// What stands before the ids of the nodes in its regions: `nightly/`, and `days[]/` where these run for each
    /// element or several times.
    pub fn scope(&self) -> String {
        match self.kind {
            NodeKind::Map { .. } | NodeKind::Loop { .. } => format!("{}[]/", self.id),
            _ => format!("{}/", self.id),
        }
    }

    /// The operator whose body runs it: of a task its own, of a query the one that runs its steps. None for what
    /// computes nothing itself, and for expressions.
    pub fn operator(&self) -> Option<Cow<'_, OperatorRef>> {
        match &self.kind {
            NodeKind::Task(operator) => Some(Cow::Borrowed(operator)),
            NodeKind::Query { .. } => Some(Cow::Owned(OperatorRef::query())),
            _ => None,
        }
    }

    /// What a person calls it: the operator's or workflow's full name, or its kind.
    pub fn op(&self) -> &str {
        match &self.kind {
            NodeKind::Task(operator) => &operator.name,
            NodeKind::Workflow { name, .. } => name,
            kind => kind.name(),
        }
    }
}

impl OperatorRef {
    /// What runs the steps of a query. These say what they are: with no signature of its own it has one version.
    pub fn query() -> Self {
        Self { name: QUERY.to_owned(), version: 1, signature: Hash([0; 32]), place: OperatorPlace::Native }
    }
}

impl NodeKind {
    /// As `flow-dag/1` has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Task(_) => "task",
            Self::Expression(_) => "expression",
            Self::Pass => "pass",
            Self::Wait => "wait",
            Self::WaitFor => "wait_for",
            Self::Conditional { .. } => "conditional",
            Self::Map { .. } => "map",
            Self::Loop { .. } => "loop",
            Self::Workflow { .. } => "workflow",
            Self::Query { .. } => QUERY,
        }
    }

    /// What a query computes, which is no region that runs: its nodes have no state of their own.
    pub fn steps(&self) -> Option<&Region> {
        if let Self::Query { body } = self { Some(body) } else { None }
    }

    /// The regions that it runs, each with the part that it plays. A query runs as one: see [`Self::steps`].
    pub fn regions(&self) -> Vec<(&'static str, &Region)> {
        match self {
            Self::Conditional { then, otherwise } => vec![("then", then), ("otherwise", otherwise)],
            Self::Loop { condition, body, .. } => vec![("condition", condition), ("body", body)],
            Self::Map { body, .. } | Self::Workflow { body, .. } => vec![("body", body)],
            Self::Task(_)
            | Self::Expression(_)
            | Self::Pass
            | Self::Wait
            | Self::WaitFor
            | Self::Query { .. } => Vec::new(),
        }
    }

    /// All that is written within it: the regions that it runs, and the steps of a query.
    pub fn nested(&self) -> Vec<(&'static str, &Region)> {
        match self {
            Self::Query { body } => vec![("body", body)],
            _ => self.regions(),
        }
    }

    /// The same as of [`Self::nested`], in the same order.
    pub fn nested_mut(&mut self) -> Vec<&mut Region> {
        match self {
            Self::Conditional { then, otherwise } => vec![then, otherwise],
            Self::Loop { condition, body, .. } => vec![condition, body],
            Self::Map { body, .. } | Self::Workflow { body, .. } | Self::Query { body } => vec![body],
            Self::Task(_) | Self::Expression(_) | Self::Pass | Self::Wait | Self::WaitFor => Vec::new(),
        }
    }
}
