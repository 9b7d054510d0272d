//! What callers need of a body: its value and its requirements, in terms of its parameters, without places.

use std::sync::Arc;

use flow_ir::types::Type;
use flow_syntax::{diagnostic::Code, span::Span};
use rustc_hash::FxHashMap;

use super::{
    evaluate::Evaluator,
    map::Replacement,
    messages::Subject,
    queries,
    region::{Entry, Set},
    require::{Requirement, Unseen, ViolationKind, is_mark},
    terms::{Node, SetKind, Term, Terms, with_parts},
    value::{Column, Value, mark_of_many},
};
use crate::{
    body::{Expr, Instance},
    check::InstanceKey,
    ty::Ty,
};

/// Equal for bodies that do the same with their parameters' rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Summary {
    /// Each behind its parts; a term below is its place here.
    nodes: Vec<(Term, Node)>,
    value: Option<Value>,
    requirements: Vec<Requirement>,
    /// What is wrong with a generic body for these rows alone.
    mistake: Option<(Code, String)>,
}

impl Summary {
    /// The parameter that a set of rows comes with.
    fn param_of(&self, source: Term) -> Option<u32> {
        let node = |term: Term| {
            let index = self.nodes.binary_search_by_key(&term, |(term, _)| *term).ok()?;
            self.nodes.get(index).map(|(_, node)| node)
        };
        let mut at = source;
        loop {
            match node(at)? {
                Node::Param(index) => return Some(*index),
                Node::SetOf(_, base) | Node::Field(base, _) | Node::Element(base, _) => at = *base,
                _ => return None,
            }
        }
    }
}

