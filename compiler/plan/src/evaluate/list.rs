//! Lists: literals, ranges, `for`, elements and the functions over them.

use std::rc::Rc;

use flow_analysis::body::{Builtin, Expr, Pattern};
use flow_ir::{expr::Function, hash::Hash, node::NodeKind, types::Type, value::Value};
use flow_syntax::span::Span;

use super::{
    evaluator::{Evaluator, Frame, Result},
    fold,
    fuel::VALUE_SIZE,
    names::Name,
    value::Planned,
};
use crate::error::Problem;

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn list(&mut self, frame: &mut Frame, items: &[Expr], span: Span) -> Result<Planned> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let value = self.expr(frame, item, None)?;
            values.push(self.settle(frame, value, item.span, None)?);
        }
        self.list_of(frame, values, span)
    }

    /// A list of these values. Those that something else holds as well are copied into it.
    fn list_of(&mut self, frame: &Frame, values: Vec<Planned>, span: Span) -> Result<Planned> {
        for value in &values {
            self.count_copy(frame, value, span)?;
        }
        Ok(Planned::list(values))
    }

    #[inline(never)]
    pub(super) fn range(
        &mut self,
        frame: &mut Frame,
        low: &Expr,
        high: &Expr,
        is_inclusive: bool,
        span: Span,
    ) -> Result<Planned> {
        let (low, high) = (self.known_int(frame, low)?, self.known_int(frame, high)?);
        let count = i128::from(high) - i128::from(low) + i128::from(is_inclusive);
        let count = u64::try_from(count.max(0)).unwrap_or(u64::MAX);
        self.fuel.bytes(count.saturating_mul(VALUE_SIZE)).map_err(|problem| self.at(frame, span, problem))?;
        let items = if is_inclusive {
            (low..=high).map(Value::Int).collect()
        } else {
            (low..high).map(Value::Int).collect()
        };
        Ok(Planned::known(Value::List(items)))
    }

    #[inline(never)]
    pub(super) fn each(
        &mut self,
        frame: &mut Frame,
        pattern: &Pattern,
        list: &Expr,
        body: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let items = self.expr(frame, list, None)?;
        let items = self.elements(frame, items, list.span)?;
        let outer = self.scope;
        let this = self.names.enter_loop(outer, name);
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            self.scope = self.names.enter_round(this, index);
            self.bind(frame, pattern, item, list.span)?;
            let value = self.expr(frame, body, None)?;
            values.push(self.settle(frame, value, body.span, None)?);
        }
        self.scope = outer;
        self.list_of(frame, values, body.span)
    }

    #[inline(never)]
    pub(super) fn index(
        &mut self,
        frame: &mut Frame,
        base: &Expr,
        index: &Expr,
        expr: &Expr,
    ) -> Result<Planned> {
        let list = self.expr(frame, base, None)?;
        let at = self.expr(frame, index, None)?;
        let (length, at) = match (&list, at.as_known().map(|value| &**value)) {
            (Planned::List(items), Some(Value::Int(at))) => (items.len(), *at),
            (Planned::List(_), _) => {
                return Err(self.at(frame, index.span, Problem::NotKnown { what: "which element this is" }));
            }
            (Planned::Known(known), Some(Value::Int(at))) => match &*known.value {
                Value::List(items) => (items.len(), *at),
                _ => (0, *at),
            },
            _ => {
                let ty = self.ground(frame, &expr.ty, expr.span)?;
                let list_ty = self.ground(frame, &base.ty, base.span)?;
                let args = vec![(list, list_ty), (at, Type::Int)];
                return self.call(frame, Function::Element, args, ty, expr.span);
            }
        };
        let outside = |this: &Self| this.at(frame, index.span, Problem::Index { index: at, length });
        let place = usize::try_from(at).ok().filter(|place| *place < length).ok_or_else(|| outside(self))?;
        let item = match &list {
            Planned::List(items) => items.get(place).cloned(),
            Planned::Known(known) => match &*known.value {
                Value::List(items) => match items.get(place) {
                    Some(item) => {
                        self.fuel.copy(item).map_err(|problem| self.at(frame, expr.span, problem))?;
                        Some(Planned::known(item.clone()))
                    }
                    None => None,
                },
                _ => None,
            },
            _ => None,
        };
        item.ok_or_else(|| outside(self))
    }

    #[inline(never)]
    pub(super) fn builtin(
        &mut self,
        frame: &mut Frame,
        builtin: Builtin,
        args: &[Expr],
        policy: &[(String, Expr)],
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        match builtin {
            Builtin::Wait => return self.wait(frame, NodeKind::Wait, args, policy, expr, name),
            Builtin::WaitFor => return self.wait(frame, NodeKind::WaitFor, args, policy, expr, name),
            Builtin::Pass => return self.pass(frame, args, expr, name),
            _ => {}
        }
        let Some(first) = args.first() else {
            let fact = "a function over lists has no argument".to_owned();
            return Err(self.at(frame, expr.span, Problem::Disagreement { fact }));
        };
        let list = self.expr(frame, first, None)?;
        let items = self.elements(frame, list, first.span)?;
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let element = match self.ground(frame, &first.ty, first.span)?.present() {
            Type::List(element) => (**element).clone(),
            _ => ty.clone(),
        };
        match builtin {
            Builtin::Len => Ok(Planned::known(Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)))),
            Builtin::Concat => {
                let mut all = Vec::new();
                for item in items {
                    all.extend(self.elements(frame, item, first.span)?);
                }
                self.list_of(frame, all, expr.span)
            }
            Builtin::SortedBy => {
                let by = args.get(1).map(|by| self.expr(frame, by, None)).transpose()?;
                self.sorted(frame, items, by, expr.span)
            }
            Builtin::Sample => {
                let [_, n, seed] = args else {
                    let fact = "a sample has no size and seed".to_owned();
                    return Err(self.at(frame, expr.span, Problem::Disagreement { fact }));
                };
                let (n, seed) = (self.known_int(frame, n)?, self.known_int(frame, seed)?);
                Ok(Planned::list(sample(items, n, seed)))
            }
            _ => self.reduce(frame, builtin, items, element, ty, expr.span),
        }
    }

    /// The elements of a list whose length is known when planned.
    pub(super) fn elements(&mut self, frame: &Frame, list: Planned, span: Span) -> Result<Vec<Planned>> {
        let items: Vec<Planned> = match list {
            Planned::List(items) => items.to_vec(),
            Planned::Known(known) => {
                let is_shared = Rc::strong_count(&known.value) > 1;
                match Rc::unwrap_or_clone(known.value) {
                    Value::List(items) => {
                        for item in items.iter().filter(|_| is_shared) {
                            self.fuel.copy(item).map_err(|problem| self.at(frame, span, problem))?;
                        }
                        items.into_iter().map(Planned::known).collect()
                    }
                    other => {
                        let fact = format!("{other:?} stands for a list");
                        return Err(self.at(frame, span, Problem::Disagreement { fact }));
                    }
                }
            }
            Planned::Future(_) | Planned::Term(_) => {
                return Err(self.at(frame, span, Problem::NotKnown { what: "this list" }));
            }
            Planned::Record(_) => {
                let fact = "a record stands for a list".to_owned();
                return Err(self.at(frame, span, Problem::Disagreement { fact }));
            }
        };
        self.fuel.steps(items.len() as u64).map_err(|problem| self.at(frame, span, problem))?;
        Ok(items)
    }

    /// Adds or compares in pairs of halves: the expression stays shallow, and Float sums lose less than
    /// from left to right. Missing elements are skipped where they are known.
    fn reduce(
        &mut self,
        frame: &Frame,
        builtin: Builtin,
        mut items: Vec<Planned>,
        element: Type,
        ty: Type,
        span: Span,
    ) -> Result<Planned> {
        items.retain(|item| item.as_known().is_none_or(|value| **value != Value::None));
        let count = items.len();
        let (function, word) = match builtin {
            Builtin::Min => (Function::Min, "min"),
            Builtin::Max => (Function::Max, "max"),
            Builtin::Mean => (Function::Add, "mean"),
            _ => (Function::Add, "sum"),
        };
        if count == 0 {
            return match ty.present() {
                Type::Int if builtin == Builtin::Sum => Ok(Planned::known(Value::Int(0))),
                Type::Float if builtin == Builtin::Sum => Ok(Planned::known(0.0.into())),
                Type::Duration if builtin == Builtin::Sum => Ok(Planned::known(Value::Duration(0))),
                Type::Size if builtin == Builtin::Sum => Ok(Planned::known(Value::Size(0))),
                _ if ty.is_optional() => Ok(Planned::known(Value::None)),
                _ => Err(self.at(frame, span, Problem::EmptyList { function: word })),
            };
        }
        let mut of = match element.present() {
            // Only the whole is a metric again.
            Type::Metric(_) if function == Function::Add => Type::Float,
            other => other.clone(),
        };
        if builtin == Builtin::Mean && matches!(of.storage(), Type::Int) {
            // As Floats, sums of large Ints do not overflow.
            for item in &mut items {
                *item = self.convert(frame, item.clone(), &of, &Type::Float, span)?;
            }
            of = Type::Float;
        }
        while items.len() > 1 {
            let mut halved = Vec::with_capacity(items.len().div_ceil(2));
            let mut rest = items.into_iter();
            while let Some(left) = rest.next() {
                halved.push(match rest.next() {
                    Some(right) => {
                        let args = vec![(left, of.clone()), (right, of.clone())];
                        self.call(frame, function, args, of.clone(), span)?
                    }
                    None => left,
                });
            }
            items = halved;
        }
        let total = items.pop().unwrap_or_else(|| Planned::known(Value::None));
        if builtin == Builtin::Mean {
            let count = Planned::known(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
            return self.call(frame, Function::Divide, vec![(total, of), (count, Type::Int)], ty, span);
        }
        Ok(total)
    }

    fn sorted(
        &mut self,
        frame: &Frame,
        items: Vec<Planned>,
        by: Option<Planned>,
        span: Span,
    ) -> Result<Planned> {
        let by = match by.as_ref().and_then(Planned::as_known).map(|by| &**by) {
            Some(Value::Text(name) | Value::Column(name)) => name.clone(),
            _ => {
                let fact = "`sorted_by` has no field".to_owned();
                return Err(self.at(frame, span, Problem::Disagreement { fact }));
            }
        };
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            let key = match &item {
                Planned::Known(known) => known.value.field(&by).cloned(),
                Planned::Record(fields) => fields
                    .iter()
                    .find(|(name, _)| *name == by)
                    .and_then(|(_, value)| value.as_known())
                    .map(|value| (**value).clone()),
                _ => None,
            };
            let Some(key) = key else {
                return Err(self.at(frame, span, Problem::NotKnown { what: "what this is sorted by" }));
            };
            keyed.push((key, item));
        }
        let steps = (keyed.len() as u64).saturating_mul(u64::from(usize::BITS - keyed.len().leading_zeros()));
        self.fuel.steps(steps).map_err(|problem| self.at(frame, span, problem))?;
        let mut failed = None;
        keyed.sort_by(|(left, _), (right, _)| {
            fold::compare(left, right).unwrap_or_else(|error| {
                failed = Some(error.to_string());
                std::cmp::Ordering::Equal
            })
        });
        match failed {
            Some(message) => Err(self.at(frame, span, Problem::Computation { message })),
            None => Ok(Planned::list(keyed.into_iter().map(|(_, item)| item).collect())),
        }
    }

    pub(super) fn known_int(&mut self, frame: &mut Frame, expr: &Expr) -> Result<i64> {
        let value = self.expr(frame, expr, None)?;
        match value.as_known().map(|value| &**value) {
            Some(Value::Int(value)) => Ok(*value),
            Some(other) => {
                let fact = format!("{other:?} stands for an Int");
                Err(self.at(frame, expr.span, Problem::Disagreement { fact }))
            }
            None => Err(self.at(frame, expr.span, Problem::NotKnown { what: "the end of a range" })),
        }
    }
}

/// Up to `n` of some values, in their order: those whose places have the least hashes under the seed.
fn sample(items: Vec<Planned>, n: i64, seed: i64) -> Vec<Planned> {
    let mut hashed: Vec<(Hash, usize)> = (0..items.len())
        .map(|place| (Hash::of(&[seed.to_le_bytes(), (place as u64).to_le_bytes()].concat()), place))
        .collect();
    hashed.sort_unstable();
    hashed.truncate(usize::try_from(n).unwrap_or(0));
    let mut is_drawn = vec![false; items.len()];
    for (_, place) in hashed {
        if let Some(is_drawn) = is_drawn.get_mut(place) {
            *is_drawn = true;
        }
    }
    items.into_iter().zip(is_drawn).filter_map(|(item, is_drawn)| is_drawn.then_some(item)).collect()
}
