//! How large a summary may be: a fn that calls another one twice has twice its terms, and so on up a chain of calls.
//!
//! Past the bound, terms that are large by themselves become names for what they were: equal ones stay equal, so that
//! two parts of one partition stay apart, and unequal ones may be the same. What is lost raises alarms and hides none.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashMap;

use super::{
    evaluate::Evaluator,
    map::{Replacement, terms_of, terms_of_set},
    region::{MAX_ENTRIES, Set},
    require::{Requirement, Unseen},
    summary::{map_requirement, map_sets, sets_of},
    terms::{Node, Term, parts, with_parts},
    value::Value,
};

/// Far beyond what a body says that a person wrote.
const MAX_NODES: usize = 2_000;
/// A term of a large summary is large where it is written with more than this.
const MAX_SIZE: usize = 250;
/// More are asked for as one, of all their rows.
const MAX_REQUIREMENTS: usize = 40;

impl Evaluator<'_> {
    /// The value of a body, whose requirements change with it, so that a summary of both is of bounded size.
    pub fn bounded(&mut self, value: Value) -> Value {
        if self.requirements.len() > MAX_REQUIREMENTS {
            self.requirements = as_few(&self.requirements);
        }
        let nodes = self.terms.reachable(&self.roots(&value));
        if nodes.len() <= MAX_NODES {
            return value;
        }
        let anything = self.terms.fresh_symbol();
        let few = |set: &Set| match set.entries() {
            entries @ [first, ..] if entries.len() > MAX_ENTRIES => Set::of_source(anything, first.place),
            _ => set.clone(),
        };
        let names = self.names_of_large(&nodes, &value);
        let value = names.value(&map_sets(&value, &few), &self.terms);
        for requirement in &mut self.requirements {
            *requirement = map_requirement(requirement, &mut |set| names.set(&few(set), &self.terms));
        }
        value
    }

    /// The terms that a summary is made from.
    pub fn roots(&self, value: &Value) -> Vec<Term> {
        let mut roots = Vec::new();
        terms_of(value, &mut roots);
        for set in self.requirements.iter().flat_map(sets_of) {
            terms_of_set(set, &mut roots);
        }
        roots
    }

    fn names_of_large(&mut self, nodes: &[Term], value: &Value) -> Replacement {
        // What a name depends on, lest that of one turn of a loop be that of another.
        let mut given = Vec::new();
        indices_of(value, &mut given);
        given.extend(nodes.iter().filter(|term| matches!(self.terms.node(**term), Some(Node::Param(_)))));
        let mut replacement = Replacement::default();
        let mut sizes: FxHashMap<Term, usize> = FxHashMap::default();
        for term in nodes {
            let Some(node) = self.terms.node(*term).cloned() else { continue };
            let size = parts(&node).iter().filter_map(|part| sizes.get(part)).sum::<usize>() + 1;
            let is_named = size > MAX_SIZE && matches!(node, Node::Call(..));
            let new = if is_named {
                let name = self.terms.fresh_symbol();
                self.terms.call("large", std::iter::once(name).chain(given.iter().copied()).collect())
            } else {
                let node = with_parts(&node, &mut |part| replacement.term(part));
                self.terms.make(node)
            };
            sizes.insert(*term, if is_named { 1 } else { size });
            replacement.terms.insert(*term, new);
        }
        replacement
    }
}

/// One requirement of each kind that asks for all that these do.
fn as_few(requirements: &[Requirement]) -> Vec<Requirement> {
    let (mut unseen, mut rows, mut marks): (Option<Unseen>, Set, BTreeMap<&str, Set>) = Default::default();
    for requirement in requirements {
        match requirement {
            Requirement::Unseen(asked) => {
                let before = unseen.take();
                let all = |of: fn(&Unseen) -> &Set| {
                    before.as_ref().map_or_else(|| of(asked).clone(), |before| of(before).union(of(asked)))
                };
                unseen = Some(Unseen {
                    holds: all(|asked| &asked.holds),
                    through: all(|asked| &asked.through),
                    fitted: all(|asked| &asked.fitted),
                    chosen: all(|asked| &asked.chosen),
                    seen: all(|asked| &asked.seen),
                });
            }
            Requirement::Unmarked { holds, features } => {
                rows = rows.union(holds);
                for (name, mark) in &**features {
                    let all = marks.entry(name).or_default();
                    *all = all.union(mark);
                }
            }
        }
    }
    let features: Vec<(String, Set)> =
        marks.into_iter().map(|(name, mark)| (name.to_owned(), mark)).collect();
    let unmarked =
        (!features.is_empty()).then(|| Requirement::Unmarked { holds: rows, features: Arc::new(features) });
    unseen.map(|unseen| Requirement::Unseen(Arc::new(unseen))).into_iter().chain(unmarked).collect()
}

/// The symbols that lists' elements are given by.
fn indices_of(value: &Value, found: &mut Vec<Term>) {
    match value {
        Value::Record(fields) => fields.iter().for_each(|(_, value)| indices_of(value, found)),
        Value::List(values) => values.iter().for_each(|value| indices_of(value, found)),
        Value::Each(index, element) => {
            found.push(*index);
            indices_of(element, found);
        }
        Value::Unknown | Value::Scalar(_) | Value::Table(_) | Value::Model(_) => {}
    }
}
