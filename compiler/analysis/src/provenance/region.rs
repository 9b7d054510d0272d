//! Rows of one source, less those that are known to be elsewhere; and sets of them.

use std::sync::Arc;

use flow_syntax::span::Span;

use super::{
    limits::{Key, Limits},
    terms::{DISTANCE, Node, Term, Terms},
};

/// Rows of a source that meet every constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Region {
    pub source: Term,
    pub constraints: Vec<Constraint>,
}

/// Where a partition, a condition or an expression over the row puts rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Constraint {
    pub of: Term,
    pub part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// A condition that holds, or does not.
    Is(bool),
    /// A part of a split, by its name.
    Named(Arc<str>),
    /// The fold of this index.
    Fold(Term),
    /// All folds but the one of this index.
    OtherFolds(Term),
    /// The stretch of time that tests the fold of this index.
    Stretch(Term),
    /// All stretches before it.
    StretchesBefore(Term),
    Limits(Arc<Limits>),
}

/// More say little, and cost; those that say least go first.
const MAX_CONSTRAINTS: usize = 24;
/// Past it, a set keeps its sources alone.
pub(super) const MAX_ENTRIES: usize = 256;

/// A union of regions. Cloning one is cheap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Set(Option<Arc<Vec<Entry>>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub region: Region,
    /// Where these rows came in; nothing in a summary.
    pub place: Span,
    /// Strictly earlier rows of a window alone.
    pub window: Option<Window>,
}

/// How a row's window was formed: by the time of an order, within the rows that share some columns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Window {
    pub order: Term,
    pub by: Arc<Vec<Term>>,
}

impl Region {
    pub fn of(source: Term) -> Self {
        Self { source, constraints: Vec::new() }
    }

    /// Whether no row can be in both.
    pub fn is_disjoint(&self, other: &Self, terms: &Terms) -> bool {
        if self.source != other.source && !terms.may_be_equal(self.source, other.source) {
            return true;
        }
        self.constraints
            .iter()
            .any(|a| other.constraints.iter().any(|b| a.of == b.of && a.part.excludes(&b.part, terms)))
    }

    pub fn add(&mut self, constraint: &Constraint, terms: &Terms) {
        let is_of_row = matches!(constraint.part, Part::Is(_) | Part::Limits(_));
        if self.constraints.contains(constraint)
            || terms.has_any(constraint.of)
            || (is_of_row && terms.is_variant(constraint.of))
        {
            return;
        }
        if self.constraints.len() >= MAX_CONSTRAINTS {
            let says_little = |other: &Constraint| matches!(other.part, Part::Is(_) | Part::Limits(_));
            let least = self.constraints.iter().position(says_little).unwrap_or(0);
            self.constraints.remove(least);
        }
        let place = self.constraints.partition_point(|other| other.of <= constraint.of);
        self.constraints.insert(place, constraint.clone());
    }
}

impl Constraint {
    /// Whether it is of a random split that may part two copies of a row.
    pub fn parts_by_place(&self, terms: &Terms) -> bool {
        let is_random = matches!(self.part, Part::Named(_) | Part::Fold(_) | Part::OtherFolds(_));
        let is_by_group =
            matches!(terms.node(self.of), Some(Node::Call(name, _)) if &**name == SPLIT_BY_GROUP);
        is_random && !is_by_group
    }
}

impl Part {
    fn excludes(&self, other: &Self, terms: &Terms) -> bool {
        match (self, other) {
            (Self::Is(a), Self::Is(b)) => a != b,
            (Self::Named(a), Self::Named(b)) => a != b,
            (Self::Limits(a), Self::Limits(b)) => a.exclude(b),
            (Self::Fold(a), Self::Fold(b)) | (Self::Stretch(a), Self::Stretch(b)) => differ(*a, *b, terms),
            (Self::Fold(a), Self::OtherFolds(b)) | (Self::OtherFolds(b), Self::Fold(a)) => {
                a == b && !terms.has_any(*a)
            }
            (Self::Stretch(test), Self::StretchesBefore(train))
            | (Self::StretchesBefore(train), Self::Stretch(test)) => {
                (test == train && !terms.has_any(*test))
                    || matches!(
                        (index(*test, terms), index(*train, terms)),
                        (Some(test), Some(train)) if test >= train
                    )
            }
            _ => false,
        }
    }

