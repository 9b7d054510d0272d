//! A difference as JSON, in `flow-diff/1`; `grammar/flow-diff.schema.json` describes it.

use serde_json::{Map, Value as Json, json};

use super::model::{
    Cause, Change, DagDiff, Effect, FieldChange, Follower, Kind, NodeDiff, OutputDiff, ParameterDiff, Part,
};

/// The format of a difference's JSON, with its version.
pub const FORMAT: &str = "flow-diff/1";

impl DagDiff {
    pub fn to_json(&self) -> Json {
        let summary = self.summary();
        let summary = json!({
            "added": summary.added, "removed": summary.removed, "renamed": summary.renamed,
            "rewired": summary.rewired, "changed": summary.changed, "results": summary.results,
            "outputs": summary.outputs,
        });
        let parameters = self.parameters.iter().map(|parameter| {
            let ParameterDiff { name, was, kind, changes, effect } = parameter;
            entry(("name", name), was.as_deref(), *kind, *effect, changes.iter().map(field_json).collect())
        });
        let outputs = self.outputs.iter().map(|output| {
            let OutputDiff { name, was, kind, changes, effect } = output;
            entry(("name", name), was.as_deref(), *kind, *effect, changes.iter().map(field_json).collect())
        });
        let follower = |follower: &Follower| {
            json!({
                "node": follower.path, "op": follower.op, "cause": cause_json(&follower.cause),
            })
        };
        let affected =
            |(output, cause): &(String, Cause)| json!({ "output": output, "cause": cause_json(cause) });
        let workflow = self.workflow.as_ref();
        object([
            ("format", Some(json!(FORMAT))),
            ("equal", Some(json!(self.is_empty()))),
            ("summary", Some(summary)),
            ("workflow", workflow.map(|(before, after)| json!({ "before": before, "after": after }))),
            ("parameters", Some(parameters.map(Json::Object).collect())),
            ("nodes", Some(self.nodes.iter().map(node_json).collect())),
            ("outputs", Some(outputs.map(Json::Object).collect())),
            ("followers", Some(self.followers.iter().map(follower).collect())),
            ("affected", Some(self.affected.iter().map(affected).collect())),
            ("reordered", Some(json!(self.reordered))),
        ])
    }
}

/// An object of those of the entries that are there.
fn object<const N: usize>(entries: [(&str, Option<Json>); N]) -> Json {
    Json::Object(entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

fn entry(
    (key, name): (&str, &str),
    was: Option<&str>,
    kind: Kind,
    effect: Effect,
    changes: Vec<Json>,
) -> Map<String, Json> {
    let mut entry = Map::new();
    entry.insert(key.to_owned(), json!(name));
    entry.extend(was.map(|was| ("was".to_owned(), json!(was))));
    entry.insert("change".to_owned(), json!(kind.name()));
    entry.insert("effect".to_owned(), json!(effect.name()));
    entry.insert("changes".to_owned(), Json::Array(changes));
    entry
}

fn node_json(node: &NodeDiff) -> Json {
    let changes = node.changes.iter().map(change_json).collect();
    let mut json = entry(("node", &node.path), node.was.as_deref(), node.kind, node.effect, changes);
    json.insert("op".to_owned(), json!(node.op));
    json.insert("has_effect".to_owned(), json!(node.has_effect));
    json.extend(node.cause.as_ref().map(|cause| ("cause".to_owned(), cause_json(cause))));
    Json::Object(json)
}

fn cause_json(cause: &Cause) -> Json {
    match cause {
        Cause::Node(path) => json!({ "node": path }),
        Cause::Parameter(name) => json!({ "parameter": name }),
    }
}

fn change_json(change: &Change) -> Json {
    let (region, port) = match &change.part {
        Part::RegionParameter(region, _) | Part::RegionOutput(region, _) => (Some(*region), None),
        Part::Column(port, _) => (None, Some(port)),
        _ => (None, None),
    };
    object([
        ("part", Some(json!(change.part.name()))),
        ("name", change.part.of().map(Json::from)),
        ("region", region.map(Json::from)),
        ("port", port.map(|port| json!(port))),
        ("before", change.before.as_deref().map(Json::from)),
        ("after", change.after.as_deref().map(Json::from)),
        ("effect", Some(json!(change.effect.name()))),
    ])
}

fn field_json(change: &FieldChange) -> Json {
    object([
        ("part", Some(json!(change.field))),
        ("before", change.before.as_deref().map(Json::from)),
        ("after", change.after.as_deref().map(Json::from)),
    ])
}

impl Effect {
    pub fn name(self) -> &'static str {
        match self {
            Self::PolicyOnly => "policy_only",
            Self::KeepsCache => "keeps_cache",
            Self::ChangesResults => "changes_results",
        }
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Rewired => "rewired",
            Self::Changed => "changed",
        }
    }
}

impl Part {
    /// One word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NodeKind => "kind",
            Self::Op => "op",
            Self::Version => "version",
            Self::Signature => "signature",
            Self::Place => "place",
            Self::Expression => "expression",
            Self::Argument(_) => "argument",
            Self::Wire(_) => "wire",
            Self::InputName => "input_name",
            Self::InputOrder => "input_order",
            Self::After => "after",
            Self::Port(_) => "port",
            Self::Column(..) => "column",
            Self::PortOrder => "port_order",
            Self::Max => "max",
            Self::RegionParameter(..) => "region_parameter",
            Self::RegionOutput(..) => "region_output",
            Self::Policy(_) => "policy",
            Self::Effect => "effect",
            Self::Deterministic => "deterministic",
        }
    }

    /// Which argument, port or key it is.
    fn of(&self) -> Option<&str> {
        match self {
            Self::Argument(name)
            | Self::Wire(name)
            | Self::Port(name)
            | Self::Column(_, name)
            | Self::RegionParameter(_, name)
            | Self::RegionOutput(_, name) => Some(name),
            Self::Policy(key) => Some(key),
            _ => None,
        }
    }
}
