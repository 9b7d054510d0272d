//! What a value carries besides its type: its identity, and the rows behind it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    region::{Constraint, Entry, Set},
    terms::{Node, SetKind, Term, Terms},
};

/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    /// A mistake hides it; it overlaps nothing.
    Unknown,
    /// Also a record or list that an operator gives as a whole.
    Scalar(Scalar),
    Table(Arc<Table>),
    Model(Arc<Model>),
    Record(Arc<Vec<(String, Value)>>),
    /// A list that is written out.
    List(Arc<Vec<Value>>),
    /// A list by its element at an index, which is this symbol.
    Each(Term, Arc<Value>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scalar {
    pub id: Term,
    /// The rows that it was measured on or computed from.
    pub seen: Set,
    /// Within a row's expression: the rows whose labels it was computed from.
    pub mark: Set,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Table {
    pub id: Term,
    /// Which rows, in which order: equal splits of equal rows are one.
    pub rows: Term,
    /// Where columns come from that are not told of below.
    pub base: Term,
    pub columns: Arc<BTreeMap<String, Column>>,
    pub holds: Set,
    pub chosen: Set,
    pub seen: Set,
    /// Whether a row may be in it more than once.
    pub is_repeated: bool,
    /// For one row per entity: the columns that tell these apart.
    pub keys: Option<Arc<Vec<Term>>>,
    /// What is known of all rows that share the values of some columns.
    pub by_key: Arc<Vec<(Vec<Term>, Constraint)>>,
    /// Rows of other tables that its labels were looked up in.
    pub labels: Set,
    /// The rows whose labels decided which rows are here.
    pub told: Set,
    /// The EventTime that its rows have had, where a verb left it out.
    pub lost_time: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Column {
    /// What it is computed from.
    pub definition: Term,
    /// The rows whose labels it was computed from.
    pub mark: Set,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Model {
    pub id: Term,
    pub fitted: Set,
    pub chosen: Set,
    pub seen: Set,
    /// Whether what it gives is made of labels.
    pub is_supervised: bool,
}

impl Scalar {
    pub fn plain(id: Term) -> Self {
        Self { id, seen: Set::default(), mark: Set::default() }
    }
}

impl Table {
    /// A table with these rows, which nothing else is known of.
    pub fn new(id: Term, holds: Set) -> Self {
        Self {
            id,
            rows: id,
            base: id,
            columns: Arc::default(),
            holds,
            chosen: Set::default(),
            seen: Set::default(),
            is_repeated: false,
            keys: None,
            by_key: Arc::default(),
            labels: Set::default(),
            told: Set::default(),
            lost_time: None,
        }
    }

    pub fn column(&self, name: &str, terms: &mut Terms) -> Column {
        if let Some(column) = self.columns.get(name) {
            return column.clone();
        }
        let definition = terms.make(Node::Column(self.base, name.to_owned()));
        // What a parameter's column was computed from, each call says.
        let is_param = terms.node(self.base).is_some_and(|node| is_param_path(node, terms));
        let mark = if is_param {
            let source = terms.make(Node::SetOf(SetKind::Mark(name.to_owned()), self.base));
            Set::of_source(source, flow_syntax::span::Span::default())
        } else {
            Set::default()
        };
        Column { definition, mark }
    }

    /// The rows whose labels are its rows' labels.
    pub fn label_rows(&self) -> Set {
        self.holds.union(&self.labels)
    }

    pub fn put(&mut self, name: &str, column: Column) {
        Arc::make_mut(&mut self.columns).insert(name.to_owned(), column);
    }
}

/// A parameter, or what is in it.
pub(super) fn is_param_path(node: &Node, terms: &Terms) -> bool {
    let mut node = node;
    loop {
        match node {
            Node::Param(_) => return true,
            Node::Field(base, _) | Node::Element(base, _) => match terms.node(*base) {
                Some(base) => node = base,
                None => return false,
            },
            _ => return false,
        }
    }
}

/// A mark once its row is one of many: the own row becomes the rows that the table held.
pub(super) fn mark_of_many(mark: &Set, holds: &Set, terms: &mut Terms) -> Set {
    if mark.is_empty() {
        return Set::default();
    }
    let own = terms.make(Node::Own);
    let mut of_many = Set::default();
    for entry in mark.entries() {
        let source = entry.region.source;
        if source == own {
            of_many = of_many.union(&holds.placed(entry.place));
            continue;
        }
        let many = match terms.node(source) {
            Some(Node::SetOf(SetKind::Mark(name), base)) => {
                let (name, base) = (name.clone(), *base);
                terms.make(Node::SetOf(SetKind::MarkOfMany(name), base))
            }
            _ => source,
        };
        let mut entry: Entry = entry.clone();
        entry.region.source = many;
        of_many = of_many.union(&Set::one(entry));
    }
    of_many
}

impl Value {
    pub fn id(&self, terms: &mut Terms) -> Term {
        match self {
            Self::Unknown => terms.call("unknown", Vec::new()),
            Self::Scalar(scalar) => scalar.id,
            Self::Table(table) => table.id,
            Self::Model(model) => model.id,
            Self::Record(fields) => {
                let mut args = Vec::with_capacity(fields.len() * 2);
                for (name, value) in &**fields {
                    args.push(terms.value(flow_ir::value::Value::from(name.as_str())));
                    args.push(value.id(terms));
                }
                terms.call("record", args)
            }
            Self::List(values) => {
                let args = values.iter().map(|value| value.id(terms)).collect();
                terms.call("list", args)
            }
            Self::Each(index, element) => {
                let element = element.id(terms);
                terms.call("each", vec![*index, element])
            }
        }
    }

    /// Every row behind it, whatever its part.
    pub fn all(&self) -> Set {
        match self {
            Self::Unknown => Set::default(),
            Self::Scalar(scalar) => scalar.seen.clone(),
            Self::Table(table) => Set::union_all([&table.holds, &table.chosen, &table.seen]),
            Self::Model(model) => Set::union_all([&model.fitted, &model.chosen, &model.seen]),
            Self::Record(fields) => {
                fields.iter().fold(Set::default(), |all, (_, value)| all.union(&value.all()))
            }
            Self::List(values) => values.iter().fold(Set::default(), |all, value| all.union(&value.all())),
            Self::Each(_, element) => element.all(),
        }
    }

    /// The value with rows that decided for it.
    pub fn chosen_on(&self, rows: &Set) -> Self {
        if rows.is_empty() {
            return self.clone();
        }
        match self {
            Self::Unknown => Self::Unknown,
            Self::Scalar(scalar) => Self::Scalar(Scalar { seen: scalar.seen.union(rows), ..scalar.clone() }),
            Self::Table(table) => {
                Self::Table(Arc::new(Table { chosen: table.chosen.union(rows), ..(**table).clone() }))
            }
            Self::Model(model) => {
                Self::Model(Arc::new(Model { chosen: model.chosen.union(rows), ..(**model).clone() }))
            }
            Self::Record(fields) => Self::Record(Arc::new(
                fields.iter().map(|(name, value)| (name.clone(), value.chosen_on(rows))).collect(),
            )),
            Self::List(values) => {
                Self::List(Arc::new(values.iter().map(|value| value.chosen_on(rows)).collect()))
            }
            Self::Each(index, element) => Self::Each(*index, Arc::new(element.chosen_on(rows))),
        }
    }

    pub fn field(&self, name: &str, terms: &mut Terms) -> Self {
        match self {
            Self::Record(fields) => fields
                .iter()
                .find(|(field, _)| field == name)
                .map_or(Self::Unknown, |(_, value)| value.clone()),
            Self::Scalar(scalar) => {
                Self::Scalar(Scalar { id: terms.field(scalar.id, name), ..scalar.clone() })
            }
            _ => Self::Unknown,
        }
    }
}
