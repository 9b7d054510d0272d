//! Unary and binary operators.

use flow_ir::{expr::Function, types::Type, value::Value};
use flow_syntax::{
    ast::{self, BinaryOp, ExprKind, Literal, UnaryOp},
    diagnostic::code,
    span::Span,
};

use super::{Checker, Typed, known_value, literal::negative};
use crate::{
    body,
    stages::Stage,
    types::{join, show},
};

impl<'db> Checker<'db> {
    pub fn unary(
        &mut self,
        op: UnaryOp,
        operand: &'db ast::Expr,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        match op {
            UnaryOp::Not => {
                let operand = self.expr(operand, Some(&Type::Bool));
                self.scalar(Function::Not, "not", vec![operand], span)
            }
            UnaryOp::Negate => {
                if let ExprKind::Literal(Literal::Int(magnitude)) = operand.kind {
                    return match negative(magnitude) {
                        Some(value) => Typed::new(
                            body::ExprKind::Value(Value::Int(value)),
                            Type::Int,
                            span,
                            Stage::Planned,
                        ),
                        None => self.fail(code::MALFORMED_LITERAL, span, "this is below the least Int"),
                    };
                }
                let operand = self.expr(operand, expected);
                let negated = operand.ty().cloned().zip(known_value(&operand.expr));
                match negated {
                    Some((ty, Value::Float(value))) => {
                        let value = body::ExprKind::Value(Value::from(-value.0));
                        let ty = if ty == Type::Fraction { Type::Float } else { ty };
                        Typed::new(value, ty, span, Stage::Planned)
                    }
                    Some((ty, Value::Duration(value))) => {
                        let value = body::ExprKind::Value(Value::Duration(value.saturating_neg()));
                        Typed::new(value, ty, span, Stage::Planned)
                    }
                    _ => self.scalar(Function::Negate, "-", vec![operand], span),
                }
            }
        }
    }

    pub fn binary(&mut self, op: BinaryOp, left: &'db ast::Expr, right: &'db ast::Expr, span: Span) -> Typed {
        match op {
            BinaryOp::OrElse => self.or_else(left, right, span),
            BinaryOp::In => self.is_in(left, right, span),
            BinaryOp::Equal | BinaryOp::NotEqual => self.equality(op, left, right, span),
            _ => {
                let (left, right) = (self.expr(left, None), self.expr(right, None));
                self.scalar(function(op), op.symbol(), vec![left, right], span)
            }
        }
    }

    pub fn range(&mut self, low: &'db ast::Expr, high: &'db ast::Expr, inclusive: bool, span: Span) -> Typed {
        let range = self.range_of_loop(low, high, inclusive, span);
        let message = "the bounds of a range must be known when the workflow is planned";
        let help = "compute them from literals, parameters and what follows from these";
        if range.ty().is_some() && !self.require_planned(&range.stage, span, message, help) {
            return Typed::error(span);
        }
        range
    }

    /// What a loop runs over: the loop says what must be known when.
    pub fn range_of_loop(
        &mut self,
        low: &'db ast::Expr,
        high: &'db ast::Expr,
        inclusive: bool,
        span: Span,
    ) -> Typed {
        let (low, high) = (self.expr_as(low, &Type::Int), self.expr_as(high, &Type::Int));
        let stage = low.stage.clone().and(&high.stage);
        if low.ty().is_none() || high.ty().is_none() {
            return Typed::error(span);
        }
        let kind = body::ExprKind::Range { low: Box::new(low.expr), high: Box::new(high.expr), inclusive };
        Typed::new(kind, Type::List(Box::new(Type::Int)), span, stage)
    }

    /// `value ?? default`
    fn or_else(&mut self, left: &'db ast::Expr, right: &'db ast::Expr, span: Span) -> Typed {
        let left = self.expr(left, None);
        let wanted = left.ty().map(|ty| ty.present().clone());
        let right = self.expr(right, wanted.as_ref());
        let (Some(value), Some(default)) = (left.ty(), right.ty()) else { return Typed::error(span) };
        let present = match value {
            Type::Nothing => default.clone(),
            other => other.present().clone(),
        };
        if let Some(meaning) = kept_by_default(&present, default) {
            let stage = left.stage.clone().and(&right.stage);
            let right = self.coerce(right, &meaning.storage().clone().optional(), "");
            let plain = if right.ty().is_some_and(Type::is_optional) {
                meaning.storage().clone().optional()
            } else {
                meaning.storage().clone()
            };
            let ty = if plain.is_optional() { meaning.optional() } else { meaning };
            let args = vec![left.expr, right.expr];
            let kind = body::ExprKind::Scalar { function: Function::OrElse, args };
            return self.with_meaning(Typed::new(kind, plain, span, stage), ty);
        }
        let Some(common) = join(&present, default) else {
            let message = format!(
                "`??` gives one or the other, and these are `{}` and `{}`",
                show(value),
                show(default)
            );
            return self.fail(code::TYPE_MISMATCH, span, message);
        };
        let stage = left.stage.clone().and(&right.stage);
        let right = self.coerce(right, &common, "");
        let kind = body::ExprKind::Scalar { function: Function::OrElse, args: vec![left.expr, right.expr] };
        Typed::new(kind, common, span, stage)
    }

    fn equality(&mut self, op: BinaryOp, left: &'db ast::Expr, right: &'db ast::Expr, span: Span) -> Typed {
        let left = self.expr(left, None);
        let right = self.expr(right, left.ty().cloned().as_ref());
        if self.context == super::Context::Test {
            self.check_words(&left, &right);
            self.check_words(&right, &left);
            if !self.check_no_handles(op.symbol(), &left, &right) {
                return Typed::error(span);
            }
        }
        // Whether a value is there is known when planned even of a table or a model.
        for (value, other) in [(&left, &right), (&right, &left)] {
            if other.ty() == Some(&Type::Nothing)
                && let Some(ty) = value.ty()
                && matches!(ty.present(), Type::Dataset(_) | Type::Model(_) | Type::File | Type::Opaque(_))
            {
                let kind = body::ExprKind::Scalar {
                    function: function(op),
                    args: vec![left.expr.clone(), right.expr.clone()],
                };
                let is_param = matches!(value.expr.kind, body::ExprKind::Local(_));
                let stage = if is_param { Stage::Planned } else { value.stage.clone() };
                return Typed::new(kind, Type::Bool, span, stage);
            }
        }
        let compared = self.scalar(function(op), op.symbol(), vec![left, right], span);
        self.always_known(compared)
    }

    fn is_in(&mut self, left: &'db ast::Expr, right: &'db ast::Expr, span: Span) -> Typed {
        let value = self.expr(left, None);
        let hint = value.ty().map(|ty| Type::List(Box::new(ty.present().clone())));
        let list = self.expr(right, hint.as_ref());
        let Some(ty) = list.ty() else { return Typed::error(span) };
        if !matches!(ty, Type::List(_)) {
            let message = format!("`in` looks into a list, and this is `{}`", show(ty));
            return self.fail(code::TYPE_MISMATCH, list.span(), message);
        }
        if self.context == super::Context::Test {
            self.check_words(&value, &list);
            if !self.check_no_handles("in", &value, &list) {
                return Typed::error(span);
            }
        }
        let stage = list.stage.clone();
        let args = match list.expr.kind {
            body::ExprKind::List(members) if !members.is_empty() => {
                let members = members.into_iter().map(|expr| Typed { expr, stage: stage.clone() });
                std::iter::once(value).chain(members).collect()
            }
            _ => vec![value, list],
        };
        self.scalar(Function::In, "in", args, span)
    }

    /// A condition, or what decides over a row: a Bool that is there.
    pub fn predicate(&mut self, condition: &'db ast::Expr, user: &str) -> Typed {
        let typed = self.expr(condition, Some(&Type::Bool));
        self.as_predicate(typed, user)
    }

    pub fn as_predicate(&mut self, typed: Typed, user: &str) -> Typed {
        let Some(ty) = typed.ty() else { return typed };
        match ty {
            Type::Bool => typed,
            Type::Refined { base, .. } if **base == Type::Bool => typed,
            Type::Label { of, .. } | Type::Pii(of) if **of == Type::Bool => typed,
            ty if ty.is_optional() && *ty.storage() == Type::Bool => self.missing(typed.span(), user),
            other => {
                let message = format!("{user} needs a Bool, and this is `{}`", show(other));
                self.fail(code::TYPE_MISMATCH, typed.span(), message)
            }
        }
    }
}

