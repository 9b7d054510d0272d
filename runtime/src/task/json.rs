//! `flow-task/1`: an envelope as JSON, for a process elsewhere.
//!
//! ```json
//! {"format": "flow-task/1", "run": "1k3f9a2b", "node": "model", "attempt": 1, "epoch": 1, "deadline": null, "personal": false,
//!  "artifacts": {"artifact_0": {"hash": "…", "size": 4711, "kind": "table", "rows": 150, "columns": 5}},
//!  "task": {"format": "flow-dag/1", …}}
//! ```
//!
//! `task` is a DAG of that one node: operator with version and signature, arguments, outputs with their types,
//! resources. Where the node reads an artifact it reads a parameter, which `artifacts` tells of. `deadline`
//! is in microseconds since 1970. Of a task that is `personal` no word is in the answer that its process said. The answer is a `flow-result/1`: either
//!
//! ```json
//! {"format": "flow-result/1", "run": "…", "node": "…", "attempt": 1, "epoch": 1, "seconds": 0.25,
//!  "outputs": {"value": {"hash": "…", "size": 1234, "kind": "blob", "format": "flow-model/1"}}}
//! ```
//!
//! whose artifacts are stored by then, or with `"error": {"message": "…", "help": "…"}` in place of outputs.

use flow_ir::{
    dag::{Dag, Parameter},
    node::{Input, Node, NodeKind, PortRef},
    policy::Policy,
    region::Region,
    types::Type,
    value::Value,
};
use serde_json::{Map, Value as Json, json};

use super::envelope::{Envelope, EnvelopeError, Identity, Resolve, Source};
use crate::artifact::Reference;

/// The format of an envelope's JSON, with its version.
pub const TASK_FORMAT: &str = "flow-task/1";

impl Envelope {
    pub fn to_json(&self) -> Json {
        let mut artifacts = Vec::new();
        let inputs =
            self.inputs.iter().map(|(name, source)| (name.clone(), input(source, &mut artifacts))).collect();
        let task = || NodeKind::Task(self.operator());
        let node = Node {
            id: self.identity.node.to_string(),
            kind: self.steps.as_deref().map_or_else(task, |body| NodeKind::Query { body: body.clone() }),
            inputs,
            after: Vec::new(),
            outputs: self.outputs.clone(),
            policy: Policy { cpu: self.cores, memory: self.memory, ..Policy::default() },
            effect: false,
            deterministic: true,
        };
        let names = (0..artifacts.len()).map(artifact_name);
        let parameters = names.clone().map(|name| Parameter {
            name,
            ty: Type::Nothing,
            default: None,
            value: Value::None,
        });
        let dag = Dag {
            workflow: self.op.clone(),
            parameters: parameters.collect(),
            nodes: vec![node],
            outputs: Vec::new(),
            origin: None,
        };
        let artifacts: Map<String, Json> = names.zip(artifacts.iter().map(Reference::to_json)).collect();
        // What was written as JSON a moment ago is JSON.
        let task: Json = serde_json::from_str(&dag.to_json()).unwrap_or_default();
        let Identity { run, node, attempt, epoch } = &self.identity;
        json!({
            "format": TASK_FORMAT, "run": **run, "node": **node, "attempt": attempt, "epoch": epoch,
            "deadline": self.deadline, "personal": self.is_personal, "artifacts": artifacts, "task": task,
        })
    }

    /// Reads an envelope from anywhere: nothing about the text is trusted.
    pub fn from_json(text: &str) -> Result<Self, EnvelopeError> {
        let json: Json = serde_json::from_str(text)
            .map_err(|error| EnvelopeError::NotJson { reason: error.to_string() })?;
        let field = |name| EnvelopeError::Field { field: name };
        let found = json.get("format").and_then(Json::as_str).ok_or(EnvelopeError::NoVersion)?;
        if found != TASK_FORMAT {
            return Err(EnvelopeError::Version { found: found.to_owned() });
        }
        let text = |name| json.get(name).and_then(Json::as_str).ok_or(field(name));
        let number = |name| {
            let number = json.get(name).and_then(Json::as_u64);
            number.and_then(|number| u32::try_from(number).ok()).ok_or(field(name))
        };
        let identity = Identity {
            run: text("run")?.into(),
            node: text("node")?.into(),
            attempt: number("attempt")?,
            epoch: number("epoch")?,
        };
        let deadline = match json.get("deadline") {
            None | Some(Json::Null) => None,
            Some(deadline) => Some(deadline.as_i64().ok_or(field("deadline"))?),
        };
        let artifacts = json.get("artifacts").and_then(Json::as_object).ok_or(field("artifacts"))?;
        let task = json.get("task").ok_or(field("task"))?.to_string();
        let dag = Dag::from_json(&task).map_err(|error| EnvelopeError::Task { reason: error.to_string() })?;
        let [node] = dag.nodes.as_slice() else { return Err(field("task")) };
        if let Some(reason) = node.kind.steps().and_then(Region::misfit_for_query) {
            return Err(EnvelopeError::Task { reason });
        }
        let operator = node.operator().ok_or(field("task"))?;
        let mut envelope = Self::new(node, &operator, identity, &Told { artifacts })?;
        envelope.deadline = deadline;
        envelope.is_personal = match json.get("personal") {
            None => false,
            Some(personal) => personal.as_bool().ok_or(field("personal"))?,
        };
        Ok(envelope)
    }
}

/// What an envelope's parameters stand for.
struct Told<'a> {
    artifacts: &'a Map<String, Json>,
}

impl Resolve for Told<'_> {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        let found = self.artifacts.get(name).and_then(Reference::from_json);
        found.map(Source::Artifact).ok_or_else(|| EnvelopeError::NoArtifact { name: name.to_owned() })
    }

    fn port(&self, _: PortRef) -> Option<Reference> {
        None
    }
}

/// The source as a node's input; artifacts are put aside, and read as parameters.
fn input(source: &Source, artifacts: &mut Vec<Reference>) -> Input {
    let mut named = |sources: &[(String, Source)]| {
        sources.iter().map(|(name, source)| (name.clone(), input(source, artifacts))).collect()
    };
    match source {
        Source::Value(value) => Input::Constant(value.clone()),
        Source::Artifact(reference) => {
            artifacts.push(reference.clone());
            Input::Parameter(artifact_name(artifacts.len() - 1))
        }
        Source::Expression { expr, bindings } => {
            Input::Expression { expr: expr.clone(), bindings: named(bindings) }
        }
        Source::Record(fields) => Input::Record(named(fields)),
        Source::List(sources) => Input::List(sources.iter().map(|source| input(source, artifacts)).collect()),
    }
}

fn artifact_name(index: usize) -> String {
    format!("artifact_{index}")
}
