//! Values with some of their terms replaced: an index by another one, a callee's parameters by what a call gives.

use std::sync::Arc;

use flow_syntax::span::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    region::{Constraint, Entry, Part, Region, Set, Window},
    terms::{DISTANCE, Node, Term, Terms, with_parts},
    value::{Column, Model, Scalar, Table, Value},
};

/// What becomes of terms, and of the sets that stand behind some of them.
#[derive(Debug, Default)]
pub(super) struct Replacement {
    pub terms: FxHashMap<Term, Term>,
    pub sets: FxHashMap<Term, Set>,
    /// The tables that columns of these come from.
    pub tables: FxHashMap<Term, Arc<Table>>,
    /// Sets whose rows may be there more than once, which a random split may part.
    pub repeated: FxHashSet<Term>,
}

/// A condition that is known not to hold: what depends on it does not happen.
struct Never;

impl Replacement {
    /// `symbol` becomes `index`, in all that is made of it.
    pub fn of_symbol(symbol: Term, index: Term, roots: &[Term], terms: &mut Terms) -> Self {
        let mut replaced = FxHashMap::default();
        for term in terms.reachable(roots) {
            if term == symbol {
                replaced.insert(term, index);
            } else if terms.has_symbol(term) {
                let Some(node) = terms.node(term).cloned() else { continue };
                let node = with_parts(&node, &mut |part| replaced.get(&part).copied().unwrap_or(part));
                replaced.insert(term, terms.make(node));
            }
        }
        Self { terms: replaced, ..Self::default() }
    }

    pub fn term(&self, term: Term) -> Term {
        self.terms.get(&term).copied().unwrap_or(term)
    }

    pub fn set(&self, set: &Set, terms: &Terms) -> Set {
        if set.is_empty() {
            return Set::default();
        }
        let mut found = Set::default();
        for entry in set.entries() {
            let constraints: Result<Vec<Constraint>, Never> = entry
                .region
                .constraints
                .iter()
                .filter_map(|constraint| self.constraint(constraint, terms).transpose())
                .collect();
            let Ok(mut constraints) = constraints else { continue };
            if self.repeated.contains(&entry.region.source) {
                constraints.retain(|constraint| !constraint.parts_by_place(terms));
            }
            let window = entry.window.as_ref().map(|window| self.window(window));
            match self.sets.get(&entry.region.source) {
                Some(rows) => {
                    let mut rows = rows.within(&constraints, terms);
                    // They came in here again.
                    if entry.place != Span::default() {
                        rows = rows.placed(entry.place);
                    }
                    if let Some(window) = &window {
                        rows = rows.windowed(window);
                    }
                    found = found.union(&rows);
                }
                None => {
                    let mut region = Region::of(self.term(entry.region.source));
                    constraints.iter().for_each(|constraint| region.add(constraint, terms));
                    found = found.union(&Set::one(Entry { region, place: entry.place, window }));
                }
            }
        }
        found
    }

    /// `None` where it says nothing any more.
    fn constraint(&self, constraint: &Constraint, terms: &Terms) -> Result<Option<Constraint>, Never> {
        let of = self.term(constraint.of);
        let part = match constraint.part.index() {
            Some(index) => constraint.part.with_index(self.term(index)),
            None => constraint.part.clone(),
        };
        if terms.has_any(of) || part.index().is_some_and(|index| terms.has_any(index)) {
            return Ok(None);
        }
        match terms.literal(of).and_then(|value| part.decide(value)) {
            Some(true) => Ok(None),
            Some(false) => Err(Never),
            None => Ok(Some(placed(of, &part, terms).unwrap_or(Constraint { of, part }))),
        }
    }

    fn window(&self, window: &Window) -> Window {
        Window {
            order: self.term(window.order),
            by: Arc::new(window.by.iter().map(|by| self.term(*by)).collect()),
        }
    }

    pub fn value(&self, value: &Value, terms: &Terms) -> Value {
        match value {
            Value::Unknown => Value::Unknown,
            Value::Scalar(scalar) => Value::Scalar(Scalar {
                id: self.term(scalar.id),
                seen: self.set(&scalar.seen, terms),
                mark: self.set(&scalar.mark, terms),
            }),
            Value::Table(table) => Value::Table(Arc::new(self.table(table, terms))),
            Value::Model(model) => Value::Model(Arc::new(Model {
                id: self.term(model.id),
                fitted: self.set(&model.fitted, terms),
                chosen: self.set(&model.chosen, terms),
                seen: self.set(&model.seen, terms),
                is_supervised: model.is_supervised,
            })),
            Value::Record(fields) => Value::Record(Arc::new(
                fields.iter().map(|(name, value)| (name.clone(), self.value(value, terms))).collect(),
            )),
            Value::List(values) => {
                Value::List(Arc::new(values.iter().map(|value| self.value(value, terms)).collect()))
            }
            Value::Each(index, element) => {
                Value::Each(self.term(*index), Arc::new(self.value(element, terms)))
            }
        }
    }

