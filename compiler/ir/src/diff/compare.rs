//! What differs between a node and its counterpart, its regions apart.

use std::collections::HashMap;

use super::{
    input::{Matching, is_same_but_names, part, same_names},
    key_changes::KeyChanges,
    model::{Change, Effect, Part},
    words,
};
use crate::{
    key,
    node::{Node, NodeIndex, NodeKind, Port},
    policy::KEYS,
    types::Type,
};

/// What differs, and what that does to the inputs.
#[derive(Debug, Default)]
pub struct Compared {
    pub changes: Vec<Change>,
    /// For each input after, the input before that it was.
    pub inputs: Vec<Option<usize>>,
    /// For each input after, whether it changes results by itself.
    pub is_changed: Vec<bool>,
}

impl Matching<'_> {
    pub fn compare_nodes(&self, before: &Node, after: &Node) -> Compared {
        let inputs = self.pair_inputs(before, after);
        let mut compared =
            Compared { is_changed: vec![false; after.inputs.len()], inputs, changes: Vec::new() };
        if self.is_same_call(before, after)
            && before.outputs == after.outputs
            && before.policy == after.policy
            && (before.effect, before.deterministic) == (after.effect, after.deterministic)
            && self.is_same_after(before, after)
        {
            return compared;
        }
        let keys = KeyChanges::of(before, after, self);
        let is_comparable = self.kind(before, after, &keys, &mut compared.changes);
        self.inputs(before, after, &keys, is_comparable, &mut compared);
        self.after(before, after, &mut compared.changes);
        ports(before, after, &keys, &mut compared.changes);
        policy(before, after, &mut compared.changes);
        marks(before, after, &mut compared.changes);
        compared
    }

    /// Whether kind and inputs are what they were; regions count by what they are alone.
    fn is_same_call(&self, before: &Node, after: &Node) -> bool {
        let is_same_kind = match (&before.kind, &after.kind) {
            (NodeKind::Task(before), NodeKind::Task(after)) => before == after,
            (NodeKind::Expression(before), NodeKind::Expression(after)) => before == after,
            (NodeKind::Map { max: before, .. }, NodeKind::Map { max: after, .. })
            | (NodeKind::Loop { max: before, .. }, NodeKind::Loop { max: after, .. }) => before == after,
            (NodeKind::Workflow { name: before, .. }, NodeKind::Workflow { name: after, .. }) => {
                before == after
            }
            (before, after) => std::mem::discriminant(before) == std::mem::discriminant(after),
        };
        is_same_kind && self.are_same(&before.inputs, &after.inputs)
    }

    fn is_same_after(&self, before: &Node, after: &Node) -> bool {
        before.after.len() == after.after.len()
            && before.after.iter().zip(&after.after).all(|(before, after)| self.is_same_node(*before, *after))
    }

    fn is_same_node(&self, before: NodeIndex, after: NodeIndex) -> bool {
        self.pairs.after(before) == Some(after.0 as usize)
    }

    /// Inputs of one name; those of nodes that run regions are named by the planner after what they read, so that
    /// the others are paired by that.
    fn pair_inputs(&self, before: &Node, after: &Node) -> Vec<Option<usize>> {
        if same_names(&before.inputs, &after.inputs) {
            return (0..after.inputs.len()).map(Some).collect();
        }
        let mut names: HashMap<&str, usize> =
            before.inputs.iter().enumerate().map(|(index, (name, _))| (name.as_str(), index)).collect();
        let mut pairs: Vec<Option<usize>> =
            after.inputs.iter().map(|(name, _)| names.remove(name.as_str())).collect();
        let is_named_by_planner =
            !matches!(after.kind, NodeKind::Task(_) | NodeKind::Wait | NodeKind::WaitFor);
        // A few of them; each is compared with each.
        const FEW: usize = 64;
        if is_named_by_planner && names.len() <= FEW {
            let mut left: Vec<usize> = names.into_values().collect();
            left.sort_unstable();
            for (pair, (_, input)) in pairs.iter_mut().zip(&after.inputs).filter(|(pair, _)| pair.is_none()) {
                let is_it = |index: &usize| {
                    before.inputs.get(*index).is_some_and(|(_, old)| self.is_same(old, input))
                };
                if let Some(place) = left.iter().position(is_it) {
                    *pair = Some(left.remove(place));
                }
            }
        }
        pairs
    }

    /// What kind of node it is and what it calls; whether the two can be compared any further.
    fn kind(&self, before: &Node, after: &Node, keys: &KeyChanges, changes: &mut Vec<Change>) -> bool {
        let mut tell = |part, before: String, after: String, effect| {
            changes.push(Change { part, before: Some(before), after: Some(after), effect });
        };
        match (&before.kind, &after.kind) {
            (NodeKind::Task(old), NodeKind::Task(new)) => {
                let effect = keys.effect(&key::Part::Operator);
                if old.name != new.name {
                    tell(Part::Op, old.name.clone(), new.name.clone(), effect);
                }
                if old.version != new.version {
                    tell(Part::Version, old.version.to_string(), new.version.to_string(), effect);
                }
                if old.signature != new.signature && old.name == new.name {
                    tell(Part::Signature, old.signature.to_string(), new.signature.to_string(), effect);
                }
                if old.place != new.place {
                    tell(Part::Place, words::place(&old.place), words::place(&new.place), effect);
                }
            }
            (NodeKind::Expression(old), NodeKind::Expression(new)) => {
                let (old, new) = ((old, before.inputs.as_slice()), (new, after.inputs.as_slice()));
                if old.0 != new.0 && !is_same_but_names(old, new) || old.1.len() != new.1.len() {
                    tell(
                        Part::Expression,
                        words::expression(self.before, old.0, old.1),
                        words::expression(self.after, new.0, new.1),
                        Effect::ChangesResults,
                    );
                    return false;
                }
            }
            (NodeKind::Map { max: old, .. }, NodeKind::Map { max: new, .. }) if old != new => {
                tell(Part::Max, old.to_string(), new.to_string(), Effect::KeepsCache);
            }
            (NodeKind::Loop { max: old, .. }, NodeKind::Loop { max: new, .. }) if old != new => {
                tell(Part::Max, old.to_string(), new.to_string(), Effect::ChangesResults);
            }
            (NodeKind::Workflow { name: old, .. }, NodeKind::Workflow { name: new, .. }) if old != new => {
                tell(Part::Op, old.clone(), new.clone(), Effect::KeepsCache);
            }
            (old, new) if std::mem::discriminant(old) != std::mem::discriminant(new) => {
                tell(Part::NodeKind, old.name().to_owned(), new.name().to_owned(), Effect::ChangesResults);
            }
            _ => {}
        }
        true
    }

    /// Of expressions that are not `is_comparable`, every input counts as changed.
    fn inputs(
        &self,
        before: &Node,
        after: &Node,
        keys: &KeyChanges,
        is_comparable: bool,
        compared: &mut Compared,
    ) {
        if let (NodeKind::Expression(old), NodeKind::Expression(new)) = (&before.kind, &after.kind) {
            if is_comparable {
                self.bindings((before, old), (after, new), compared);
            } else {
                compared.is_changed.iter_mut().for_each(|changed| *changed = true);
            }
            return;
        }
        let effect = |name: &str| input_effect(after, keys, name);
        let mut is_left = vec![true; before.inputs.len()];
        let pairs = std::mem::take(&mut compared.inputs);
        for ((pair, changed), (name, new)) in pairs.iter().zip(&mut compared.is_changed).zip(&after.inputs) {
            let first = compared.changes.len();
            match pair.and_then(|index| before.inputs.get(index)) {
                Some((old_name, old)) => {
                    pair.and_then(|index| is_left.get_mut(index)).into_iter().for_each(|left| *left = false);
                    self.compare(name, old, new, effect(name), &mut compared.changes);
                    if old_name != name {
                        compared.changes.push(Change {
                            part: Part::InputName,
                            before: Some(old_name.clone()),
                            after: Some(name.clone()),
                            effect: Effect::KeepsCache,
                        });
                    }
                }
                None => compared.changes.push(Change {
                    part: part(name, &[new]),
                    before: None,
                    after: Some(words::input(self.after, new)),
                    effect: effect(name),
                }),
            }
            let mut own = compared.changes.iter().skip(first);
            *changed = own.any(|change| change.effect == Effect::ChangesResults);
        }
        for (name, old) in before.inputs.iter().zip(is_left).filter(|(_, left)| *left).map(|(input, _)| input)
        {
            compared.changes.push(Change {
                part: part(name, &[old]),
                before: Some(words::input(self.before, old)),
                after: None,
                effect: input_effect(before, keys, name),
            });
        }
        let is_in_order = pairs.iter().flatten().is_sorted();
        compared.inputs = pairs;
        if !is_in_order {
            let order = |node: &Node| {
                node.inputs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
            };
            let effect = if keys.has_key() { Effect::ChangesResults } else { Effect::KeepsCache };
            compared.changes.push(Change {
                part: Part::InputOrder,
                before: Some(order(before)),
                after: Some(order(after)),
                effect,
            });
        }
    }

    /// Of expressions that are one but for the names of their inputs, which count by their places.
    fn bindings(
        &self,
        (before, old): (&Node, &crate::expr::Expr),
        (after, new): (&Node, &crate::expr::Expr),
        compared: &mut Compared,
    ) {
        compared.inputs = (0..after.inputs.len()).map(Some).collect();
        let pairs = before.inputs.iter().zip(&after.inputs).zip(&mut compared.is_changed);
        for (((_, old), (name, new)), changed) in pairs {
            let first = compared.changes.len();
            self.compare(name, old, new, Effect::ChangesResults, &mut compared.changes);
            *changed = compared.changes.len() > first;
        }
        if old != new || !same_names(&before.inputs, &after.inputs) {
            compared.changes.push(Change {
                part: Part::Expression,
                before: Some(words::expression(self.before, old, &before.inputs)),
                after: Some(words::expression(self.after, new, &after.inputs)),
                effect: Effect::KeepsCache,
            });
        }
    }

    fn after(&self, before: &Node, after: &Node, changes: &mut Vec<Change>) {
        if self.is_same_after(before, after) {
            return;
        }
        let mut tell = |before, after| {
            changes.push(Change { part: Part::After, before, after, effect: Effect::KeepsCache });
        };
        let mut left: HashMap<usize, usize> = HashMap::new();
        before.after.iter().filter_map(|node| self.pairs.after(*node)).for_each(|node| {
            *left.entry(node).or_default() += 1;
        });
        let mut is_told = false;
        for node in &after.after {
            match left.get_mut(&(node.0 as usize)).filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => {
                    tell(None, Some(words::id(self.after, *node)));
                    is_told = true;
                }
            }
        }
        for node in before.after.iter().rev() {
            let after = self.pairs.after(*node);
            let is_left = match after.and_then(|after| left.get_mut(&after)) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    true
                }
                Some(_) => false,
                None => true,
            };
            if is_left {
                tell(Some(words::id(self.before, *node)), None);
                is_told = true;
            }
        }
        if !is_told {
            let all = |nodes: &[Node], after: &[NodeIndex]| {
                Some(after.iter().map(|node| words::id(nodes, *node)).collect::<Vec<_>>().join(", "))
            };
            tell(all(self.before, &before.after), all(self.after, &after.after));
        }
    }
}

