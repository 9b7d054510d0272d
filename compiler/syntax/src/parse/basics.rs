//! The parts that all rules are made of: tokens, names, lists, and how to go on after a mistake.
//!
//! A rule either fails at its first token or it succeeds: behind that token whatever is missing is
//! reported, and the rule goes on as if it were there. Nothing sound is lost to a mistake beside it,
//! and no rule is tried twice.

use super::failure::{Expect, Failure};
use super::input::{At, Extra, Rule, Tokens, obstacle, peek};
use crate::ast::{Doc, Name, Text};
use crate::diagnostic::{Diagnostic, code};
use crate::lex::{Kind, Token};
use crate::span::Span;
use chumsky::prelude::*;

/// One token of this kind.
pub(super) fn token(kind: Kind) -> impl Parser<'static, Tokens, Span, Extra> + Copy {
    token_as(kind, Expect::Kind(kind))
}

/// One token of this kind, which messages call otherwise.
fn token_as(kind: Kind, expect: Expect) -> impl Parser<'static, Tokens, Span, Extra> + Copy {
    custom(move |at: &mut At<'_>| {
        let next = peek(at);
        if next.kind == kind {
            at.skip();
            Ok(next.span)
        } else {
            Err(Failure::expected(next, &[expect], ""))
        }
    })
}

/// One token that passes the test, or a failure that messages do not mention.
pub(super) fn token_if(
    test: impl Fn(Token) -> bool + Copy + 'static,
) -> impl Parser<'static, Tokens, Token, Extra> + Copy {
    custom(move |at: &mut At<'_>| {
        let next = peek(at);
        if test(next) {
            at.skip();
            Ok(next)
        } else {
            Err(Failure::quiet(next))
        }
    })
}

/// Reads nothing; fails quietly unless the tokens ahead pass the test.
pub(super) fn ahead(
    test: impl Fn(Token, Token, Token) -> bool + Copy + 'static,
) -> impl Parser<'static, Tokens, (), Extra> + Copy {
    custom(move |at: &mut At<'_>| {
        let first = peek(at);
        let start = at.save();
        at.next();
        let second = peek(at);
        at.next();
        let third = peek(at);
        at.rewind(start);
        if test(first, second, third) { Ok(()) } else { Err(Failure::quiet(first)) }
    })
}

/// One token of this kind; where it is missing that is reported, and reading goes on.
pub(super) fn required(kind: Kind, after: &'static str) -> impl Parser<'static, Tokens, Span, Extra> + Copy {
    custom(move |at: &mut At<'_>| {
        let next = peek(at);
        if next.kind == kind {
            at.skip();
            Ok(next.span)
        } else {
            let obstacle = obstacle(at);
            at.emit(Failure::expected(obstacle, &[Expect::Kind(kind)], after));
            Ok(here(at))
        }
    })
}

/// A name, or a word that has no other part here.
pub(super) fn name() -> impl Parser<'static, Tokens, Name, Extra> + Copy {
    custom(|at: &mut At<'_>| {
        let next = peek(at);
        if next.kind.is_name() {
            at.skip();
            Ok(spelled(at, next))
        } else {
            Err(Failure::expected(next, &[Expect::Form("a name")], ""))
        }
    })
}

/// A name; an empty one where it is missing, which is reported.
pub(super) fn required_name(after: &'static str) -> impl Parser<'static, Tokens, Name, Extra> + Copy {
    custom(move |at: &mut At<'_>| {
        let next = peek(at);
        if next.kind.is_name() {
            at.skip();
            Ok(spelled(at, next))
        } else {
            let obstacle = obstacle(at);
            at.emit(Failure::expected(obstacle, &[Expect::Form("a name")], after));
            Ok(Name { text: String::new(), span: here(at) })
        }
    })
}

/// The name of a field, where keywords are names too.
pub(super) fn field_name() -> impl Parser<'static, Tokens, Name, Extra> + Copy {
    custom(|at: &mut At<'_>| {
        let next = peek(at);
        if next.kind.is_name() || next.kind.is_keyword() {
            at.skip();
            Ok(spelled(at, next))
        } else {
            Err(Failure::expected(next, &[Expect::Form("a name")], ""))
        }
    })
}

/// The name behind a dot; an empty one where it is missing, which is reported.
pub(super) fn required_field_name() -> impl Parser<'static, Tokens, Name, Extra> + Copy {
    custom(|at: &mut At<'_>| {
        let next = peek(at);
        // A name on the next line begins a statement: the field has not been written yet.
        if (next.kind.is_name() || next.kind.is_keyword()) && !next.starts_line {
            at.skip();
            Ok(spelled(at, next))
        } else {
            let obstacle = obstacle(at);
            at.emit(Failure::expected(obstacle, &[Expect::Form("a name")], "after `.`"));
            Ok(Name { text: String::new(), span: here(at) })
        }
    })
}

/// A text without expressions in it.
pub(super) fn plain_text(what: &'static str) -> impl Parser<'static, Tokens, Text, Extra> + Copy {
    custom(move |at: &mut At<'_>| {
        let next = peek(at);
        match next.kind {
            Kind::Text | Kind::RawText => {
                at.skip();
                Ok(Text { value: text_value(at, next), span: next.span })
            }
            Kind::TextStart => {
                let message = format!("{what} is a text without expressions in it");
                at.emit(Failure::said(next, Diagnostic::error(code::UNEXPECTED_TOKEN, next.span, message)));
                skip_one(at);
                Ok(Text { value: String::new(), span: next.span })
            }
            _ => Err(Failure::expected(next, &[Expect::Form(what)], "")),
        }
    })
}

