//! Values that are one of several: by a condition, by an index, by the turns of a loop.

use std::sync::Arc;

use flow_ir::{types::Type, value::Value as Literal};

use super::{
    evaluate::Evaluator,
    limits::{Key, Limits},
    lists::{element_type, part_of},
    region::{Constraint, Entry, Part, Set},
    terms::{Node, PICK, Term, Terms},
    value::{Column, Model, Scalar, Table, Value},
};
use crate::{
    body::{Expr, Local},
    ty::Ty,
};

/// Turns of a loop node after which its state may be anything that a turn made of it.
const MAX_TURNS: usize = 4;

impl Evaluator<'_> {
    /// One of several values, decided by a value that was measured, perhaps.
    pub fn decided(&mut self, by: &Value, choice: Term, arms: &[(Part, Value)], ty: &Ty) -> Value {
        let (seen, mark) = match by {
            Value::Scalar(scalar) => (scalar.seen.clone(), scalar.mark.clone()),
            other => (other.all(), Set::default()),
        };
        match self.pick(choice, arms, ty) {
            Value::Scalar(scalar) => Value::Scalar(Scalar {
                seen: scalar.seen.union(&seen),
                mark: scalar.mark.union(&mark),
                ..scalar
            }),
            value => value.chosen_on(&seen),
        }
    }

    pub fn matched(&mut self, subject: &Expr, arms: &[(Option<Literal>, Expr)], ty: &Ty) -> Value {
        let subject = self.expr(subject);
        let choice = subject.id(&mut self.terms);
        let known: Vec<Key> = arms.iter().filter_map(|(value, _)| value.as_ref().and_then(Key::of)).collect();
        let mut values = Vec::with_capacity(arms.len());
        for (value, arm) in arms {
            let limits = match value {
                Some(value) => Key::of(value).map(|key| Limits::OneOf(vec![key])),
                None => Some(Limits::NoneOf(known.clone())),
            };
            // `none`: there is nothing that it compares with.
            let part = limits.map_or(Part::Is(false), |limits| Part::Limits(Arc::new(limits)));
            values.push((part, self.expr(arm)));
        }
        self.decided(&subject, choice, &values, ty)
    }

    /// One of several values. What one arm alone has is there only where `choice` is in its part.
    pub fn pick(&mut self, choice: Term, arms: &[(Part, Value)], ty: &Ty) -> Value {
        let known: Vec<(Constraint, &Value)> = arms
            .iter()
            .filter(|(_, value)| !matches!(value, Value::Unknown))
            .map(|(part, value)| (Constraint { of: choice, part: part.clone() }, value))
            .collect();
        let Some((_, first)) = known.first() else { return Value::Unknown };
        if known.iter().all(|(_, value)| value == first) && known.len() == arms.len() {
            return (*first).clone();
        }
        let ids: Vec<Term> = known.iter().map(|(_, value)| value.id(&mut self.terms)).collect();
        // `none` and `[]` do not say what the others are.
        let shape = known.iter().map(|(_, value)| *value).find(|value| !matches!(value, Value::Scalar(_)));
        match shape.unwrap_or(first) {
            Value::Table(_) => {
                let tables = known.iter().filter_map(|(constraint, value)| match value {
                    Value::Table(table) => Some((constraint.clone(), Arc::clone(table))),
                    _ => None,
                });
                let tables: Vec<(Constraint, Arc<Table>)> = tables.collect();
                Value::Table(Arc::new(self.pick_table(choice, ids, &tables, ty)))
            }
            Value::Model(_) => {
                let models = known.iter().filter_map(|(constraint, value)| match value {
                    Value::Model(model) => Some((constraint, model)),
                    _ => None,
                });
                let models: Vec<_> = models.collect();
                let set = |of: fn(&Model) -> &Set| {
                    joined(models.iter().map(|(constraint, model)| (*constraint, of(model))), &self.terms)
                };
                let (fitted, chosen, seen) =
                    (set(|model| &model.fitted), set(|model| &model.chosen), set(|model| &model.seen));
                let is_supervised = models.iter().any(|(_, model)| model.is_supervised);
                let id = self.one_of(choice, ids);
                Value::Model(Arc::new(Model { id, fitted, chosen, seen, is_supervised }))
            }
            Value::Record(fields) => {
                let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
                let fields = names.into_iter().map(|name| {
                    let arms: Vec<(Part, Value)> = known
                        .iter()
                        .map(|(constraint, value)| {
                            (constraint.part.clone(), value.field(&name, &mut self.terms))
                        })
                        .collect();
                    let value = self.pick(choice, &arms, &field_type(ty, &name));
                    (name, value)
                });
                Value::Record(Arc::new(fields.collect()))
            }
            Value::List(_) | Value::Each(..) => {
                let index = self.terms.fresh_symbol();
                let of = element_type(ty);
                let arms: Vec<(Part, Value)> = known
                    .iter()
                    .map(|(constraint, value)| (constraint.part.clone(), self.element_of(value, index, &of)))
                    .collect();
                let element = self.pick(choice, &arms, &of);
                Value::Each(index, Arc::new(element))
            }
            Value::Scalar(_) | Value::Unknown => {
                let (mut seen, mut mark) = (Set::default(), Set::default());
                for (_, value) in &known {
                    seen = seen.union(&value.all());
                    if let Value::Scalar(scalar) = value {
                        mark = mark.union(&scalar.mark);
                    }
                }
                Value::Scalar(Scalar { id: self.one_of(choice, ids), seen, mark })
            }
        }
    }

    fn one_of(&mut self, choice: Term, mut arms: Vec<Term>) -> Term {
        arms.insert(0, choice);
        self.terms.call(PICK, arms)
    }

    fn pick_table(
        &mut self,
        choice: Term,
        ids: Vec<Term>,
        tables: &[(Constraint, Arc<Table>)],
        ty: &Ty,
    ) -> Table {
        let set = |of: fn(&Table) -> &Set, terms: &Terms| {
            joined(tables.iter().map(|(constraint, table)| (constraint, of(table))), terms)
        };
        let (holds, chosen, seen) = (
            set(|table| &table.holds, &self.terms),
            set(|table| &table.chosen, &self.terms),
            set(|table| &table.seen, &self.terms),
        );
        let id = self.one_of(choice, ids);
        let rows = self.one_of(choice, tables.iter().map(|(_, table)| table.rows).collect());
        let base = tables.first().map_or(id, |(_, table)| table.base);
        let mut picked = Table { rows, chosen, seen, ..Table::new(id, holds) };
        picked.is_repeated = tables.iter().any(|(_, table)| table.is_repeated);
        picked.labels = set(|table| &table.labels, &self.terms);
        picked.told = set(|table| &table.told, &self.terms);
        let mut names: Vec<&str> =
            tables.iter().flat_map(|(_, table)| table.columns.keys().map(String::as_str)).collect();
        if tables.iter().all(|(_, table)| table.base == base) {
            picked.base = base;
        } else if let Ty::Ground(Type::Dataset(row)) = ty {
            names = row.columns.iter().map(|column| column.name.as_str()).collect();
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            let columns: Vec<Column> =
                tables.iter().map(|(_, table)| table.column(name, &mut self.terms)).collect();
            let definition = self.one_of(choice, columns.iter().map(|column| column.definition).collect());
            let mark = Set::union_all(columns.iter().map(|column| &column.mark));
            picked.put(name, Column { definition, mark });
        }
        picked
    }

    /// The state after no turn, or one, or more. What the condition measures decides when it is good enough, which
    /// only what comes after the loop is chosen by.
    pub fn run_while(&mut self, condition: &Expr, state: &Local, start: &Expr, body: &Expr) -> Value {
        let mut value = self.expr(start);
        let any = self.terms.make(Node::Any);
        for turn in 0..=MAX_TURNS + 1 {
            self.bind_local(state, value.clone());
            let next = self.expr(body);
            // No turn in particular: what either has, it has.
            let either = [(part_of(0), value.clone()), (part_of(1), next)];
            let mut joined = self.pick(any, &either, &state.ty);
            if turn >= MAX_TURNS {
                joined = widened(&joined);
            }
            let is_settled = same_rows(&joined, &value);
            value = joined;
            if is_settled {
                break;
            }
        }
        self.bind_local(state, value.clone());
        let decided = self.expr(condition).all();
        value.chosen_on(&decided)
    }
}

