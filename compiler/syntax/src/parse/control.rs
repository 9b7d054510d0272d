//! Expressions that begin with a word: `if`, `match`, `for`, and their `run` forms.

use super::basics::*;
use super::block::required_block;
use super::input::Rule;
use super::pattern::{match_pattern, pattern};
use crate::ast::*;
use crate::lex::Kind;
use chumsky::prelude::*;

pub(super) fn control(expr: Rule<Expr>, block: Rule<Block>) -> Rule<ExprKind> {
    let choices = choice((
        if_else(expr.clone(), block.clone()),
        for_in(expr.clone(), block.clone()),
        match_arms(expr.clone()),
        run_if(expr.clone(), block.clone()),
        run_for(expr.clone(), block.clone()),
        run_while(expr, block),
    ));
    ahead(|next, second, _| match next.kind {
        Kind::If | Kind::For | Kind::Match => true,
        // `run` is a name elsewhere, and a function in tests.
        Kind::Run => matches!(second.kind, Kind::If | Kind::For | Kind::While) && !second.starts_line,
        _ => false,
    })
    .ignore_then(choices)
    .boxed()
}

/// `if c { a } else if d { b } else { c }`
fn if_else(expr: Rule<Expr>, block: Rule<Block>) -> Rule<ExprKind> {
    recursive(|if_else| {
        let otherwise = otherwise(if_else.boxed(), block.clone());
        token(Kind::If)
            .ignore_then(expr)
            .then(required_block(block, "after the condition"))
            .then(otherwise)
            .map(|((condition, then), otherwise)| ExprKind::If {
                condition: Box::new(condition),
                then,
                otherwise,
            })
    })
    .boxed()
}

/// `run if c { a } else { b }`
fn run_if(expr: Rule<Expr>, block: Rule<Block>) -> Rule<ExprKind> {
    let plain = if_else(expr.clone(), block.clone());
    recursive(|run_if| {
        let otherwise = otherwise(choice((run_if, plain)).boxed(), block.clone());
        token(Kind::Run)
            .ignore_then(token(Kind::If))
            .ignore_then(expr)
            .then(required_block(block, "after the condition"))
            .then(otherwise)
            .map(|((condition, then), otherwise)| ExprKind::RunIf {
                condition: Box::new(condition),
                then,
                otherwise,
            })
    })
    .boxed()
}

/// `else { … }`, `else if …`, or nothing.
fn otherwise(chained: Rule<ExprKind>, block: Rule<Block>) -> Rule<Option<Box<Expr>>> {
    let chained = chained.map_with(|kind, extra| Expr { kind, span: extra.span() });
    let block = required_block(block, "after `else`")
        .map_with(|block, _| Expr { span: block.span, kind: ExprKind::Block(block) });
    token_if(|token| token.kind == Kind::Else)
        .ignore_then(choice((chained.boxed(), block.boxed())))
        .map(Box::new)
        .or_not()
        .boxed()
}

/// `match e { Loss.squared => a, _ => b }`
fn match_arms(expr: Rule<Expr>) -> Rule<ExprKind> {
    let arm = match_pattern()
        .then_ignore(required(Kind::FatArrow, "after the pattern"))
        .then(expr.clone())
        .map(|(pattern, value)| MatchArm { pattern, value });
    token(Kind::Match)
        .ignore_then(expr)
        .then(required_list(Kind::OpenBrace, arm, Kind::CloseBrace, "after the arm", "after what is matched"))
        .map(|(subject, arms)| ExprKind::Match { subject: Box::new(subject), arms })
        .boxed()
}

/// `x in xs`
fn binding(expr: Rule<Expr>) -> Rule<(Pattern, Box<Expr>)> {
    pattern("after `for`").then_ignore(required(Kind::In, "after the name")).then(expr.map(Box::new)).boxed()
}

/// `for depth in depths { … }`
fn for_in(expr: Rule<Expr>, block: Rule<Block>) -> Rule<ExprKind> {
    token(Kind::For)
        .ignore_then(binding(expr))
        .then(required_block(block, "after the list"))
        .map(|((pattern, list), body)| ExprKind::For { pattern, list, body })
        .boxed()
}

/// `max 366`, or nothing.
fn max(expr: Rule<Expr>) -> Rule<Option<Box<Expr>>> {
    token_if(|token| token.kind == Kind::Max).ignore_then(expr.map(Box::new)).or_not().boxed()
}

/// `run for day in days max 366 { … }`
fn run_for(expr: Rule<Expr>, block: Rule<Block>) -> Rule<ExprKind> {
    token(Kind::Run)
        .ignore_then(token(Kind::For))
        .ignore_then(binding(expr.clone()))
        .then(max(expr))
        .then(required_block(block, "after the list"))
        .map(|(((pattern, list), max), body)| ExprKind::RunFor { pattern, list, max, body })
        .boxed()
}

/// `run while s.gain > 0.001 from s = start max 20 { … }`
fn run_while(expr: Rule<Expr>, block: Rule<Block>) -> Rule<ExprKind> {
    let start = token_if(|token| token.kind == Kind::From)
        .ignore_then(required_name("after `from`"))
        .then_ignore(required(Kind::Equal, "after the name"))
        .then(expr.clone());
    let no_start = required(Kind::From, "after the condition").map(|span| {
        let state = Name { text: String::new(), span };
        (state, Expr { kind: ExprKind::Error, span })
    });
    token(Kind::Run)
        .ignore_then(token(Kind::While))
        .ignore_then(expr.clone())
        .then(choice((start.boxed(), no_start.boxed())))
        .then(max(expr))
        .then(required_block(block, "after what the loop starts with"))
        .map(|(((condition, (state, start)), max), body)| {
            let (condition, start) = (Box::new(condition), Box::new(start));
            ExprKind::RunWhile { condition, state, start, max, body }
        })
        .boxed()
}