fn function(op: BinaryOp) -> Function {
    match op {
        BinaryOp::Power => Function::Power,
        BinaryOp::Multiply => Function::Multiply,
        BinaryOp::Divide => Function::Divide,
        BinaryOp::Remainder => Function::Remainder,
        BinaryOp::Add => Function::Add,
        BinaryOp::Subtract => Function::Subtract,
        BinaryOp::OrElse => Function::OrElse,
        BinaryOp::Equal => Function::Equal,
        BinaryOp::NotEqual => Function::NotEqual,
        BinaryOp::Less => Function::Less,
        BinaryOp::LessEqual => Function::LessEqual,
        BinaryOp::Greater => Function::Greater,
        BinaryOp::GreaterEqual => Function::GreaterEqual,
        BinaryOp::In => Function::In,
        BinaryOp::And => Function::And,
        BinaryOp::Or => Function::Or,
    }
}

/// The meaning that a column keeps where a plain default stands in for what is missing. A Label does not: a
/// computed one is written `label(…)`.
fn kept_by_default(present: &Type, default: &Type) -> Option<Type> {
    let is_kept = matches!(
        present,
        Type::Id(_) | Type::QueryId(_) | Type::Pii(_) | Type::Category | Type::EventTime | Type::Weight
    );
    let is_alike = default.present() == present || {
        let (stored, given) = (present.storage(), default.present());
        stored == given || matches!((stored, given), (Type::Float, Type::Int))
    };
    (is_kept && is_alike).then(|| present.clone())
}
