//! Which parts of a node's cache key differ.

use std::collections::HashMap;

use super::{input::Matching, model::Effect};
use crate::{
    hash::Hash,
    key::{KeyFacts, Known, NUMERICS_CPU, Part, key_parts},
    node::{Node, OperatorPlace, PortRef},
};

/// The parts of a node's key that are not what they were, what it reads apart: a port is what it was where it is its
/// counterpart's, whatever may come out of it now.
pub struct KeyChanges {
    /// None where the node's kind has no key.
    changed: Option<HashMap<Part, bool>>,
}

impl KeyChanges {
    pub fn of(before: &Node, after: &Node, matching: &Matching<'_>) -> Self {
        let old = key_parts(before, &Identity { matching, is_after: false });
        let new = key_parts(after, &Identity { matching, is_after: true });
        if old.is_empty() || new.is_empty() {
            return Self { changed: None };
        }
        let mut changed: HashMap<Part, bool> = old.iter().map(|(part, _)| (part.clone(), true)).collect();
        let old: HashMap<Part, Option<Hash>> = old.into_iter().collect();
        for (part, hash) in new {
            let is_same = hash.is_some() && old.get(&part) == Some(&hash);
            changed.insert(part, !is_same);
        }
        Self { changed: Some(changed) }
    }

    pub fn has_key(&self) -> bool {
        self.changed.is_some()
    }

    /// What a change of that part means; of nodes without a key that nothing is kept.
    pub fn effect(&self, part: &Part) -> Effect {
        let is_changed = self.changed.as_ref().and_then(|changed| changed.get(part)).copied();
        if is_changed.unwrap_or_default() { Effect::ChangesResults } else { Effect::KeepsCache }
    }
}

/// Everything is known, and counts as what it is and not as what it holds.
struct Identity<'a, 'b> {
    matching: &'a Matching<'b>,
    is_after: bool,
}

impl KeyFacts for Identity<'_, '_> {
    fn port(&self, port: PortRef) -> Option<Hash> {
        let (nodes, counterpart) = if self.is_after {
            (
                self.matching.after,
                self.matching.pairs.before(port.node.0 as usize).map(|_| port.node.0 as usize),
            )
        } else {
            (self.matching.before, self.matching.pairs.after(port.node))
        };
        let name = nodes.get(port.node.0 as usize)?.outputs.get(port.port as usize)?.name.as_str();
        let of = match counterpart {
            Some(after) => format!("both {after} {name}"),
            None => format!("{} {} {name}", if self.is_after { "after" } else { "before" }, port.node.0),
        };
        Some(Hash::of(of.as_bytes()))
    }

    /// A workflow's parameter counts by its value; a region's by its name, since what it is bound to may not be known.
    fn parameter(&self, name: &str) -> Option<Known<'_>> {
        let values = if self.is_after { self.matching.values_after } else { self.matching.values_before };
        if let Some(parameter) = values.iter().find(|parameter| parameter.name == name) {
            return Some(Known::Value(&parameter.value));
        }
        let name = if self.is_after { name } else { self.matching.name_after(name) };
        Some(Known::Artifact(Hash::of(format!("parameter {name}").as_bytes())))
    }

    fn file(&self, path: &str) -> Option<Hash> {
        Some(Hash::of(path.as_bytes()))
    }

    /// The place is a part of its own.
    fn environment(&self, _: &OperatorPlace) -> Option<Hash> {
        Some(Hash::of(b""))
    }

    fn numerics(&self) -> &str {
        NUMERICS_CPU
    }
}
