//! What operators, workflows and fns have before their bodies: parameters, outputs, provenance.

use super::basics::*;
use super::input::Rule;
use super::types::required_type;
use crate::ast::*;
use crate::lex::{Kind, Token};
use chumsky::prelude::*;

/// `(data: Dataset<R> unseen by model, depth: Int = 4)`
pub(super) fn parameters(expr: Rule<Expr>, ty: Rule<TypeExpr>) -> Rule<Vec<Param>> {
    let unseen_by = ahead(|next, second, _| next.kind == Kind::Unseen && second.kind == Kind::By)
        .ignore_then(token(Kind::Unseen))
        .ignore_then(token(Kind::By))
        .ignore_then(names("after `by`"))
        .or_not()
        .map(Option::unwrap_or_default);
    let default = token_if(|token| token.kind == Kind::Equal).ignore_then(expr).or_not();
    let parameter = documentation()
        .then(name())
        .then_ignore(required(Kind::Colon, "after the parameter's name"))
        .then(required_type(ty))
        .then(unseen_by)
        .then(default)
        .map(|((((doc, name), ty), unseen_by), default)| Param { doc, name, ty, unseen_by, default });
    required_list(Kind::OpenParen, parameter, Kind::CloseParen, "after the parameter", "after the name")
}

/// `-> Dataset<S> rows of data`, `-> (train: A, test: B)`, or nothing.
pub(super) fn outputs(ty: Rule<TypeExpr>) -> Rule<Outputs> {
    let ty = required_type(ty);
    let named = documentation()
        .then(field_name())
        .then_ignore(required(Kind::Colon, "after the output's name"))
        .then(ty.clone())
        .then(provenance())
        .map(|(((doc, name), ty), provenance)| Output { doc, name: Some(name), ty, provenance });
    let named = list_if(|token| token.kind == Kind::OpenParen, named, Kind::CloseParen, "after the output");
    let one = ty
        .then(provenance())
        .map(|(ty, provenance)| Outputs::One(Output { doc: None, name: None, ty, provenance }));
    token_if(|token| token.kind == Kind::Arrow)
        .ignore_then(choice((named.map(Outputs::Named).boxed(), one.boxed())))
        .or_not()
        .map(|outputs| outputs.unwrap_or(Outputs::None))
        .boxed()
}

/// `rows of data`, `fitted on data, more chosen on validation`
fn provenance() -> Rule<Vec<Provenance>> {
    let clause = |first: Kind, second: Kind, kind: ProvenanceKind, after: &'static str| {
        token_if(move |token| token.kind == first)
            .ignore_then(required(second, ""))
            .ignore_then(names(after))
            .map_with(move |params, extra| Provenance { kind, params, span: extra.span() })
            .boxed()
    };
    choice((
        clause(Kind::Rows, Kind::Of, ProvenanceKind::RowsOf, "after `of`"),
        clause(Kind::Part, Kind::Of, ProvenanceKind::PartOf, "after `of`"),
        clause(Kind::Fitted, Kind::On, ProvenanceKind::FittedOn, "after `on`"),
        clause(Kind::Chosen, Kind::On, ProvenanceKind::ChosenOn, "after `on`"),
    ))
    .repeated()
    .collect()
    .boxed()
}

/// Names with commas between. A comma before `name:` is not theirs: there the next parameter begins.
fn names(after: &'static str) -> Rule<Vec<Name>> {
    let more = ahead(|comma: Token, name, colon| {
        comma.kind == Kind::Comma && name.kind.is_name() && colon.kind != Kind::Colon
    });
    let another = more.ignore_then(token(Kind::Comma)).ignore_then(name());
    required_name(after)
        .then(another.repeated().collect::<Vec<Name>>())
        .map(|(first, others)| std::iter::once(first).chain(others).collect())
        .boxed()
}
