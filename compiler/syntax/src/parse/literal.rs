//! Literals, and texts with expressions in them.

use super::basics::*;
use super::failure::{Expect, Failure};
use super::input::{At, Extra, Rule, Tokens, peek};
use crate::ast::{Expr, ExprKind, Literal, TextPart};
use crate::lex::Kind;
use chumsky::prelude::*;

/// A literal without a sign. A malformed one is `Error`: the lexer has reported it.
pub(super) fn literal() -> impl Parser<'static, Tokens, ExprKind, Extra> + Copy {
    custom(|at: &mut At<'_>| {
        let next = peek(at);
        let kind = match next.kind {
            Kind::True => ExprKind::Literal(Literal::Bool(true)),
            Kind::False => ExprKind::Literal(Literal::Bool(false)),
            Kind::None => ExprKind::Literal(Literal::None),
            Kind::Malformed => ExprKind::Error,
            Kind::Number | Kind::Date | Kind::Time | Kind::Text | Kind::RawText => {
                let value = at.state().values.get(next.value as usize).cloned();
                value.map_or(ExprKind::Error, ExprKind::Literal)
            }
            _ => return Err(Failure::expected(next, &[Expect::Form("a literal")], "")),
        };
        at.skip();
        Ok(kind)
    })
}

/// `"text with {expression}"`
pub(super) fn interpolated(expr: Rule<Expr>) -> Rule<ExprKind> {
    let fragment = |kind: Kind| {
        custom(move |at: &mut At<'_>| {
            let next = peek(at);
            if next.kind != kind {
                return Err(Failure::quiet(next));
            }
            at.skip();
            Ok(text_value(at, next))
        })
    };
    // What is left of an expression that ends before its `}` does.
    let rest = custom(|at: &mut At<'_>| {
        let next = peek(at);
        if !matches!(next.kind, Kind::TextMiddle | Kind::TextEnd) {
            at.emit(Failure::expected(next, &[Expect::Kind(Kind::CloseBrace)], "after the expression"));
            skip_to(at, |_| false);
        }
        Ok(())
    });
    let expr = expr.then_ignore(rest).boxed();
    fragment(Kind::TextStart)
        .then(expr.clone())
        .then(fragment(Kind::TextMiddle).then(expr).repeated().collect::<Vec<_>>())
        .then(fragment(Kind::TextEnd))
        .map(|(((start, first), middle), end)| {
            let mut parts = Vec::with_capacity(2 * middle.len() + 3);
            let text = |parts: &mut Vec<TextPart>, value: String| {
                if !value.is_empty() {
                    parts.push(TextPart::Text(value));
                }
            };
            text(&mut parts, start);
            parts.push(TextPart::Expr(Box::new(first)));
            for (value, expr) in middle {
                text(&mut parts, value);
                parts.push(TextPart::Expr(Box::new(expr)));
            }
            text(&mut parts, end);
            ExprKind::Interpolated(parts)
        })
        .boxed()
}
