//! Types: `Dataset<Ride>`, `Int in 1..=16`, `{ ..R, b: Int }`, `(train: A, test: B)`.

use super::basics::*;
use super::failure::{Expect, Failure};
use super::input::{At, Rule, obstacle, peek};
use super::literal::literal;
use crate::ast::*;
use crate::diagnostic::{Diagnostic, code};
use crate::lex::Kind;
use crate::span::Span;
use chumsky::prelude::*;

/// A type; where there is none that is reported, and the type is `Error`.
pub(super) fn required_type(ty: Rule<TypeExpr>) -> Rule<TypeExpr> {
    ty.recover_with(via_parser(custom(|at: &mut At<'_>| {
        Ok(TypeExpr { kind: TypeKind::Error, span: here(at) })
    })))
    .boxed()
}

/// A type.
pub(super) fn ty() -> Rule<TypeExpr> {
    recursive(|ty| {
        let ty = required_type(ty.boxed());
        let base = choice((named(ty.clone()), row(ty.clone()), record(ty))).boxed();
        base.then(refinement().or_not())
            .map_with(|(base, refinement), extra| match refinement {
                None => base,
                Some(refinement) => TypeExpr {
                    kind: TypeKind::Refined { base: Box::new(base), refinement },
                    span: extra.span(),
                },
            })
            .foldl_with(token_if(|token| token.kind == Kind::Question).repeated(), |ty, _, extra| TypeExpr {
                kind: TypeKind::Optional(Box::new(ty)),
                span: extra.span(),
            })
    })
    .boxed()
}

/// `a.b.c`
pub(super) fn path() -> Rule<Path> {
    name()
        .then(
            token_if(|token| token.kind == Kind::Dot)
                .ignore_then(required_field_name())
                .repeated()
                .collect::<Vec<Name>>(),
        )
        .map_with(|(first, rest), extra| {
            let names = std::iter::once(first).chain(rest).collect();
            Path { names, span: extra.span() }
        })
        .boxed()
}

/// `<R: { a: Float, .. }, S>`, or nothing.
pub(super) fn generics(ty: Rule<TypeExpr>) -> Rule<Vec<Generic>> {
    let bound = token_if(|token| token.kind == Kind::Colon).ignore_then(required_type(ty));
    let generic = name().then(bound.or_not()).map(|(name, bound)| Generic { name, bound });
    list_if(|token| token.kind == Kind::Less, generic, Kind::Greater, "after the type variable")
        .or_not()
        .map(Option::unwrap_or_default)
        .boxed()
}

/// `Float`, `Dataset<Ride>`, `Embedding<384>`, `clean.Ride`
fn named(ty: Rule<TypeExpr>) -> Rule<TypeExpr> {
    let path = as_type(path());
    let args = list_if(|token| token.kind == Kind::Less, argument(ty), Kind::Greater, "after the type")
        .or_not()
        .map(Option::unwrap_or_default);
    path.then(args)
        .map_with(|(path, args), extra| TypeExpr { kind: TypeKind::Named { path, args }, span: extra.span() })
        .boxed()
}

/// Calls what is missing a type.
fn as_type<T: 'static>(rule: Rule<T>) -> Rule<T> {
    let begins = custom(|at: &mut At<'_>| {
        let next = peek(at);
        let begins = next.kind.is_name();
        if begins { Ok(()) } else { Err(Failure::expected(next, &[Expect::Form("a type")], "")) }
    });
    begins.ignore_then(rule).boxed()
}

fn argument(ty: Rule<TypeExpr>) -> Rule<TypeArg> {
    let number = token_if(|token| token.kind == Kind::Minus).or_not().then(literal()).map_with(
        |(minus, literal), extra| match literal {
            ExprKind::Literal(Literal::Int(magnitude)) => {
                let span = extra.span();
                // The lexer has refused magnitudes that do not fit.
                let value =
                    if minus.is_some() { 0i64.wrapping_sub_unsigned(magnitude) } else { magnitude as i64 };
                TypeArg::Number(value, span)
            }
            ExprKind::Literal(Literal::Text(value) | Literal::RawText(value)) if minus.is_none() => {
                TypeArg::Text(Text { value, span: extra.span() })
            }
            literal => {
                let span = extra.span();
                if literal != ExprKind::Error {
                    extra.emit(said(span, "an argument of a type is a type, a whole number or a text"));
                }
                TypeArg::Type(TypeExpr { kind: TypeKind::Error, span })
            }
        },
    );
    let starts = ahead(|next, _, _| next.kind == Kind::Minus || next.kind.starts_literal());
    choice((starts.ignore_then(number).boxed(), ty.map(TypeArg::Type).boxed())).boxed()
}

/// `in 1..=16`, `matching r"…"`
fn refinement() -> Rule<Refinement> {
    let matching = token_if(|token| token.kind == Kind::Matching)
        .ignore_then(required_text("a regular expression"))
        .map(Refinement::Matching);
    let dots = choice((
        token_if(|token| token.kind == Kind::DotDotEqual).to(true),
        token_if(|token| token.kind == Kind::DotDot).to(false),
        custom(|at: &mut At<'_>| {
            let either = [Expect::Kind(Kind::DotDot), Expect::Kind(Kind::DotDotEqual)];
            let obstacle = obstacle(at);
            at.emit(Failure::expected(obstacle, &either, "between the bounds"));
            Ok(false)
        }),
    ));
    let within = token_if(|token| token.kind == Kind::In)
        .ignore_then(bound().or_not())
        .then(dots)
        .then(bound().or_not())
        .map(|((low, inclusive), high)| Refinement::In {
            low: low.map(Box::new),
            high: high.map(Box::new),
            inclusive,
        });
    choice((within, matching)).boxed()
}