    /// The term that it holds, if it does.
    pub fn index(&self) -> Option<Term> {
        match self {
            Self::Fold(index)
            | Self::OtherFolds(index)
            | Self::Stretch(index)
            | Self::StretchesBefore(index) => Some(*index),
            Self::Is(_) | Self::Named(_) | Self::Limits(_) => None,
        }
    }

    pub fn with_index(&self, index: Term) -> Self {
        match self {
            Self::Fold(_) => Self::Fold(index),
            Self::OtherFolds(_) => Self::OtherFolds(index),
            Self::Stretch(_) => Self::Stretch(index),
            Self::StretchesBefore(_) => Self::StretchesBefore(index),
            other => other.clone(),
        }
    }

    /// Whether a literal is in this part; `None` where that is not a question.
    pub fn decide(&self, value: &flow_ir::value::Value) -> Option<bool> {
        match self {
            Self::Is(wanted) => match value {
                flow_ir::value::Value::Bool(value) => Some(value == wanted),
                _ => None,
            },
            Self::Limits(limits) => Some(limits.may_contain(&Key::of(value)?)),
            _ => None,
        }
    }
}

fn index(term: Term, terms: &Terms) -> Option<i64> {
    match terms.literal(term)? {
        flow_ir::value::Value::Int(index) => Some(*index),
        _ => None,
    }
}

/// Whether two indices are known, and not the same.
fn differ(a: Term, b: Term, terms: &Terms) -> bool {
    matches!((index(a, terms), index(b, terms)), (Some(a), Some(b)) if a != b)
}

impl Entry {
    pub fn new(source: Term, place: Span) -> Self {
        Self { region: Region::of(source), place, window: None }
    }

    /// Rows that a window came from are strictly earlier than those it is for, and share their keys: some of what
    /// is known of the latter holds for them too.
    fn add_to_window(&mut self, constraint: &Constraint, terms: &Terms) {
        let Some(window) = &self.window else { return };
        let is_about = |term: Term| window.order == term;
        let carries = match &constraint.part {
            Part::Limits(limits) if limits.is_open_below() => match terms.node(constraint.of) {
                // What the row is compared with is another value for another row, if it is the row's.
                Some(Node::Call(name, args)) if &**name == DISTANCE => match args.as_slice() {
                    [value, base] => is_about(*value) && !terms.differs_by_row(*base),
                    _ => false,
                },
                _ => is_about(constraint.of),
            },
            Part::StretchesBefore(_) => {
                matches!(terms.node(constraint.of), Some(Node::Call(_, args)) if args.contains(&window.order))
            }
            _ => false,
        };
        if carries || shares_keys(constraint, window, terms) {
            self.region.add(constraint, terms);
        }
    }
}

/// Whether a constraint speaks of nothing but the columns that a window's rows share.
fn shares_keys(constraint: &Constraint, window: &Window, terms: &Terms) -> bool {
    if window.by.contains(&constraint.of) {
        return true;
    }
    matches!(terms.node(constraint.of), Some(Node::Call(name, _)) if &**name == SPLIT_BY_GROUP)
        && key_of(constraint, terms).is_some_and(|key| window.by.contains(&key))
}

/// The column whose values a constraint keeps together, where it is one of a split that does.
pub(super) fn key_of(constraint: &Constraint, terms: &Terms) -> Option<Term> {
    match terms.node(constraint.of)? {
        Node::Call(name, args) if [SPLIT_BY_GROUP, SPLIT_BY_ID].contains(&&**name) => args.get(1).copied(),
        _ => None,
    }
}

/// Partitions whose parts share no value of a column: the rows that one splits, the column, and the rest. Someone
/// asked for it, or it follows from how rows with an Id are told apart: a proof rests on the latter only where it is
/// the Id that rows are found by.
pub(super) const SPLIT_BY_GROUP: &str = "split by group";
pub(super) const SPLIT_BY_ID: &str = "split by Id";

impl Set {
    pub fn one(entry: Entry) -> Self {
        Self(Some(Arc::new(vec![entry])))
    }

