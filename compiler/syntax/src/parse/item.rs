//! Items: what stands at the top level of a file.

use super::basics::*;
use super::block;
use super::failure::{END_OF_ITEM, Expect, Failure};
use super::input::{At, Rule, obstacle, peek};
use super::policy::policy;
use super::signature::{outputs, parameters};
use super::types::{generics, required_type};
use crate::ast::*;
use crate::diagnostic::{Diagnostic, code};
use crate::lex::{Kind, Token};
use chumsky::prelude::*;

/// One item, and all that stands before the end.
pub(super) fn item(expr: Rule<Expr>, ty: Rule<TypeExpr>) -> Rule<Item> {
    let body = block::body(block::block(expr.clone(), ty.clone()));
    let kind = choice((
        import(),
        constant(expr.clone(), ty.clone()),
        alias(ty.clone()),
        enumeration(),
        schema(ty.clone()),
        function(expr.clone(), ty.clone(), body.clone()),
        operator(expr.clone(), ty.clone()),
        workflow(expr, ty, body.clone()),
        test(body),
        no_item(),
    ));
    let rest = custom(|at: &mut At<'_>| {
        let next = peek(at);
        if next.kind != Kind::End {
            let failure = leftover(at, next);
            at.emit(failure);
            while at.next().is_some() {}
        }
        Ok(())
    });
    documentation()
        .then(kind)
        .map_with(|(doc, kind), extra| Item { doc, kind, span: extra.span() })
        .then_ignore(rest)
        .boxed()
}

/// `use std.tree`, `use pipelines.clean.{tidy, Ride}`
fn import() -> Rule<ItemKind> {
    let names = ahead(|next, second, _| next.kind == Kind::Dot && second.kind == Kind::OpenBrace)
        .ignore_then(token(Kind::Dot))
        .ignore_then(list(Kind::OpenBrace, field_name(), Kind::CloseBrace, "after the name"));
    let segment = ahead(|next, second, _| next.kind == Kind::Dot && second.kind != Kind::OpenBrace)
        .ignore_then(token(Kind::Dot))
        .ignore_then(required_field_name());
    let path = required_name("after `use`").then(segment.repeated().collect::<Vec<Name>>()).map_with(
        |(first, rest), extra| Path {
            names: std::iter::once(first).chain(rest).collect(),
            span: extra.span(),
        },
    );
    opens(Kind::Use)
        .ignore_then(path)
        .then(names.or_not())
        .map(|(path, names)| ItemKind::Use(Use { path, names }))
        .boxed()
}

/// `const SEED: Int = 7`
fn constant(expr: Rule<Expr>, ty: Rule<TypeExpr>) -> Rule<ItemKind> {
    opens(Kind::Const)
        .ignore_then(required_name("after `const`"))
        .then(token_if(|token| token.kind == Kind::Colon).ignore_then(required_type(ty)).or_not())
        .then_ignore(required(Kind::Equal, "after the constant's name"))
        .then(expr)
        .map(|((name, ty), value)| ItemKind::Const(Const { name, ty, value }))
        .boxed()
}

/// `type Rounds = Int in 1..=10_000`
fn alias(ty: Rule<TypeExpr>) -> Rule<ItemKind> {
    opens(Kind::Type)
        .ignore_then(required_name("after `type`"))
        .then_ignore(required(Kind::Equal, "after the type's name"))
        .then(required_type(ty))
        .map(|(name, ty)| ItemKind::Type(TypeAlias { name, ty }))
        .boxed()
}

/// `enum Loss { squared, absolute }`
fn enumeration() -> Rule<ItemKind> {
    let variant = documentation().then(field_name()).map(|(doc, name)| Variant { doc, name });
    opens(Kind::Enum)
        .ignore_then(required_name("after `enum`"))
        .then(required_list(
            Kind::OpenBrace,
            variant,
            Kind::CloseBrace,
            "after the variant",
            "after the enum's name",
        ))
        .map(|(name, variants)| ItemKind::Enum(Enum { name, variants }))
        .boxed()
}

