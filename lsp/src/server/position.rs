//! Places as the protocol counts them, and as we do.
//!
//! We count bytes. The protocol counts lines from 0, and within a line UTF-16 code units, or bytes where the
//! client offered that; `\n`, `\r\n` and a lone `\r` end a line.

use std::ops::Range as Bytes;

use flow_syntax::span::Span;
use tower_lsp::ls_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent};

/// What a client counts within a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// What every client can count, and counts unless it offered something else.
    #[default]
    Utf16,
}

impl Encoding {
    /// The one that costs us nothing, where the client offers it.
    pub fn choose(offered: &[PositionEncodingKind]) -> Self {
        if offered.contains(&PositionEncodingKind::UTF8) { Self::Utf8 } else { Self::Utf16 }
    }

    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn length(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.chars().map(char::len_utf16).sum(),
        }
    }

    fn length_of(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
        }
    }
}

/// A text and where its lines are.
#[derive(Debug)]
pub struct Places<'t> {
    text: &'t str,
    encoding: Encoding,
    /// What each line holds, without its end.
    lines: Vec<Bytes<usize>>,
}

impl<'t> Places<'t> {
    pub fn new(text: &'t str, encoding: Encoding) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        while let Some(length) = text.get(start..).and_then(|rest| rest.find(['\n', '\r'])) {
            let end = start + length;
            lines.push(start..end);
            let is_pair = text.get(end..).is_some_and(|rest| rest.starts_with("\r\n"));
            start = end + if is_pair { 2 } else { 1 };
        }
        lines.push(start..text.len());
        Self { text, encoding, lines }
    }

    /// The place of a byte. One past the end counts as the end, one within a character or a line's end as its begin.
    pub fn position(&self, offset: u32) -> Position {
        let offset = self.text.floor_char_boundary(offset as usize);
        let line = self.lines.partition_point(|line| line.start <= offset).saturating_sub(1);
        let content = self.lines.get(line).cloned().unwrap_or_default();
        let before = self.text.get(content.start..offset.min(content.end)).unwrap_or_default();
        Position::new(line as u32, self.encoding.length(before) as u32)
    }

    pub fn range(&self, span: Span) -> Range {
        Range::new(self.position(span.start), self.position(span.end))
    }

    /// The byte at a place. Behind a line's end counts as its end, behind the last line as the text's end, within
    /// a character as its begin.
    pub fn offset(&self, position: Position) -> usize {
        let Some(line) = self.lines.get(position.line as usize) else { return self.text.len() };
        let mut left = position.character as usize;
        let mut offset = line.start;
        for character in self.text.get(line.clone()).unwrap_or_default().chars() {
            let length = self.encoding.length_of(character);
            if left < length {
                break;
            }
            left -= length;
            offset += character.len_utf8();
        }
        offset
    }

    /// The bytes of a range; nothing where it ends before it begins.
    pub fn bytes(&self, range: Range) -> Bytes<usize> {
        let start = self.offset(range.start);
        start..self.offset(range.end).max(start)
    }
}

/// A text after changes, each of which speaks of the text that the one before it left.
pub fn change(text: &str, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) -> String {
    let mut text = text.to_owned();
    for change in changes {
        match change.range {
            Some(range) => {
                let bytes = Places::new(&text, encoding).bytes(range);
                text.replace_range(bytes, &change.text);
            }
            None => text = change.text,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(text: &str, encoding: Encoding) -> Vec<(u32, u32)> {
        let places = Places::new(text, encoding);
        let starts = text.char_indices().map(|(offset, _)| offset).chain([text.len()]);
        starts.map(|offset| places.position(offset as u32)).map(|at| (at.line, at.character)).collect()
    }

    #[test]
    fn characters_outside_the_bmp_are_two_units_of_utf16_and_four_bytes() {
        assert_eq!(places("🚕é\n", Encoding::Utf16), [(0, 0), (0, 2), (0, 3), (1, 0)]);
        assert_eq!(places("🚕é\n", Encoding::Utf8), [(0, 0), (0, 4), (0, 6), (1, 0)]);
        let places = Places::new("🚕é", Encoding::Utf16);
        let offsets = (0..5).map(|unit| places.offset(Position::new(0, unit)));
        assert_eq!(offsets.collect::<Vec<_>>(), [0, 0, 4, 6, 6], "half a character counts as its begin");
    }

    #[test]
    fn three_ways_to_end_a_line() {
        assert_eq!(
            places("a\r\nb\rc\n", Encoding::Utf16),
            [(0, 0), (0, 1), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0)]
        );
    }

    #[test]
    fn what_lies_outside_counts_as_the_end() {
        let places = Places::new("ab\ncd", Encoding::Utf16);
        assert_eq!(places.offset(Position::new(0, 9)), 2);
        assert_eq!(places.offset(Position::new(7, 0)), 5);
        assert_eq!(places.position(99), Position::new(1, 2));
        let backwards = Range::new(Position::new(1, 1), Position::new(0, 0));
        assert_eq!(places.bytes(backwards), 4..4);
    }

    #[test]
    fn changes_follow_one_another() {
        let at = |line, from, to| Some(Range::new(Position::new(line, from), Position::new(line, to)));
        let edit = |range, text: &str| TextDocumentContentChangeEvent {
            range,
            range_length: None,
            text: text.to_owned(),
        };
        let changes = vec![
            edit(None, "🚕 = 1\n"),
            edit(at(0, 5, 6), "22"),
            edit(at(0, 6, 7), "3\n"),
            edit(at(1, 0, 0), "x"),
        ];
        assert_eq!(change("old", changes, Encoding::Utf16), "🚕 = 23\nx\n");
    }

    proptest! {
        #[test]
        fn places_and_offsets_are_inverse(text in "[aé🚕\r\n]{0,30}", utf8: bool) {
            let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
            let places = Places::new(&text, encoding);
            for (offset, _) in text.char_indices() {
                let (before, behind) = text.split_at(offset);
                let within_an_end = before.ends_with('\r') && behind.starts_with('\n');
                if !within_an_end {
                    prop_assert_eq!(places.offset(places.position(offset as u32)), offset);
                }
            }
        }

        #[test]
        fn any_place_is_in_the_text(text: String, line: u32, character: u32, offset: u32) {
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let places = Places::new(&text, encoding);
                prop_assert!(text.is_char_boundary(places.offset(Position::new(line % 8, character % 64))));
                places.position(offset);
            }
        }
    }
}
