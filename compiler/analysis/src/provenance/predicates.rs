//! What a predicate says of the rows that it keeps.

use std::sync::Arc;

use flow_ir::{expr::Function, types::Type, value::Value as Literal};

use super::{
    evaluate::Evaluator,
    limits::{Key, Limits},
    region::{Constraint, Part},
    terms::{DISTANCE, Term},
    value::{Table, Value},
};
use crate::{
    body::{Expr, ExprKind},
    ty::Ty,
};

impl Evaluator<'_> {
    /// What holds for the rows of a table where a predicate holds, or where it does not.
    pub fn constraints(&mut self, data: &Arc<Table>, predicate: &Expr, holds: bool) -> Vec<Constraint> {
        let outer = self.row.replace(Arc::clone(data));
        let mut found = Vec::new();
        self.add_constraints(predicate, holds, &mut found);
        self.row = outer;
        found
    }

    fn add_constraints(&mut self, predicate: &Expr, holds: bool, found: &mut Vec<Constraint>) {
        match &predicate.kind {
            ExprKind::Block { bindings, value } => {
                for binding in bindings {
                    let bound = self.expr(&binding.value);
                    self.bind(&binding.pattern, bound);
                }
                self.add_constraints(value, holds, found);
            }
            ExprKind::Scalar { function: Function::Not, args } => {
                for arg in args {
                    self.add_constraints(arg, !holds, found);
                }
            }
            ExprKind::Scalar { function, args }
                if matches!((function, holds), (Function::And, true) | (Function::Or, false)) =>
            {
                for arg in args {
                    self.add_constraints(arg, holds, found);
                }
                // The other side of a split is told by the whole alone.
                self.add_whole(predicate, holds, found);
                self.add_complement(*function, args, holds, found);
            }
            ExprKind::Scalar { function: function @ (Function::And | Function::Or), args } => {
                self.add_whole(predicate, holds, found);
                self.add_complement(*function, args, holds, found);
            }
            ExprKind::Scalar { function: Function::In, args } => {
                if let Some((value, members)) = args.split_first() {
                    self.add_membership(predicate, value, members, holds, found);
                }
            }
            ExprKind::Scalar { function, args } => match args.as_slice() {
                [left, right] if is_comparison(*function) => {
                    let (a, b) = (self.expr(left), self.expr(right));
                    let (left_id, right_id) = (a.id(&mut self.terms), b.id(&mut self.terms));
                    // The column may stand last: `0.0 < .distance`.
                    let is_last = self.terms.literal(left_id).is_some()
                        || !self.terms.differs_by_row(left_id) && self.terms.differs_by_row(right_id);
                    let (left, right) = ((left_id, &left.ty), (right_id, &right.ty));
                    let (function, of, with) =
                        if is_last { (mirrored(*function), right, left) } else { (*function, left, right) };
                    found.extend(self.compared_terms(function, of, with, holds));
                }
                _ => self.add_whole(predicate, holds, found),
            },
            _ => self.add_whole(predicate, holds, found),
        }
    }

    /// Nothing is known of a predicate but whether it holds.
    fn add_whole(&mut self, predicate: &Expr, holds: bool, found: &mut Vec<Constraint>) {
        let value = self.expr(predicate);
        if !matches!(value, Value::Unknown) {
            found.push(Constraint { of: value.id(&mut self.terms), part: Part::Is(holds) });
        }
    }

    /// De Morgan: where `a >= 1 or b` holds, `a < 1 and not b` does not, and the other way round.
    fn add_complement(
        &mut self,
        function: Function,
        args: &[Expr],
        holds: bool,
        found: &mut Vec<Constraint>,
    ) {
        // Where NaN is in neither of two comparisons, that one does not hold does not say that the other does.
        if !holds && args.iter().any(may_be_undecided) {
            return;
        }
        let opposites: Vec<Term> = args.iter().map(|arg| self.opposite(arg)).collect();
        let whole = if function == Function::And { Function::Or } else { Function::And };
        let of = self.terms.call(whole.name(), opposites);
        found.push(Constraint { of, part: Part::Is(!holds) });
    }

    /// What does not hold where a condition holds.
    fn opposite(&mut self, condition: &Expr) -> Term {
        let (function, args) = match &condition.kind {
            ExprKind::Scalar { function: Function::Not, args } if let [inner] = args.as_slice() => {
                return self.expr(inner).id(&mut self.terms);
            }
            ExprKind::Scalar { function, args } => (opposed(*function), args.as_slice()),
            _ => (None, [].as_slice()),
        };
        match function {
            Some(function) => {
                let args = args.iter().map(|arg| self.expr(arg).id(&mut self.terms)).collect();
                self.terms.call(function.name(), args)
            }
            None => {
                let id = self.expr(condition).id(&mut self.terms);
                self.terms.call(Function::Not.name(), vec![id])
            }
        }
    }

    /// `.city in ["SF", "NY"]`
    fn add_membership(
        &mut self,
        predicate: &Expr,
        value: &Expr,
        members: &[Expr],
        holds: bool,
        found: &mut Vec<Constraint>,
    ) {
        let of = self.expr(value).id(&mut self.terms);
        let mut keys = Vec::with_capacity(members.len());
        let mut is_known = true;
        for member in members {
            let id = self.expr(member).id(&mut self.terms);
            match self.terms.literal(id) {
                Some(Literal::List(values)) => match values.iter().map(Key::of).collect::<Option<Vec<Key>>>()
                {
                    Some(all) => keys.extend(all),
                    None => is_known = false,
                },
                Some(literal) => match Key::of(literal) {
                    Some(key) => keys.push(key),
                    None => is_known = false,
                },
                None => is_known = false,
            }
        }
        if is_known {
            let limits = if holds { Limits::OneOf(keys) } else { Limits::NoneOf(keys) };
            found.push(Constraint { of, part: Part::Limits(Arc::new(limits)) });
        } else {
            self.add_whole(predicate, holds, found);
        }
    }

    /// What a comparison of a column with a value says; `function` is `less`, for a split at the value.
    pub fn before(&mut self, column: (Term, &Ty), at: (Term, &Ty), holds: bool) -> Option<Constraint> {
        self.compared_terms(Function::Less, column, at, holds)
    }

    fn compared_terms(
        &mut self,
        function: Function,
        (left, left_ty): (Term, &Ty),
        (right, right_ty): (Term, &Ty),
        holds: bool,
    ) -> Option<Constraint> {
        let may_be_nan = match left_ty {
            Ty::Ground(ty) => matches!(ty.storage(), Type::Float | Type::Float32),
            Ty::Error => true,
        };
        let (base, offset) = self.terms.base_and_offset(right, left_ty, right_ty);
        let distance = Limits::of(function, Key::offset(offset)?, holds, may_be_nan)?;
        if let Some(limits) = self.terms.literal(base).and_then(|base| distance.beside(base)) {
            return Some(Constraint { of: left, part: Part::Limits(Arc::new(limits)) });
        }
        // Of a value that is not known, all that is told is how far from it the column may be.
        let of = self.terms.call(DISTANCE, vec![left, base]);
        Some(Constraint { of, part: Part::Limits(Arc::new(distance)) })
    }
}

