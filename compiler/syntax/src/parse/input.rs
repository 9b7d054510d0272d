//! What the parsers read and what they know besides.

use super::failure::Failure;
use crate::ast::Literal;
use crate::lex::{Kind, Token};
use crate::span::Span;
use chumsky::input::{Input, InputRef, ValueInput};
use chumsky::inspector::SimpleState;
use chumsky::{Boxed, extra};

/// A parser of this language.
pub(super) type Rule<T> = Boxed<'static, 'static, Tokens, T, Extra>;

pub(super) type Extra = extra::Full<Failure, State, ()>;

/// The place in the tokens where a parser stands.
pub(super) type At<'parse> = InputRef<'static, 'parse, Tokens, Extra>;

pub(super) type State = SimpleState<Source>;

/// What tokens stand for.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) text: String,
    pub(super) values: Vec<Literal>,
}

/// Tokens as chumsky's input.
///
/// chumsky reads slices of tokens too, but a parser for borrowed tokens is bound to their lifetime and would
/// have to be built anew for every item; one for tokens that it owns is built once a thread.
#[derive(Debug)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
    end: u32,
}

impl Tokens {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        let end = tokens.last().map_or(0, |token| token.span.end);
        Self { tokens, end }
    }
}

#[expect(unsafe_code, reason = "the trait's functions are declared unsafe; nothing here relies on it")]
impl Input<'static> for Tokens {
    type Span = Span;
    type Token = Token;
    type MaybeToken = Token;
    type Cursor = usize;
    type Cache = Self;

    fn begin(self) -> (usize, Self) {
        (0, self)
    }

    fn cursor_location(cursor: &usize) -> usize {
        *cursor
    }

    unsafe fn next_maybe(cache: &mut Self, cursor: &mut usize) -> Option<Token> {
        let token = cache.tokens.get(*cursor).copied();
        *cursor += usize::from(token.is_some());
        token
    }

    /// From the first token's start to the last one's end; of no tokens, a place right behind the one before.
    unsafe fn span(cache: &mut Self, range: std::ops::Range<&usize>) -> Span {
        let last = range.end.checked_sub(1).and_then(|last| cache.tokens.get(last));
        let last_end = last.map_or(0, |token| token.span.end);
        if range.start >= range.end {
            return Span::new(last_end, last_end);
        }
        let start = cache.tokens.get(*range.start).map_or(cache.end, |token| token.span.start);
        Span::new(start, last_end)
    }
}

#[expect(unsafe_code, reason = "the trait's function is declared unsafe; nothing here relies on it")]
impl ValueInput<'static> for Tokens {
    unsafe fn next(cache: &mut Self, cursor: &mut usize) -> Option<Token> {
        let token = cache.tokens.get(*cursor).copied();
        *cursor += usize::from(token.is_some());
        token
    }
}

impl chumsky::span::Span for Span {
    type Context = ();
    type Offset = u32;

    fn new(_: (), range: std::ops::Range<u32>) -> Self {
        Self { start: range.start, end: range.end }
    }

    fn context(&self) {}

    fn start(&self) -> u32 {
        self.start
    }

    fn end(&self) -> u32 {
        self.end
    }
}

/// The next token, or one of kind `End` behind the last.
pub(super) fn peek(at: &mut At<'_>) -> Token {
    match at.peek() {
        Some(token) => token,
        None => {
            let here = at.cursor();
            let span = at.span_since(&here);
            Token { kind: Kind::End, starts_line: true, is_inserted: false, value: 0, span }
        }
    }
}

/// What stands where something is missing: the next token, or the end of the line where that comes first.
pub(super) fn obstacle(at: &mut At<'_>) -> Token {
    let next = peek(at);
    let here = at.cursor();
    let span = at.span_since(&here);
    if next.starts_line && span.end > 0 && next.kind != Kind::End {
        return Token { kind: Kind::Newline, span, ..next };
    }
    next
}
