//! What all parts of the printer share: source text, comments, lists and blocks.

use std::collections::{BTreeSet, VecDeque};

use super::comments::{Comment, CommentKind, ends_with_blank_line, starts_line};
use super::doc::{Doc, concat_docs};
use crate::lex::{Kind, Token};
use crate::span::Span;

/// Turns trees into documents, in the order of the text, taking comments from the queue on the way.
pub(super) struct Printer<'t> {
    /// The whole file.
    pub(super) text: &'t str,
    /// Where the item that is being printed begins in the file: its spans count from here.
    pub(super) base: u32,
    /// The tokens of the file without documentation, in order.
    pub(super) tokens: &'t [Token],
    /// The last names of the imported paths: what follows their dot belongs to them.
    pub(super) modules: BTreeSet<&'t str>,
    /// The comments that have not been taken yet, in order.
    pub(super) comments: VecDeque<Comment<'t>>,
}

/// How the elements of a list or the statements of a block are put together.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// Behind each element, and behind the last one where the list is broken.
    pub(super) separator: &'static str,
    /// Whether a space stands within the brackets of a list on one line.
    pub(super) is_padded: bool,
}

impl Brackets {
    pub(super) const PARENS: Self = Self { open: "(", close: ")", separator: ",", is_padded: false };
    pub(super) const SQUARE: Self = Self { open: "[", close: "]", ..Self::PARENS };
    pub(super) const BRACES: Self = Self { open: "{", close: "}", is_padded: true, ..Self::PARENS };
    pub(super) const BLOCK: Self = Self { separator: "", ..Self::BRACES };
}

