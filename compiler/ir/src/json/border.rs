//! The shapes of `flow-dag/1`, as serde reads and writes them. `grammar/flow-dag.schema.json`
//! describes them for others.

use serde::{Deserialize, Serialize};

use super::{constant::Constant, entries::Entries};
use crate::check::MAX_NODES;

/// Only the format, of any version.
#[derive(Deserialize)]
pub struct Head {
    pub format: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DagJson {
    pub format: String,
    pub workflow: String,
    #[serde(default)]
    pub rows: Entries<String>,
    #[serde(default)]
    pub parameters: Vec<ParameterJson>,
    #[serde(deserialize_with = "bounded")]
    pub nodes: Vec<NodeJson>,
    pub outputs: Vec<OutputJson>,
    #[serde(default)]
    pub origin: Option<OriginJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterJson {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    /// Left out where there is none; `null` is the default `none`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub default: Option<Constant>,
    pub value: Constant,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputJson {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub input: InputJson,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeJson {
    pub id: String,
    /// Such as `task`. The keys that follow belong to some kinds alone.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<OperatorJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<Vec<StepJson>>,
    /// Of a workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<RegionJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<RegionJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<RegionJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<RegionJson>,
    pub inputs: Entries<InputJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    pub outputs: Vec<PortJson>,
    /// The keys that differ from the default.
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    pub policy: Entries<Constant>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub effect: bool,
    pub deterministic: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionJson {
    pub parameters: Vec<PortJson>,
    pub nodes: Vec<NodeJson>,
    pub outputs: Vec<OutputJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorJson {
    pub name: String,
    pub version: u32,
    pub signature: String,
    pub place: PlaceJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaceJson {
    Native,
    Python(String),
    Command(Vec<WordJson>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WordJson {
    Text(String),
    Input(String),
    Output(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortJson {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputJson {
    Constant(Constant),
    Parameter(String),
    /// `node.port`
    Port(String),
    Expression(ExpressionJson),
    List(Vec<InputJson>),
    Record(Entries<InputJson>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionJson {
    pub steps: Vec<StepJson>,
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    pub bindings: Entries<InputJson>,
}

/// One part of an expression. Parts are listed after those they are made of and name them by their
/// place, each once; the last is the whole. A list cannot nest too deeply for a reader.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepJson {
    pub is: StepKindJson,
    #[serde(rename = "type")]
    pub ty: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKindJson {
    Column(String),
    Parameter(String),
    Literal(Constant),
    /// The function's name, then its arguments.
    Call(String, Vec<usize>),
    Cast(usize),
    /// Conditions with their values, then what holds otherwise.
    Case(Vec<(usize, usize)>, usize),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OriginJson {
    pub file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    #[serde(default, skip_serializing_if = "Entries::is_empty")]
    pub parameters: Entries<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<(u32, u32)>,
}

/// A list of nodes that ends where there are more than a DAG may have.
fn bounded<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<NodeJson>, D::Error> {
    struct Nodes;
    impl<'de> serde::de::Visitor<'de> for Nodes {
        type Value = Vec<NodeJson>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of nodes")
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut nodes = Vec::new();
            while let Some(node) = list.next_element()? {
                if nodes.len() >= MAX_NODES {
                    return Err(serde::de::Error::custom(format!("more than {MAX_NODES} nodes")));
                }
                nodes.push(node);
            }
            Ok(nodes)
        }
    }
    deserializer.deserialize_seq(Nodes)
}

/// Tells `null` from a key that is not there.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Constant>, D::Error> {
    Constant::deserialize(deserializer).map(Some)
}
