//! All that a process must know to run one task; the data itself stays where the artifacts are.

use std::sync::Arc;

use flow_ir::{
    dag::Dag,
    expr::Expr,
    hash::Hash,
    key::Known,
    node::{Input, Node, OperatorPlace, OperatorRef, Port, PortRef},
    region::Region,
    value::Value,
};

use serde_json::Value as Json;

use crate::artifact::{Reference, Summary};

#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    pub op: String,
    pub version: u32,
    /// Of the operator's declaration.
    pub signature: Hash,
    pub place: OperatorPlace,
    /// By the parameters' names, in the operator's order.
    pub inputs: Vec<(String, Source)>,
    pub outputs: Vec<Port>,
    /// Of a query.
    pub steps: Option<Arc<Region>>,
    /// Cores it may keep busy.
    pub cores: u32,
    /// Bytes it should keep to.
    pub memory: u64,
    pub identity: Identity,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub deadline: Option<i64>,
    /// Whether it reads personal data outside of this process, so that nothing that it says is passed on.
    pub is_personal: bool,
}

/// Whose task it is. An answer with an attempt or epoch that has passed is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub run: Arc<str>,
    pub node: Arc<str>,
    pub attempt: u32,
    pub epoch: u32,
}

/// Where an input comes from, with everything known but the data.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    Value(Value),
    Artifact(Reference),
    Expression { expr: Expr, bindings: Vec<(String, Source)> },
    List(Vec<Source>),
    Record(Vec<(String, Source)>),
}

/// Knows what stands behind an input's names.
pub trait Resolve {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError>;

    /// None where the port's node failed, and others continue without it.
    fn port(&self, port: PortRef) -> Option<Reference>;
}

/// What is wrong with a task before it runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("there is no parameter `{name}`")]
    NoParameter { name: String },
    #[error("the envelope is not JSON: {reason}")]
    NotJson { reason: String },
    #[error("the envelope is a `{found}`, not a `flow-task/1`")]
    Version { found: String },
    #[error("the envelope does not say that it is a `flow-task/1`")]
    NoVersion,
    #[error("the envelope does not say what `{name}` is")]
    NoArtifact { name: String },
    #[error("the envelope's task cannot be read: {reason}")]
    Task { reason: String },
    #[error("the envelope calls `{op}`, which is no operator of this flowc")]
    NoOperator { op: String },
    #[error("the envelope calls another version of `{op}` than this flowc has")]
    OtherOperator { op: String },
    #[error("the envelope has no sound `{field}`")]
    Field { field: &'static str },
}

impl Envelope {
    /// The operator that it calls.
    pub fn operator(&self) -> OperatorRef {
        OperatorRef {
            name: self.op.clone(),
            version: self.version,
            signature: self.signature,
            place: self.place.clone(),
        }
    }

    /// The task of a node.
    pub fn new(
        node: &Node,
        operator: &OperatorRef,
        identity: Identity,
        resolve: &dyn Resolve,
    ) -> Result<Self, EnvelopeError> {
        let inputs = node.inputs.iter().map(|(name, input)| Ok((name.clone(), Source::new(input, resolve)?)));
        Ok(Self {
            op: operator.name.clone(),
            version: operator.version,
            signature: operator.signature,
            place: operator.place.clone(),
            inputs: inputs.collect::<Result<_, _>>()?,
            outputs: node.outputs.clone(),
            steps: node.kind.steps().cloned().map(Arc::new),
            cores: node.policy.cpu,
            memory: node.policy.memory,
            identity,
            deadline: None,
            is_personal: false,
        })
    }
}

impl Source {
    pub fn new(input: &Input, resolve: &dyn Resolve) -> Result<Self, EnvelopeError> {
        let named = |inputs: &[(String, Input)]| {
            inputs
                .iter()
                .map(|(name, input)| Ok((name.clone(), Self::new(input, resolve)?)))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match input {
            Input::Constant(value) => Self::Value(value.clone()),
            Input::Parameter(name) => resolve.parameter(name)?,
            Input::Port(port) => resolve.port(*port).map_or(Self::Value(Value::None), Self::Artifact),
            Input::Expression { expr, bindings } => {
                Self::Expression { expr: expr.clone(), bindings: named(bindings)? }
            }
            Input::Record(fields) => Self::Record(named(fields)?),
            Input::List(inputs) => {
                Self::List(inputs.iter().map(|input| Self::new(input, resolve)).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl Source {
    /// What it counts for in keys; `artifact` says it of what is not a value.
    pub fn known(&self, artifact: &mut dyn FnMut(&Reference) -> Option<Hash>) -> Option<Known<'_>> {
        Some(match self {
            Self::Value(value) => Known::Value(value),
            Self::Artifact(reference) => Known::Artifact(artifact(reference)?),
            Self::List(sources) => {
                Known::List(sources.iter().map(|source| source.known(artifact)).collect::<Option<_>>()?)
            }
            Self::Record(fields) => {
                let fields =
                    fields.iter().map(|(name, source)| Some((name.as_str(), source.known(artifact)?)));
                Known::Record(fields.collect::<Option<_>>()?)
            }
            Self::Expression { .. } => return None,
        })
    }

    /// For people and scripts: scalars as values, the rest as artifact hashes with a summary.
    pub fn summary(&self) -> Json {
        match self {
            Self::Value(value) => value.to_json(),
            Self::Artifact(Reference { summary: Summary::Value(Some(value)), .. }) => value.to_json(),
            Self::Artifact(reference) => reference.to_json(),
            Self::Expression { .. } => Json::Null,
            Self::List(sources) => sources.iter().map(Self::summary).collect(),
            Self::Record(fields) => {
                Json::Object(fields.iter().map(|(name, source)| (name.clone(), source.summary())).collect())
            }
        }
    }
}

/// What a parameter of the workflow is bound to.
pub fn parameter<'a>(dag: &'a Dag, name: &str) -> Result<&'a Value, EnvelopeError> {
    dag.parameters
        .iter()
        .find(|parameter| parameter.name == name)
        .map(|parameter| &parameter.value)
        .ok_or_else(|| EnvelopeError::NoParameter { name: name.to_owned() })
}
