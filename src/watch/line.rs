//! A line of the view: pieces in colours, never wider than the terminal.

use super::text;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    pub colour: bool,
    /// Whether more than ASCII.
    pub unicode: bool,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Bold,
    Dim,
    Green,
    Blue,
    Cyan,
    Yellow,
    Red,
}

/// Filled from the left; what does not fit is cut.
#[derive(Debug)]
pub struct Line {
    text: String,
    width: usize,
    columns: usize,
    palette: Palette,
}

impl Style {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Green => Some("32"),
            Self::Blue => Some("34"),
            Self::Cyan => Some("36"),
            Self::Yellow => Some("33"),
            Self::Red => Some("31"),
        }
    }
}

impl Line {
    pub fn new(columns: usize, palette: Palette) -> Self {
        Self { text: String::new(), width: 0, columns, palette }
    }

    /// How many columns are left.
    pub fn room(&self) -> usize {
        self.columns - self.width
    }

    /// Adds text that has been made [`text::plain`].
    pub fn add(&mut self, style: Style, piece: &str) -> &mut Self {
        let is_cut = text::width(piece) > self.room();
        let piece = text::cut(piece, self.room());
        // After what was cut there comes no more, even where a wide character has left a column.
        self.width = if is_cut { self.columns } else { self.width + text::width(&piece) };
        match style.code().filter(|_| self.palette.colour && !piece.is_empty()) {
            Some(code) => {
                self.text.push_str("\u{1b}[");
                self.text.push_str(code);
                self.text.push('m');
                self.text.push_str(&piece);
                self.text.push_str("\u{1b}[0m");
            }
            None => self.text.push_str(&piece),
        }
        self
    }

    /// Blanks up to a column.
    pub fn to(&mut self, column: usize) -> &mut Self {
        let blanks = column.min(self.columns).saturating_sub(self.width);
        self.text.extend(std::iter::repeat_n(' ', blanks));
        self.width += blanks;
        self
    }

    /// Adds text at the right edge; not where it does not fit beside what is there.
    pub fn add_right(&mut self, style: Style, piece: &str) -> &mut Self {
        let width = text::width(piece);
        if width < self.room() || self.width == 0 {
            self.to(self.columns.saturating_sub(width)).add(style, piece);
        }
        self
    }

    /// A bar of that many columns: shares of a whole, each in its style, from the left; the rest is empty.
    pub fn bar(&mut self, columns: usize, shares: &[(Style, f64)]) -> &mut Self {
        let (full, empty) = if self.palette.unicode { ("━", "─") } else { ("=", "-") };
        let mut drawn = 0;
        let mut reached = 0.0;
        for (style, share) in shares {
            reached += share.clamp(0.0, 1.0);
            let end = columns_of(reached, columns);
            // What is there at all is seen, and what is not whole is not drawn so.
            let end = if *share > 0.0 { end.max(drawn + 1) } else { end };
            let end =
                if reached < 1.0 - 1e-9 { end.min(columns.saturating_sub(1)) } else { end.min(columns) };
            self.add(*style, &full.repeat(end.saturating_sub(drawn)));
            drawn = drawn.max(end);
        }
        self.add(Style::Dim, &empty.repeat(columns.saturating_sub(drawn)))
    }

    pub fn finish(self) -> String {
        self.text
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of at most one of a terminal's columns"
)]
fn columns_of(share: f64, columns: usize) -> usize {
    (share.clamp(0.0, 1.0) * columns as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Line {
        Line::new(10, Palette { colour: false, unicode: true })
    }

    #[test]
    fn a_line_is_never_wider_than_asked() {
        let mut line = plain();
        line.add(Style::Bold, "日本").to(6).add(Style::Red, "語語語").add(Style::Plain, "more");
        assert_eq!(line.room(), 0);
        assert_eq!(line.finish(), "日本  語…");
        let mut line = plain();
        line.add(Style::Plain, "left").add_right(Style::Plain, "right");
        assert_eq!(line.finish(), "left right");
        let mut line = plain();
        line.add(Style::Plain, "lefts").add_right(Style::Plain, "right");
        assert_eq!(line.finish(), "lefts");
    }

    #[test]
    fn a_bar_shows_what_is_there_and_ends_with_the_end() {
        let bar = |shares: &[(Style, f64)]| {
            let mut line = plain();
            line.bar(10, shares);
            line.finish()
        };
        assert_eq!(bar(&[]), "──────────");
        assert_eq!(bar(&[(Style::Green, 0.0001)]), "━─────────");
        assert_eq!(bar(&[(Style::Green, 0.9999)]), "━━━━━━━━━─");
        assert_eq!(bar(&[(Style::Green, 0.5), (Style::Red, 0.5)]), "━━━━━━━━━━");
        let mut line = Line::new(10, Palette { colour: true, unicode: false });
        line.bar(4, &[(Style::Green, 0.5), (Style::Red, 0.25)]);
        assert_eq!(line.finish(), "\u{1b}[32m==\u{1b}[0m\u{1b}[31m=\u{1b}[0m\u{1b}[2m-\u{1b}[0m");
    }
}
