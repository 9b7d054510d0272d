//! Matches brackets, so that the parser sees only matched ones, and says which newlines count.
//!
//! A bracket that is never closed gets its closer put in, one that closes nothing is left out; each
//! is one diagnostic. Where brackets do not match, layout tells which is the culprit: a closer that begins
//! its line belongs to the opener whose line begins at the same column, and one within a line closes nothing
//! that a line further left has opened. The reading with the fewest mistakes is taken.

use super::scan::Scanned;
use super::token::{Kind, Token};
use crate::diagnostic::{Diagnostic, code};
use crate::span::Span;

/// Brackets and texts may stand this deep in each other.
pub const MAX_NESTING: usize = 200;

/// One expression may have this many operators, calls and keywords in it and around it: trees are walked
/// recursively, and a walk must not run out of stack.
pub const MAX_CHAIN: usize = 500;

#[derive(Debug)]
pub(super) struct Balanced {
    pub(super) tokens: Vec<Token>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Stretches between a bracket that is never closed and where it was closed in the author's place: what is
    /// wrong there follows from that.
    pub(super) unclosed: Vec<Span>,
    /// Closers that close nothing.
    pub(super) stray: Vec<Span>,
    /// Nested deeper than the parser goes.
    pub(super) is_too_deep: bool,
}

pub(super) fn balance(text: &str, scanned: &Scanned) -> Balanced {
    let plain = Balancer::new(text, Layout::Ignored).run(&scanned.tokens);
    if plain.diagnostics.is_empty() || plain.is_too_deep {
        return plain;
    }
    let others = [Layout::Braces, Layout::All].map(|layout| Balancer::new(text, layout).run(&scanned.tokens));
    others.into_iter().fold(plain, |best, other| {
        if other.diagnostics.len() <= best.diagnostics.len() { other } else { best }
    })
}

/// What of a text's layout says which brackets belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Ignored,
    /// Where a `}` that begins its line stands.
    Braces,
    /// Where any closer stands.
    All,
}

struct Balancer<'t> {
    text: &'t str,
    layout: Layout,
    open: Vec<Open>,
    /// Lines that have begun.
    line: u32,
    /// Sum of all `chain`s.
    chained: usize,
    out: Balanced,
}

/// A bracket that waits for its closer.
struct Open {
    kind: Kind,
    span: Span,
    line: u32,
    /// The column at which the bracket's line begins.
    indentation: usize,
    /// Operators and their like in the expression being read right within.
    chain: usize,
}

impl<'t> Balancer<'t> {
    fn new(text: &'t str, layout: Layout) -> Self {
        let outermost = Open { kind: Kind::End, span: Span::default(), line: 0, indentation: 0, chain: 0 };
        let out = Balanced {
            tokens: Vec::new(),
            diagnostics: Vec::new(),
            unclosed: Vec::new(),
            stray: Vec::new(),
            is_too_deep: false,
        };
        Self { text, layout, open: vec![outermost], line: 0, chained: 0, out }
    }

    fn run(mut self, tokens: &[Token]) -> Balanced {
        self.out.tokens.reserve(tokens.len() + 1);
        let mut indentation = 0;
        for (index, &token) in tokens.iter().enumerate() {
            if token.starts_line {
                self.line += 1;
                indentation = self.column(token.span.start);
                self.close_before_statement(token, tokens.get(index + 1));
            }
            match token.kind {
                Kind::OpenParen | Kind::OpenBracket | Kind::OpenBrace | Kind::TextStart => {
                    self.push(token);
                    self.open.push(Open {
                        kind: token.kind,
                        span: token.span,
                        line: self.line,
                        indentation,
                        chain: 0,
                    });
                }
                Kind::CloseParen | Kind::CloseBracket | Kind::CloseBrace => {
                    if self.close(token, tokens.get(index + 1), indentation) {
                        self.push(token);
                    }
                }
                Kind::TextMiddle | Kind::TextEnd => {
                    while self.top() != Kind::TextStart && self.open.len() > 1 {
                        self.insert_closer(token.span.start);
                    }
                    self.reset_chain();
                    if token.kind == Kind::TextEnd {
                        self.pop();
                    }
                    self.push(token);
                }
                _ => self.push(token),
            }
            if self.open.len() - 1 > MAX_NESTING || self.chained > MAX_CHAIN {
                self.too_deep(token.span);
                return self.out;
            }
        }
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        while self.open.len() > 1 {
            self.insert_closer(tokens.last().map_or(end, |token| token.span.end));
        }
        self.out
    }

    fn top(&self) -> Kind {
        self.open.last().map_or(Kind::End, |open| open.kind)
    }

    /// Newlines count right within braces and outside all brackets.
    fn newlines_count(&self) -> bool {
        matches!(self.top(), Kind::OpenBrace | Kind::End)
    }

    fn push(&mut self, token: Token) {
        let starts_line = token.starts_line && self.newlines_count();
        let kind = token.kind;
        let continues = kind.is_binary_operator() || matches!(kind, Kind::Dot | Kind::With | Kind::Else);
        if kind == Kind::Comma || (starts_line && !continues) {
            self.reset_chain();
        }
        let is_link = kind.is_binary_operator()
            || kind.is_keyword()
            || matches!(
                kind,
                Kind::Dot
                    | Kind::Question
                    | Kind::Run
                    | Kind::OpenParen
                    | Kind::OpenBracket
                    | Kind::OpenBrace
                    | Kind::TextStart
            );
        if is_link && let Some(open) = self.open.last_mut() {
            open.chain += 1;
            self.chained += 1;
        }
        self.out.tokens.push(Token { starts_line, ..token });
    }

