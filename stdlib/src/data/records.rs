//! Cuts the text of a CSV file (RFC 4180) into rows and cells, keeping count of lines.
//!
//! DataFusion's reader gives no place for a bad cell; this one knows the line of every row, so that
//! a message can name it. A row ends at `\n`, `\r\n` or `\r`. A cell that opens with `"` ends at
//! the next `"` that is not doubled; elsewhere a quote is a character as any other.

use std::borrow::Cow;

/// The rows of a text, one after the other; or those that are whole in a part of it.
#[derive(Debug)]
pub struct Records<'a> {
    text: &'a str,
    delimiter: u8,
    at: usize,
    line: u64,
    /// The text goes on after this part.
    goes_on: bool,
}

/// One row. Reused from row to row, so that reading allocates nothing.
#[derive(Debug, Default)]
pub struct Record<'a> {
    /// The line of the file on which it begins, from 1.
    pub line: u64,
    pub cells: Vec<Cell<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// Less its quotes.
    raw: &'a str,
    quoting: Quoting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoting {
    None,
    Quoted,
    /// With doubled quotes inside.
    Doubled,
    /// With text between the closing quote and the end of the cell.
    Broken,
}

/// A quoted cell without an end; nothing after it can be read.
#[derive(Debug, PartialEq, Eq)]
pub struct UnclosedQuote {
    /// Where the quote opens.
    pub line: u64,
    /// The place of the cell in its row, from 0.
    pub column: usize,
}

impl<'a> Records<'a> {
    /// The rows of a part that begins with a row, on that line of the whole. `delimiter` is an ASCII character, neither a
    /// quote nor an end of line.
    pub fn part(text: &'a str, delimiter: u8, line: u64, is_last: bool) -> Self {
        Self { text, delimiter, at: 0, line, goes_on: !is_last }
    }

    /// The line on which the next row begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Reads the next row into `record`; false at the end of the text, and before a row that is not whole.
    ///
    /// # Errors
    /// Where a quote is never closed.
    pub fn read(&mut self, record: &mut Record<'a>) -> Result<bool, UnclosedQuote> {
        record.cells.clear();
        record.line = self.line;
        if self.at >= self.text.len() {
            return Ok(false);
        }
        let (at, line) = (self.at, self.line);
        let is_whole = self.read_cells(record);
        // What follows the end of this part may belong to its last row, or be the rest of its `\r\n`.
        let may_go_on = self.goes_on
            && match is_whole {
                Ok(is_ended) => !is_ended || self.at == self.text.len() && self.text.ends_with('\r'),
                Err(_) => true,
            };
        if may_go_on {
            (self.at, self.line) = (at, line);
            record.cells.clear();
            return Ok(false);
        }
        is_whole.map(|_| true)
    }

    /// Whether a line break ended the row, rather than the text.
    fn read_cells(&mut self, record: &mut Record<'a>) -> Result<bool, UnclosedQuote> {
        loop {
            let cell = self.cell(record.cells.len())?;
            record.cells.push(cell);
            match self.byte(self.at) {
                Some(byte) if byte == self.delimiter => self.at += 1,
                Some(_) => {
                    self.end_line();
                    return Ok(true);
                }
                None => return Ok(false),
            }
        }
    }

    /// Reads up to the delimiter or the end of the line that follows the cell.
    fn cell(&mut self, column: usize) -> Result<Cell<'a>, UnclosedQuote> {
        if self.byte(self.at) == Some(b'"') {
            return self.quoted_cell(column);
        }
        let begin = self.at;
        self.skip_to_end_of_cell();
        Ok(Cell { raw: self.slice(begin, self.at), quoting: Quoting::None })
    }

    fn quoted_cell(&mut self, column: usize) -> Result<Cell<'a>, UnclosedQuote> {
        let opened = self.line;
        let begin = self.at + 1;
        self.at = begin;
        let mut quoting = Quoting::Quoted;
        loop {
            match self.byte(self.at) {
                Some(b'"') if self.byte(self.at + 1) == Some(b'"') => {
                    quoting = Quoting::Doubled;
                    self.at += 2;
                }
                Some(b'"') => break,
                Some(b'\n' | b'\r') => self.end_line(),
                Some(_) => self.at += 1,
                None => return Err(UnclosedQuote { line: opened, column }),
            }
        }
        let raw = self.slice(begin, self.at);
        self.at += 1;
        let closed = self.at;
        self.skip_to_end_of_cell();
        if self.at > closed {
            return Ok(Cell { raw: self.slice(begin - 1, self.at), quoting: Quoting::Broken });
        }
        Ok(Cell { raw, quoting })
    }

    fn skip_to_end_of_cell(&mut self) {
        while let Some(byte) = self.byte(self.at) {
            if byte == self.delimiter || byte == b'\n' || byte == b'\r' {
                break;
            }
            self.at += 1;
        }
    }

    /// Steps over `\n`, `\r\n` or `\r`.
    fn end_line(&mut self) {
        let both = self.byte(self.at) == Some(b'\r') && self.byte(self.at + 1) == Some(b'\n');
        self.at += if both { 2 } else { 1 };
        self.line += 1;
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Both ends stand at ASCII characters, hence at boundaries.
    fn slice(&self, begin: usize, end: usize) -> &'a str {
        self.text.get(begin..end).unwrap_or_default()
    }
}

