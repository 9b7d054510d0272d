//! What went wrong in a parser, cheap to make and to merge: most are never told.

use super::input::Tokens;
use crate::diagnostic::{Diagnostic, code};
use crate::lex::{Kind, Token};
use crate::span::Span;
use chumsky::DefaultExpected;
use chumsky::error::{Error, LabelError};
use chumsky::util::MaybeRef;

/// At a token, something else was expected.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) found: Token,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// Any of these, after something.
    Expected(Expected, &'static str),
    /// Said in full.
    Said(Box<Diagnostic>),
}

/// What may stand in a place.
type Expected = [Option<Expect>; 2];

/// Something that may stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    Kind(Kind),
    /// Several forms under one name: `an expression`.
    Form(&'static str),
}

/// What ought to stand behind an item's last token.
pub(super) const END_OF_ITEM: &str = "the end of the item";

impl Failure {
    pub(super) fn expected(found: Token, expected: &[Expect], after: &'static str) -> Self {
        let mut all = [None; 2];
        for (slot, &expect) in all.iter_mut().zip(expected) {
            *slot = Some(expect);
        }
        Self { found, what: What::Expected(all, after) }
    }

    pub(super) fn quiet(found: Token) -> Self {
        Self { found, what: What::Expected([None; 2], "") }
    }

    pub(super) fn said(found: Token, diagnostic: Diagnostic) -> Self {
        Self { found, what: What::Said(Box::new(diagnostic)) }
    }

    /// Said in full where the token is no longer at hand.
    pub(super) fn said_at(span: Span, diagnostic: Diagnostic) -> Self {
        let found = Token { kind: Kind::Unknown, starts_line: false, is_inserted: false, value: 0, span };
        Self::said(found, diagnostic)
    }

    /// Found what the lexer has reported already.
    pub(super) fn is_at_unknown(&self) -> bool {
        self.found.kind == Kind::Unknown && matches!(self.what, What::Expected(..))
    }

    /// Found something behind an item's end.
    pub(super) fn is_leftover(&self) -> bool {
        matches!(self.what, What::Expected([Some(Expect::Form(END_OF_ITEM)), ..], _))
    }

    /// Whether a token of this kind is missing.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        matches!(&self.what, What::Expected(expected, _) if expected.contains(&Some(Expect::Kind(kind))))
    }

    pub(super) fn into_diagnostic(self, text: &str) -> Diagnostic {
        let (expected, after) = match self.what {
            What::Said(diagnostic) => return *diagnostic,
            What::Expected(expected, after) => (expected, after),
        };
        let found = describe(self.found, text);
        let names: Vec<String> = expected.iter().flatten().map(|expect| expect.describe()).collect();
        let after = if after.is_empty() { String::new() } else { format!(" {after}") };
        let message = match names.split_last() {
            None => format!("unexpected {found}"),
            Some((only, [])) => format!("expected {only}{after}, found {found}"),
            Some((last, others)) => format!("expected {} or {last}{after}, found {found}", others.join(", ")),
        };
        let mut span = self.found.span;
        if matches!(self.found.kind, Kind::TextMiddle | Kind::TextEnd) {
            span.end = span.end.min(span.start + 1);
        }
        let mut diagnostic = Diagnostic::error(code::UNEXPECTED_TOKEN, span, message);
        diagnostic.help = help(&expected, self.found, text);
        diagnostic
    }

    fn merge_expected(&mut self, other: &Expected, other_after: &'static str) {
        let What::Expected(expected, after) = &mut self.what else { return };
        if after.is_empty() {
            *after = other_after;
        }
        for expect in other.iter().flatten() {
            if !expected.contains(&Some(*expect))
                && let Some(slot) = expected.iter_mut().find(|slot| slot.is_none())
            {
                *slot = Some(*expect);
            }
        }
    }
}

impl Expect {
    fn describe(self) -> String {
        match self {
            Self::Kind(kind) => format!("`{}`", kind.spelling().unwrap_or("text")),
            Self::Form(form) => form.to_owned(),
        }
    }
}

/// A token in the words of a message.
fn describe(token: Token, text: &str) -> String {
    match token.kind {
        Kind::End => "the end".to_owned(),
        Kind::Newline => "a new line".to_owned(),
        Kind::TextStart | Kind::Text => "text".to_owned(),
        Kind::TextMiddle | Kind::TextEnd => "`}`".to_owned(),
        Kind::Doc | Kind::ModuleDoc => "documentation".to_owned(),
        _ => format!("`{}`", text.get(token.span.range()).unwrap_or("")),
    }
}

/// What to do, where it is obvious.
fn help(expected: &Expected, found: Token, text: &str) -> Option<String> {
    let wants_name = expected.contains(&Some(Expect::Form("a name")));
    let wants = |kind| expected.contains(&Some(Expect::Kind(kind)));
    match found.kind {
        kind if wants_name && kind.is_keyword() => {
            let word = kind.spelling().unwrap_or_default();
            Some(format!("`{word}` is a keyword; in backticks it is a name: `` `{word}` ``"))
        }
        Kind::GreaterEqual if wants(Kind::Greater) => Some("put a space between `>` and `=`".to_owned()),
        Kind::Doc => Some("`///` documents an item, a parameter or a field; elsewhere write `//`".to_owned()),
        Kind::Equal if wants(Kind::Comma) => {
            Some("a name is bound with `:`, as in `name: value`; equality is `==`".to_owned())
        }
        Kind::Name => match text.get(found.span.range())? {
            "elif" | "elsif" | "elseif" => Some("write `else if`".to_owned()),
            "null" | "None" | "nil" | "undefined" => Some("write `none`".to_owned()),
            "True" => Some("write `true`".to_owned()),
            "False" => Some("write `false`".to_owned()),
            _ => None,
        },
        _ => None,
    }
}

impl Error<'static, Tokens> for Failure {
    fn merge(mut self, other: Self) -> Self {
        match other.what {
            What::Said(_) => other,
            What::Expected(expected, after) => {
                self.merge_expected(&expected, after);
                self
            }
        }
    }
}

impl LabelError<'static, Tokens, DefaultExpected<'static, Token>> for Failure {
    fn expected_found<E: IntoIterator<Item = DefaultExpected<'static, Token>>>(
        _: E,
        found: Option<MaybeRef<'static, Token>>,
        span: Span,
    ) -> Self {
        let end = Token { kind: Kind::End, starts_line: true, is_inserted: false, value: 0, span };
        Self::quiet(found.map_or(end, |token| *token))
    }

    // chumsky's own parsers expect single tokens, which says nothing that our rules do not say better.
    fn merge_expected_found<E: IntoIterator<Item = DefaultExpected<'static, Token>>>(
        self,
        _: E,
        _: Option<MaybeRef<'static, Token>>,
        _: Span,
    ) -> Self {
        self
    }
}
