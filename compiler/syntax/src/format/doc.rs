//! A document that says where lines may break, and the printer that decides where they do.
//!
//! After Wadler, "A prettier printer" (2003), with the ideas that Prettier added: a line break that must be
//! breaks every group around it, and a comment waits for the end of its line.

/// A piece of text that has not been laid out yet.
#[derive(Debug)]
pub enum Doc<'t> {
    Nil,
    /// Printed as it is.
    Text(&'t str),
    /// A space, or a line break in a group that is broken.
    Line,
    /// Nothing, or a line break in a group that is broken.
    SoftLine,
    /// Always a line break: every group around it is broken.
    HardLine,
    /// Nothing, or an empty line before the next one in a group that is broken.
    Blank,
    /// That many spaces, in a group that is broken.
    Padding(usize),
    /// Waits for the end of the line, whatever is still printed on it; every group around it is broken.
    Comment(&'t str),
    Concat(Vec<Doc<'t>>),
    /// Lines within start four columns further to the right.
    Indent(Box<Doc<'t>>),
    /// On one line if it fits and nothing in it forbids that, else broken at each of its own lines.
    Group {
        content: Box<Doc<'t>>,
        must_break: bool,
    },
    /// Printed only where the group around it is broken.
    IfBroken(&'t str),
}

impl<'t> Doc<'t> {
    pub fn group(content: Doc<'t>) -> Self {
        let must_break = content.must_break();
        Self::Group { content: Box::new(content), must_break }
    }

    /// A group that is broken even where it would fit.
    pub fn broken_group(content: Doc<'t>) -> Self {
        Self::Group { content: Box::new(content), must_break: true }
    }

    pub fn indent(self) -> Self {
        Self::Indent(Box::new(self))
    }

    /// Whether a group around this has to be broken. Groups remember their own answer, so that building a
    /// document stays linear.
    pub fn must_break(&self) -> bool {
        match self {
            Self::HardLine | Self::Comment(_) => true,
            Self::Concat(parts) => parts.iter().any(Doc::must_break),
            Self::Indent(content) => content.must_break(),
            Self::Group { must_break, .. } => *must_break,
            Self::Nil
            | Self::Text(_)
            | Self::Line
            | Self::SoftLine
            | Self::Blank
            | Self::Padding(_)
            | Self::IfBroken(_) => false,
        }
    }

    /// Lays the document out in lines of at most `width` characters where that is possible.
    pub fn print(&self, width: usize) -> String {
        let mut printer = Printer { width, ..Printer::default() };
        printer.print(self);
        printer.output
    }
}

/// `concat_docs![a, b, c]`: one document after the other.
macro_rules! concat_docs {
    ($($part:expr),* $(,)?) => { $crate::format::doc::Doc::Concat(vec![$($part),*]) };
}
pub(super) use concat_docs;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

#[derive(Default)]
struct Printer<'t> {
    width: usize,
    output: String,
    /// Characters on the current line.
    column: usize,
    /// Spaces owed before the next text: never written at the end of a line.
    owed: usize,
    /// Whether the current line has text.
    has_text: bool,
    /// Whether the current line ends with a comment, so that nothing may follow on it.
    ends_with_comment: bool,
    /// Comments for the end of the current line, with the indentation of where they stand.
    comments: Vec<(usize, &'t str)>,
}

const INDENTATION: usize = 4;

impl<'t> Printer<'t> {
    fn print(&mut self, doc: &Doc<'t>) {
        let mut rest = vec![(0, Mode::Broken, doc)];
        while let Some((indentation, mode, doc)) = rest.pop() {
            match doc {
                Doc::Nil => {}
                Doc::Text(text) => self.text(text),
                Doc::Padding(count) if mode == Mode::Broken => self.padding(*count),
                Doc::Padding(_) => {}
                Doc::Line if mode == Mode::Flat => self.text(" "),
                Doc::SoftLine if mode == Mode::Flat => {}
                Doc::Line | Doc::SoftLine | Doc::HardLine => self.new_line(indentation),
                Doc::Blank if mode == Mode::Flat => {}
                Doc::Blank => {
                    self.flush_comments();
                    self.output.push('\n');
                }
                Doc::Comment(text) => self.comments.push((indentation, text)),
                Doc::IfBroken(text) if mode == Mode::Broken => self.text(text),
                Doc::IfBroken(_) => {}
                Doc::Concat(parts) => rest.extend(parts.iter().rev().map(|part| (indentation, mode, part))),
                Doc::Indent(content) => rest.push((indentation + INDENTATION, mode, content)),
                Doc::Group { content, must_break } => {
                    let mode = if mode == Mode::Flat || (!must_break && self.fits(content, &rest)) {
                        Mode::Flat
                    } else {
                        Mode::Broken
                    };
                    rest.push((indentation, mode, content));
                }
            }
        }
        self.flush_comments();
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.output.extend(std::iter::repeat_n(' ', std::mem::take(&mut self.owed)));
        self.output.push_str(text);
        self.has_text = true;
        self.column += text.chars().count();
    }

    fn padding(&mut self, count: usize) {
        self.owed += count;
        self.column += count;
    }

    fn new_line(&mut self, indentation: usize) {
        self.flush_comments();
        self.output.push('\n');
        self.owed = indentation;
        self.has_text = false;
        self.column = indentation;
    }

    /// The first comment ends the line; further ones get lines of their own below it.
    fn flush_comments(&mut self) {
        for (indentation, comment) in std::mem::take(&mut self.comments) {
            if !self.has_text {
                self.owed = indentation;
            } else if self.ends_with_comment {
                self.output.push('\n');
                self.owed = indentation;
            } else {
                self.owed = 1;
            }
            self.text(comment);
            self.ends_with_comment = true;
        }
        self.ends_with_comment = false;
        self.owed = 0;
    }

    /// Whether `content` fits on the current line when it is not broken, together with what follows it up to
    /// the first place where a line may break: followers give way first.
    fn fits(&self, content: &Doc<'t>, rest: &[(usize, Mode, &Doc<'t>)]) -> bool {
        let mut room = self.width.saturating_sub(self.column);
        let mut pending = vec![(Mode::Flat, content)];
        let mut behind = rest.iter().rev();
        loop {
            let Some((mode, doc)) =
                pending.pop().or_else(|| behind.next().map(|(_, mode, doc)| (*mode, *doc)))
            else {
                return true;
            };
            let width = match doc {
                Doc::HardLine => return true,
                Doc::Line | Doc::SoftLine | Doc::Blank if mode == Mode::Broken => return true,
                Doc::Padding(count) if mode == Mode::Broken => *count,
                Doc::IfBroken(text) if mode == Mode::Broken => text.chars().count(),
                Doc::Text(text) => text.chars().count(),
                Doc::Line => 1,
                Doc::Concat(parts) => {
                    pending.extend(parts.iter().rev().map(|part| (mode, part)));
                    0
                }
                Doc::Indent(content) | Doc::Group { content, .. } => {
                    pending.push((mode, content));
                    0
                }
                Doc::Nil
                | Doc::SoftLine
                | Doc::Blank
                | Doc::Padding(_)
                | Doc::IfBroken(_)
                | Doc::Comment(_) => 0,
            };
            match room.checked_sub(width) {
                Some(left) => room = left,
                None => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Doc;

    fn list<'t>(words: &[&'t str]) -> Doc<'t> {
        let mut parts = vec![Doc::SoftLine];
        for (position, word) in words.iter().enumerate() {
            if position > 0 {
                parts.extend([Doc::Text(","), Doc::Line]);
            }
            parts.push(Doc::Text(word));
        }
        parts.push(Doc::IfBroken(","));
        let inside = Doc::Concat(parts).indent();
        Doc::group(concat_docs![Doc::Text("("), inside, Doc::SoftLine, Doc::Text(")")])
    }

    #[test]
    fn a_group_breaks_when_it_does_not_fit() {
        assert_eq!(list(&["one", "two"]).print(10), "(one, two)");
        assert_eq!(list(&["one", "two"]).print(9), "(\n    one,\n    two,\n)");
    }

    #[test]
    fn what_follows_counts_up_to_where_it_may_break() {
        let doc =
            concat_docs![list(&["one", "two"]), Doc::Text(" + x"), Doc::HardLine, Doc::Text("long line")];
        assert_eq!(doc.print(13), "(\n    one,\n    two,\n) + x\nlong line");
        assert_eq!(doc.print(14), "(one, two) + x\nlong line");
        let doc = concat_docs![list(&["one", "two"]), list(&["three"])];
        assert_eq!(doc.print(11), "(one, two)(\n    three,\n)");
    }

    #[test]
    fn outer_groups_break_first() {
        let outer = Doc::group(concat_docs![Doc::Text("f"), list(&["a", "b"]), Doc::Line, list(&["c", "d"])]);
        assert_eq!(outer.print(10), "f(a, b)\n(c, d)");
    }

    #[test]
    fn a_comment_waits_for_the_end_of_its_line_and_breaks_what_is_around_it() {
        let inside =
            concat_docs![Doc::SoftLine, Doc::Text("a"), Doc::Comment("// why"), Doc::Text(",")].indent();
        let doc = Doc::group(concat_docs![Doc::Text("["), inside, Doc::SoftLine, Doc::Text("]")]);
        assert_eq!(doc.print(80), "[\n    a, // why\n]");
    }

    #[test]
    fn further_comments_of_a_line_go_below_it() {
        let doc = concat_docs![Doc::Comment("// one"), Doc::Comment("// two"), Doc::Text("a")];
        assert_eq!(doc.print(80), "a // one\n// two");
    }

    #[test]
    fn empty_lines_hold_no_spaces() {
        let doc = concat_docs![Doc::Text("a"), Doc::Blank, Doc::HardLine, Doc::Text("b")].indent();
        assert_eq!(doc.print(80), "a\n\n    b");
    }
}
