//! Cuts a file into items, so that an edit in one leaves the others as they are.
//!
//! An item begins at a line's start, outside all brackets, with a word that opens items. Since a
//! bracket may have been forgotten, such a word also begins an item *within* brackets where it
//! stands at column 0 and is followed by what only an item has there (`fn name(`, `schema Name {`):
//! two names side by side are nothing in an expression. That shape begins an item behind anything. Outside brackets any other name at column 0
//! begins an item too (a misspelled `worklow`), unless what precedes it calls for more or it is a
//! clause that continues an operator's head.
//!
//! Documentation right above an item belongs to it; comments between items belong to the file.

use super::scan::{Scanned, scan};
use super::token::{Kind, Token};
use crate::ast::Doc;
use crate::span::Span;

/// A file as its items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chunks<'t> {
    /// The `//!` lines at the file's start.
    pub doc: Option<Doc>,
    pub items: Vec<Chunk<'t>>,
    /// Every `//` comment of the file.
    pub comments: Vec<Span>,
}

/// One item: from its first documentation line to its last token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chunk<'t> {
    /// Where it begins in the file.
    pub start: u32,
    pub text: &'t str,
}

/// Cuts a file into items. A text of 4 GiB or more has none.
pub fn cut(text: &str) -> Chunks<'_> {
    if u32::try_from(text.len()).is_err() {
        return Chunks { doc: None, items: Vec::new(), comments: Vec::new() };
    }
    let Scanned { tokens, comments, .. } = scan(text);
    let module_docs = tokens.iter().take_while(|token| token.kind == Kind::ModuleDoc).count();
    let doc = tokens.get(..module_docs).and_then(|docs| super::documentation(text, docs));
    let tokens = tokens.get(module_docs..).unwrap_or_default();

    let mut starts = Vec::new();
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if index == 0 || (token.starts_line && begins_item(text, tokens, index, !open.is_empty())) {
            let first = first_documentation(tokens, index, starts.last().copied());
            if starts.last() != Some(&first) {
                starts.push(first);
            }
            open.clear();
        }
        match token.kind {
            Kind::OpenParen | Kind::OpenBracket | Kind::OpenBrace => open.push(token.kind),
            // A brace closes what was forgotten within it.
            Kind::CloseBrace => {
                let partner = open.iter().rposition(|&kind| kind == Kind::OpenBrace);
                open.truncate(partner.unwrap_or(0));
            }
            kind if kind.is_closer() && open.last().and_then(|open| open.closer()) == Some(kind) => {
                open.pop();
            }
            _ => {}
        }
    }

    let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
    let items = starts.iter().zip(ends).filter_map(|(&first, end)| {
        let start = tokens.get(first)?.span.start;
        let end = tokens.get(end.checked_sub(1)?)?.span.end;
        Some(Chunk { start, text: text.get(start as usize..end as usize)? })
    });
    Chunks { doc, items: items.collect(), comments }
}

fn begins_item(text: &str, tokens: &[Token], index: usize, is_in_brackets: bool) -> bool {
    let kind = |at: usize| tokens.get(at).map_or(Kind::End, |token| token.kind);
    let (first, second, third) = (kind(index), kind(index + 1), kind(index + 2));
    let is_at_margin = tokens.get(index).is_some_and(|token| is_at_margin(text, token.span.start));
    let has_shape = is_at_margin && has_shape_of_item(first, second, third);
    if is_in_brackets || has_shape {
        return has_shape;
    }
    let previous = match index.checked_sub(1) {
        Some(previous) => kind(previous),
        None => return true,
    };
    if first.opens_item() && (second.is_name() || second == Kind::Text || second.is_keyword()) {
        return !calls_for_more(previous);
    }
    is_at_margin
        && !calls_for_more(previous)
        && !previous.opens_item()
        && (first.is_name() && !continues_head(first) || matches!(first, Kind::Let | Kind::If | Kind::For))
}

/// What stands at the start of an item and nowhere in one.
fn has_shape_of_item(first: Kind, second: Kind, third: Kind) -> bool {
    match first {
        Kind::Test => second == Kind::Text && third == Kind::OpenBrace,
        Kind::Use => second.is_name() && (third == Kind::Dot || third.opens_item()),
        Kind::Const => second.is_name() && matches!(third, Kind::Colon | Kind::Equal),
        Kind::Type => second.is_name() && third == Kind::Equal,
        Kind::Schema | Kind::Enum => second.is_name() && third == Kind::OpenBrace,
        Kind::Fn | Kind::Operator | Kind::Workflow => {
            second.is_name() && matches!(third, Kind::OpenParen | Kind::Less)
        }
        Kind::Model | Kind::Kernel | Kind::Feature | Kind::Schedule => {
            second.is_name() && matches!(third, Kind::OpenParen | Kind::OpenBrace | Kind::Less)
        }
        _ => false,
    }
}

/// Behind such a token an item cannot end.
fn calls_for_more(kind: Kind) -> bool {
    // A `>` ends a type more often than it compares across lines.
    kind.is_binary_operator() && kind != Kind::Greater
        || matches!(kind, Kind::Comma | Kind::Colon | Kind::Dot | Kind::Equal | Kind::Arrow)
        || matches!(kind, Kind::Of | Kind::By | Kind::With | Kind::Fitted | Kind::Chosen)
}

/// Words that continue the head of an operator on a new line.
fn continues_head(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Rows
            | Kind::Of
            | Kind::Part
            | Kind::Fitted
            | Kind::Chosen
            | Kind::With
            | Kind::Deterministic
            | Kind::Effect
            | Kind::Matching
            | Kind::Sources
    )
}

/// Where the documentation right above the item at `index` begins.
fn first_documentation(tokens: &[Token], index: usize, previous_start: Option<usize>) -> usize {
    let above = tokens.get(previous_start.unwrap_or(0)..index).unwrap_or_default();
    index - above.iter().rev().take_while(|token| token.kind == Kind::Doc && token.starts_line).count()
}

fn is_at_margin(text: &str, offset: u32) -> bool {
    offset == 0 || text.as_bytes().get(offset as usize - 1) == Some(&b'\n')
}
