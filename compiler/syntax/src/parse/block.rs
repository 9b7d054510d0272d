//! Blocks and their statements, and where a line ends one.

use super::basics::*;
use super::failure::{Expect, Failure};
use super::input::{At, Rule, obstacle, peek};
use super::pattern::pattern;
use super::types::required_type;
use crate::ast::*;
use crate::diagnostic::{Diagnostic, code};
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
        if !first.kind.starts_expression() && first.kind != Kind::Let {
            let failure = no_statement(at, first);
            at.emit(failure);
            skip_statement(at);
            return Ok(Statement::Expr(Expr { kind: ExprKind::Error, span: first.span }));
        }
        let statement = at.parse(&statement)?;
        finish_statement(at);
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

/// A block that must stand here, if need be on a new line: an item's body.
pub(super) fn body(block: Rule<Block>) -> Rule<Block> {
    choice((block, missing_block("and the body"))).boxed()
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
            let diagnostic = Diagnostic::error(code::UNEXPECTED_TOKEN, next.span, message).help(
                "a line that begins with `{` goes on with nothing: move it to the end of the line before",
            );
            at.emit(Failure::said(next, diagnostic));
        }
        Ok(())
    });
    choice((begins.ignore_then(block).boxed(), missing_block(after))).boxed()
}

fn missing_block(after: &'static str) -> Rule<Block> {
    custom(move |at: &mut At<'_>| {
        let obstacle = obstacle(at);
        at.emit(Failure::expected(obstacle, &[Expect::Kind(Kind::OpenBrace)], after));
        Ok(Block { statements: Vec::new(), span: here(at) })
    })
    .boxed()
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
fn finish_statement(at: &mut At<'_>) {
    let next = peek(at);
    if !ends_statement(next) {
        let failure = unfinished(at, next);
        at.emit(failure);
        skip_statement(at);
    }
}

/// Skips at least one token, and then all up to the next line that counts.
fn skip_statement(at: &mut At<'_>) {
    skip_one(at);
    skip_to(at, ends_statement);
}

fn ends_statement(next: Token) -> bool {
    next.starts_line || next.kind.is_closer() || next.kind == Kind::End
}

fn no_statement(at: &mut At<'_>, next: Token) -> Failure {
    let help = match next.kind {
        Kind::Equal => ASSIGNS,
        Kind::Else => "an `else` belongs to the `if` right before it",
        _ => return Failure::expected(next, &[Expect::Form("a statement")], ""),
    };
    let word = at.state().text.get(next.span.range()).unwrap_or("");
    let message = format!("expected a statement, found `{word}`");
    Failure::said(next, Diagnostic::error(code::UNEXPECTED_TOKEN, next.span, message).help(help))
}

fn unfinished(at: &mut At<'_>, next: Token) -> Failure {
    let help = match next.kind {
        Kind::Equal => ASSIGNS,
        Kind::Let => "each statement stands on its own line",
        Kind::FatArrow => "the parameters of a function stand in parentheses: `(x) => …`",
        Kind::Not => "`not` stands before a comparison: `not (a in b)`",
        Kind::Else => "an `else` stands behind the `}` of its `if`",
        Kind::Question => "a choice is written `if condition { a } else { b }`",
        _ => match word_before(&at.state().text, next) {
            "return" => "a block's value is its last expression: leave `return` out",
            "var" | "val" | "mut" => "write `let`; nothing is assigned to twice",
            _ => return Failure::expected(next, &[Expect::Form("a new line")], "after the statement"),
        },
    };
    let word = at.state().text.get(next.span.range()).unwrap_or("");
    let message = format!("expected a new line after the statement, found `{word}`");
    Failure::said(next, Diagnostic::error(code::UNEXPECTED_TOKEN, next.span, message).help(help))
}

fn word_before(text: &str, token: Token) -> &str {
    let before = text.get(..token.span.start as usize).unwrap_or("").trim_end();
    before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("")
}

const ASSIGNS: &str = "nothing is assigned to: `let name = …` binds a name, `==` compares";