    fn table(&self, table: &Table, terms: &Terms) -> Table {
        let column = |(name, column): (&String, &Column)| {
            let definition = self.term(column.definition);
            (name.clone(), Column { definition, mark: self.set(&column.mark, terms) })
        };
        let own = table.columns.iter().map(column);
        let (base, columns) = match self.tables.get(&table.base) {
            Some(given) if table.columns.is_empty() => (given.base, Arc::clone(&given.columns)),
            Some(given) => {
                let mut columns = (*given.columns).clone();
                columns.extend(own);
                (given.base, Arc::new(columns))
            }
            None => (self.term(table.base), Arc::new(own.collect())),
        };
        Table {
            id: self.term(table.id),
            rows: self.term(table.rows),
            base,
            columns,
            holds: self.set(&table.holds, terms),
            chosen: self.set(&table.chosen, terms),
            seen: self.set(&table.seen, terms),
            is_repeated: table.is_repeated
                || table.holds.entries().iter().any(|entry| self.repeated.contains(&entry.region.source)),
            by_key: Arc::new(
                table
                    .by_key
                    .iter()
                    .filter_map(|(keys, constraint)| {
                        let constraint = self.constraint(constraint, terms).ok().flatten()?;
                        Some((keys.iter().map(|key| self.term(*key)).collect(), constraint))
                    })
                    .collect(),
            ),
            labels: self.set(&table.labels, terms),
            told: self.set(&table.told, terms),
            lost_time: table.lost_time.clone(),
            keys: table.keys.as_ref().map(|keys| Arc::new(keys.iter().map(|key| self.term(*key)).collect())),
        }
    }
}

/// How far from a value is where, once the value is known.
fn placed(of: Term, part: &Part, terms: &Terms) -> Option<Constraint> {
    let (Some(Node::Call(name, args)), Part::Limits(distance)) = (terms.node(of), part) else { return None };
    let (DISTANCE, [value, base]) = (&**name, args.as_slice()) else { return None };
    let limits = distance.beside(terms.literal(*base)?)?;
    Some(Constraint { of: *value, part: Part::Limits(Arc::new(limits)) })
}

/// Every term that a value is made of, once or more.
pub(super) fn terms_of(value: &Value, found: &mut Vec<Term>) {
    match value {
        Value::Unknown => {}
        Value::Scalar(scalar) => {
            found.push(scalar.id);
            terms_of_set(&scalar.seen, found);
            terms_of_set(&scalar.mark, found);
        }
        Value::Table(table) => {
            found.extend([table.id, table.rows, table.base]);
            for column in table.columns.values() {
                found.push(column.definition);
                terms_of_set(&column.mark, found);
            }
            for set in [&table.holds, &table.chosen, &table.seen, &table.labels, &table.told] {
                terms_of_set(set, found);
            }
            for (keys, constraint) in &*table.by_key {
                found.extend_from_slice(keys);
                found.push(constraint.of);
                found.extend(constraint.part.index());
            }
            found.extend(table.keys.iter().flat_map(|keys| keys.iter().copied()));
        }
        Value::Model(model) => {
            found.push(model.id);
            for set in [&model.fitted, &model.chosen, &model.seen] {
                terms_of_set(set, found);
            }
        }
        Value::Record(fields) => fields.iter().for_each(|(_, value)| terms_of(value, found)),
        Value::List(values) => values.iter().for_each(|value| terms_of(value, found)),
        Value::Each(index, element) => {
            found.push(*index);
            terms_of(element, found);
        }
    }
}

pub(super) fn terms_of_set(set: &Set, found: &mut Vec<Term>) {
    for entry in set.entries() {
        found.push(entry.region.source);
        for constraint in &entry.region.constraints {
            found.push(constraint.of);
            found.extend(constraint.part.index());
        }
        if let Some(window) = &entry.window {
            found.push(window.order);
            found.extend(window.by.iter().copied());
        }
    }
}

/// The value where `symbol` is `index`.
pub(super) fn at_index(value: &Value, symbol: Term, index: Term, terms: &mut Terms) -> Value {
    let mut roots = Vec::new();
    terms_of(value, &mut roots);
    if !roots.iter().any(|term| terms.has_symbol(*term)) {
        return value.clone();
    }
    let replacement = Replacement::of_symbol(symbol, index, &roots, terms);
    replacement.value(value, terms)
}

/// The value at no index in particular: that of any.
pub(super) fn at_any_index(value: &Value, symbol: Term, terms: &mut Terms) -> Value {
    let any = terms.make(Node::Any);
    at_index(value, symbol, any, terms)
}