impl Evaluator<'_> {
    pub fn summary(&mut self, value: &Value, mistake: Option<(Code, String)>) -> Summary {
        let nodes = self.terms.reachable(&self.roots(value)).into_iter();
        // Terms are numbered anew, so that what came to nothing leaves no trace.
        let mut numbered = Terms::default();
        let mut replacement = Replacement::default();
        for term in nodes {
            let Some(node) = self.terms.node(term) else { continue };
            let node = with_parts(node, &mut |part| replacement.term(part));
            let new = numbered.make_as_is(node);
            replacement.terms.insert(term, new);
        }
        let value = map_sets(&replacement.value(value, &numbered), &placeless);
        let requirements = self
            .requirements
            .iter()
            .map(|requirement| {
                map_requirement(requirement, &mut |set| placeless(&replacement.set(set, &numbered)))
            })
            .collect();
        Summary { nodes: numbered.into_nodes(), value: Some(value), requirements, mistake }
    }

    /// A call of a fn or workflow: what its body does, with what the call gives.
    pub fn call_instance(&mut self, instance: &Instance, args: &[&Expr], expr: &Expr) -> Value {
        let values: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
        let name = &instance.item.name;
        self.called.insert(expr.span, name.clone());
        let Some(item) = super::evaluate::find_item(self.db, &instance.item.module, name) else {
            return Value::Unknown;
        };
        let key = InstanceKey::new(self.db, item, instance.type_args.clone());
        let summary = Arc::clone(queries::summary(self.db, key));
        let replacement = self.import(&summary, &values);
        if let Some((code, message)) = &summary.mistake {
            let message = format!("`{name}` does not work for this row: {message}");
            self.report(flow_syntax::diagnostic::Diagnostic::error(*code, expr.span, message));
        }
        let place = expr.span;
        let before = self.violations;
        for asked in &summary.requirements {
            let requirement =
                map_requirement(asked, &mut |set| located(&replacement.set(set, &self.terms), place));
            let mut subject = Subject {
                place,
                met: None,
                data: None,
                model: None,
                is_several: false,
                callee: Some(name.clone()),
                table: None,
            };
            let own = self.terms.make(Node::Own);
            if let Some(violation) = requirement.violation(own, &self.terms) {
                // The arguments that brought the rows together.
                let brought = |set: &Set, entry: &Entry| {
                    let entries = set.entries().iter().find(|asked| {
                        let rows = replacement.set(&Set::one((*asked).clone()), &self.terms);
                        rows.entries().iter().any(|found| found.region == entry.region)
                    });
                    let param = entries.and_then(|asked| summary.param_of(asked.region.source))?;
                    Some((*args.get(param as usize)?, values.get(param as usize)?))
                };
                if let Requirement::Unseen(unseen) = asked {
                    let held = violation.held.as_ref().and_then(|held| brought(&unseen.holds, held));
                    let met = match violation.kind {
                        ViolationKind::Fitted => brought(&unseen.fitted, &violation.met),
                        ViolationKind::Chosen => brought(&unseen.chosen, &violation.met),
                        _ => None,
                    };
                    if let Some((held, value)) = held {
                        if let Value::Table(table) = value {
                            subject.table = Some(Arc::clone(table));
                        }
                        subject.place = held.span;
                        subject.data = self.name_of(held).map(str::to_owned);
                    }
                    subject.met = met
                        .map(|(met, _)| met)
                        .filter(|met| matches!(met.ty, Ty::Ground(Type::Dataset(_))))
                        .map(|met| met.span);
                }
            }
            self.require(requirement, &subject);
        }
        match &summary.value {
            _ if self.violations > before => Value::Unknown,
            Some(value) => {
                let value = replacement.value(value, &self.terms);
                map_sets(&value, &|set| located(set, place))
            }
            None => Value::Unknown,
        }
    }

    /// The terms of a summary as those of this body.
    fn import(&mut self, summary: &Summary, args: &[Value]) -> Replacement {
        let mut replacement = Replacement::default();
        // What parameters, and what is in them, stand for.
        let mut given: FxHashMap<Term, Value> = FxHashMap::default();
        for (old, node) in &summary.nodes {
            let term = match node {
                Node::Param(index) => {
                    let value = args.get(*index as usize).cloned().unwrap_or(Value::Unknown);
                    self.give(*old, value, &mut given, &mut replacement)
                }
                Node::Field(base, name) if given.contains_key(base) => {
                    let value = given.get(base).map(|value| value.field(name, &mut self.terms));
                    self.give(*old, value.unwrap_or(Value::Unknown), &mut given, &mut replacement)
                }
                Node::Element(base, index) if given.contains_key(base) => {
                    let index = replacement.term(*index);
                    let list = given.get(base).cloned().unwrap_or(Value::Unknown);
                    let value = self.element_of(&list, index, &crate::ty::Ty::Error);
                    self.give(*old, value, &mut given, &mut replacement)
                }
                Node::Rows(base) => match given.get(base) {
                    Some(Value::Table(table)) => table.rows,
                    _ => self.terms.make(Node::Rows(replacement.term(*base))),
                },
                Node::Column(base, name) => match given.get(base) {
                    Some(Value::Table(table)) => {
                        let table = Arc::clone(table);
                        table.column(name, &mut self.terms).definition
                    }
                    _ => self.terms.make(Node::Column(replacement.term(*base), name.clone())),
                },
                Node::SetOf(kind, base) => {
                    if let Some(value) = given.get(base).cloned() {
                        if matches!((kind, &value), (SetKind::Holds, Value::Table(table)) if table.is_repeated)
                        {
                            replacement.repeated.insert(*old);
                        }
                        let set = self.set_of(kind, &value);
                        replacement.sets.insert(*old, set);
                    }
                    self.terms.make(Node::SetOf(kind.clone(), replacement.term(*base)))
                }
                Node::Symbol(_) => self.terms.fresh_symbol(),
                other => {
                    let node = with_parts(other, &mut |part| replacement.term(part));
                    self.terms.make(node)
                }
            };
            replacement.terms.insert(*old, term);
        }
        replacement
    }

    fn give(
        &mut self,
        old: Term,
        value: Value,
        given: &mut FxHashMap<Term, Value>,
        replacement: &mut Replacement,
    ) -> Term {
        if let Value::Table(table) = &value {
            replacement.tables.insert(old, Arc::clone(table));
        }
        let id = value.id(&mut self.terms);
        given.insert(old, value);
        id
    }

    /// What a parameter brings.
    fn set_of(&mut self, kind: &SetKind, value: &Value) -> Set {
        match (kind, value) {
            (SetKind::Holds, Value::Table(table)) => table.holds.clone(),
            (SetKind::Seen, Value::Table(table)) => table.seen.clone(),
            (SetKind::Chosen, Value::Table(table)) => table.chosen.clone(),
            (SetKind::Mark(name), Value::Table(table)) => {
                let Column { mark, .. } = table.column(name, &mut self.terms);
                mark
            }
            (SetKind::MarkOfMany(name), Value::Table(table)) => {
                let Column { mark, .. } = table.column(name, &mut self.terms);
                mark_of_many(&mark, &table.label_rows(), &mut self.terms)
            }
            (SetKind::Fitted, Value::Model(model)) => model.fitted.clone(),
            (SetKind::Chosen, Value::Model(model)) => model.chosen.clone(),
            (SetKind::Seen, Value::Model(model)) => model.seen.clone(),
            (kind, _) if is_mark(kind) => Set::default(),
            (SetKind::Seen, value) => value.all(),
            _ => Set::default(),
        }
    }
}

