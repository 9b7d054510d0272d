//! Expressions: operands, and what follows them by precedence.

use super::basics::*;
use super::control::control;
use super::failure::{Expect, Failure};
use super::input::{At, Extra, Rule, Tokens, obstacle, peek};
use super::literal::{interpolated, literal};
use super::operators::operators;
use super::{block, policy};
use crate::ast::*;
use crate::diagnostic::{Diagnostic, code};
use crate::lex::{Kind, Token};
use crate::span::Span;
use chumsky::prelude::*;

/// Any expression. Where there is none that is reported, and it is `Error`.
pub(super) fn expression(ty: Rule<TypeExpr>) -> Rule<Expr> {
    recursive(|expr| {
        let expr: Rule<Expr> = expr.boxed();
        let block = block::block(expr.clone(), ty);
        let operand = operand(expr.clone(), block);
        let after = suffix(expr.clone());
        choice((lambda(expr), operators(operand, after))).boxed()
    })
    .boxed()
}

/// What may follow an operand and binds closest.
pub(super) enum Suffix {
    Field(Name),
    Call(Vec<Arg>),
    Index(Expr),
    With(Vec<PolicyEntry>),
}

impl Suffix {
    pub(super) fn apply(self, base: Expr, span: Span) -> Expr {
        let base = Box::new(base);
        let kind = match self {
            Self::Field(name) => ExprKind::Field { base, name },
            Self::Call(args) => ExprKind::Call { callee: base, args },
            Self::Index(index) => ExprKind::Index { base, index: Box::new(index) },
            Self::With(policy) => ExprKind::With { call: base, policy },
        };
        Expr { kind, span }
    }
}

/// `a, b: c` in parentheses: positional arguments first, then named ones.
pub(super) fn arguments(expr: Rule<Expr>) -> Rule<Vec<Arg>> {
    let name = ahead(|next, second, _| is_field_name(next) && second.kind == Kind::Colon)
        .ignore_then(field_name())
        .then_ignore(token(Kind::Colon));
    let argument = name.or_not().then(expr).map(|(name, value)| Arg { name, value });
    list_if(opens_call, argument, Kind::CloseParen, "after the argument")
        .map_with(|args, extra| {
            let mut named = args.iter().skip_while(|arg| arg.name.is_none());
            if let Some(arg) = named.find(|arg| arg.name.is_none()) {
                let message = "a positional argument stands behind a named one";
                let diagnostic = Diagnostic::error(code::UNEXPECTED_TOKEN, arg.value.span, message)
                    .help("positional arguments come first, then named ones");
                extra.emit(Failure::said_at(arg.value.span, diagnostic));
            }
            args
        })
        .boxed()
}

pub(super) fn is_field_name(token: Token) -> bool {
    token.kind.is_name() || token.kind.is_keyword()
}

fn opens_call(token: Token) -> bool {
    token.kind == Kind::OpenParen && !token.starts_line
}

fn suffix(expr: Rule<Expr>) -> Rule<Suffix> {
    // On a new line `.name(` goes on with the expression, and `.name` is a column.
    let dot = custom(|at: &mut At<'_>| {
        let next = peek(at);
        if next.kind != Kind::Dot {
            return Err(Failure::quiet(next));
        }
        let start = at.save();
        at.skip();
        if next.starts_line {
            let name = peek(at);
            at.next();
            if !is_field_name(name) || !opens_call(peek(at)) {
                at.rewind(start);
                return Err(Failure::quiet(next));
            }
            at.rewind(start);
            at.skip();
        }
        Ok(())
    });
    let field = dot.ignore_then(required_field_name()).map(Suffix::Field);
    let call = arguments(expr.clone()).map(Suffix::Call);
    let index = token_if(|token| token.kind == Kind::OpenBracket && !token.starts_line)
        .ignore_then(expr.clone())
        .then_ignore(closing(Kind::CloseBracket, "after the index"))
        .map(Suffix::Index);
    let with = policy::policy(expr).map(Suffix::With);
    ahead(|next, _, _| matches!(next.kind, Kind::Dot | Kind::OpenParen | Kind::OpenBracket | Kind::With))
        .ignore_then(choice((field.boxed(), call.boxed(), index.boxed(), with.boxed())))
        .boxed()
}

/// The closer of a bracket that holds one thing; anything more in it is reported and passed over.
fn closing(close: Kind, after: &'static str) -> Rule<()> {
    custom(move |at: &mut At<'_>| {
        let next = peek(at);
        if next.kind != close {
            let obstacle = obstacle(at);
            at.emit(Failure::expected(obstacle, &[Expect::Kind(close)], after));
            skip_to(at, |_| false);
        }
        Ok(())
    })
    .then_ignore(token(close))
    .boxed()
}

/// `(x, y) => e`
fn lambda(expr: Rule<Expr>) -> Rule<Expr> {
    // Parentheses hold a lambda's names where `=>` follows them.
    let begins = custom(|at: &mut At<'_>| {
        let first = peek(at);
        if first.kind != Kind::OpenParen {
            return Err(Failure::quiet(first));
        }
        let start = at.save();
        at.skip();
        while at.peek().is_some_and(|next| next.kind.is_name() || next.kind == Kind::Comma) {
            at.skip();
        }
        let close = at.next().map(|token| token.kind);
        let arrow = at.next().map(|token| token.kind);
        at.rewind(start);
        if close == Some(Kind::CloseParen) && arrow == Some(Kind::FatArrow) {
            Ok(())
        } else {
            Err(Failure::quiet(first))
        }
    });
    begins
        .ignore_then(list(Kind::OpenParen, name(), Kind::CloseParen, "after the name"))
        .then_ignore(token(Kind::FatArrow))
        .then(expr)
        .map_with(|(params, body), extra| Expr {
            kind: ExprKind::Lambda { params, body: Box::new(body) },
            span: extra.span(),
        })
        .boxed()
}

