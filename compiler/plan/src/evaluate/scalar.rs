//! Scalar functions, conversions and choices: folded where all is known, terms elsewhere.

use std::rc::Rc;

use flow_analysis::{
    body::{Expr, Part},
    ty::Ty,
};
use flow_ir::{
    expr::{EvalError, Function},
    types::Type,
    value::Value,
};
use flow_syntax::span::Span;

use super::{
    evaluator::{Evaluator, Frame, Result},
    fold,
    fuel::heap_size,
    names::Name,
    value::{Known, Planned, Term, TermKind},
};
use crate::error::Problem;

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn scalar(
        &mut self,
        frame: &mut Frame,
        function: Function,
        args: &[Expr],
        expr: &Expr,
    ) -> Result<Planned> {
        // The key that keeps a hash from being looked up is the project's, which there is none of yet.
        if let (Function::Hash, [value]) = (function, args)
            && self.ground(frame, &value.ty, value.span)?.is_personal()
        {
            return self.not_yet(frame, expr, "`hash` of personal data");
        }
        if let [left, right] = args {
            let decides = match function {
                Function::And => |value: &Value| *value == Value::Bool(false),
                Function::Or => |value: &Value| *value == Value::Bool(true),
                Function::OrElse => |value: &Value| *value != Value::None,
                _ => return self.strict(frame, function, args, expr),
            };
            let first = self.expr(frame, left, None)?;
            return match first.as_known() {
                // The other side is not looked at: it may be there only where this one is not.
                Some(value) if decides(value) => Ok(first),
                Some(_) => self.expr(frame, right, None),
                None => {
                    let second = self.perhaps(|evaluator| evaluator.expr(frame, right, None))?;
                    self.apply(frame, function, vec![(first, left), (second, right)], expr)
                }
            };
        }
        self.strict(frame, function, args, expr)
    }

    #[inline(never)]
    fn strict(
        &mut self,
        frame: &mut Frame,
        function: Function,
        args: &[Expr],
        expr: &Expr,
    ) -> Result<Planned> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push((self.expr(frame, arg, None)?, arg));
        }
        self.apply(frame, function, values, expr)
    }

    #[inline(never)]
    pub(super) fn apply(
        &mut self,
        frame: &Frame,
        function: Function,
        args: Vec<(Planned, &Expr)>,
        expr: &Expr,
    ) -> Result<Planned> {
        if let Some(value) = self.presence(frame, function, &args, expr)? {
            return Ok(value);
        }
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let mut typed = Vec::with_capacity(args.len());
        for (value, arg) in args {
            let arg_ty = self.ground(frame, &arg.ty, arg.span)?;
            match (function, value, list_element(&arg_ty)) {
                // A list among the alternatives stands for its elements.
                (Function::In, Planned::Known(known), Some(element)) if !typed.is_empty() => {
                    if let Value::List(items) = &*known.value {
                        typed
                            .extend(items.iter().map(|item| (Planned::known(item.clone()), element.clone())));
                    }
                }
                (Function::In, Planned::List(items), Some(element)) if !typed.is_empty() => {
                    typed.extend(items.iter().map(|item| (item.clone(), element.clone())));
                }
                (_, value, _) => typed.push((value, arg_ty)),
            }
        }
        self.call(frame, function, typed, ty, expr.span)
    }

    /// Applies a function to arguments of these types: at once, where all are known.
    pub(super) fn call(
        &mut self,
        frame: &Frame,
        function: Function,
        args: Vec<(Planned, Type)>,
        ty: Type,
        span: Span,
    ) -> Result<Planned> {
        self.fuel.steps(args.len() as u64).map_err(|problem| self.at(frame, span, problem))?;
        if args.iter().all(|(value, _)| matches!(value, Planned::Known(_))) {
            let values = args.iter().filter_map(|(value, ty)| Some((&**value.as_known()?, ty)));
            match fold::call(function, values, ty.clone()) {
                Err(_) if self.is_perhaps() => {}
                value => return self.folded(frame, value, span),
            }
        }
        let mut terms = Vec::with_capacity(args.len());
        for (value, ty) in args {
            terms.push(self.as_term(frame, value, ty, span)?);
        }
        let kind = TermKind::Call { function, args: terms };
        Ok(Planned::Term(self.term(frame, span, kind, ty)?))
    }

    /// Whether something is there: known where its type says that it always is, also for tables and models.
    fn presence(
        &self,
        frame: &Frame,
        function: Function,
        args: &[(Planned, &Expr)],
        expr: &Expr,
    ) -> Result<Option<Planned>> {
        let is_none = |value: &Planned| value.as_known().is_some_and(|value| **value == Value::None);
        let (value, arg) = match (function, args) {
            (Function::IsMissing, [(value, arg)]) => (value, arg),
            (Function::Equal | Function::NotEqual, [(value, arg), (other, _)]) if is_none(other) => {
                (value, arg)
            }
            (Function::Equal | Function::NotEqual, [(other, _), (value, arg)]) if is_none(other) => {
                (value, arg)
            }
            _ => return Ok(None),
        };
        let is_negated = function == Function::NotEqual;
        let known = |is_missing: bool| Ok(Some(Planned::known(Value::Bool(is_missing != is_negated))));
        let arg_ty = self.ground(frame, &arg.ty, arg.span)?;
        match value {
            Planned::Known(value) => known(*value.value == Value::None),
            Planned::List(_) | Planned::Record(_) => known(false),
            Planned::Future(source) if !self.source_type(*source).is_some_and(Type::is_optional) => {
                known(false)
            }
            Planned::Term(term) if !term.ty.is_optional() => known(false),
            value => {
                let operand = self.as_term(frame, value.clone(), arg_ty, arg.span)?;
                let call = |function, args, span| {
                    self.term(frame, span, TermKind::Call { function, args }, Type::Bool)
                };
                let missing = call(Function::IsMissing, vec![operand], expr.span)?;
                let term = if is_negated { call(Function::Not, vec![missing], expr.span)? } else { missing };
                Ok(Some(Planned::Term(term)))
            }
        }
    }

    #[inline(never)]
    pub(super) fn cast(&mut self, frame: &mut Frame, operand: &Expr, expr: &Expr) -> Result<Planned> {
        let value = self.expr(frame, operand, None)?;
        let from = self.ground(frame, &operand.ty, operand.span)?;
        let to = self.ground(frame, &expr.ty, expr.span)?;
        self.convert(frame, value, &from, &to, expr.span)
    }

    /// `value` as a value of type `to`, element by element and field by field.
    pub(super) fn convert(
        &mut self,
        frame: &Frame,
        value: Planned,
        from: &Type,
        to: &Type,
        span: Span,
    ) -> Result<Planned> {
        if to.is_optional() && value.as_known().is_some_and(|value| **value == Value::None) {
            return Ok(value);
        }
        let is_written_path = matches!(to.present(), Type::File) && !matches!(from.present(), Type::File);
        if let (Type::List(from), Type::List(to)) = (from.present(), to.present()) {
            if from == to || matches!(value, Planned::Future(_) | Planned::Term(_)) {
                return Ok(value);
            }
            let items = self.elements(frame, value, span)?;
            let mut converted = Vec::with_capacity(items.len());
            for item in items {
                converted.push(self.convert(frame, item, from, to, span)?);
            }
            return Ok(Planned::list(converted));
        }
        if let (Type::Record(from), Type::Record(to)) = (from.present(), to.present()) {
            if from.fields == to.fields || matches!(value, Planned::Future(_) | Planned::Term(_)) {
                return Ok(value);
            }
            let mut converted = Vec::with_capacity(to.fields.len());
            for field in &to.fields {
                let Some(source) = from.field(&field.name) else { return Ok(value) };
                let part =
                    self.field_of(frame, value.clone(), &field.name, &Ty::Ground(source.ty.clone()), span)?;
                converted.push((field.name.clone(), self.convert(frame, part, &source.ty, &field.ty, span)?));
            }
            return Ok(Planned::record(converted));
        }
        match value {
            Planned::Known(known) => {
                if let (true, Value::Text(path)) = (is_written_path, &*known.value) {
                    return Ok(Planned::known(Self::file(frame, path)));
                }
                let value = match fold::cast(&known.value, to) {
                    Err(_) if self.is_perhaps() && is_scalar(to) => {
                        let operand = self.term(frame, span, TermKind::Literal(known.value), from.clone())?;
                        return Ok(Planned::Term(self.term(
                            frame,
                            span,
                            TermKind::Cast(operand),
                            to.clone(),
                        )?));
                    }
                    value => self.folded(frame, value, span)?,
                };
                // A widening in name alone leaves it the workflow's parameter.
                Ok(match value {
                    Planned::Known(cast) if cast.value == known.value => Planned::Known(known),
                    other => other,
                })
            }
            // What a column means is a part of its type, even where it is stored alike.
            Planned::Term(term) if term.has_columns => {
                Ok(Planned::Term(self.term(frame, span, TermKind::Cast(term), to.clone())?))
            }
            value if from.storage() == to.storage() || !is_scalar(to) => Ok(value),
            value => {
                let operand = self.as_term(frame, value, from.clone(), span)?;
                Ok(Planned::Term(self.term(frame, span, TermKind::Cast(operand), to.clone())?))
            }
        }
    }

    #[inline(never)]
    pub(super) fn interpolate(&mut self, frame: &mut Frame, parts: &[Part], expr: &Expr) -> Result<Planned> {
        let mut values: Vec<(Planned, Type)> = Vec::with_capacity(parts.len());
        for part in parts {
            let value = match part {
                Part::Text(text) => Planned::known(Value::Text(text.clone())),
                Part::Expr(part) => {
                    let value = self.expr(frame, part, None)?;
                    let from = self.ground(frame, &part.ty, part.span)?;
                    match from.storage() {
                        Type::Text => value,
                        _ => self.convert(frame, value, &from, &Type::Text, part.span)?,
                    }
                }
            };
            match (values.last_mut(), value.as_known().map(|value| &**value)) {
                (Some((Planned::Known(Known { value: last, .. }), _)), Some(Value::Text(text))) => {
                    if let Value::Text(last) = Rc::make_mut(last) {
                        last.push_str(text);
                    }
                }
                _ => values.push((value, Type::Text)),
            }
        }
        if values.len() == 1
            && let Some((Planned::Known(known), _)) = values.first()
        {
            let bytes = heap_size(&known.value);
            self.fuel.bytes(bytes).map_err(|problem| self.at(frame, expr.span, problem))?;
            return Ok(Planned::Known(Known { value: Rc::clone(&known.value), parameter: None }));
        }
        if values.is_empty() {
            return Ok(Planned::known(Value::Text(String::new())));
        }
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        self.call(frame, Function::Concat, values, ty, expr.span)
    }

    #[inline(never)]
    pub(super) fn choose(
        &mut self,
        frame: &mut Frame,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let test = self.expr(frame, condition, None)?;
        match test.as_known().map(|value| &**value) {
            Some(Value::Bool(true)) => return self.expr(frame, then, name),
            Some(Value::Bool(false)) => return self.expr(frame, otherwise, name),
            Some(other) => {
                let fact = format!("a condition is {other:?}");
                return Err(self.at(frame, condition.span, Problem::Disagreement { fact }));
            }
            None => {}
        }
        let ty = self.decided_later(frame, &test, condition.span, expr)?;
        let test = self.as_term(frame, test, Type::Bool, condition.span)?;
        let then = self.branch(frame, then, &ty)?;
        let otherwise = self.branch(frame, otherwise, &ty)?;
        let kind = TermKind::Case { arms: vec![(test, then)], otherwise };
        Ok(Planned::Term(self.term(frame, expr.span, kind, ty)?))
    }

    #[inline(never)]
    pub(super) fn matching(
        &mut self,
        frame: &mut Frame,
        subject: &Expr,
        arms: &[(Option<Value>, Expr)],
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let value = self.expr(frame, subject, None)?;
        let subject_ty = self.ground(frame, &subject.ty, subject.span)?;
        let unmatched = || Problem::Disagreement { fact: "no arm of a `match` fits".to_owned() };
        if let Some(value) = value.as_known().cloned() {
            for (pattern, arm) in arms {
                let fits = match pattern {
                    None => true,
                    Some(pattern) => {
                        self.fuel.steps(1).map_err(|problem| self.at(frame, subject.span, problem))?;
                        *value == *pattern || is_equal_number(&value, pattern, &subject_ty)
                    }
                };
                if fits {
                    return self.expr(frame, arm, name);
                }
            }
            return Err(self.at(frame, expr.span, unmatched()));
        }
        let ty = self.decided_later(frame, &value, subject.span, expr)?;
        let subject_term = self.as_term(frame, value, subject_ty.clone(), subject.span)?;
        let mut cases = Vec::with_capacity(arms.len());
        let mut otherwise = None;
        for (pattern, arm) in arms {
            let result = self.branch(frame, arm, &ty)?;
            let Some(pattern) = pattern else {
                otherwise = Some(result);
                break;
            };
            let (function, args) = if *pattern == Value::None {
                (Function::IsMissing, vec![Rc::clone(&subject_term)])
            } else {
                let literal = TermKind::Literal(Rc::new(pattern.clone()));
                let literal = self.term(frame, arm.span, literal, subject_ty.present().clone())?;
                (Function::Equal, vec![Rc::clone(&subject_term), literal])
            };
            let test = self.term(frame, arm.span, TermKind::Call { function, args }, Type::Bool)?;
            cases.push((test, result));
        }
        // Without `_` the arms are exhaustive, so that the last one needs no test.
        let otherwise = match otherwise {
            Some(otherwise) => otherwise,
            None => cases.pop().ok_or_else(|| self.at(frame, expr.span, unmatched()))?.1,
        };
        if cases.is_empty() {
            return Ok(Planned::Term(otherwise));
        }
        let kind = TermKind::Case { arms: cases, otherwise };
        Ok(Planned::Term(self.term(frame, expr.span, kind, ty)?))
    }

    /// The type of an `if` or `match` that stands for itself in an expression: over columns, or in a fn
    /// over scalars that are known only when run.
    fn decided_later(&self, frame: &Frame, test: &Planned, span: Span, expr: &Expr) -> Result<Type> {
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let is_over_columns = matches!(test, Planned::Term(term) if term.has_columns);
        if (is_over_columns || frame.is_fn) && is_scalar(&ty) {
            Ok(ty)
        } else {
            Err(self.at(frame, span, Problem::NotKnown { what: "what decides here" }))
        }
    }

    fn branch(&mut self, frame: &mut Frame, expr: &Expr, ty: &Type) -> Result<Rc<Term>> {
        let value = self.perhaps(|evaluator| evaluator.expr(frame, expr, None))?;
        let own = self.ground(frame, &expr.ty, expr.span)?;
        let own = if own == Type::Nothing { ty.clone() } else { own };
        self.as_term(frame, value, own, expr.span)
    }

    pub(super) fn as_term(&self, frame: &Frame, value: Planned, ty: Type, span: Span) -> Result<Rc<Term>> {
        match value {
            Planned::Term(term) => Ok(term),
            Planned::Known(known) => self.term(frame, span, TermKind::Literal(known.value), ty),
            Planned::Future(source) => {
                let ty = self.source_type(source).cloned().unwrap_or(ty);
                self.term(frame, span, TermKind::Future(source), ty)
            }
            Planned::List(_) | Planned::Record(_) => {
                let construct = "a list or record of values that are known when run, in an expression,";
                Err(self.at(frame, span, Problem::NotYet { construct }))
            }
        }
    }

    /// The field of a record, whatever is known of it.
    pub(super) fn field_of(
        &mut self,
        frame: &Frame,
        base: Planned,
        field: &str,
        ty: &Ty,
        span: Span,
    ) -> Result<Planned> {
        let found = match &base {
            Planned::Record(fields) => {
                fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
            }
            Planned::Known(known) => {
                let value = known.value.field(field).cloned();
                if let Some(value) = &value {
                    self.fuel.copy(value).map_err(|problem| self.at(frame, span, problem))?;
                }
                value.map(Planned::known)
            }
            Planned::Future(_) | Planned::Term(_) => {
                let ty = self.ground(frame, ty, span)?;
                let name = (Planned::known(field.into()), Type::Text);
                return self.call(frame, Function::Field, vec![(base, Type::Nothing), name], ty, span);
            }
            Planned::List(_) => None,
        };
        found.ok_or_else(|| {
            let fact = format!("a record has no field `{field}`");
            self.at(frame, span, Problem::Disagreement { fact })
        })
    }

    fn folded(
        &mut self,
        frame: &Frame,
        value: std::result::Result<Value, EvalError>,
        span: Span,
    ) -> Result<Planned> {
        let value = value
            .map_err(|error| self.at(frame, span, Problem::Computation { message: error.to_string() }))?;
        self.fuel.bytes(heap_size(&value)).map_err(|problem| self.at(frame, span, problem))?;
        Ok(Planned::known(value))
    }
}

/// `match x { 1 => … }` where x is the Float 1.0.
fn is_equal_number(value: &Value, pattern: &Value, ty: &Type) -> bool {
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
    let pattern_ty = if matches!(pattern, Value::Int(_)) { Type::Int } else { Type::Float };
    is_number(value)
        && is_number(pattern)
        && fold::call(Function::Equal, [(value, ty), (pattern, &pattern_ty)].into_iter(), Type::Bool)
            == Ok(Value::Bool(true))
}

fn list_element(ty: &Type) -> Option<Type> {
    match ty.present() {
        Type::List(element) => Some((**element).clone()),
        _ => None,
    }
}

/// Whether an expression can give it.
fn is_scalar(ty: &Type) -> bool {
    !matches!(
        ty.storage(),
        Type::Dataset(_) | Type::Model(_) | Type::Opaque(_) | Type::List(_) | Type::Record(_) | Type::Nothing
    )
}
