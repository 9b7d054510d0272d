//! Text to tokens: [`cut`] finds the items of a file, [`lex`] the tokens of one item.

mod balance;
mod cut;
mod moment;
mod number;
mod scan;
mod text;
mod token;

pub use balance::{MAX_CHAIN, MAX_NESTING};
pub use cut::{Chunk, Chunks, cut};
pub use token::{Kind, Token};

use crate::ast::{Doc, Literal};
use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;

/// The tokens of one item. Brackets match, whatever the text.
#[derive(Debug)]
pub struct Lexed {
    pub tokens: Vec<Token>,
    /// What the literals among the tokens stand for; [`Token::value`] counts in it.
    pub values: Vec<Literal>,
    /// Every `//` comment.
    pub comments: Vec<Span>,
    pub diagnostics: Vec<Diagnostic>,
    /// Stretches in which a bracket or a quote is missing: further mistakes there follow from that.
    pub unclosed: Vec<Span>,
    /// Closing brackets that close nothing.
    pub stray: Vec<Span>,
    /// Nested deeper than the parser goes: there are no tokens, and a diagnostic says so.
    pub is_too_deep: bool,
}

/// Reads the tokens of one item.
pub fn lex(text: &str) -> Lexed {
    let mut scanned = scan::scan(text);
    let balanced = balance::balance(text, &scanned);
    // Where one mistake hides another, the first is told.
    if balanced.is_too_deep {
        scanned.diagnostics.clear();
    }
    let mut diagnostics = scanned.diagnostics;
    // The lines of texts without an end: such a text swallows brackets.
    let broken: Vec<Span> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == code::UNCLOSED)
        .map(|diagnostic| line_around(text, diagnostic.span.start))
        .collect();
    let is_broken = |at: u32| {
        let next = broken.partition_point(|line| line.end < at);
        broken.get(next).is_some_and(|line| line.start <= at)
    };
    let is_consequence = |diagnostic: &Diagnostic| is_broken(diagnostic.span.start);
    diagnostics.extend(balanced.diagnostics.into_iter().filter(|diagnostic| !is_consequence(diagnostic)));
    let stray = balanced.stray.into_iter().filter(|span| !is_broken(span.start)).collect();
    let mut unclosed = balanced.unclosed;
    unclosed.extend(&broken);
    Lexed {
        tokens: balanced.tokens,
        values: scanned.values,
        comments: scanned.comments,
        diagnostics,
        unclosed,
        stray,
        is_too_deep: balanced.is_too_deep,
    }
}

/// The text of documentation lines without their markers.
pub(crate) fn documentation(text: &str, lines: &[Token]) -> Option<Doc> {
    let span = lines.first()?.span.to(lines.last()?.span);
    let line = |token: &Token| {
        let line = text.get(token.span.range()).unwrap_or("");
        let line = line.get(3..).unwrap_or("");
        line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()
    };
    Some(Doc { text: lines.iter().map(line).collect::<Vec<_>>().join("\n"), span })
}

/// From the start of a line to its end, for a place in it.
fn line_around(text: &str, at: u32) -> Span {
    let (before, behind) = text.split_at_checked(at as usize).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let end = before.len() + behind.find('\n').unwrap_or(behind.len());
    Span::new(u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}