    pub fn of_source(source: Term, place: Span) -> Self {
        Self::one(Entry::new(source, place))
    }

    pub fn entries(&self) -> &[Entry] {
        self.0.as_ref().map_or(&[], |entries| entries.as_slice())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn union(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (_, None) => self.clone(),
            (None, _) => other.clone(),
            (Some(a), Some(b)) if Arc::ptr_eq(a, b) => self.clone(),
            (Some(a), Some(b)) => {
                let is_new = |entry: &&Entry| {
                    !a.iter().any(|own| own.region == entry.region && own.window == entry.window)
                };
                let new: Vec<Entry> = b.iter().filter(is_new).cloned().collect();
                if new.is_empty() { self.clone() } else { Self::from_iter(a.iter().cloned().chain(new)) }
            }
        }
    }

    pub fn union_all<'s>(sets: impl IntoIterator<Item = &'s Self>) -> Self {
        sets.into_iter().fold(Self::default(), |all, set| all.union(set))
    }

    /// The rows that meet these constraints too.
    pub fn within(&self, constraints: &[Constraint], terms: &Terms) -> Self {
        if constraints.is_empty() {
            return self.clone();
        }
        self.map(|entry| {
            for constraint in constraints {
                entry.region.add(constraint, terms);
            }
        })
    }

    /// What windows have seen, for those of their rows that meet these constraints.
    pub fn windows_within(&self, constraints: &[Constraint], terms: &Terms) -> Self {
        if constraints.is_empty() || self.entries().iter().all(|entry| entry.window.is_none()) {
            return self.clone();
        }
        self.map(|entry| constraints.iter().for_each(|constraint| entry.add_to_window(constraint, terms)))
    }

    /// The same rows, as they came in at another place.
    pub fn placed(&self, place: Span) -> Self {
        if self.entries().iter().all(|entry| entry.place == place) {
            return self.clone();
        }
        self.map(|entry| entry.place = place)
    }

    /// The same rows, as seen through a window.
    pub fn windowed(&self, window: &Window) -> Self {
        self.map(|entry| entry.window = Some(window.clone()))
    }

    /// Two entries that a row may be in.
    pub fn meets<'s>(&'s self, other: &'s Self, terms: &Terms) -> Option<(&'s Entry, &'s Entry)> {
        self.entries().iter().find_map(|a| {
            let b = other.entries().iter().find(|b| !a.region.is_disjoint(&b.region, terms))?;
            Some((a, b))
        })
    }

    fn map(&self, change: impl Fn(&mut Entry)) -> Self {
        Self::from_iter(self.entries().iter().map(|entry| {
            let mut entry = entry.clone();
            change(&mut entry);
            entry
        }))
    }
}

impl FromIterator<Entry> for Set {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: Vec<Entry> = entries.into_iter().collect();
        if entries.len() > MAX_ENTRIES {
            let mut sources = rustc_hash::FxHashSet::default();
            entries.retain(|entry| sources.insert((entry.region.source, entry.window.clone())));
            entries.iter_mut().for_each(|entry| entry.region.constraints.clear());
        }
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}

#[cfg(test)]
mod tests {
    use flow_ir::{expr::Function, value::Value};

    use super::*;

    fn region(source: Term, constraints: &[(Term, Part)], terms: &Terms) -> Region {
        let mut region = Region::of(source);
        for (of, part) in constraints {
            region.add(&Constraint { of: *of, part: part.clone() }, terms);
        }
        region
    }

    fn named(name: &str) -> Part {
        Part::Named(Arc::from(name))
    }

    fn below(limit: i64, holds: bool) -> Part {
        let key = Key::of(&Value::Int(limit)).unwrap();
        Part::Limits(Arc::new(Limits::of(Function::Less, key, holds, false).unwrap()))
    }

