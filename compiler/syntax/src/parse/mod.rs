//! Tokens to trees, by one rule per form of the language.
//!
//! Rules are chumsky parsers. They are built once a thread, since building them takes longer than
//! reading a typical item.

mod basics;
mod block;
mod control;
mod expression;
mod failure;
mod input;
mod item;
mod literal;
mod operators;
mod pattern;
mod policy;
mod signature;
mod types;

use crate::ast::{Expr, ExprKind, File, Item, ItemKind};
use crate::diagnostic::{Diagnostic, code};
use crate::lex::{Chunks, Kind, Lexed, cut, lex};
use crate::lines::LineIndex;
use crate::span::Span;
use chumsky::Parser;
use chumsky::inspector::SimpleState;
use failure::Failure;
use input::{Rule, Source, Tokens};
use std::collections::HashSet;

/// One item's tree, and what is wrong with its text. All spans count from the item's start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parsed {
    pub item: Item,
    /// Every `//` comment in it.
    pub comments: Vec<Span>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a whole file. The diagnostics' spans count from the file's start, those in an item from the item's.
pub fn parse(text: &str) -> (File, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    if u32::try_from(text.len()).is_err() {
        let message = "this file has 4 GiB or more, which is more than the compiler reads";
        diagnostics.push(Diagnostic::error(code::UNEXPECTED_TOKEN, Span::default(), message));
    }
    let Chunks { doc, items, comments } = cut(text);
    let items = items
        .into_iter()
        .map(|chunk| {
            let parsed = parse_item(chunk.text);
            diagnostics
                .extend(parsed.diagnostics.into_iter().map(|diagnostic| diagnostic.shift(chunk.start)));
            (chunk.start, parsed.item)
        })
        .collect();
    (File { doc, items, comments }, diagnostics)
}

/// Parses one item as [`cut`] found it.
pub fn parse_item(text: &str) -> Parsed {
    let whole = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let none = || Item { doc: None, kind: ItemKind::Error, span: whole };
    let (item, comments, diagnostics) = RULES.with(|rules| run(&rules.item, text, none));
    Parsed { item, comments, diagnostics }
}

/// Parses an expression alone, such as a parameter's value: `[4, 6, 8]`, `80%`.
pub fn parse_expression(text: &str) -> (Expr, Vec<Diagnostic>) {
    let whole = Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX));
    let none = || Expr { kind: ExprKind::Error, span: whole };
    let (expr, _, diagnostics) = RULES.with(|rules| run(&rules.expression, text, none));
    (expr, diagnostics)
}

struct Rules {
    item: Rule<Item>,
    expression: Rule<Expr>,
}

thread_local! {
    static RULES: Rules = {
        let ty = types::ty();
        let expr = expression::expression(ty.clone());
        Rules { item: item::item(expr.clone(), ty), expression: expression::alone(expr) }
    };
}

/// Runs a rule over a text; `none` stands for what cannot be read at all.
fn run<T>(rule: &Rule<T>, text: &str, none: impl FnOnce() -> T) -> (T, Vec<Span>, Vec<Diagnostic>) {
    if u32::try_from(text.len()).is_err() {
        return (none(), Vec::new(), Vec::new());
    }
    let Lexed { tokens, values, comments, mut diagnostics, unclosed, stray, is_too_deep } = lex(text);
    if is_too_deep {
        return (none(), comments, diagnostics);
    }
    let mut tokens = tokens;
    tokens.retain(|token| {
        if token.kind == Kind::ModuleDoc {
            let message = "documentation of the module stands at the start of the file";
            diagnostics.push(
                Diagnostic::error(code::UNEXPECTED_TOKEN, token.span, message)
                    .help("`///` documents the next item"),
            );
        }
        token.kind != Kind::ModuleDoc
    });
    let is_empty = tokens.is_empty();
    let mut state = SimpleState(Source { text: text.to_owned(), values });
    let (tree, failures) = rule.parse_with_state(Tokens::new(tokens), &mut state).into_output_errors();
    report(failures, text, &unclosed, &stray, is_empty, &mut diagnostics);
    (tree.unwrap_or_else(none), comments, diagnostics)
}