impl Record<'_> {
    /// Whether the line held nothing at all.
    pub fn is_blank(&self) -> bool {
        matches!(self.cells.as_slice(), [Cell { raw: "", quoting: Quoting::None }])
    }
}

impl<'a> Cell<'a> {
    pub fn text(&self) -> Cow<'a, str> {
        match self.quoting {
            Quoting::Doubled => Cow::Owned(self.raw.replace("\"\"", "\"")),
            Quoting::None | Quoting::Quoted | Quoting::Broken => Cow::Borrowed(self.raw),
        }
    }

    /// Whether text follows its closing quote.
    pub fn is_broken(&self) -> bool {
        self.quoting == Quoting::Broken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, Vec<String>)>, UnclosedQuote> {
        let mut records = Records::part(text, b',', 1, true);
        let mut record = Record::default();
        let mut rows = Vec::new();
        while records.read(&mut record)? {
            rows.push((record.line, record.cells.iter().map(|cell| cell.text().into_owned()).collect()));
        }
        Ok(rows)
    }

    #[test]
    fn rows_know_their_line() {
        let rows = read("a,b\r\n\"x\ny\",\"say \"\"hi\"\"\"\n1,\r2,3").unwrap();
        let expected = [(1, ["a", "b"]), (2, ["x\ny", "say \"hi\""]), (4, ["1", ""]), (5, ["2", "3"])];
        let expected: Vec<(u64, Vec<String>)> =
            expected.iter().map(|(line, cells)| (*line, cells.map(str::to_owned).to_vec())).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn an_unclosed_quote_says_where_it_opens() {
        assert_eq!(read("a,b\n1,\"x\n2,3\n"), Err(UnclosedQuote { line: 2, column: 1 }));
    }

    #[test]
    fn text_after_a_closing_quote_breaks_the_cell() {
        let mut record = Record::default();
        let mut records = Records::part("\"a\"b,c\n", b',', 1, true);
        assert_eq!(records.read(&mut record), Ok(true));
        assert!(record.cells[0].is_broken());
        assert_eq!(record.cells[0].text(), "\"a\"b");
        assert!(!record.cells[1].is_broken());
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a,\"\r\né]{0,60}") {
            let mut records = Records::part(&text, b',', 1, true);
            let mut record = Record::default();
            let mut last = 0;
            while let Ok(true) = records.read(&mut record) {
                prop_assert!(records.position() > last || text.is_empty());
                prop_assert!(!record.cells.is_empty());
                last = records.position();
            }
            prop_assert_eq!(records.position(), text.len());
        }

        #[test]
        fn a_text_in_parts_is_read_as_a_whole(text in "[a,\"\r\né]{0,60}", size in 1_usize..20) {
            let whole = read(&text);
            let (mut rows, mut at, mut end, mut line) = (Vec::new(), 0, 0, 1);
            let parts = loop {
                end = (end + size).min(text.len());
                end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
                let mut records = Records::part(&text[at..end], b',', line, end == text.len());
                let mut record = Record::default();
                loop {
                    match records.read(&mut record) {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => {
                            prop_assert_eq!(whole, Err(error));
                            return Ok(());
                        }
                    }
                    rows.push((record.line, record.cells.iter().map(|cell| cell.text().into_owned()).collect()));
                }
                (at, line) = (at + records.position(), records.line());
                if end == text.len() {
                    break rows;
                }
            };
            prop_assert_eq!(whole, Ok(parts));
        }

        #[test]
        fn what_is_written_quoted_is_read_back(rows in prop::collection::vec(
            prop::collection::vec("[ab,\"\r\n é]{0,8}", 3), 1..6,
        )) {
            let text: String = rows.iter().map(|row| {
                let cells: Vec<String> =
                    row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
                cells.join(",") + "\n"
            }).collect();
            let read: Vec<Vec<String>> = read(&text).unwrap().into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(read, rows);
        }
    }
}
