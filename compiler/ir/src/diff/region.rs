//! What differs in the regions of a node, and what comes out of them.

use std::collections::HashMap;

use super::{
    model::{Cause, Change, DagDiff, Effect, Kind, OutputDiff, Part},
    output::Given,
    pair::Names,
    scope::{Body, Differ, Reach, Scope},
};
use crate::{
    node::{Node, NodeKind, Port, VALUE_PORT},
    region::Region,
};

/// Loops within each other whose states are followed exactly; in deeper ones every difference counts as one of the state.
const EXACT_LOOPS: u32 = 4;

/// A node and its counterpart.
pub struct Pair<'a> {
    pub before: &'a Node,
    pub after: &'a Node,
    /// The path after.
    pub path: String,
    /// For each input after, the input before that it was.
    pub inputs: Vec<Option<usize>>,
    /// For each input after, what changes what it gives.
    pub ways: Vec<Option<Cause>>,
}

/// What changes what each region gives, by the region's part and the output.
pub type Within = Vec<(&'static str, HashMap<String, Cause>)>;

impl Pair<'_> {
    fn way(&self, name: &str) -> Option<Cause> {
        let mut ways = self.after.inputs.iter().zip(&self.ways);
        ways.find(|((input, _), _)| input == name).and_then(|(_, cause)| cause.clone())
    }

    fn own(&self) -> Cause {
        Cause::Node(self.path.clone())
    }

    /// What changes what comes out of a node that gives on what others give; none of one that computes.
    pub fn reach(&self, within: &Within, changes: &[Change]) -> Option<Reach> {
        let given = |port: &str| within.iter().find_map(|(_, outputs)| outputs.get(port)).cloned();
        let by_port = |cause: &dyn Fn(&str) -> Option<Cause>| {
            Some(Reach::Ports(self.after.outputs.iter().map(|port| cause(&port.name)).collect()))
        };
        let all = |cause: Option<Cause>| Some(cause.map_or(Reach::Nothing, Reach::All));
        match &self.after.kind {
            NodeKind::Task(_) | NodeKind::Expression(_) => None,
            NodeKind::Pass => {
                let inputs = self.after.inputs.iter().map(|(name, _)| name.as_str());
                let ways: HashMap<&str, &Option<Cause>> = inputs.zip(&self.ways).collect();
                by_port(&|port| ways.get(port).and_then(|cause| (*cause).clone()))
            }
            NodeKind::Wait | NodeKind::WaitFor => all(self.way(VALUE_PORT)),
            NodeKind::Workflow { .. } | NodeKind::Query { .. } => by_port(&given),
            NodeKind::Conditional { .. } => match self.way("condition") {
                Some(cause) => all(Some(cause)),
                None => by_port(&given),
            },
            NodeKind::Map { .. } => match self.way("over") {
                Some(cause) => all(Some(cause)),
                None => by_port(&given),
            },
            NodeKind::Loop { .. } => {
                let is_other = changes.iter().any(|change| change.effect == Effect::ChangesResults);
                let inside = within.iter().find_map(|(_, outputs)| outputs.values().min()).cloned();
                all(self.way("from").or(inside).or_else(|| is_other.then(|| self.own())))
            }
        }
    }
}

impl DagDiff {
    /// What changes results in it, the first of several.
    fn first_cause(&self) -> Option<Cause> {
        let mut nodes = self.nodes.iter().filter(|node| node.effect == Effect::ChangesResults);
        let own = nodes.next().map(|node| Cause::Node(node.path.clone()));
        own.or_else(|| self.followers.first().map(|follower| follower.cause.clone()))
    }
}

impl Differ {
    /// Tells what differs in the regions of a node, what they take and give as changes of the node itself.
    pub(super) fn regions(
        &mut self,
        scope: &Scope<'_>,
        pair: &Pair<'_>,
        changes: &mut Vec<Change>,
    ) -> Within {
        let (before, after) = (pair.before.kind.nested(), pair.after.kind.nested());
        if std::mem::discriminant(&pair.before.kind) != std::mem::discriminant(&pair.after.kind) {
            return Within::new();
        }
        let mut within = Within::new();
        for ((part, given), ((_, old), (_, new))) in
            self.visit(scope, pair).into_iter().zip(before.into_iter().zip(after))
        {
            let mut causes = HashMap::new();
            for Given { name, diff, cause } in given {
                let is_other = diff.as_ref().is_some_and(|diff| diff.effect == Effect::ChangesResults);
                let cause = if is_other { Some(pair.own()) } else { cause };
                causes.extend(cause.map(|cause| (name, cause)));
                changes.extend(diff.map(|diff| output(part, diff)));
            }
            within.push((part, causes));
            parameters(part, (old, new), pair, changes);
        }
        within
    }

    fn visit(&mut self, scope: &Scope<'_>, pair: &Pair<'_>) -> Vec<(&'static str, Vec<Given>)> {
        let state = match pair.after.kind {
            NodeKind::Map { .. } => pair.way("over"),
            NodeKind::Loop { .. } => pair.way("from").or_else(|| {
                // What changes the state changes all that reads it, from the second time on.
                let may_be_other =
                    pair.before.kind != pair.after.kind || pair.ways.iter().any(Option::is_some);
                if !may_be_other {
                    return None;
                }
                if scope.loops >= EXACT_LOOPS {
                    return Some(pair.own());
                }
                let mut apart = Self::default();
                apart.visit_with(scope, pair, None);
                apart.diff.first_cause()
            }),
            _ => None,
        };
        self.visit_with(scope, pair, state)
    }