impl<'t> Printer<'t> {
    /// The author's text.
    pub(super) fn source(&self, span: Span) -> &'t str {
        self.text.get(span.shift(self.base).range()).unwrap_or_default()
    }

    pub(super) fn text_between(&self, start: u32, end: u32) -> &'t str {
        self.source(Span::new(start, end))
    }

    /// Where the next token of this kind begins, at `from` or behind it: the bracket that closes a list, asked
    /// from the end of its last element.
    pub(super) fn next(&self, kind: Kind, from: u32) -> u32 {
        let from = from + self.base;
        let first = self.tokens.partition_point(|token| token.span.start < from);
        let mut behind = self.tokens.iter().skip(first);
        behind.find(|token| token.kind == kind).map_or(from, |token| token.span.start) - self.base
    }

    /// The author's text as it is. Comments in it are not printed once more.
    pub(super) fn verbatim(&mut self, span: Span) -> Doc<'t> {
        let place = span.shift(self.base);
        let first = self.comments.partition_point(|comment| comment.start < place.start);
        let behind = self.comments.partition_point(|comment| comment.start < place.end);
        self.comments.drain(first..behind);
        Doc::Text(self.source(span))
    }

    /// Whether what begins here is the first thing on its line.
    pub(super) fn begins_line(&self, position: u32) -> bool {
        starts_line(self.before(position))
    }

    /// The comments not taken yet that stand before `position`.
    pub(super) fn take_before(&mut self, position: u32) -> Vec<Comment<'t>> {
        let position = position + self.base;
        std::iter::from_fn(|| self.comments.pop_front_if(|comment| comment.start < position)).collect()
    }

    /// Whether a comment that has not been taken yet stands before `position`.
    pub(super) fn has_comment_before(&self, position: u32) -> bool {
        let position = position + self.base;
        self.comments.front().is_some_and(|comment| comment.start < position)
    }

    /// Whether an empty line stands before `end`, or before a comment that stands between the two and will be
    /// printed there.
    pub(super) fn has_blank_between(&self, start: u32, end: u32) -> bool {
        let between = Span::new(start, end).shift(self.base);
        ends_with_blank_line(self.before(end))
            || self
                .comments
                .iter()
                .skip_while(|comment| comment.start < between.start)
                .take_while(|comment| comment.start < between.end)
                .any(|comment| comment.has_blank_before)
    }

    /// `sign value`, where `print` prints the value and comments between the two stay there.
    pub(super) fn after(
        &mut self,
        sign: &'t str,
        start: u32,
        print: impl FnOnce(&mut Self) -> Doc<'t>,
    ) -> Doc<'t> {
        let comments = self.take_before(start);
        if comments.is_empty() {
            return concat_docs![Doc::Text(sign), Doc::Text(" "), print(self)];
        }
        let mut parts = comment_lines(&comments, false);
        parts.push(Doc::HardLine);
        parts.push(print(self));
        concat_docs![Doc::Text(sign), Doc::Concat(parts).indent()]
    }

    /// Comments on lines of their own before something that goes on on the next line; `Line` without any.
    pub(super) fn line_before(&mut self, start: u32) -> Doc<'t> {
        let comments = self.take_before(start);
        if comments.is_empty() {
            return Doc::Line;
        }
        let mut parts = comment_lines(&comments, false);
        parts.push(Doc::HardLine);
        Doc::Concat(parts)
    }

    /// A list in brackets as a group of its own. Comments before `end`, which is the begin or the end of its
    /// closing bracket, are the list's.
    pub(super) fn list<'e, T>(
        &mut self,
        brackets: Brackets,
        elements: &'e [T],
        end: u32,
        start: impl Fn(&'e T) -> u32,
        print: impl FnMut(&mut Self, &'e T) -> Doc<'t>,
    ) -> Doc<'t> {
        Doc::group(self.open_list(brackets, elements, end, start, print))
    }

    /// The same, its lines belonging to the group around it.
    pub(super) fn open_list<'e, T>(
        &mut self,
        brackets: Brackets,
        elements: &'e [T],
        end: u32,
        start: impl Fn(&'e T) -> u32,
        mut print: impl FnMut(&mut Self, &'e T) -> Doc<'t>,
    ) -> Doc<'t> {
        if elements.is_empty() && !self.has_comment_before(end) {
            return concat_docs![Doc::Text(brackets.open), Doc::Text(brackets.close)];
        }
        let edge = || if brackets.is_padded { Doc::Line } else { Doc::SoftLine };
        // A list whose first element the author put on a new line stays open.
        let is_open = elements.first().is_some_and(|first| self.begins_line(start(first)));
        let mut parts = Vec::new();
        for (position, element) in elements.iter().enumerate() {
            let place = start(element);
            let comments = self.take_before(place);
            let is_below_comment = comments.iter().any(|comment| !comment.stays_on_line());
            parts.extend(comment_lines(&comments, position == 0));
            if (position > 0 || is_below_comment) && ends_with_blank_line(self.before(place)) {
                parts.push(Doc::Blank);
            }
            parts.push(match position {
                _ if is_below_comment || is_open => Doc::HardLine,
                0 => edge(),
                _ if brackets.separator.is_empty() => Doc::HardLine,
                _ => Doc::Line,
            });
            parts.push(print(self, element));
            parts.push(if position + 1 < elements.len() {
                Doc::Text(brackets.separator)
            } else {
                Doc::IfBroken(brackets.separator)
            });
        }
        parts.extend(comment_lines(&self.take_before(end), elements.is_empty()));
        concat_docs![Doc::Text(brackets.open), Doc::Concat(parts).indent(), edge(), Doc::Text(brackets.close)]
    }

    pub(super) fn before(&self, position: u32) -> &'t str {
        self.text.get(..(position + self.base) as usize).unwrap_or_default()
    }
}

impl Comment<'_> {
    /// Documentation belongs to what follows it, a comment behind code to that code.
    fn stays_on_line(&self) -> bool {
        self.follows_code && self.kind == CommentKind::Plain
    }
}

/// Comments between two things: one behind code stays at the end of its line, the others get lines of their
/// own, with the empty lines between them; not one before the first where nothing precedes it.
pub(super) fn comment_lines<'t>(comments: &[Comment<'t>], is_first: bool) -> Vec<Doc<'t>> {
    let mut parts = Vec::new();
    for (position, comment) in comments.iter().enumerate() {
        if position == 0 && comment.stays_on_line() {
            parts.push(Doc::Comment(comment.text));
            continue;
        }
        if comment.has_blank_before && !(position == 0 && is_first) {
            parts.push(Doc::Blank);
        }
        parts.extend([Doc::HardLine, Doc::Text(comment.text)]);
    }
    parts
}
