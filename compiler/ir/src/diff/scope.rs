//! The difference of two DAGs: pairs their nodes, compares them, and follows what changes results along the edges.

use std::collections::HashMap;

use super::{
    compare::Compared,
    input::Matching,
    model::{Cause, Change, DagDiff, Effect, Follower, Kind, NodeDiff, Part},
    output::{self, Given},
    pair::{Names, Pairs},
    parameter,
    region::Pair,
};
use crate::{
    dag::{Dag, Output, Parameter},
    node::{Input, Node, NodeIndex},
};

/// What differs between two DAGs. Takes time in proportion to both.
pub fn diff(before: &Dag, after: &Dag) -> DagDiff {
    let mut differ = Differ::default();
    if before.workflow != after.workflow {
        differ.diff.workflow = Some((before.workflow.clone(), after.workflow.clone()));
    }
    let names = parameter::pair(&before.parameters, &after.parameters);
    let causes = parameter::compare(&before.parameters, &after.parameters, &names, &mut differ.diff);
    let scope = Scope {
        before: Body { nodes: &before.nodes, outputs: &before.outputs },
        after: Body { nodes: &after.nodes, outputs: &after.outputs },
        path: String::new(),
        was: String::new(),
        names: &names,
        causes,
        values: (&before.parameters, &after.parameters),
        loops: 0,
    };
    let given = differ.scope(&scope);
    let mut diff = differ.diff;
    for Given { name, diff: output, cause } in given {
        match output {
            Some(output) => diff.outputs.push(output),
            None => diff.affected.extend(cause.map(|cause| (name, cause))),
        }
    }
    diff
}

#[derive(Default)]
pub(super) struct Differ {
    pub diff: DagDiff,
}

/// The nodes of a DAG, or of a region, and what they give.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    pub nodes: &'a [Node],
    pub outputs: &'a [Output],
}

pub(super) struct Scope<'a> {
    pub before: Body<'a>,
    pub after: Body<'a>,
    /// What stands before the ids after and before.
    pub path: String,
    pub was: String,
    pub names: &'a Names<'a>,
    /// What changes the parameters after, by their names.
    pub causes: HashMap<&'a str, Cause>,
    /// The workflow's parameters; none in regions.
    pub values: (&'a [Parameter], &'a [Parameter]),
    /// How many loops it is in.
    pub loops: u32,
}

/// What changes what comes out of a node.
pub(super) enum Reach {
    Nothing,
    All(Cause),
    /// By port.
    Ports(Vec<Option<Cause>>),
}

impl Reach {
    fn port(&self, port: u32) -> Option<&Cause> {
        match self {
            Self::Nothing => None,
            Self::All(cause) => Some(cause),
            Self::Ports(ports) => ports.get(port as usize)?.as_ref(),
        }
    }
}

impl Differ {
    pub fn scope(&mut self, scope: &Scope<'_>) -> Vec<Given> {
        let (before, after) = (scope.before.nodes, scope.after.nodes);
        let pairs = Pairs::of(before, after, scope.names);
        let matching = Matching {
            before,
            after,
            pairs: &pairs,
            names: scope.names,
            values_before: scope.values.0,
            values_after: scope.values.1,
        };
        let mut reach: Vec<Reach> = Vec::with_capacity(after.len());
        let mut next_before = 0;
        let mut latest = None;
        let mut is_reordered = false;
        for (index, node) in after.iter().enumerate() {
            let Some(place) = pairs.before(index) else {
                reach.push(self.added(scope, node));
                continue;
            };
            is_reordered |= latest.is_some_and(|latest| place < latest);
            latest = latest.max(Some(place));
            while next_before < place {
                self.removed(scope, &pairs, next_before);
                next_before += 1;
            }
            let Some(old) = before.get(place) else { continue };
            let given = self.node(scope, &matching, (old, node), &reach);
            reach.push(given);
        }
        for place in next_before..before.len() {
            self.removed(scope, &pairs, place);
        }
        let cause = |input: &Input| cause_of(input, &scope.causes, &reach);
        let (given, is_other_order) =
            output::compare(&matching, scope.before.outputs, scope.after.outputs, cause);
        if (is_reordered || is_other_order) && self.diff.reordered.last() != Some(&scope.path) {
            self.diff.reordered.push(scope.path.clone());
        }
        given
    }

    fn added(&mut self, scope: &Scope<'_>, node: &Node) -> Reach {
        let path = scope.path.clone() + &node.id;
        self.diff.nodes.push(NodeDiff {
            path: path.clone(),
            was: None,
            op: node.op().to_owned(),
            kind: Kind::Added,
            changes: Vec::new(),
            effect: Effect::ChangesResults,
            cause: None,
            has_effect: node.effect,
        });
        Reach::All(Cause::Node(path))
    }

