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
    /// Stretches in which a bracket is missing: further mistakes there follow from that.
    pub unclosed: Vec<Span>,
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
    let broken: Vec<u32> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == code::UNCLOSED)
        .map(|diagnostic| diagnostic.span.start)
        .collect();
    // A text that is never closed swallows the brackets behind it.
    let is_consequence = |diagnostic: &Diagnostic| {
        let opened = diagnostic.span.end;
        let next = broken.get(broken.partition_point(|&start| start < opened));
        diagnostic.code == code::UNCLOSED && next.is_some_and(|&start| is_on_one_line(text, opened, start))
    };
    diagnostics.extend(balanced.diagnostics.into_iter().filter(|diagnostic| !is_consequence(diagnostic)));
    Lexed {
        tokens: balanced.tokens,
        values: scanned.values,
        comments: scanned.comments,
        diagnostics,
        unclosed: balanced.unclosed,
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

fn is_on_one_line(text: &str, from: u32, to: u32) -> bool {
    text.get(from as usize..to as usize).is_some_and(|between| !between.contains('\n'))
}
