//! What values are, as terms: two values with one term are equal, whatever they were called.
//!
//! A term is a place in a table of nodes where each stands once, behind those that it is made of. So terms compare
//! as numbers, and a body of any length is walked without recursion.

use std::sync::Arc;

use flow_ir::{expr::Function, types::Type, value::Value};
use rustc_hash::FxHashMap;

use super::limits::MICROS_OF_DAY;
use crate::ty::Ty;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Term(u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// A parameter of the body, by its place.
    Param(u32),
    Value(Value),
    /// Which turn of a loop, or which element of a list: some number.
    Symbol(u32),
    /// A number that may be another one at each mention.
    Any,
    /// The own row, as what a column was computed from.
    Own,
    Field(Term, String),
    Element(Term, Term),
    /// The column that a table of this identity came with.
    Column(Term, String),
    /// The order in which a parameter's rows come.
    Rows(Term),
    /// A set of rows that a parameter brings.
    SetOf(SetKind, Term),
    /// Whatever was computed: an operator, a function, a partition, by its name.
    Call(Arc<str>, Vec<Term>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum SetKind {
    Holds,
    Fitted,
    Chosen,
    Seen,
    /// Of a column: the rows whose labels it was computed from.
    Mark(String),
    /// The same, once the own row is one of many.
    MarkOfMany(String),
}

#[derive(Debug, Default)]
pub(super) struct Terms {
    nodes: Vec<(Arc<Node>, Has)>,
    places: FxHashMap<Arc<Node>, Term>,
    symbols: u32,
}

/// What a term is made of, directly or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Has {
    symbol: bool,
    any: bool,
    /// As an expression over a row: that rows which are one and the same may differ in it.
    variant: bool,
    column: bool,
}

impl Terms {
    pub fn node(&self, term: Term) -> Option<&Node> {
        self.nodes.get(term.0 as usize).map(|(node, _)| &**node)
    }

    /// The term of a node; what can be told at once is: the third of a list of literals is that literal.
    pub fn make(&mut self, node: Node) -> Term {
        if let Some(term) = self.places.get(&node) {
            return *term;
        }
        if let Some(simpler) = self.simplify(&node) {
            return simpler;
        }
        self.make_as_is(node)
    }

    /// The same, of a node that nothing more can be told of.
    pub fn make_as_is(&mut self, node: Node) -> Term {
        if let Some(term) = self.places.get(&node) {
            return *term;
        }
        let mut has = Has::default();
        match &node {
            Node::Symbol(_) => has.symbol = true,
            Node::Any => has.any = true,
            Node::Column(..) => has.column = true,
            Node::Call(name, _) => has.column = COLUMNS.contains(&&**name),
            _ => {}
        }
        for part in parts(&node) {
            if let Some((_, part)) = self.nodes.get(part.0 as usize) {
                has.symbol |= part.symbol;
                has.any |= part.any;
                has.variant |= part.variant;
                has.column |= part.column;
            }
        }
        has.variant = match &node {
            Node::Call(name, _) if [COPIES, LOOKUP_OF_MANY].contains(&&**name) => true,
            Node::Call(name, _) => has.variant && is_of_row(name),
            _ => false,
        };
        let term = Term(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let node = Arc::new(node);
        self.nodes.push((Arc::clone(&node), has));
        self.places.insert(node, term);
        term
    }

    pub fn value(&mut self, value: Value) -> Term {
        self.make(Node::Value(value))
    }

    pub fn call(&mut self, name: &str, args: Vec<Term>) -> Term {
        self.make(Node::Call(Arc::from(name), args))
    }

    pub fn field(&mut self, base: Term, name: &str) -> Term {
        self.make(Node::Field(base, name.to_owned()))
    }

    pub fn fresh_symbol(&mut self) -> Term {
        self.symbols += 1;
        self.make(Node::Symbol(self.symbols))
    }

    pub fn literal(&self, term: Term) -> Option<&Value> {
        match self.node(term)? {
            Node::Value(value) => Some(value),
            _ => None,
        }
    }

    pub fn has_symbol(&self, term: Term) -> bool {
        self.has(term).symbol
    }

    pub fn has_any(&self, term: Term) -> bool {
        self.has(term).any
    }

    /// Whether rows that are one and the same may differ in what this is: what holds for one says nothing of another.
    pub fn is_variant(&self, term: Term) -> bool {
        self.has(term).variant
    }

    /// All nodes, each with its term.
    pub fn into_nodes(self) -> Vec<(Term, Node)> {
        let nodes = self.nodes.into_iter().zip(0..);
        nodes.map(|((node, _), term)| (Term(term), (*node).clone())).collect()
    }

    fn has(&self, term: Term) -> Has {
        self.nodes.get(term.0 as usize).map_or_else(Has::default, |(_, has)| *has)
    }

    /// Whether two terms may be one value, where equal terms alone would be too strict: elements of one list at
    /// indices that are not known.
    pub fn may_be_equal(&self, a: Term, b: Term) -> bool {
        if a == b {
            return true;
        }
        let is_open = |term| self.has(term).symbol || self.has(term).any;
        (is_open(a) || is_open(b)) && self.unify(a, b, 64)
    }

    fn unify(&self, a: Term, b: Term, depth: u32) -> bool {
        if a == b {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else { return true };
        match (self.node(a), self.node(b)) {
            (Some(Node::Symbol(_) | Node::Any), _) | (_, Some(Node::Symbol(_) | Node::Any)) => true,
            (Some(Node::Element(a, i)), Some(Node::Element(b, j))) => {
                self.unify(*a, *b, depth) && self.unify(*i, *j, depth)
            }
            (Some(Node::Element(list, _)), Some(Node::Value(value)))
            | (Some(Node::Value(value)), Some(Node::Element(list, _))) => {
                matches!(self.literal(*list), Some(Value::List(values)) if values.contains(value))
            }
            (Some(Node::Field(a, x)), Some(Node::Field(b, y)))
            | (Some(Node::Column(a, x)), Some(Node::Column(b, y))) => x == y && self.unify(*a, *b, depth),
            (Some(Node::SetOf(x, a)), Some(Node::SetOf(y, b))) => x == y && self.unify(*a, *b, depth),
            (Some(Node::Rows(a)), Some(Node::Rows(b))) => self.unify(*a, *b, depth),
            (Some(Node::Call(x, a)), Some(Node::Call(y, b))) => {
                x == y && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.unify(*a, *b, depth))
            }
            _ => false,
        }
    }

    /// Whether it may be another value for another row.
    pub fn differs_by_row(&self, term: Term) -> bool {
        self.has(term).column
    }

    /// A value as another one and how far it is from there, where that is told exactly: `day - 7d`, `year + 1`.
    pub fn base_and_offset(&self, term: Term, compared: &Ty, ty: &Ty) -> (Term, i64) {
        let (Ty::Ground(compared), Ty::Ground(ty)) = (compared, ty) else { return (term, 0) };
        let offset = |literal: &Value| match (literal, ty.storage()) {
            // Floats are rounded.
            (Value::Int(by), Type::Int) if *compared.storage() == Type::Int => Some(*by),
            (Value::Duration(by), Type::Time) => Some(*by),
            // A Date moves by whole days.
            (Value::Duration(by), Type::Date) if by % MICROS_OF_DAY == 0 => Some(*by),
            _ => None,
        };
        let step = |at: Term| {
            let Some(Node::Call(name, args)) = self.node(at) else { return None };
            let (function, [a, b]) = (Function::named(name)?, args.as_slice()) else { return None };
            match (function, self.literal(*a), self.literal(*b)) {
                (Function::Add, _, Some(by)) => Some((*a, offset(by)?)),
                (Function::Add, Some(by), _) => Some((*b, offset(by)?)),
                (Function::Subtract, _, Some(by)) => Some((*a, offset(by)?.checked_neg()?)),
                _ => None,
            }
        };
        let (mut base, mut sum) = (term, 0_i64);
        while let Some((next, by)) = step(base)
            && let Some(total) = sum.checked_add(by)
        {
            (base, sum) = (next, total);
        }
        (base, sum)
    }

    /// Whether an expression over a row reads all of these columns of it.
    pub fn is_computed_from(&self, term: Term, columns: &[Term]) -> bool {
        let mut found = rustc_hash::FxHashSet::default();
        let mut open = vec![term];
        while let Some(term) = open.pop() {
            if !found.insert(term) || columns.contains(&term) {
                continue;
            }
            // A window's rows are others.
            if let Some(Node::Call(name, args)) = self.node(term)
                && is_of_row(name)
                && &**name != "of window"
            {
                open.extend_from_slice(args);
            }
        }
        columns.iter().all(|column| found.contains(column))
    }

    /// The terms that these are made of, themselves included, in order: each behind its parts.
    pub fn reachable(&self, roots: &[Term]) -> Vec<Term> {
        let mut found: rustc_hash::FxHashSet<Term> = roots.iter().copied().collect();
        let mut open: Vec<Term> = roots.to_vec();
        while let Some(term) = open.pop() {
            let Some(node) = self.node(term) else { continue };
            open.extend(parts(node).into_iter().filter(|part| found.insert(*part)));
        }
        let mut found: Vec<Term> = found.into_iter().collect();
        found.sort_unstable();
        found
    }

    fn simplify(&mut self, node: &Node) -> Option<Term> {
        match node {
            Node::Field(base, name) => {
                let value = self.literal(*base)?.field(name)?.clone();
                Some(self.value(value))
            }
            Node::Element(list, index) => match self.node(*list)?.clone() {
                Node::Value(Value::List(values)) => {
                    let Value::Int(index) = self.literal(*index)? else { return None };
                    let value = values.get(usize::try_from(*index).ok()?)?.clone();
                    Some(self.value(value))
                }
                // The numbers from zero on are their own indices.
                Node::Call(name, bounds) if &*name == RANGE => {
                    let low = self.literal(*bounds.first()?)?;
                    (*low == Value::Int(0)).then_some(*index)
                }
                _ => None,
            },
            Node::Call(name, args) if &**name == PICK => {
                let (choice, arms) = args.split_first()?;
                let first = arms.first()?;
                if arms.iter().all(|arm| arm == first) {
                    return Some(*first);
                }
                let Value::Int(index) = self.literal(*choice)? else { return None };
                arms.get(usize::try_from(*index).ok()?).copied()
            }
            Node::Call(name, args) => {
                let function = Function::named(name).filter(|function| is_folded(*function))?;
                let is_exact = |value: &&Value| {
                    matches!(value, Value::Int(_) | Value::Date(_) | Value::Time(_) | Value::Duration(_))
                };
                let literals = args.iter().map(|arg| self.literal(*arg).filter(is_exact).cloned());
                let value = function.apply(&literals.collect::<Option<Vec<Value>>>()?).ok()?;
                Some(self.value(value))
            }
            _ => None,
        }
    }
}

/// Arithmetic whose result any reader knows: `date"2026-03-01" - 7d`.
fn is_folded(function: Function) -> bool {
    matches!(function, Function::Add | Function::Subtract | Function::Multiply | Function::Negate)
}

/// `low..high`
pub(super) const RANGE: &str = "range";
/// What verbs make columns of, besides the columns of tables.
const COLUMNS: [&str; 5] = ["predict", "of window", OF_GROUP, LOOKUP, LOOKUP_OF_MANY];
/// How far one value is from another.
pub(super) const DISTANCE: &str = "distance from";
/// One of several, by a number.
pub(super) const PICK: &str = "pick";

/// A column of rows that are there several times, computed in another way for each.
pub(super) const COPIES: &str = "copies";
/// A column that a join brought.
pub(super) const LOOKUP: &str = "lookup";
/// The same, where one row may find several.
pub(super) const LOOKUP_OF_MANY: &str = "lookup of many";
/// Orders of rows, which are no expression over one.
pub(super) const WHERE_ROWS: &str = "where rows";
pub(super) const UNION_ROWS: &str = "union rows";
pub(super) const JOIN_ROWS: &str = "join rows";
/// A column of a group, which is one row.
pub(super) const OF_GROUP: &str = "of group";

/// Whether a call computes with one row's values: a function does, and no operator, whose name has its module.
fn is_of_row(name: &str) -> bool {
    (!name.contains('.') || name.starts_with(FUNCTION))
        && ![WHERE_ROWS, UNION_ROWS, JOIN_ROWS, OF_GROUP].contains(&name)
}

/// What stands before the name of a `fn`.
pub(super) const FUNCTION: &str = "fn ";

/// The terms that a node is made of.
pub(super) fn parts(node: &Node) -> Vec<Term> {
    match node {
        Node::Param(_) | Node::Value(_) | Node::Symbol(_) | Node::Any | Node::Own => Vec::new(),
        Node::Field(base, _) | Node::Column(base, _) | Node::Rows(base) | Node::SetOf(_, base) => vec![*base],
        Node::Element(list, index) => vec![*list, *index],
        Node::Call(_, args) => args.clone(),
    }
}

/// The same node of other parts, in their order.
pub(super) fn with_parts(node: &Node, map: &mut dyn FnMut(Term) -> Term) -> Node {
    match node {
        Node::Param(_) | Node::Value(_) | Node::Symbol(_) | Node::Any | Node::Own => node.clone(),
        Node::Field(base, name) => Node::Field(map(*base), name.clone()),
        Node::Column(base, name) => Node::Column(map(*base), name.clone()),
        Node::Rows(base) => Node::Rows(map(*base)),
        Node::SetOf(kind, base) => Node::SetOf(kind.clone(), map(*base)),
        Node::Element(list, index) => Node::Element(map(*list), map(*index)),
        Node::Call(name, args) => Node::Call(Arc::clone(name), args.iter().map(|arg| map(*arg)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_nodes_are_one_term() {
        let mut terms = Terms::default();
        let one = terms.value(Value::Int(1));
        let (a, b) = (terms.call("csv", vec![one]), terms.call("csv", vec![one]));
        assert_eq!(a, b);
        assert!(!terms.may_be_equal(a, one));
    }

    #[test]
    fn elements_at_unknown_indices_may_be_one() {
        let mut terms = Terms::default();
        let list = terms.make(Node::Param(0));
        let other = terms.make(Node::Param(1));
        let (s, t) = (terms.fresh_symbol(), terms.fresh_symbol());
        let element = |terms: &mut Terms, list, index| terms.make(Node::Element(list, index));
        let (a, b, c) =
            (element(&mut terms, list, s), element(&mut terms, list, t), element(&mut terms, other, t));
        assert_ne!(a, b);
        assert!(terms.may_be_equal(a, b));
        assert!(!terms.may_be_equal(a, c));
        let (zero, one) = (terms.value(Value::Int(0)), terms.value(Value::Int(1)));
        let (d, e) = (element(&mut terms, list, zero), element(&mut terms, list, one));
        assert!(!terms.may_be_equal(d, e));
        assert!(terms.may_be_equal(a, e));
    }

    #[test]
    fn what_can_be_told_at_once_is() {
        let mut terms = Terms::default();
        let list = terms.value(Value::List(vec![Value::Int(4), Value::Int(6)]));
        let one = terms.value(Value::Int(1));
        let element = terms.make(Node::Element(list, one));
        assert_eq!(terms.literal(element), Some(&Value::Int(6)));
        let (a, b) = (terms.make(Node::Param(0)), terms.make(Node::Param(1)));
        assert_eq!(terms.call(PICK, vec![one, a, b]), b);
        let (zero, high, index) = (terms.value(Value::Int(0)), a, terms.fresh_symbol());
        let range = terms.call(RANGE, vec![zero, high]);
        assert_eq!(terms.make(Node::Element(range, index)), index);
    }
}