    /// Tells of the node before at `place`, where it has no counterpart.
    fn removed(&mut self, scope: &Scope<'_>, pairs: &Pairs, place: usize) {
        let index = u32::try_from(place).unwrap_or(u32::MAX);
        if pairs.after(NodeIndex(index)).is_some() {
            return;
        }
        let Some(node) = scope.before.nodes.get(place) else { return };
        self.diff.nodes.push(NodeDiff {
            path: scope.was.clone() + &node.id,
            was: None,
            op: node.op().to_owned(),
            kind: Kind::Removed,
            changes: Vec::new(),
            effect: Effect::KeepsCache,
            cause: None,
            has_effect: node.effect,
        });
    }

    /// Tells of a node and its counterpart; gives what changes what comes out of it.
    fn node<'a>(
        &mut self,
        scope: &Scope<'a>,
        matching: &Matching<'_>,
        (before, after): (&'a Node, &'a Node),
        reach: &[Reach],
    ) -> Reach {
        let Compared { mut changes, inputs, is_changed } = matching.compare_nodes(before, after);
        let upstream: Vec<Option<Cause>> =
            after.inputs.iter().map(|(_, input)| cause_of(input, &scope.causes, reach)).collect();
        let path = scope.path.clone() + &after.id;
        let own = || Cause::Node(path.clone());
        // In a loop a node may follow from itself.
        let cause = upstream.iter().flatten().find(|cause| **cause != own()).cloned();
        let ways = is_changed.iter().zip(upstream);
        let ways = ways.map(|(is_changed, cause)| if *is_changed { Some(own()) } else { cause }).collect();
        let pair = Pair { before, after, path: path.clone(), inputs, ways };
        // What differs within it is told behind it.
        let place = self.diff.nodes.len();
        let followers = self.diff.followers.len();
        let within = self.regions(scope, &pair, &mut changes);
        let mut cause = cause;
        if after.kind.steps().is_some() {
            // Its steps run as one.
            self.diff.followers.truncate(followers);
            let mut given = within.iter().flat_map(|(_, outputs)| outputs.values());
            cause = cause.or_else(|| given.find(|cause| **cause != own()).cloned());
        }
        let is_own = changes.iter().any(|change| change.effect == Effect::ChangesResults);
        let is_other = changes.iter().any(|change| change.part == Part::NodeKind);
        let reach = match pair.reach(&within, &changes).filter(|_| !is_other) {
            Some(reach) => reach,
            None if is_own => Reach::All(own()),
            None => cause.clone().map_or(Reach::Nothing, Reach::All),
        };
        let was = (before.id != after.id).then(|| scope.was.clone() + &before.id);
        if changes.is_empty() && was.is_none() {
            if let Some(cause) = cause {
                self.diff.followers.push(Follower { path, op: after.op().to_owned(), cause });
            }
            return reach;
        }
        let effect = if is_own || cause.is_some() {
            Effect::ChangesResults
        } else if was.is_none() && changes.iter().all(|change| change.effect == Effect::PolicyOnly) {
            Effect::PolicyOnly
        } else {
            Effect::KeepsCache
        };
        let kind = kind(&changes);
        let diff = NodeDiff {
            path,
            was,
            op: after.op().to_owned(),
            kind,
            changes,
            effect,
            cause,
            has_effect: before.effect || after.effect,
        };
        self.diff.nodes.insert(place, diff);
        reach
    }
}

fn kind(changes: &[Change]) -> Kind {
    let is_wire =
        |change: &Change| matches!(change.part, Part::Wire(_) | Part::After | Part::RegionOutput(..));
    if changes.is_empty() {
        Kind::Renamed
    } else if changes.iter().all(is_wire) {
        Kind::Rewired
    } else {
        Kind::Changed
    }
}

/// What changes what an input gives, the first of several.
fn cause_of(input: &Input, parameters: &HashMap<&str, Cause>, reach: &[Reach]) -> Option<Cause> {
    match input {
        Input::Constant(_) => None,
        Input::Parameter(name) => parameters.get(name.as_str()).cloned(),
        Input::Port(port) => reach.get(port.node.0 as usize)?.port(port.port).cloned(),
        Input::List(items) => items.iter().find_map(|item| cause_of(item, parameters, reach)),
        Input::Record(fields) | Input::Expression { bindings: fields, .. } => {
            fields.iter().find_map(|(_, field)| cause_of(field, parameters, reach))
        }
    }
}
