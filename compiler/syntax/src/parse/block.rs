//! Blocks and their statements, and where a line ends one.

use super::basics::*;
use super::failure::{Expect, Failure};
use super::input::{At, Rule, peek};
use super::pattern::pattern;
use super::types::required_type;
use crate::ast::*;
use crate::diagnostic::{Code, Diagnostic};
use crate::lex::{Kind, Token};
use chumsky::prelude::*;

/// `{ statement … }`
pub(super) fn block(expr: Rule<Expr>, ty: Rule<TypeExpr>) -> Rule<Block> {
    let statement = statement(expr, ty);
    let statement = custom(move |at: &mut At<'_>| {
        skip_documentation(at);
        let first = peek(at);
        if first.kind.is_closer() || first.kind == Kind::End {
            return Err(Failure::quiet(first));
        }
        let start = at.cursor();
        let statement = at.parse(&statement)?;
        let is_empty = at.span_since(&start).is_empty();
        finish_statement(at, is_empty);
        Ok(statement)
    });
    let rest = custom(|at: &mut At<'_>| {
        skip_documentation(at);
        Ok(())
    });
    token(Kind::OpenBrace)
        .ignore_then(statement.repeated().collect())
        .then_ignore(rest)
        .then_ignore(required(Kind::CloseBrace, ""))
        .map_with(|statements, extra| Block { statements, span: extra.span() })
        .boxed()
}

/// A block that must stand here, on this line; an empty one where it is missing, which is reported.
pub(super) fn required_block(block: Rule<Block>, after: &'static str) -> Rule<Block> {
    let begins = custom(move |at: &mut At<'_>| {
        let next = peek(at);
        if next.kind != Kind::OpenBrace {
            return Err(Failure::quiet(next));
        }
        if next.starts_line {
            let message = format!("expected `{{` {after}, found a new line");
            let diagnostic = Diagnostic::error(Code(101), next.span, message).help(
                "a line that begins with `{` goes on with nothing: move it to the end of the line before",
            );
            at.emit(Failure::said(next, diagnostic));
        }
        Ok(())
    });
    let missing = custom(move |at: &mut At<'_>| {
        let next = peek(at);
        at.emit(Failure::expected(next, &[Expect::Kind(Kind::OpenBrace)], after));
        Ok(Block { statements: Vec::new(), span: here(at) })
    });
    choice((begins.ignore_then(block).boxed(), missing.boxed())).boxed()
}

fn statement(expr: Rule<Expr>, ty: Rule<TypeExpr>) -> Rule<Statement> {
    let annotation = token_if(|token| token.kind == Kind::Colon).ignore_then(required_type(ty)).or_not();
    let binding = token_if(|token| token.kind == Kind::Let)
        .ignore_then(pattern("after `let`"))
        .then(annotation)
        .then_ignore(required(Kind::Equal, "after the name"))
        .then(expr.clone())
        .map_with(|((pattern, ty), value), extra| {
            Statement::Let(Let { pattern, ty, value, span: extra.span() })
        });
    let assert = ahead(|next, second, _| next.kind == Kind::Assert && begins_assertion(second))
        .ignore_then(token(Kind::Assert))
        .ignore_then(expr.clone())
        .map_with(|condition, extra| Statement::Assert { condition, span: extra.span() });
    choice((binding.boxed(), assert.boxed(), expr.map(Statement::Expr).boxed())).boxed()
}

/// `assert` is a name where no condition follows it.
fn begins_assertion(next: Token) -> bool {
    next.kind.starts_expression() && next.kind != Kind::Dot && !next.starts_line
}

fn skip_documentation(at: &mut At<'_>) {
    let first = peek(at);
    if first.kind == Kind::Doc {
        at.emit(Failure::expected(first, &[Expect::Form("a statement")], ""));
        while peek(at).kind == Kind::Doc {
            at.skip();
        }
    }
}

/// Reports and passes over what stands between a statement and the end of its line.
fn finish_statement(at: &mut At<'_>, is_empty: bool) {
    let next = peek(at);
    let is_over = |token: Token| token.starts_line || token.kind.is_closer() || token.kind == Kind::End;
    if is_over(next) && (!is_empty || next.kind.is_closer()) {
        return;
    }
    let failure = unfinished(at, next);
    at.emit(failure);
    skip_one(at);
    skip_to(at, is_over);
}

fn unfinished(at: &mut At<'_>, next: Token) -> Failure {
    let word = at.state().text.get(next.span.range()).unwrap_or("");
    let help = match next.kind {
        Kind::Equal => "nothing is assigned to: `let name = …` binds a name, `==` compares",
        Kind::Let => "each statement stands on its own line",
        Kind::FatArrow => "the parameters of a function stand in parentheses: `(x) => …`",
        Kind::Else => "an `else` stands behind the `}` of its `if`",
        _ => {
            let expected = [Expect::Form("a new line")];
            return Failure::expected(next, &expected, "after the statement");
        }
    };
    let message = format!("expected a new line after the statement, found `{word}`");
    Failure::said(next, Diagnostic::error(Code(101), next.span, message).help(help))
}