/// A signed literal, or the name of a constant.
fn bound() -> Rule<Expr> {
    let literal = token_if(|token| token.kind == Kind::Minus).or_not().then(signed_operand()).map_with(
        |(minus, operand), extra| match minus {
            None => operand,
            Some(_) => Expr {
                kind: ExprKind::Unary { op: UnaryOp::Negate, operand: Box::new(operand) },
                span: extra.span(),
            },
        },
    );
    // `Int in 1.. unseen by model`: a clause is no constant.
    let constant = ahead(|next, second, _| {
        let is_clause = match next.kind {
            Kind::Unseen => second.kind == Kind::By,
            Kind::From | Kind::Positive => matches!(second.kind, Kind::Text | Kind::RawText),
            Kind::Rows | Kind::Part => second.kind == Kind::Of,
            Kind::Fitted | Kind::Chosen => second.kind == Kind::On,
            Kind::With => second.kind == Kind::OpenParen,
            Kind::Effect | Kind::Deterministic => true,
            _ => false,
        };
        next.kind.is_name() && !is_clause
    })
    .ignore_then(path())
    .map(|path| {
        let mut names = path.names.into_iter();
        let first = names.next().unwrap_or(Name { text: String::new(), span: path.span });
        let start = Expr { span: first.span, kind: ExprKind::Name(first) };
        names.fold(start, |base, name| Expr {
            span: base.span.to(name.span),
            kind: ExprKind::Field { base: Box::new(base), name },
        })
    });
    let starts = ahead(|next, _, _| next.kind == Kind::Minus || next.kind.starts_literal());
    choice((starts.ignore_then(literal).boxed(), constant.boxed())).boxed()
}

fn signed_operand() -> Rule<Expr> {
    literal()
        .map_with(|kind, extra| Expr { kind, span: extra.span() })
        .recover_with(via_parser(custom(|at: &mut At<'_>| {
            Ok(Expr { kind: ExprKind::Error, span: here(at) })
        })))
        .boxed()
}

/// `{ ..R without (a), b: Int, [into]: Float, .. }`
fn row(ty: Rule<TypeExpr>) -> Rule<TypeExpr> {
    let open = token_if(|token| token.kind == Kind::DotDot).map(|token| RowEntry::Open(token.span));
    let spread = ahead(|next, second, _| next.kind == Kind::DotDot && second.kind.is_name())
        .ignore_then(token(Kind::DotDot))
        .ignore_then(path())
        .then(row_change(ty.clone()).or_not())
        .map_with(|(row, change), extra| RowEntry::Spread { row, change, span: extra.span() });
    let column = field_name()
        .then_ignore(required(Kind::Colon, "after the column's name"))
        .then(ty.clone())
        .map(|(name, ty)| RowEntry::Column { name, ty });
    let named = token_if(|token| token.kind == Kind::OpenBracket)
        .ignore_then(required_name("after `[`"))
        .then_ignore(required(Kind::CloseBracket, "after the parameter's name"))
        .then_ignore(required(Kind::Colon, "after the column's name"))
        .then(ty)
        .map_with(|(param, ty), extra| RowEntry::Named { param, ty, span: extra.span() });
    list_if(
        |token| token.kind == Kind::OpenBrace,
        choice((spread.boxed(), open.boxed(), named.boxed(), column.boxed())),
        Kind::CloseBrace,
        "after the column",
    )
    .map_with(|entries, extra| TypeExpr { kind: TypeKind::Row(entries), span: extra.span() })
    .boxed()
}

/// `without (a, c)`, `without columns`, `with columns present`, `with columns: T`
fn row_change(ty: Rule<TypeExpr>) -> Rule<RowChange> {
    let names = list_if(
        |token| token.kind == Kind::OpenParen,
        field_name(),
        Kind::CloseParen,
        "after the column's name",
    );
    let without = token_if(|token| token.kind == Kind::Without).ignore_then(choice((
        names.map(RowChange::Without).boxed(),
        required_name("after `without`").map(RowChange::WithoutListed).boxed(),
    )));
    let with = token_if(|token| token.kind == Kind::With)
        .ignore_then(required_name("after `with`"))
        .then(choice((
            token_if(|token| token.kind == Kind::Colon).ignore_then(ty).map(Some).boxed(),
            required(Kind::Present, "after the parameter's name").to(None).boxed(),
        )))
        .map(|(name, ty)| match ty {
            Some(ty) => RowChange::WithType(name, ty),
            None => RowChange::WithPresent(name),
        });
    choice((without.boxed(), with.boxed())).boxed()
}

/// `(train: Dataset<R>, test: Dataset<R>)`
fn record(ty: Rule<TypeExpr>) -> Rule<TypeExpr> {
    let field = field_name()
        .then_ignore(required(Kind::Colon, "after the field's name"))
        .then(ty)
        .map(|(name, ty)| RecordTypeField { name, ty });
    list_if(|token| token.kind == Kind::OpenParen, field, Kind::CloseParen, "after the field")
        .map_with(|fields, extra| TypeExpr { kind: TypeKind::Record(fields), span: extra.span() })
        .boxed()
}

/// A failure whose message stands alone.
fn said(span: Span, message: &str) -> Failure {
    Failure::said_at(span, Diagnostic::error(code::UNEXPECTED_TOKEN, span, message))
}