fn field_type(ty: &Ty, name: &str) -> Ty {
    match ty {
        Ty::Ground(Type::Record(record)) => {
            record.field(name).map_or(Ty::Error, |field| Ty::Ground(field.ty.clone()))
        }
        _ => Ty::Error,
    }
}

/// What any of the sets has; what not all have, under the condition of those that do.
fn joined<'s>(sets: impl Iterator<Item = (&'s Constraint, &'s Set)>, terms: &Terms) -> Set {
    let sets: Vec<(&Constraint, &Set)> = sets.collect();
    let is_everywhere = |entry: &Entry| {
        sets.iter().all(|(_, set)| {
            set.entries().iter().any(|other| other.region == entry.region && other.window == entry.window)
        })
    };
    let mut all = Set::default();
    for (constraint, set) in &sets {
        let (shared, own): (Vec<_>, Vec<_>) = set.entries().iter().cloned().partition(is_everywhere);
        all = all.union(&Set::from_iter(shared));
        all = all.union(&Set::from_iter(own).within(std::slice::from_ref(*constraint), terms));
    }
    all
}

/// The value with nothing known of its regions but their sources.
fn widened(value: &Value) -> Value {
    let set = |set: &Set| {
        let sources = set.entries().iter().map(|entry| {
            let mut entry = entry.clone();
            entry.region.constraints.clear();
            entry
        });
        sources.fold(Set::default(), |all, entry| all.union(&Set::one(entry)))
    };
    match value {
        Value::Unknown => Value::Unknown,
        Value::Scalar(scalar) => Value::Scalar(Scalar { seen: set(&scalar.seen), ..scalar.clone() }),
        Value::Table(table) => Value::Table(Arc::new(Table {
            holds: set(&table.holds),
            chosen: set(&table.chosen),
            seen: set(&table.seen),
            ..(**table).clone()
        })),
        Value::Model(model) => Value::Model(Arc::new(Model {
            fitted: set(&model.fitted),
            chosen: set(&model.chosen),
            seen: set(&model.seen),
            ..(**model).clone()
        })),
        Value::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), widened(value)));
            Value::Record(Arc::new(fields.collect()))
        }
        Value::List(values) => Value::List(Arc::new(values.iter().map(widened).collect())),
        Value::Each(symbol, element) => Value::Each(*symbol, Arc::new(widened(element))),
    }
}

/// Whether two values have the same rows behind them, whatever they are.
fn same_rows(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Scalar(a), Value::Scalar(b)) => a.seen == b.seen,
        (Value::Table(a), Value::Table(b)) => {
            (&a.holds, &a.chosen, &a.seen) == (&b.holds, &b.chosen, &b.seen)
        }
        (Value::Model(a), Value::Model(b)) => {
            (&a.fitted, &a.chosen, &a.seen) == (&b.fitted, &b.chosen, &b.seen)
        }
        (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|((_, a), (_, b))| same_rows(a, b))
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| same_rows(a, b))
        }
        (Value::Each(_, a), Value::Each(_, b)) => same_rows(a, b),
        (Value::Unknown, Value::Unknown) => true,
        _ => false,
    }
}
