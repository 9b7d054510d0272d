//! Patterns: what `let` and `for` bind, and what `match` compares with.

use super::basics::*;
use super::failure::{Expect, Failure};
use super::input::{At, Rule, obstacle, peek};
use super::literal::literal;
use crate::ast::*;
use crate::lex::Kind;
use chumsky::prelude::*;

/// `name`, `(train: fit_rows, test)`; where there is none that is reported, and it is `Error`.
pub(super) fn pattern(after: &'static str) -> Rule<Pattern> {
    let field = field_name()
        .then(token_if(|token| token.kind == Kind::Colon).ignore_then(required_name("after `:`")).or_not())
        .map(|(field, binding)| PatternField { binding: binding.unwrap_or_else(|| field.clone()), field });
    let record = list_if(|token| token.kind == Kind::OpenParen, field, Kind::CloseParen, "after the name")
        .map_with(|fields, extra| Pattern::Record { fields, span: extra.span() });
    let missing = custom(move |at: &mut At<'_>| {
        let next = peek(at);
        let obstacle = obstacle(at);
        at.emit(Failure::expected(obstacle, &[Expect::Form("a name"), Expect::Kind(Kind::OpenParen)], after));
        // A literal or the like in its place is passed over, so that the value behind `=` is read.
        if next.kind.starts_literal() || next.kind.is_keyword() && !next.starts_line && next.kind != Kind::In
        {
            at.skip();
            return Ok(Pattern::Error(next.span));
        }
        Ok(Pattern::Error(here(at)))
    });
    choice((name().map(Pattern::Name).boxed(), record.boxed(), missing.boxed())).boxed()
}

/// A literal, a signed number, an enum's variant, or `_`.
pub(super) fn match_pattern() -> Rule<MatchPattern> {
    let any = custom(|at: &mut At<'_>| {
        let next = peek(at);
        if at.state().text.get(next.span.range()) == Some("_") {
            at.skip();
            return Ok(MatchPattern::Any(next.span));
        }
        Err(Failure::quiet(next))
    });
    let literal = ahead(|next, _, _| next.kind.starts_literal())
        .ignore_then(literal())
        .map_with(|kind, extra| MatchPattern::Value(Expr { kind, span: extra.span() }));
    let negative = ahead(|next, second, _| next.kind == Kind::Minus && second.kind.starts_literal())
        .ignore_then(token(Kind::Minus))
        .ignore_then(self::literal().map_with(|kind, extra| Expr { kind, span: extra.span() }))
        .map_with(|operand, extra| {
            let kind = ExprKind::Unary { op: UnaryOp::Negate, operand: Box::new(operand) };
            MatchPattern::Value(Expr { kind, span: extra.span() })
        });
    let variant = name()
        .map(|name| Expr { span: name.span, kind: ExprKind::Name(name) })
        .foldl_with(
            token_if(|token| token.kind == Kind::Dot).ignore_then(required_field_name()).repeated(),
            |base, name, extra| Expr {
                kind: ExprKind::Field { base: Box::new(base), name },
                span: extra.span(),
            },
        )
        .map(MatchPattern::Value);
    let missing = custom(|at: &mut At<'_>| {
        let next = peek(at);
        Err(Failure::expected(next, &[Expect::Form("a literal, a variant or `_`")], ""))
    });
    choice((any.boxed(), literal.boxed(), negative.boxed(), variant.boxed(), missing.boxed())).boxed()
}