pub(super) fn sets_of(requirement: &Requirement) -> Vec<&Set> {
    match requirement {
        Requirement::Unseen(unseen) => {
            vec![&unseen.holds, &unseen.through, &unseen.fitted, &unseen.chosen, &unseen.seen]
        }
        Requirement::Unmarked { holds, features } => {
            std::iter::once(holds).chain(features.iter().map(|(_, mark)| mark)).collect()
        }
    }
}

pub(super) fn map_requirement(requirement: &Requirement, map: &mut dyn FnMut(&Set) -> Set) -> Requirement {
    match requirement {
        Requirement::Unseen(unseen) => Requirement::Unseen(Arc::new(Unseen {
            holds: map(&unseen.holds),
            through: map(&unseen.through),
            fitted: map(&unseen.fitted),
            chosen: map(&unseen.chosen),
            seen: map(&unseen.seen),
        })),
        Requirement::Unmarked { holds, features } => Requirement::Unmarked {
            holds: map(holds),
            features: Arc::new(features.iter().map(|(name, mark)| (name.clone(), map(mark))).collect()),
        },
    }
}

/// Stands in summaries for a place in the callee: the call, for its callers.
const WITHIN: Span = Span { start: u32::MAX, end: u32::MAX };

/// The same rows, with places forgotten but for whether they came in within the body.
fn placeless(set: &Set) -> Set {
    replaced(set, &|place| place != Span::default(), WITHIN)
}

/// The same rows, with `place` for those that came in within a callee.
fn located(set: &Set, place: Span) -> Set {
    replaced(set, &|place| place == WITHIN, place)
}

fn replaced(set: &Set, is_gone: &dyn Fn(Span) -> bool, new: Span) -> Set {
    if !set.entries().iter().any(|entry| is_gone(entry.place)) {
        return set.clone();
    }
    let entries = set.entries().iter().map(|entry| {
        let place = if is_gone(entry.place) { new } else { entry.place };
        Entry { place, ..entry.clone() }
    });
    entries.collect()
}

pub(super) fn map_sets(value: &Value, map: &dyn Fn(&Set) -> Set) -> Value {
    use super::value::{Model, Scalar, Table};
    match value {
        Value::Unknown => Value::Unknown,
        Value::Scalar(scalar) => {
            Value::Scalar(Scalar { id: scalar.id, seen: map(&scalar.seen), mark: map(&scalar.mark) })
        }
        Value::Table(table) => {
            let column = |(name, column): (&String, &Column)| {
                let column = Column { definition: column.definition, mark: map(&column.mark) };
                (name.clone(), column)
            };
            Value::Table(Arc::new(Table {
                columns: Arc::new(table.columns.iter().map(column).collect()),
                holds: map(&table.holds),
                chosen: map(&table.chosen),
                seen: map(&table.seen),
                labels: map(&table.labels),
                told: map(&table.told),
                ..(**table).clone()
            }))
        }
        Value::Model(model) => Value::Model(Arc::new(Model {
            fitted: map(&model.fitted),
            chosen: map(&model.chosen),
            seen: map(&model.seen),
            ..(**model).clone()
        })),
        Value::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), map_sets(value, map)));
            Value::Record(Arc::new(fields.collect()))
        }
        Value::List(values) => {
            Value::List(Arc::new(values.iter().map(|value| map_sets(value, map)).collect()))
        }
        Value::Each(symbol, element) => Value::Each(*symbol, Arc::new(map_sets(element, map))),
    }
}
