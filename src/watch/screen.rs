//! Lines at the bottom of a terminal, drawn over themselves; what is said for good moves up above them.
//!
//! The cursor rests on the line below, and is neither hidden nor does anything else stay changed in the terminal:
//! a process that is killed leaves nothing behind but its last lines.

use std::{fmt::Write as _, io::Write};

use super::{frame::Size, text::width};

pub struct Screen<W: Write> {
    out: W,
    lines: Vec<String>,
    columns: usize,
}

/// Between these a terminal that knows them shows nothing; others pass over them.
const HOLD: &str = "\u{1b}[?2026h";
const SHOW: &str = "\u{1b}[?2026l";

impl<W: Write> Screen<W> {
    pub fn new(out: W) -> Self {
        Self { out, lines: Vec::new(), columns: 0 }
    }

    /// Says `above` for good, and shows `lines` below. A terminal that is gone is no error.
    pub fn show(&mut self, above: &[String], lines: Vec<String>, size: Size) {
        if above.is_empty() && lines == self.lines && size.columns == self.columns {
            return;
        }
        let mut text = String::from(HOLD);
        let rows = self.rows(size.columns);
        if rows > 0 {
            // Writing to a text cannot fail.
            let _ = write!(text, "\r\u{1b}[{rows}A");
        }
        let is_same_place = above.is_empty() && size.columns == self.columns;
        if !is_same_place {
            text.push_str("\r\u{1b}[J");
        }
        for line in above {
            text.push_str(line);
            text.push_str("\r\n");
        }
        for (at, line) in lines.iter().enumerate() {
            if !(is_same_place && self.lines.get(at) == Some(line)) {
                text.push_str(line);
                text.push_str("\u{1b}[K");
            }
            text.push_str("\r\n");
        }
        text.push_str("\u{1b}[J");
        text.push_str(SHOW);
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        (self.lines, self.columns) = (lines, size.columns);
    }

    /// Where its own width has changed, a terminal breaks what it shows into more rows, or into fewer.
    fn rows(&self, columns: usize) -> usize {
        let rows = |line: &String| {
            if columns < self.columns { width(line).div_ceil(columns.max(1)).max(1) } else { 1 }
        };
        self.lines.iter().map(rows).sum()
    }
}

impl<W: Write> std::fmt::Debug for Screen<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("lines", &self.lines).finish_non_exhaustive()
    }
}
