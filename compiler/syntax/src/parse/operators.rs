//! Operators by falling precedence: suffixes · `**` · unary `-` · `* / %` · `+ -` · `??` · `.. ..=` ·
//! comparisons · `not` · `and` · `or`.

use super::basics::{token, token_if};
use super::expression::Suffix;
use super::failure::Failure;
use super::input::{Extra, Rule, Tokens};
use crate::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::diagnostic::{Diagnostic, code};
use crate::lex::Kind;
use crate::span::Span;
use chumsky::input::MapExtra;
use chumsky::pratt::{infix, left, postfix, prefix, right};
use chumsky::prelude::*;

/// Operands with operators between, before and behind them.
pub(super) fn operators(operand: Rule<Expr>, suffix: Rule<Suffix>) -> Rule<Expr> {
    use BinaryOp::*;
    let power = operator(|kind| match kind {
        Kind::StarStar => Some(Power),
        _ => None,
    });
    let product = operator(|kind| match kind {
        Kind::Star => Some(Multiply),
        Kind::Slash => Some(Divide),
        Kind::Percent => Some(Remainder),
        _ => None,
    });
    let sum = operator(|kind| match kind {
        Kind::Plus => Some(Add),
        Kind::Minus => Some(Subtract),
        _ => None,
    });
    let or_else = operator(|kind| match kind {
        Kind::QuestionQuestion => Some(OrElse),
        _ => None,
    });
    let comparison = operator(|kind| match kind {
        Kind::EqualEqual => Some(Equal),
        Kind::NotEqual => Some(NotEqual),
        Kind::Less => Some(Less),
        Kind::LessEqual => Some(LessEqual),
        Kind::Greater => Some(Greater),
        Kind::GreaterEqual => Some(GreaterEqual),
        Kind::In => Some(In),
        _ => None,
    });
    let and = operator(|kind| match kind {
        Kind::And => Some(And),
        _ => None,
    });
    let or = operator(|kind| match kind {
        Kind::Or => Some(Or),
        _ => None,
    });
    let range = token_if(|token| matches!(token.kind, Kind::DotDot | Kind::DotDotEqual));

    operand
        .pratt((
            postfix(13, suffix, |base, suffix: Suffix, extra: &mut Place<'_>| {
                suffix.apply(base, extra.span())
            }),
            infix(left(9), sum, binary),
            infix(left(10), product, binary),
            infix(left(6), comparison, |left, op: Operator, right, extra: &mut Place<'_>| {
                if is_comparison(&left) {
                    extra.emit(chained("comparisons do not chain", op.1, "join two comparisons with `and`"));
                }
                binary(left, op, right, extra)
            }),
            infix(left(4), and, binary),
            infix(left(3), or, binary),
            infix(right(12), power, binary),
            infix(left(8), or_else, binary),
            infix(left(7), range, |low: Expr, dots: crate::lex::Token, high: Expr, extra: &mut Place<'_>| {
                if matches!(low.kind, ExprKind::Range { .. }) {
                    extra.emit(chained(
                        "ranges do not chain",
                        dots.span,
                        "a range has one low and one high end",
                    ));
                }
                let span = whole(extra, &high);
                let inclusive = dots.kind == Kind::DotDotEqual;
                Expr { kind: ExprKind::Range { low: Box::new(low), high: Box::new(high), inclusive }, span }
            }),
            prefix(11, token(Kind::Minus), |_, operand, extra: &mut Place<'_>| {
                unary(UnaryOp::Negate, operand, extra)
            }),
            prefix(5, token(Kind::Not), |_, operand, extra: &mut Place<'_>| {
                unary(UnaryOp::Not, operand, extra)
            }),
        ))
        .boxed()
}

type Place<'b> = MapExtra<'static, 'b, Tokens, Extra>;

type Operator = (BinaryOp, Span);

fn operator(
    read: impl Fn(Kind) -> Option<BinaryOp> + Copy + 'static,
) -> impl Parser<'static, Tokens, Operator, Extra> + Copy {
    custom(move |at: &mut super::input::At<'_>| {
        let next = super::input::peek(at);
        match read(next.kind) {
            Some(op) => {
                at.skip();
                Ok((op, next.span))
            }
            None => Err(Failure::quiet(next)),
        }
    })
}

fn binary(left: Expr, (op, op_span): Operator, right: Expr, extra: &mut Place<'_>) -> Expr {
    let span = whole(extra, &right);
    let kind = ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) };
    Expr { kind, span }
}

fn unary(op: UnaryOp, operand: Expr, extra: &mut Place<'_>) -> Expr {
    let span = whole(extra, &operand);
    Expr { kind: ExprKind::Unary { op, operand: Box::new(operand) }, span }
}

/// What has been read, with a last operand that is missing and has its place at the next operator.
fn whole(extra: &mut Place<'_>, last: &Expr) -> Span {
    extra.span().to(last.span)
}

fn is_comparison(expr: &Expr) -> bool {
    use BinaryOp::*;
    let ExprKind::Binary { op, .. } = &expr.kind else { return false };
    matches!(op, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual | In)
}

fn chained(message: &str, at: Span, help: &str) -> Failure {
    Failure::said_at(at, Diagnostic::error(code::UNEXPECTED_TOKEN, at, message).help(help))
}
