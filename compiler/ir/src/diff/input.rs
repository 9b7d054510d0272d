//! Whether two inputs are one, and else where within them they differ.

use super::{
    model::{Change, Effect, Part},
    pair::{Names, Pairs},
    words,
};
use crate::{
    dag::Parameter,
    expr::{Expr, ExprKind},
    node::{Input, Node, PortRef},
    value::Value,
};

/// The nodes of a DAG, or of a region, before and after.
pub struct Matching<'a> {
    pub before: &'a [Node],
    pub after: &'a [Node],
    pub pairs: &'a Pairs,
    /// The names that parameters have after, by those before.
    pub names: &'a Names<'a>,
    /// The workflow's parameters; none in regions.
    pub values_before: &'a [Parameter],
    pub values_after: &'a [Parameter],
}

impl Matching<'_> {
    pub fn name_after<'b>(&'b self, before: &'b str) -> &'b str {
        self.names.get(before).copied().unwrap_or(before)
    }

    /// Whether they refer to the same, and give the same.
    pub fn is_same(&self, before: &Input, after: &Input) -> bool {
        match (before, after) {
            (Input::Port(before), Input::Port(after)) => self.is_same_port(*before, *after),
            (Input::Parameter(before), Input::Parameter(after)) => self.name_after(before) == after,
            (Input::List(before), Input::List(after)) => {
                before.len() == after.len()
                    && before.iter().zip(after).all(|(before, after)| self.is_same(before, after))
            }
            (Input::Record(before), Input::Record(after)) => self.are_same(before, after),
            (
                Input::Expression { expr: old, bindings: before },
                Input::Expression { expr: new, bindings: after },
            ) => old == new && self.are_same(before, after),
            (Input::Constant(before), Input::Constant(after)) => before == after,
            _ => false,
        }
    }

    pub fn are_same(&self, before: &[(String, Input)], after: &[(String, Input)]) -> bool {
        same_names(before, after)
            && before.iter().zip(after).all(|((_, before), (_, after))| self.is_same(before, after))
    }

    fn is_same_port(&self, before: PortRef, after: PortRef) -> bool {
        self.pairs.after(before.node) == Some(after.node.0 as usize)
            && port_name(self.before, before) == port_name(self.after, after)
    }

    /// Says where two inputs differ, as deep within them as that can be told.
    pub fn compare(
        &self,
        name: &str,
        before: &Input,
        after: &Input,
        effect: Effect,
        changes: &mut Vec<Change>,
    ) {
        if self.is_same(before, after) {
            return;
        }
        match (before, after) {
            (Input::List(before), Input::List(after)) if before.len() == after.len() => {
                for (index, (before, after)) in before.iter().zip(after).enumerate() {
                    self.compare(&format!("{name}[{index}]"), before, after, effect, changes);
                }
            }
            (Input::Record(before), Input::Record(after)) if same_names(before, after) => {
                for ((field, before), (_, after)) in before.iter().zip(after) {
                    self.compare(&format!("{name}.{field}"), before, after, effect, changes);
                }
            }
            (
                Input::Expression { expr: old, bindings: before },
                Input::Expression { expr: new, bindings: after },
            ) if old == new && same_names(before, after) => {
                for ((bound, before), (_, after)) in before.iter().zip(after) {
                    self.compare(&format!("{name}.{bound}"), before, after, effect, changes);
                }
            }
            (Input::Constant(before), Input::Constant(after)) => {
                values(name, before, after, effect, changes);
            }
            _ => changes.push(Change {
                part: part(name, &[before, after]),
                before: Some(words::input(self.before, before)),
                after: Some(words::input(self.after, after)),
                effect,
            }),
        }
    }
}

/// An argument, or a wire where a node or a parameter is read.
pub fn part(name: &str, inputs: &[&Input]) -> Part {
    let mut reads = false;
    for input in inputs {
        if !matches!(input, Input::Expression { .. }) {
            input.for_each_port(&mut |_| reads = true);
            input.for_each_parameter(&mut |_| reads = true);
        }
    }
    if reads { Part::Wire(name.to_owned()) } else { Part::Argument(name.to_owned()) }
}

pub fn same_names<T>(before: &[(String, T)], after: &[(String, T)]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|((before, _), (after, _))| before == after)
}

/// Whether two expressions are one but for the names of what they are given.
pub fn is_same_but_names(before: (&Expr, &[(String, Input)]), after: (&Expr, &[(String, Input)])) -> bool {
    let place =
        |bindings: &[(String, Input)], name: &str| bindings.iter().position(|(bound, _)| bound == name);
    let same = |old: &Expr, new: &Expr| is_same_but_names((old, before.1), (new, after.1));
    let (old, new) = (before.0, after.0);
    old.ty == new.ty
        && before.1.len() == after.1.len()
        && match (&old.kind, &new.kind) {
            (ExprKind::Parameter(old), ExprKind::Parameter(new)) => {
                match (place(before.1, old), place(after.1, new)) {
                    (None, None) => old == new,
                    (old, new) => old == new,
                }
            }
            (ExprKind::Call { function: f, args: old }, ExprKind::Call { function: g, args: new }) => {
                f == g && old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
            }
            (ExprKind::Cast(old), ExprKind::Cast(new)) => same(old, new),
            (
                ExprKind::Case { arms: old, otherwise: old_rest },
                ExprKind::Case { arms: new, otherwise: new_rest },
            ) => {
                old.len() == new.len()
                    && old.iter().zip(new).all(|((c, v), (d, w))| same(c, d) && same(v, w))
                    && same(old_rest, new_rest)
            }
            (old, new) => old == new,
        }
}

fn port_name(nodes: &[Node], port: PortRef) -> Option<&str> {
    let port = nodes.get(port.node.0 as usize)?.outputs.get(port.port as usize)?;
    Some(&port.name)
}

fn values(name: &str, before: &Value, after: &Value, effect: Effect, changes: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Record(before), Value::Record(after)) if same_names(before, after) => {
            for ((field, before), (_, after)) in before.iter().zip(after) {
                values(&format!("{name}.{field}"), before, after, effect, changes);
            }
        }
        _ => changes.push(Change {
            part: Part::Argument(name.to_owned()),
            before: Some(before.to_string()),
            after: Some(after.to_string()),
            effect,
        }),
    }
}
