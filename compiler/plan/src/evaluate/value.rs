//! What an expression is worth while planning.

use std::rc::Rc;

use flow_ir::{expr::Function, types::Type, value::Value};

use super::region::Source;
use crate::error::Problem;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(super) enum Planned {
    Known(Known),
    /// Computed from columns, from futures, or from both.
    Term(Rc<Term>),
    /// What a node will give.
    Future(Source),
    /// Not all of its elements are known.
    List(Rc<[Planned]>),
    /// Not all of its fields are known.
    Record(Rc<[(String, Planned)]>),
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) value: Rc<Value>,
    /// The workflow's parameter that it is, unchanged.
    pub(super) parameter: Option<Rc<str>>,
}

/// An expression under construction. It is shared, where [`flow_ir::expr::Expr`] is a tree.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) kind: TermKind,
    pub(super) ty: Type,
    /// Of the tree that it stands for.
    pub(super) size: u32,
    pub(super) depth: u32,
    pub(super) has_columns: bool,
    /// Whether it may have no value: an Int overflows, a Text is no number.
    pub(super) can_fail: bool,
}

#[derive(Debug)]
pub(super) enum TermKind {
    Column(String),
    Future(Source),
    Literal(Rc<Value>),
    Call { function: Function, args: Vec<Rc<Term>> },
    Cast(Rc<Term>),
    Case { arms: Vec<(Rc<Term>, Rc<Term>)>, otherwise: Rc<Term> },
}

/// Trees larger than this are not written out: each use of a fn's parameter copies its argument.
const TERM_SIZE: u32 = 100_000;
/// Everything behind the planner walks expressions recursively. The parser lets one be 500 deep, so that
/// this leaves some room for fns.
const TERM_DEPTH: u32 = 600;

impl Planned {
    pub(super) fn known(value: Value) -> Self {
        Self::Known(Known { value: Rc::new(value), parameter: None })
    }

    pub(super) fn as_known(&self) -> Option<&Rc<Value>> {
        match self {
            Self::Known(known) => Some(&known.value),
            _ => None,
        }
    }

    /// A list; a known one where all its elements are.
    pub(super) fn list(items: Vec<Self>) -> Self {
        if items.iter().all(|item| matches!(item, Self::Known(_))) {
            Self::known(Value::List(items.into_iter().filter_map(Self::into_value).collect()))
        } else {
            Self::List(items.into())
        }
    }

    /// A record; a known one where all its fields are.
    pub(super) fn record(fields: Vec<(String, Self)>) -> Self {
        if fields.iter().all(|(_, field)| matches!(field, Self::Known(_))) {
            let value = |(name, field): (String, Self)| Some((name, field.into_value()?));
            Self::known(Value::Record(fields.into_iter().filter_map(value).collect()))
        } else {
            Self::Record(fields.into())
        }
    }

    fn into_value(self) -> Option<Value> {
        match self {
            Self::Known(known) => Some(Rc::unwrap_or_clone(known.value)),
            _ => None,
        }
    }
}

impl Term {
    pub(super) fn new(kind: TermKind, ty: Type) -> Result<Rc<Self>, Problem> {
        let (mut size, mut depth, mut has_columns) = (1u32, 0, matches!(kind, TermKind::Column(_)));
        let mut can_fail = match &kind {
            TermKind::Call { function, .. } => can_fail(*function, &ty),
            TermKind::Cast(operand) => can_fail_as(&operand.ty, &ty),
            _ => false,
        };
        let mut add = |part: &Rc<Term>| {
            size = size.saturating_add(part.size);
            depth = depth.max(part.depth);
            has_columns |= part.has_columns;
            can_fail |= part.can_fail;
        };
        match &kind {
            TermKind::Column(_) | TermKind::Future(_) | TermKind::Literal(_) => {}
            TermKind::Call { args, .. } => args.iter().for_each(&mut add),
            TermKind::Cast(operand) => add(operand),
            TermKind::Case { arms, otherwise } => {
                for (condition, value) in arms {
                    add(condition);
                    add(value);
                }
                add(otherwise);
            }
        }
        if size > TERM_SIZE {
            return Err(Problem::Fuel { limit: "100,000 parts in one expression" });
        }
        if depth >= TERM_DEPTH {
            return Err(Problem::Fuel { limit: "600 expressions in each other" });
        }
        Ok(Rc::new(Self { kind, ty, size, depth: depth + 1, has_columns, can_fail }))
    }
}

/// Whether a function with a result of this type may refuse arguments; true wherever that is in doubt.
fn can_fail(function: Function, ty: &Type) -> bool {
    match function {
        Function::Field | Function::OrElse => false,
        Function::Element | Function::Matches => true,
        // Floats have infinities and NaN.
        _ => !matches!(ty.storage(), Type::Bool | Type::Float | Type::Text),
    }
}

fn can_fail_as(from: &Type, to: &Type) -> bool {
    let (from, to) = (from.storage(), to.storage());
    from != to && !matches!((from, to), (Type::Bool | Type::Int | Type::Float, Type::Float | Type::Text))
}
