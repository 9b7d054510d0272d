//! A difference of two DAGs, as data.

/// All that differs between two DAGs. Equal ones have none of it, and only they.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DagDiff {
    /// The workflow's name before and after, where these differ.
    pub workflow: Option<(String, String)>,
    pub parameters: Vec<ParameterDiff>,
    /// In the order of the DAG after; what was removed, where it stood.
    pub nodes: Vec<NodeDiff>,
    pub outputs: Vec<OutputDiff>,
    /// Nodes that are as they were and whose results change, since those change that they read.
    pub followers: Vec<Follower>,
    /// Outputs that are read where they were, and what changes them.
    pub affected: Vec<(String, Cause)>,
    /// Where nodes, parameters or outputs that both have stand in another order: the paths of those that
    /// run them, an empty one for the DAG itself. The order changes no results.
    pub reordered: Vec<String>,
}

/// What a difference means for the results that the cache has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// How it runs changes, and nothing that it gives.
    PolicyOnly,
    /// Earlier results serve as before.
    KeepsCache,
    /// Earlier results serve no more: it runs again, and so does what reads it.
    ChangesResults,
}

/// What happened to a node, parameter or output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Added,
    Removed,
    /// Its name alone.
    Renamed,
    /// It reads other nodes or parameters, and nothing else changed.
    Rewired,
    Changed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDiff {
    /// Its id; within regions behind those of the nodes that run them: `nightly/clean`, `days[]/load`.
    pub path: String,
    /// What its path was, where that is another and not only because a node around it was renamed.
    pub was: Option<String>,
    /// The operator's or workflow's full name, or the kind.
    pub op: String,
    pub kind: Kind,
    pub changes: Vec<Change>,
    pub effect: Effect,
    /// Where its results change and not, or not only, by what is said here: what changes them too.
    pub cause: Option<Cause>,
    /// Whether it has an effect outside, before or after.
    pub has_effect: bool,
}

/// One part of a node that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub part: Part,
    /// In the language's words; none where it was not there.
    pub before: Option<String>,
    pub after: Option<String>,
    pub effect: Effect,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What kind of node it is.
    NodeKind,
    /// The operator's or workflow's name.
    Op,
    Version,
    /// Of the operator: what it is declared as.
    Signature,
    /// Where an external operator's body is.
    Place,
    /// What an expression node computes.
    Expression,
    /// A value or an expression given to it: `depth`, `space.trees`, `sizes[1]`.
    Argument(String),
    /// What it reads: another node, a parameter.
    Wire(String),
    /// What an input is called that the planner named.
    InputName,
    /// The order of its inputs.
    InputOrder,
    /// A node that it waits for, without data.
    After,
    /// An output's type.
    Port(String),
    /// A column of an output: the output's name, and the column's.
    Column(String, String),
    /// The order of its outputs.
    PortOrder,
    /// How long a list it runs over, or how often it runs, at most.
    Max,
    /// A parameter of a region: the region's part (`body`), and the parameter's name.
    RegionParameter(&'static str, String),
    /// What a region gives: the region's part, and the output's name.
    RegionOutput(&'static str, String),
    /// A key of `with (…)`.
    Policy(&'static str),
    /// The mark that it has an effect.
    Effect,
    /// The mark that equal inputs give equal outputs.
    Deterministic,
}

/// What else changes a node's results.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The path of the node where the change is.
    Node(String),
    Parameter(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    pub path: String,
    pub op: String,
    pub cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterDiff {
    pub name: String,
    pub was: Option<String>,
    pub kind: Kind,
    /// `type`, `default` and `value`, as far as they differ.
    pub changes: Vec<FieldChange>,
    pub effect: Effect,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputDiff {
    pub name: String,
    pub was: Option<String>,
    pub kind: Kind,
    /// `type` and `from`, as far as they differ.
    pub changes: Vec<FieldChange>,
    pub effect: Effect,
}

/// A field of a parameter or an output, in the language's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    pub field: &'static str,
    pub before: Option<String>,
    pub after: Option<String>,
}
