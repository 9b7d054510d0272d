//! Byte offsets to lines and columns.

/// Where the lines of a text begin. Built in one pass; a look-up is a binary search and a count of the
/// characters of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
}

/// A place as people count: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

impl LineIndex {
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().zip(1_u32..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next));
        Self { starts }
    }

    /// The line that `offset` is in, from 0.
    pub fn line(&self, offset: u32) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The place of `offset` in `text`, which must be the text that the index was made of.
    ///
    /// An offset past the end counts as the end, one within a character as that character's begin, and one
    /// within a line's end (`\n` or `\r\n`) as the column behind the line's last character.
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let offset = char_boundary(text, offset);
        let line = self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1);
        let start = self.starts.get(line).map_or(0, |start| *start as usize);
        let end = self.starts.get(line + 1).map_or(text.len(), |next| *next as usize);
        let content = text.get(start..end).unwrap_or_default().trim_end_matches('\n').trim_end_matches('\r');
        let before = content.get(..offset - start).unwrap_or(content);
        Position { line: line as u32 + 1, column: before.chars().count() as u32 + 1 }
    }
}

/// The nearest character boundary of `text` at or before `offset`.
pub fn char_boundary(text: &str, offset: u32) -> usize {
    text.floor_char_boundary(offset as usize)
}

#[cfg(test)]
mod tests {
    use super::{LineIndex, Position};
    use proptest::prelude::*;

    fn places(text: &str) -> Vec<(u32, u32)> {
        let index = LineIndex::new(text);
        (0..=text.len() as u32 + 1)
            .map(|offset| {
                let Position { line, column } = index.position(text, offset);
                (line, column)
            })
            .collect()
    }

    #[test]
    fn an_empty_text_has_one_line() {
        assert_eq!(places(""), [(1, 1), (1, 1)]);
    }

    #[test]
    fn the_last_line_needs_no_line_break() {
        assert_eq!(places("ab\nc"), [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 2)]);
        assert_eq!(places("a\n"), [(1, 1), (1, 2), (2, 1), (2, 1)]);
    }

    #[test]
    fn a_carriage_return_belongs_to_the_line_break() {
        assert_eq!(places("a\r\nb"), [(1, 1), (1, 2), (1, 2), (2, 1), (2, 2), (2, 2)]);
    }

    #[test]
    fn columns_count_characters_and_offsets_within_one_mean_its_begin() {
        assert_eq!(places("ä€x"), [(1, 1), (1, 1), (1, 2), (1, 2), (1, 2), (1, 3), (1, 4), (1, 4)]);
    }

    proptest! {
        #[test]
        fn lines_and_columns_agree_with_counting(text in "[a-cä€\n]{0,40}") {
            let index = LineIndex::new(&text);
            let (mut line, mut column) = (1, 1);
            for (offset, character) in text.char_indices() {
                prop_assert_eq!(index.position(&text, offset as u32), Position { line, column });
                (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
        }

        #[test]
        fn any_offset_has_a_place(text in any::<String>(), offset in any::<u32>()) {
            let place = LineIndex::new(&text).position(&text, offset);
            prop_assert!(place.line >= 1 && place.column >= 1);
        }
    }
}
