//! Node ids: for people, and last.
//!
//! - A node has the name of the `let` that its call's value is bound to, else its operator's short name.
//!   A name that a pattern takes from a record (`let (train, test) = …`), a record's field name and a
//!   list's element name nothing.
//! - An expression over futures has the name of its `let`, record field or output, else of the field that it
//!   reads, else `expression`.
//! - A Dataset parameter's reader has the parameter's name.
//! - In a `for` the scope stands before it: the `let` name of the list, or `for`, and the element's
//!   index from 0: `candidates[2].gbdt`.
//! - A name that comes again within its scope is numbered: `gbdt#2`. Bound names come first, so that
//!   what is inserted elsewhere without a name changes none of them.
//! - `let`s in fns, and the parameters of lambdas, name nodes too, but these count as unbound: a fn may be
//!   called twice.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

/// What a value is bound to.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) text: Rc<str>,
    /// By a `let` of the workflow's own body.
    pub(super) is_bound: bool,
}

/// Where a node stands: the workflow's body, or one round of a `for`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope(u32);

#[derive(Debug, Default)]
pub(super) struct Names {
    nodes: Vec<(Scope, Name)>,
    /// Each `for`, in order: where it stands and what it builds.
    loops: Vec<(Scope, Name)>,
    /// Each round of a `for`; the workflow's body, which comes first, is not among them.
    rounds: Vec<Round>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Loop(u32);

#[derive(Debug)]
struct Round {
    of: Loop,
    index: usize,
}

impl Names {
    pub(super) const BODY: Scope = Scope(0);

    /// Names the next node.
    pub(super) fn node(&mut self, scope: Scope, name: Name) {
        self.nodes.push((scope, name));
    }

    /// What a node is called before it is numbered.
    pub(super) fn name(&self, node: usize) -> Name {
        let name = self.nodes.get(node).map(|(_, name)| name.clone());
        name.unwrap_or_else(|| Name { text: "node".into(), is_bound: false })
    }

    pub(super) fn enter_loop(&mut self, scope: Scope, name: Option<&Name>) -> Loop {
        let name = name.cloned().unwrap_or_else(|| Name { text: "for".into(), is_bound: false });
        self.loops.push((scope, name));
        Loop(index(self.loops.len() - 1))
    }

    pub(super) fn enter_round(&mut self, of: Loop, index_in_list: usize) -> Scope {
        self.rounds.push(Round { of, index: index_in_list });
        Scope(index(self.rounds.len()))
    }

    /// The nodes' ids, in their order.
    pub(super) fn ids(self) -> Vec<String> {
        let loops = number(&self.loops);
        let mut prefixes = vec![String::new()];
        for round in &self.rounds {
            let at = round.of.0 as usize;
            // A round's loop was entered in a scope that came before it.
            let outer = self.loops.get(at).and_then(|(scope, _)| prefixes.get(scope.0 as usize));
            let name = loops.get(at).map_or("", String::as_str);
            prefixes.push(format!("{}{name}[{}].", outer.map_or("", String::as_str), round.index));
        }
        let mut taken = FxHashSet::default();
        let names = number(&self.nodes);
        let ids = self.nodes.iter().zip(names).map(|((scope, _), name)| {
            let prefix = prefixes.get(scope.0 as usize).map_or("", String::as_str);
            // A name in backticks can look like another's number or scope.
            let mut id = format!("{prefix}{name}");
            while !taken.insert(id.clone()) {
                id.push('\'');
            }
            id
        });
        ids.collect()
    }
}

/// Numbers the repeats within each scope, bound names first.
fn number(names: &[(Scope, Name)]) -> Vec<String> {
    let mut counts: FxHashMap<(Scope, &str), u32> = FxHashMap::default();
    let mut numbered = vec![String::new(); names.len()];
    for is_bound in [true, false] {
        for ((scope, name), out) in names.iter().zip(&mut numbered) {
            if name.is_bound == is_bound {
                let count = counts.entry((*scope, &name.text)).or_default();
                *count += 1;
                *out = if *count == 1 { name.text.to_string() } else { format!("{}#{count}", name.text) };
            }
        }
    }
    numbered
}

fn index(length: usize) -> u32 {
    // Fuel stops at a million nodes and ten million steps.
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str, is_bound: bool) -> Name {
        Name { text: text.into(), is_bound }
    }

    #[test]
    fn bound_names_keep_their_id() {
        let mut names = Names::default();
        names.node(Names::BODY, name("gbdt", false));
        names.node(Names::BODY, name("gbdt", false));
        names.node(Names::BODY, name("gbdt", true));
        assert_eq!(names.ids(), ["gbdt#2", "gbdt#3", "gbdt"]);
    }

    #[test]
    fn rounds_stand_before_names() {
        let mut names = Names::default();
        let outer = names.enter_loop(Names::BODY, Some(&name("folds", true)));
        let round = names.enter_round(outer, 2);
        let inner = names.enter_loop(round, None);
        let other = names.enter_loop(round, None);
        for of in [inner, other] {
            let scope = names.enter_round(of, 0);
            names.node(scope, name("gbdt", false));
            names.node(scope, name("gbdt", false));
        }
        names.node(round, name("model", true));
        assert_eq!(
            names.ids(),
            [
                "folds[2].for[0].gbdt",
                "folds[2].for[0].gbdt#2",
                "folds[2].for#2[0].gbdt",
                "folds[2].for#2[0].gbdt#2",
                "folds[2].model"
            ]
        );
    }

    #[test]
    fn names_that_look_like_others_stay_apart() {
        let mut names = Names::default();
        for text in ["a", "a", "a#2"] {
            names.node(Names::BODY, name(text, true));
        }
        assert_eq!(names.ids(), ["a", "a#2", "a#2'"]);
    }
}