/// `schema Ride { ride_id: Id<Int>, acidity: Float from "fixed acidity" }`
fn schema(ty: Rule<TypeExpr>) -> Rule<ItemKind> {
    let clause = |word: Kind, what: &'static str| {
        token_if(move |token| token.kind == word).ignore_then(required_text(what)).or_not()
    };
    let column = documentation()
        .then(field_name())
        .then_ignore(required(Kind::Colon, "after the column's name"))
        .then(required_type(ty))
        .then(clause(Kind::From, "the column's name in the file"))
        .then(clause(Kind::Positive, "the positive class"))
        .map(|((((doc, name), ty), from), positive)| SchemaColumn { doc, name, ty, from, positive });
    opens(Kind::Schema)
        .ignore_then(required_name("after `schema`"))
        .then(required_list(
            Kind::OpenBrace,
            column,
            Kind::CloseBrace,
            "after the column",
            "after the schema's name",
        ))
        .map(|(name, columns)| ItemKind::Schema(Schema { name, columns }))
        .boxed()
}

/// `fn speed(distance: Float, minutes: Float) -> Float { … }`
fn function(expr: Rule<Expr>, ty: Rule<TypeExpr>, body: Rule<Block>) -> Rule<ItemKind> {
    let result = token_if(|token| token.kind == Kind::Arrow).ignore_then(required_type(ty.clone())).or_not();
    let native = token_if(|token| token.kind == Kind::Equal).ignore_then(required(Kind::Native, "after `=`"));
    opens(Kind::Fn)
        .ignore_then(required_name("after `fn`"))
        .then(generics(ty.clone()))
        .then(parameters(expr, ty))
        .then(result)
        .then(choice((native.to(None).boxed(), body.map(Some).boxed())))
        .map(|((((name, generics), params), result), body)| {
            ItemKind::Fn(Function { name, generics, params, result, body })
        })
        .boxed()
}

/// `operator embed<R>(docs: Dataset<R>) -> Dataset<R> rows of docs with (gpu: 1) = python "encode:main"`
fn operator(expr: Rule<Expr>, ty: Rule<TypeExpr>) -> Rule<ItemKind> {
    let mark = |word: Kind, mark: Mark| {
        token_if(move |token| token.kind == word).map(move |token: Token| (mark, token.span))
    };
    let marks = choice((mark(Kind::Deterministic, Mark::Deterministic), mark(Kind::Effect, Mark::Effect)));
    opens(Kind::Operator)
        .ignore_then(required_name("after `operator`"))
        .then(generics(ty.clone()))
        .then(parameters(expr.clone(), ty.clone()))
        .then(outputs(ty))
        .then(marks.repeated().collect())
        .then(policy(expr.clone()).or_not())
        .then_ignore(required(Kind::Equal, "and where the operator runs"))
        .then(operator_body(expr))
        .map(|((((((name, generics), params), result), marks), policy), body)| {
            let policy = policy.unwrap_or_default();
            ItemKind::Operator(Operator { name, generics, params, result, marks, policy, body })
        })
        .boxed()
}

/// `native`, `verb`, `python "module:function"`, `command ["Rscript", "fit.R"] sources: ["fit.R"]`
fn operator_body(expr: Rule<Expr>) -> Rule<OperatorBody> {
    let source = plain_text("the path of a source");
    let sources = token_if(|token| token.kind == Kind::Sources)
        .ignore_then(required(Kind::Colon, "after `sources`"))
        .ignore_then(required_list(
            Kind::OpenBracket,
            source,
            Kind::CloseBracket,
            "after the path",
            "after `sources:`",
        ))
        .or_not()
        .map(Option::unwrap_or_default);
    let python = token_if(|token| token.kind == Kind::Python)
        .ignore_then(required_text("\"module:function\""))
        .then(sources.clone())
        .map(|(entry, sources)| OperatorBody::Python { entry, sources });
    let command = token_if(|token| token.kind == Kind::Command)
        .ignore_then(required_list(
            Kind::OpenBracket,
            expr,
            Kind::CloseBracket,
            "after the word",
            "after `command`",
        ))
        .then(sources)
        .map(|(words, sources)| OperatorBody::Command { words, sources });
    let missing = custom(|at: &mut At<'_>| {
        let places = Expect::Form("`native`, `verb`, `python` or `command`");
        let obstacle = obstacle(at);
        at.emit(Failure::expected(obstacle, &[places], "after `=`"));
        Ok(OperatorBody::Error)
    });
    choice((
        token_if(|token| token.kind == Kind::Native).to(OperatorBody::Native).boxed(),
        token_if(|token| token.kind == Kind::Verb).to(OperatorBody::Verb).boxed(),
        python.boxed(),
        command.boxed(),
        missing.boxed(),
    ))
    .boxed()
}