/// What operators stand between. Where there is none that is reported, and it is `Error`.
fn operand(expr: Rule<Expr>, block: Rule<Block>) -> Rule<Expr> {
    let literal = ahead(|next, _, _| next.kind.starts_literal()).ignore_then(literal());
    let column =
        token_if(|token| token.kind == Kind::Dot).ignore_then(required_field_name()).map(ExprKind::Column);
    let items = list_if(
        |token| token.kind == Kind::OpenBracket,
        expr.clone(),
        Kind::CloseBracket,
        "after the element",
    );
    let text = ahead(|next, _, _| next.kind == Kind::TextStart).ignore_then(interpolated(expr.clone()));
    let braces =
        ahead(|next, _, _| next.kind == Kind::OpenBrace).ignore_then(block.clone()).map(ExprKind::Block);
    let missing = custom(|at: &mut At<'_>| {
        let (next, obstacle) = (peek(at), obstacle(at));
        let failure = missing_operand(at, obstacle);
        at.emit(failure);
        // Before an operator it is the start of what that operator makes, else the end of what precedes it.
        let start = next.span.start;
        let is_operand = next.kind.is_binary_operator() && next.kind != Kind::FatArrow;
        let span = if is_operand { Span::new(start, start) } else { here(at) };
        Ok(Expr { kind: ExprKind::Error, span })
    });
    let kind = choice((
        control(expr.clone(), block),
        name().map(ExprKind::Name).boxed(),
        literal.boxed(),
        parentheses(expr),
        column.boxed(),
        text.boxed(),
        items.map(ExprKind::List).boxed(),
        braces.boxed(),
    ));
    choice((kind.map_with(|kind, extra| Expr { kind, span: extra.span() }).boxed(), missing.boxed())).boxed()
}

fn missing_operand(at: &mut At<'_>, next: Token) -> Failure {
    let help = match next.kind {
        Kind::Let => "a `let` is a statement of its own, on its own line",
        Kind::Else => "an `else` belongs to the `if` right before it",
        _ => return Failure::expected(next, &[Expect::Form("an expression")], ""),
    };
    let word = at.state().text.get(next.span.range()).unwrap_or("");
    let message = format!("expected an expression, found `{word}`");
    Failure::said(next, Diagnostic::error(code::UNEXPECTED_TOKEN, next.span, message).help(help))
}

/// `(e)`, `(name: e)`, `(a, b)`
fn parentheses(expr: Rule<Expr>) -> Rule<ExprKind> {
    let name = ahead(|next, second, _| is_field_name(next) && second.kind == Kind::Colon)
        .ignore_then(field_name())
        .then_ignore(token(Kind::Colon));
    let field = name.or_not().then(expr);
    list_with_trailing(field)
        .map_with(|(mut fields, has_comma), extra| {
            if fields.len() == 1 && !has_comma && fields.first().is_some_and(|(name, _)| name.is_none()) {
                return match fields.pop() {
                    Some((_, value)) => ExprKind::Paren(Box::new(value)),
                    None => ExprKind::Error,
                };
            }
            let mut record = Vec::with_capacity(fields.len());
            let mut is_told = false;
            for (name, value) in fields {
                match (name, value) {
                    (Some(name), value) => record.push(RecordField { name, value, is_named: true }),
                    (None, Expr { kind: ExprKind::Name(name), span }) => record.push(RecordField {
                        name: name.clone(),
                        value: Expr { kind: ExprKind::Name(name), span },
                        is_named: false,
                    }),
                    (None, Expr { kind: ExprKind::Error, .. }) => {}
                    // Who writes a tuple makes one mistake.
                    (None, value) if !is_told => {
                        is_told = true;
                        extra.emit(nameless(&value));
                    }
                    (None, _) => {}
                }
            }
            ExprKind::Record(record)
        })
        .boxed()
}

/// The values in parentheses with their names, and whether a comma stands behind one.
type Fields = (Vec<(Option<Name>, Expr)>, bool);

fn list_with_trailing(
    field: impl Parser<'static, Tokens, (Option<Name>, Expr), Extra> + Clone + 'static,
) -> Rule<Fields> {
    let field = field
        .then(ahead(|next, _, _| next.kind == Kind::Comma).or_not())
        .map(|(field, comma)| (field, comma.is_some()));
    list_if(|token| token.kind == Kind::OpenParen, field, Kind::CloseParen, "after the value")
        .map(|fields| {
            let has_comma = fields.iter().any(|(_, comma)| *comma);
            (fields.into_iter().map(|(field, _)| field).collect(), has_comma)
        })
        .boxed()
}

fn nameless(value: &Expr) -> Failure {
    let message = "a value in a record needs a name";
    let help = match &value.kind {
        ExprKind::Field { name, .. } if !name.text.is_empty() => {
            format!("write `{}: …`; there are records, and no tuples", name.text)
        }
        _ => "write `name: value`; there are records, and no tuples".to_owned(),
    };
    Failure::said_at(value.span, Diagnostic::error(code::UNEXPECTED_TOKEN, value.span, message).help(help))
}

/// An expression, and all that stands before the end.
pub(super) fn alone(expr: Rule<Expr>) -> Rule<Expr> {
    expr.then_ignore(custom(|at: &mut At<'_>| {
        let next = peek(at);
        if next.kind != Kind::End {
            at.emit(Failure::expected(next, &[Expect::Form("the end of the value")], ""));
            while at.next().is_some() {}
        }
        Ok(())
    }))
    .boxed()
}