/// What another value of an input means.
fn input_effect(node: &Node, keys: &KeyChanges, name: &str) -> Effect {
    match &node.kind {
        NodeKind::Wait | NodeKind::WaitFor if name != crate::node::VALUE_PORT => Effect::KeepsCache,
        _ if keys.has_key() => keys.effect(&key::Part::Input(name.to_owned())),
        _ => Effect::ChangesResults,
    }
}

fn ports(before: &Node, after: &Node, keys: &KeyChanges, changes: &mut Vec<Change>) {
    if before.outputs == after.outputs {
        return;
    }
    let effect = keys.effect(&key::Part::Outputs);
    let mut old: HashMap<&str, &Port> =
        before.outputs.iter().map(|port| (port.name.as_str(), port)).collect();
    let mut common = Vec::new();
    for port in &after.outputs {
        match old.remove(port.name.as_str()) {
            Some(old) => {
                common.push(port.name.as_str());
                types(&port.name, &old.ty, &port.ty, effect, changes);
            }
            None => changes.push(Change {
                part: Part::Port(port.name.clone()),
                before: None,
                after: Some(port.ty.to_string()),
                effect,
            }),
        }
    }
    for port in before.outputs.iter().filter(|port| old.contains_key(port.name.as_str())) {
        changes.push(Change {
            part: Part::Port(port.name.clone()),
            before: Some(port.ty.to_string()),
            after: None,
            effect,
        });
    }
    let is_common = |port: &&str| !old.contains_key(*port);
    let order: Vec<&str> = before.outputs.iter().map(|port| port.name.as_str()).filter(is_common).collect();
    if order != common {
        changes.push(Change {
            part: Part::PortOrder,
            before: Some(order.join(", ")),
            after: Some(common.join(", ")),
            effect,
        });
    }
}