/// `workflow tips(rides: Dataset<Ride>) -> (model: Classifier) { … }`
fn workflow(expr: Rule<Expr>, ty: Rule<TypeExpr>, body: Rule<Block>) -> Rule<ItemKind> {
    opens(Kind::Workflow)
        .ignore_then(required_name("after `workflow`"))
        .then(generics(ty.clone()))
        .then(parameters(expr, ty.clone()))
        .then(outputs(ty))
        .then(body)
        .map(|((((name, generics), params), result), body)| {
            ItemKind::Workflow(Workflow { name, generics, params, result, body })
        })
        .boxed()
}

/// `test "test rows reach nothing but the report" { … }`
fn test(body: Rule<Block>) -> Rule<ItemKind> {
    opens(Kind::Test)
        .ignore_then(required_text("the test's name in quotes"))
        .then(body)
        .map(|(name, body)| ItemKind::Test(Test { name, body }))
        .boxed()
}

/// The word that opens an item.
fn opens(word: Kind) -> impl Parser<'static, super::input::Tokens, Token, super::input::Extra> + Copy {
    token_if(move |token| token.kind == word)
}

/// Something that opens no item; all of it is passed over.
fn no_item() -> Rule<ItemKind> {
    custom(|at: &mut At<'_>| {
        let next = peek(at);
        let failure = unknown_item(at, next);
        at.emit(failure);
        while at.next().is_some() {}
        Ok(ItemKind::Error)
    })
    .boxed()
}

fn unknown_item(at: &mut At<'_>, next: Token) -> Failure {
    let word = at.state().text.get(next.span.range()).unwrap_or("");
    let error = |message: String| Diagnostic::error(code::UNEXPECTED_TOKEN, next.span, message);
    if next.kind.opens_later_item() {
        let what = match next.kind {
            Kind::On => "`on` triggers are".to_owned(),
            Kind::Feature => "`feature` views are".to_owned(),
            _ => format!("`{word}` items are"),
        };
        let message = format!("{what} to come in a later version");
        return Failure::said(next, error(message));
    }
    let help = match (next.kind, word) {
        (Kind::Let, _) => "outside of bodies a value is a `const`".to_owned(),
        (_, "def" | "function" | "func") => "write `fn`".to_owned(),
        (_, "import") => "write `use`".to_owned(),
        (_, "struct" | "class" | "interface") => "write `schema`".to_owned(),
        (kind, _) => {
            let nearest = kind.is_name().then(|| nearest_opener(word)).flatten();
            match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None if kind == Kind::End => "documentation stands right above what it documents".to_owned(),
                None => "an item opens with use, const, type, enum, schema, fn, operator, workflow or test"
                    .to_owned(),
            }
        }
    };
    let found = if next.kind == Kind::End { "the end".to_owned() } else { format!("`{word}`") };
    Failure::said(next, error(format!("expected an item, found {found}")).help(help))
}

fn nearest_opener(word: &str) -> Option<&'static str> {
    Kind::WORDS
        .iter()
        .filter(|kind| kind.opens_item() && !kind.opens_later_item())
        .filter_map(|kind| kind.spelling())
        .map(|opener| (strsim::damerau_levenshtein(word, opener), opener))
        .filter(|&(distance, opener)| distance <= 2.max(opener.len() / 3) && distance < opener.len())
        .min()
        .map(|(_, opener)| opener)
}

fn leftover(at: &mut At<'_>, next: Token) -> Failure {
    let word = at.state().text.get(next.span.range()).unwrap_or("");
    let error =
        |message: String| Failure::said(next, Diagnostic::error(code::UNEXPECTED_TOKEN, next.span, message));
    match next.kind {
        Kind::Doc => error("this documentation stands above no item".to_owned()),
        kind if kind.opens_item() && !next.starts_line => {
            error(format!("expected a new line before the next item, found `{word}`"))
        }
        _ => Failure::expected(next, &[Expect::Form(END_OF_ITEM)], ""),
    }
}