    /// `first` is what changes the element of a map or the state of a loop.
    fn visit_with(
        &mut self,
        scope: &Scope<'_>,
        pair: &Pair<'_>,
        first: Option<Cause>,
    ) -> Vec<(&'static str, Vec<Given>)> {
        let is_repeated = matches!(pair.after.kind, NodeKind::Map { .. } | NodeKind::Loop { .. });
        let is_loop = matches!(pair.after.kind, NodeKind::Loop { .. });
        let inner =
            |path: &str, node: &Node| format!("{path}{}{}/", node.id, if is_repeated { "[]" } else { "" });
        let mut given = Vec::new();
        for ((part, old), (_, new)) in pair.before.kind.nested().into_iter().zip(pair.after.kind.nested()) {
            let mut names = Names::new();
            let mut causes = HashMap::new();
            for ((place, way), (name, _)) in pair.inputs.iter().zip(&pair.ways).zip(&pair.after.inputs) {
                let was = place.and_then(|place| pair.before.inputs.get(place));
                names.extend(was.map(|(was, _)| (was.as_str(), name.as_str())));
                causes.extend(way.clone().map(|cause| (name.as_str(), cause)));
            }
            if is_repeated && let (Some(old), Some(new)) = (old.parameters.first(), new.parameters.first()) {
                names.insert(&old.name, &new.name);
                causes.remove(new.name.as_str());
                causes.extend(first.clone().map(|cause| (new.name.as_str(), cause)));
            }
            let scope = Scope {
                before: Body { nodes: &old.nodes, outputs: &old.outputs },
                after: Body { nodes: &new.nodes, outputs: &new.outputs },
                path: inner(&scope.path, pair.after),
                was: inner(&scope.was, pair.before),
                names: &names,
                causes,
                values: (&[], &[]),
                loops: scope.loops + u32::from(is_loop),
            };
            given.push((part, self.scope(&scope)));
        }
        given
    }
}

/// An output of a region as a change of the node that runs it.
fn output(part: &'static str, diff: OutputDiff) -> Change {
    let text = |from: bool| {
        let of =
            |field: &super::model::FieldChange| if from { field.before.clone() } else { field.after.clone() };
        let named = diff.changes.iter().filter_map(|field| Some(format!("{} {}", field.field, of(field)?)));
        let name = match (&diff.was, diff.kind, from) {
            (_, Kind::Added, true) | (_, Kind::Removed, false) => return None,
            (Some(was), _, true) => Some(was.clone()),
            (Some(_), _, false) => Some(diff.name.clone()),
            _ => None,
        };
        Some(name.into_iter().chain(named).collect::<Vec<_>>().join(", "))
    };
    Change {
        before: text(true),
        after: text(false),
        part: Part::RegionOutput(part, diff.name),
        effect: diff.effect,
    }
}

/// What differs between the parameters of a region, those apart whose names follow the inputs of the node.
fn parameters(
    part: &'static str,
    (old, new): (&Region, &Region),
    pair: &Pair<'_>,
    changes: &mut Vec<Change>,
) {
    if old.parameters == new.parameters {
        return;
    }
    let mut names: HashMap<&str, &str> = HashMap::new();
    for (place, (name, _)) in pair.inputs.iter().zip(&pair.after.inputs) {
        let was = place.and_then(|place| pair.before.inputs.get(place));
        names.extend(was.map(|(was, _)| (was.as_str(), name.as_str())));
    }
    let is_repeated = matches!(pair.after.kind, NodeKind::Map { .. } | NodeKind::Loop { .. });
    if let (true, Some(old), Some(new)) = (is_repeated, old.parameters.first(), new.parameters.first()) {
        names.insert(&old.name, &new.name);
    }
    let mut left: HashMap<&str, (usize, &Port)> =
        new.parameters.iter().enumerate().map(|(place, port)| (port.name.as_str(), (place, port))).collect();
    let mut tell = |name: &str, before, after| {
        let part = Part::RegionParameter(part, name.to_owned());
        changes.push(Change { part, before, after, effect: Effect::KeepsCache });
    };
    let typed = |port: &Port| Some(format!("{}: {}", port.name, port.ty));
    let mut order = Vec::new();
    for port in &old.parameters {
        let name = names.get(port.name.as_str()).copied().unwrap_or(&port.name);
        match left.remove(name) {
            Some((place, new)) => {
                order.push(place);
                if new != port {
                    tell(&new.name, typed(port), typed(new));
                }
            }
            None => tell(&port.name, typed(port), None),
        }
    }
    for port in new.parameters.iter().filter(|port| left.contains_key(port.name.as_str())) {
        tell(&port.name, None, typed(port));
    }
    if !order.is_sorted() {
        let all = |region: &Region| {
            Some(region.parameters.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", "))
        };
        tell("", all(old), all(new));
    }
}
