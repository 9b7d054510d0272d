//! Where comments stand in a file.
//!
//! Trees hold no comments, so the printer keeps them in a queue beside it: wherever lines may break it takes
//! those that stand before the next thing, in order. None can be lost, since whatever is left is taken behind
//! the item; at worst a comment in an odd place moves behind the thing it stands in.

use crate::span::Span;

/// `// comment`, `/// documentation` or `//! documentation of the module`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment<'t> {
    pub(super) text: &'t str,
    pub(super) start: u32,
    pub(super) kind: CommentKind,
    /// Whether code stands before it on its line.
    pub(super) follows_code: bool,
    /// Whether an empty line stands before it.
    pub(super) has_blank_before: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommentKind {
    Plain,
    Doc,
    ModuleDoc,
}

/// The comments of `text`, which stand between its tokens.
pub(super) fn comments(text: &str, tokens: impl IntoIterator<Item = Span>) -> Vec<Comment<'_>> {
    let mut found = Vec::new();
    let mut position = 0;
    let end = Span::new(text.len() as u32, text.len() as u32);
    for token in tokens.into_iter().chain([end]) {
        let gap = text.get(position..token.start as usize).unwrap_or_default();
        let mut offset = position;
        for line in gap.split_inclusive('\n') {
            if let Some(begin) = line.find("//") {
                found.push(comment(text, offset + begin, line.get(begin..).unwrap_or_default()));
            }
            offset += line.len();
        }
        position = position.max(token.end as usize);
    }
    found
}

fn comment<'t>(text: &'t str, start: usize, line: &'t str) -> Comment<'t> {
    let line = line.trim_end();
    let kind = if line.starts_with("//!") {
        CommentKind::ModuleDoc
    } else if line.starts_with("///") && !line.starts_with("////") {
        CommentKind::Doc
    } else {
        CommentKind::Plain
    };
    let before = text.get(..start).unwrap_or_default();
    Comment {
        text: line,
        start: start as u32,
        kind,
        follows_code: !starts_line(before),
        has_blank_before: ends_with_blank_line(before),
    }
}

/// Whether what follows `before` is the first thing on its line.
pub(super) fn starts_line(before: &str) -> bool {
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    line.trim().is_empty()
}

/// Whether an empty line stands between the last thing of `before` and its end.
pub(super) fn ends_with_blank_line(before: &str) -> bool {
    let space = before.get(before.trim_end().len()..).unwrap_or_default();
    space.matches('\n').count() > 1
}
