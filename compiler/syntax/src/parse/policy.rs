//! `with (gpu: 1, memory: 8GiB)`

use super::basics::*;
use super::input::Rule;
use crate::ast::{Expr, PolicyEntry};
use crate::lex::Kind;
use chumsky::prelude::*;

pub(super) fn policy(expr: Rule<Expr>) -> Rule<Vec<PolicyEntry>> {
    let entry = field_name()
        .then_ignore(required(Kind::Colon, "after the key"))
        .then(expr)
        .map(|(key, value)| PolicyEntry { key, value });
    token_if(|token| token.kind == Kind::With)
        .ignore_then(required_list(
            Kind::OpenParen,
            entry,
            Kind::CloseParen,
            "after the entry",
            "after `with`",
        ))
        .boxed()
}