    #[test]
    fn parts_of_one_partition_are_disjoint() {
        let mut terms = Terms::default();
        let (source, other) = (terms.make(Node::Param(0)), terms.make(Node::Param(1)));
        let split = terms.call("split", vec![source]);
        let another = terms.call("split", vec![source, source]);
        let train = region(source, &[(split, named("train"))], &terms);
        let test = region(source, &[(split, named("test"))], &terms);
        assert!(train.is_disjoint(&test, &terms) && test.is_disjoint(&train, &terms));
        assert!(!train.is_disjoint(&train, &terms));
        assert!(!train.is_disjoint(&region(source, &[(another, named("test"))], &terms), &terms));
        assert!(!train.is_disjoint(&Region::of(source), &terms));
        assert!(train.is_disjoint(&Region::of(other), &terms));
        let nested = terms.call("split", vec![split]);
        let valid = region(source, &[(split, named("test")), (nested, named("train"))], &terms);
        assert!(valid.is_disjoint(&train, &terms) && !valid.is_disjoint(&test, &terms));
    }

    #[test]
    fn predicates_exclude_their_complements() {
        let mut terms = Terms::default();
        let source = terms.make(Node::Param(0));
        let year = terms.make(Node::Column(source, "year".to_owned()));
        let past = region(source, &[(year, below(2020, true))], &terms);
        let later = region(source, &[(year, below(2020, false))], &terms);
        assert!(past.is_disjoint(&later, &terms));
        assert!(!past.is_disjoint(&region(source, &[(year, below(2019, false))], &terms), &terms));
        let holds = region(source, &[(year, Part::Is(true))], &terms);
        assert!(holds.is_disjoint(&region(source, &[(year, Part::Is(false))], &terms), &terms));
    }

    #[test]
    fn folds_are_known_by_their_index() {
        let mut terms = Terms::default();
        let source = terms.make(Node::Param(0));
        let folds = terms.call("folds", vec![source]);
        let (i, j) = (terms.fresh_symbol(), terms.fresh_symbol());
        let (zero, one) = (terms.value(Value::Int(0)), terms.value(Value::Int(1)));
        let any = terms.make(Node::Any);
        let is_disjoint = |a: Part, b: Part, terms: &Terms| {
            let (a, b) = (region(source, &[(folds, a)], terms), region(source, &[(folds, b)], terms));
            assert_eq!(a.is_disjoint(&b, terms), b.is_disjoint(&a, terms));
            a.is_disjoint(&b, terms)
        };
        assert!(is_disjoint(Part::Fold(i), Part::OtherFolds(i), &terms));
        assert!(!is_disjoint(Part::Fold(i), Part::OtherFolds(j), &terms));
        assert!(!is_disjoint(Part::Fold(any), Part::OtherFolds(any), &terms));
        assert!(is_disjoint(Part::Fold(zero), Part::Fold(one), &terms));
        assert!(!is_disjoint(Part::Fold(zero), Part::Fold(i), &terms));
        assert!(!is_disjoint(Part::Fold(zero), Part::OtherFolds(one), &terms));
        // Time runs one way: what came before a stretch trains on none that comes later.
        assert!(is_disjoint(Part::StretchesBefore(zero), Part::Stretch(one), &terms));
        assert!(is_disjoint(Part::StretchesBefore(i), Part::Stretch(i), &terms));
        assert!(!is_disjoint(Part::StretchesBefore(one), Part::Stretch(zero), &terms));
        assert!(!is_disjoint(Part::StretchesBefore(one), Part::StretchesBefore(zero), &terms));
    }

    #[test]
    fn what_a_window_saw_is_as_early_as_its_rows() {
        let mut terms = Terms::default();
        let source = terms.make(Node::Param(0));
        let at = terms.make(Node::Column(source, "at".to_owned()));
        let split = terms.call("split", vec![source]);
        let window = Window { order: at, by: Arc::default() };
        let seen = Set::of_source(source, Span::default()).windowed(&window);
        let constraint = |of, part| [Constraint { of, part }];
        let later = Set::of_source(source, Span::default()).within(&constraint(at, below(9, false)), &terms);
        let of_past = seen.windows_within(&constraint(at, below(9, true)), &terms);
        assert!(of_past.meets(&later, &terms).is_none());
        assert!(
            seen.windows_within(&constraint(at, below(9, false)), &terms).meets(&later, &terms).is_some()
        );
        let of_train = seen.windows_within(&constraint(split, named("train")), &terms);
        let test = Set::of_source(source, Span::default()).within(&constraint(split, named("test")), &terms);
        assert!(of_train.meets(&test, &terms).is_some());
    }
}