/// Of tables only the columns that differ.
fn types(port: &str, before: &Type, after: &Type, effect: Effect, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let first = changes.len();
    if let (Type::Dataset(old), Type::Dataset(new)) = (before, after) {
        let mut names: HashMap<&str, _> =
            old.columns.iter().map(|column| (column.name.as_str(), column)).collect();
        let part = |name: &str| Part::Column(port.to_owned(), name.to_owned());
        for column in &new.columns {
            let was = names.remove(column.name.as_str());
            if was != Some(column) {
                changes.push(Change {
                    part: part(&column.name),
                    before: was.map(words::column),
                    after: Some(words::column(column)),
                    effect,
                });
            }
        }
        for column in old.columns.iter().filter(|column| names.contains_key(column.name.as_str())) {
            changes.push(Change {
                part: part(&column.name),
                before: Some(words::column(column)),
                after: None,
                effect,
            });
        }
    }
    if changes.len() == first {
        changes.push(Change {
            part: Part::Port(port.to_owned()),
            before: Some(before.to_string()),
            after: Some(after.to_string()),
            effect,
        });
    }
}

fn policy(before: &Node, after: &Node, changes: &mut Vec<Change>) {
    if before.policy == after.policy {
        return;
    }
    for key in &KEYS {
        let (old, new) = (before.policy.get(key.name), after.policy.get(key.name));
        if old != new {
            let word = |value: Option<crate::value::Value>| {
                value.map(|value| match value {
                    crate::value::Value::Text(word) => word,
                    other => other.to_string(),
                })
            };
            changes.push(Change {
                part: Part::Policy(key.name),
                before: word(old),
                after: word(new),
                effect: Effect::PolicyOnly,
            });
        }
    }
}

fn marks(before: &Node, after: &Node, changes: &mut Vec<Change>) {
    let mut mark = |part, old: bool, new: bool, effect| {
        if old != new {
            changes.push(Change {
                part,
                before: Some(old.to_string()),
                after: Some(new.to_string()),
                effect,
            });
        }
    };
    mark(Part::Effect, before.effect, after.effect, Effect::ChangesResults);
    mark(Part::Deterministic, before.deterministic, after.deterministic, Effect::KeepsCache);
}