    fn reset_chain(&mut self) {
        if let Some(open) = self.open.last_mut() {
            self.chained -= open.chain;
            open.chain = 0;
        }
    }

    fn pop(&mut self) -> Option<Open> {
        self.reset_chain();
        if self.open.len() > 1 { self.open.pop() } else { None }
    }

    /// Whether `token` closes a bracket; those opened within that one are closed first.
    fn close(&mut self, token: Token, next: Option<&Token>, indentation: usize) -> bool {
        // `[(1))]`: the bracket within is closed right behind this one, which is one too many.
        let closes_top = |kind: Kind| self.top().closer() == Some(kind);
        let is_extra = !closes_top(token.kind) && next.is_some_and(|next| closes_top(next.kind));
        let partner = if is_extra { None } else { self.partner(token, indentation) };
        let Some(depth) = partner else {
            let spelling = token.kind.spelling().unwrap_or_default();
            let message = format!("`{spelling}` closes nothing");
            self.out.diagnostics.push(Diagnostic::error(code::UNEXPECTED_TOKEN, token.span, message));
            self.out.stray.push(token.span);
            return false;
        };
        while self.open.len() > depth + 1 {
            self.insert_closer(token.span.start);
        }
        self.pop();
        true
    }

    /// The place in `open` of the bracket that `token` closes.
    fn partner(&self, token: Token, indentation: usize) -> Option<usize> {
        let reachable = self.open.iter().enumerate().rev().take_while(|(_, open)| {
            // No bracket closes a text. A brace is stronger than parentheses, but for one on the same line.
            let is_passable =
                token.kind == Kind::CloseBrace || open.kind != Kind::OpenBrace || open.line == self.line;
            !matches!(open.kind, Kind::End | Kind::TextStart) && is_passable
        });
        let mut partners = reachable.filter(|(_, open)| open.kind.closer() == Some(token.kind));
        let is_by_column = match self.layout {
            Layout::Ignored => false,
            Layout::Braces => token.kind == Kind::CloseBrace,
            Layout::All => true,
        };
        if is_by_column && token.starts_line {
            let nearest = partners.next()?;
            let is_aligned = |open: &Open| open.indentation == indentation;
            if is_aligned(nearest.1) {
                return Some(nearest.0);
            }
            let aligned = partners.find(|(_, open)| is_aligned(open)).map(|(depth, _)| depth);
            return aligned.or((nearest.1.indentation > indentation).then_some(nearest.0));
        }
        let is_over = |open: &Open| open.line == self.line || open.indentation >= indentation;
        partners
            .next()
            .filter(|(_, open)| self.layout != Layout::All || is_over(open))
            .map(|(depth, _)| depth)
    }

    /// `let` and `assert` begin statements, and no statement stands in parentheses: those that are open were forgotten.
    fn close_before_statement(&mut self, token: Token, next: Option<&Token>) {
        let begins_statement = token.kind == Kind::Let
            || token.kind == Kind::Assert
                && next.is_some_and(|next| next.kind.is_name() && !next.starts_line);
        let is_in_block = self.open.iter().any(|open| open.kind == Kind::OpenBrace);
        while begins_statement && is_in_block && matches!(self.top(), Kind::OpenParen | Kind::OpenBracket) {
            let end = self.out.tokens.last().map_or(token.span.start, |token| token.span.end);
            self.insert_closer(end);
        }
    }

    fn insert_closer(&mut self, at: u32) {
        let Some(open) = self.pop() else { return };
        let Some(closer) = open.kind.closer() else { return };
        if open.kind != Kind::TextStart {
            let spelling = open.kind.spelling().unwrap_or_default();
            let message = format!("`{spelling}` is never closed");
            let mut diagnostic = Diagnostic::error(code::UNCLOSED, open.span, message);
            if at > open.span.end {
                let closing = closer.spelling().unwrap_or_default();
                diagnostic = diagnostic.label(Span::new(at, at), format!("a `{closing}` is missing by here"));
            }
            self.out.diagnostics.push(diagnostic);
            self.out.unclosed.push(Span::new(open.span.start, at));
        }
        self.out.tokens.push(Token {
            kind: closer,
            starts_line: false,
            is_inserted: true,
            value: 0,
            span: Span::new(at, at),
        });
    }

    fn too_deep(&mut self, span: Span) {
        let message = if self.open.len() - 1 > MAX_NESTING {
            format!("brackets are nested more than {MAX_NESTING} deep")
        } else {
            format!("this expression has more than {MAX_CHAIN} operators and calls in each other")
        };
        let help = "give parts of it names with `let`, or move them to a `fn`";
        self.out.diagnostics = vec![Diagnostic::error(code::UNEXPECTED_TOKEN, span, message).help(help)];
        self.out.is_too_deep = true;
        self.out.tokens.clear();
    }

    fn column(&self, offset: u32) -> usize {
        let before = self.text.get(..offset as usize).unwrap_or("");
        before.len() - before.rfind('\n').map_or(0, |newline| newline + 1)
    }
}