/// Adds to what the lexer has found what the parser has, less what follows from either.
fn report(
    failures: Vec<Failure>,
    text: &str,
    unclosed: &[Span],
    stray: &[Span],
    is_empty: bool,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if failures.is_empty() {
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        return;
    }
    let lines = LineIndex::new(text);
    let unclosed = merged(unclosed);
    let is_known = !diagnostics.is_empty();
    let mut told: Vec<Failure> = Vec::new();
    let mut told_lines = HashSet::new();
    for failure in failures {
        let found = failure.found;
        let at = found.span.start;
        // What a bracket or text without its end has swallowed is missing at the item's end, and so is what
        // stood where nothing but stray brackets is.
        let is_cut_short = found.kind == Kind::End && (!unclosed.is_empty() || is_empty && is_known);
        let next = unclosed.partition_point(|span| span.end < at);
        let follows = found.is_inserted
            || is_cut_short
            || failure.is_at_unknown()
            || unclosed.get(next).is_some_and(|span| span.start <= at)
            || failure.is_leftover() && !told.is_empty();
        // Of a line, the first says what is wrong.
        let line = lines.line(at);
        let before = stray.get(stray.partition_point(|stray| stray.start < at).wrapping_sub(1));
        let is_behind_stray = before.is_some_and(|stray| lines.line(stray.start) == line);
        if !follows && !is_behind_stray && told_lines.insert(line) {
            told.push(failure);
        }
    }
    told.sort_by_key(|failure| failure.found.span);
    let told = claim_strays(told, text, &lines, stray);
    let claimed: HashSet<Span> = told.iter().filter_map(|(_, stray)| *stray).collect();
    diagnostics.retain(|diagnostic| !claimed.contains(&diagnostic.span));
    for (failure, stray) in told {
        let diagnostic = failure.into_diagnostic(text);
        diagnostics.push(match stray {
            Some(stray) => diagnostic.label(stray, "so this closes nothing"),
            None => diagnostic,
        });
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
}

/// Where an opener is missing its closer closes nothing, and what stands between is misread: of the failures
/// there the one is left that tells of the opener, with its closer.
fn claim_strays(
    failures: Vec<Failure>,
    text: &str,
    lines: &LineIndex,
    stray: &[Span],
) -> Vec<(Failure, Option<Span>)> {
    let mut told = Vec::with_capacity(failures.len());
    let mut failures = failures.into_iter().peekable();
    for &closer in stray {
        let mut inside = Vec::new();
        while let Some(failure) = failures.next_if(|failure| failure.found.span.start < closer.start) {
            inside.push(failure);
        }
        let opener = match text.as_bytes().get(closer.start as usize) {
            Some(b')') => Kind::OpenParen,
            Some(b']') => Kind::OpenBracket,
            _ => Kind::OpenBrace,
        };
        let line = lines.line(closer.start);
        let is_on_line = |failure: &Failure| lines.line(failure.found.span.start) == line;
        let chosen = inside
            .iter()
            .rposition(|failure| failure.wants(opener))
            .or_else(|| inside.iter().position(is_on_line))
            .unwrap_or(0);
        let last = inside.into_iter().take(chosen + 1).map(|failure| (failure, None));
        let before = told.len();
        told.extend(last);
        if let Some((_, claim)) = told.get_mut(before..).and_then(<[_]>::last_mut) {
            *claim = Some(closer);
        }
    }
    told.extend(failures.map(|failure| (failure, None)));
    told
}

/// The same stretches in order, those that meet as one.
fn merged(spans: &[Span]) -> Vec<Span> {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    spans.dedup_by(|next, before| {
        let meets = next.start <= before.end;
        if meets {
            before.end = before.end.max(next.end);
        }
        meets
    });
    spans
}