/// The comparison that does not hold where this one does.
fn opposed(function: Function) -> Option<Function> {
    Some(match function {
        Function::Less => Function::GreaterEqual,
        Function::GreaterEqual => Function::Less,
        Function::Greater => Function::LessEqual,
        Function::LessEqual => Function::Greater,
        Function::Equal => Function::NotEqual,
        Function::NotEqual => Function::Equal,
        _ => return None,
    })
}

/// Whether neither a comparison nor its opposite may hold.
fn may_be_undecided(condition: &Expr) -> bool {
    let ExprKind::Scalar { function, args } = &condition.kind else { return false };
    let may_be_nan = |arg: &Expr| match &arg.ty {
        Ty::Ground(ty) => matches!(ty.storage(), Type::Float | Type::Float32),
        Ty::Error => true,
    };
    mirrored(*function) != *function && args.iter().any(may_be_nan)
}

fn is_comparison(function: Function) -> bool {
    mirrored(function) != function || matches!(function, Function::Equal | Function::NotEqual)
}

/// `a < b` is `b > a`.
fn mirrored(function: Function) -> Function {
    match function {
        Function::Less => Function::Greater,
        Function::LessEqual => Function::GreaterEqual,
        Function::Greater => Function::Less,
        Function::GreaterEqual => Function::LessEqual,
        other => other,
    }
}