/// The same; an empty one where it is missing, which is reported.
pub(super) fn required_text(what: &'static str) -> Rule<Text> {
    plain_text(what)
        .recover_with(via_parser(custom(|at: &mut At<'_>| Ok(Text { value: String::new(), span: here(at) }))))
        .boxed()
}

/// Any number of `///` lines.
pub(super) fn documentation() -> impl Parser<'static, Tokens, Option<Doc>, Extra> + Copy {
    custom(|at: &mut At<'_>| {
        let mut lines = Vec::new();
        while let Some(line) = at.peek().filter(|next| next.kind == Kind::Doc) {
            lines.push(line);
            at.skip();
        }
        Ok(crate::lex::documentation(&at.state().text, &lines))
    })
}

/// `open element, element close`, with or without a comma behind the last element.
///
/// What is wrong in one element leaves the others as they are. `what` is the element's part in
/// messages: `after the argument`.
pub(super) fn list<T: 'static>(
    open: Kind,
    element: impl Parser<'static, Tokens, T, Extra> + Clone + 'static,
    close: Kind,
    what: &'static str,
) -> Rule<Vec<T>> {
    token(open).ignore_then(elements(element, close, what)).boxed()
}

/// The same where messages do not mention that it may begin here.
pub(super) fn list_if<T: 'static>(
    opens: impl Fn(Token) -> bool + Copy + 'static,
    element: impl Parser<'static, Tokens, T, Extra> + Clone + 'static,
    close: Kind,
    what: &'static str,
) -> Rule<Vec<T>> {
    token_if(opens).ignore_then(elements(element, close, what)).boxed()
}

/// A list that must stand here; none where it is missing, which is reported.
pub(super) fn required_list<T: 'static>(
    open: Kind,
    element: impl Parser<'static, Tokens, T, Extra> + Clone + 'static,
    close: Kind,
    what: &'static str,
    after: &'static str,
) -> Rule<Vec<T>> {
    let missing = custom(move |at: &mut At<'_>| {
        let obstacle = obstacle(at);
        at.emit(Failure::expected(obstacle, &[Expect::Kind(open)], after));
        Ok(Vec::new())
    });
    choice((list(open, element, close, what), missing)).boxed()
}

/// The elements and the closer of a list.
fn elements<T: 'static>(
    element: impl Parser<'static, Tokens, T, Extra> + Clone + 'static,
    close: Kind,
    what: &'static str,
) -> Rule<Vec<T>> {
    // `<` and `>` are no brackets to the lexer: what follows a missing `>` is better not skipped.
    let skips = close != Kind::Greater;
    let skipped = custom(move |at: &mut At<'_>| {
        if skips {
            skip_to(at, |token| token.kind == Kind::Comma);
        }
        Ok(None)
    });
    let whole =
        element.map(Some).recover_with(via_parser(skipped)).then_ignore(custom(move |at: &mut At<'_>| {
            let next = peek(at);
            if next.kind != Kind::Comma && next.kind != close {
                let obstacle = obstacle(at);
                at.emit(Failure::expected(obstacle, &[Expect::Kind(Kind::Comma), Expect::Kind(close)], what));
                if skips {
                    skip_to(at, |token| token.kind == Kind::Comma);
                }
            }
            Ok(())
        }));
    // `<R, b: Int`: what follows the comma stands in the list around this one.
    let comma = ahead(move |next, second, third| {
        let is_outside = second.kind == Kind::Doc || third.kind == Kind::Colon;
        next.kind == Kind::Comma && (skips || !is_outside)
    });
    ahead(move |next, _, _| next.kind != close && next.kind != Kind::End)
        .ignore_then(whole)
        .separated_by(comma.ignore_then(token_if(|token| token.kind == Kind::Comma)))
        .allow_trailing()
        .collect::<Vec<Option<T>>>()
        .then_ignore(required(close, ""))
        .map(|elements| elements.into_iter().flatten().collect())
        .boxed()
}

/// Skips tokens, brackets as wholes, up to one that passes the test, the end of what is open, or the end.
pub(super) fn skip_to(at: &mut At<'_>, stop: impl Fn(Token) -> bool) {
    while let Some(next) = at.peek() {
        if next.kind.is_closer() || next.kind == Kind::TextMiddle || stop(next) {
            return;
        }
        skip_one(at);
    }
}

/// Skips one token, or all of what a bracket encloses.
pub(super) fn skip_one(at: &mut At<'_>) {
    let mut depth = 0usize;
    while let Some(next) = at.next() {
        if next.kind.closer().is_some() {
            depth += 1;
        } else if next.kind.is_closer() {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return;
        }
    }
}

/// The empty span behind the last token read.
pub(super) fn here(at: &mut At<'_>) -> Span {
    let cursor = at.cursor();
    at.span_since(&cursor)
}

fn spelled(at: &mut At<'_>, token: Token) -> Name {
    let written = at.state().text.get(token.span.range()).unwrap_or("");
    let text = if token.kind == Kind::QuotedName { written.trim_matches('`') } else { written };
    Name { text: text.to_owned(), span: token.span }
}

/// The characters that a token of a text stands for.
pub(super) fn text_value(at: &mut At<'_>, token: Token) -> String {
    use crate::ast::Literal;
    match at.state().values.get(token.value as usize) {
        Some(Literal::Text(value) | Literal::RawText(value)) => value.clone(),
        _ => String::new(),
    }
}
