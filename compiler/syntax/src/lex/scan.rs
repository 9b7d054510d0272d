//! Characters to tokens: literals get their values, comments are set apart.

use super::number::Wrong;
use super::text::{Fragment, FragmentEnd, fragment};
use super::token::{Kind, Token};
use super::{moment, number};
use crate::ast::Literal;
use crate::diagnostic::{Code, Diagnostic, Edit, code};
use crate::span::Span;
use logos::{Lexer, Logos};

/// What a text consists of, before its brackets are matched.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// `starts_line` says here that any newline stands before the token.
    pub(super) tokens: Vec<Token>,
    pub(super) values: Vec<Literal>,
    pub(super) comments: Vec<Span>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Reads all tokens of a text. Brackets need not match; texts always do: one that is never closed ends with its line.
pub(super) fn scan(text: &str) -> Scanned {
    // Five bytes a token is what typical files have.
    let mut scanned = Scanned { tokens: Vec::with_capacity(text.len() / 5), ..Scanned::default() };
    let mut scanner = Scanner {
        text,
        lexer: Kind::lexer(text),
        scanned: &mut scanned,
        interpolations: Vec::new(),
        starts_line: true,
        last_quote: (0, 0),
        no_comment_ends: false,
    };
    scanner.run();
    scanned
}

struct Scanner<'t> {
    text: &'t str,
    lexer: Lexer<'t, Kind>,
    scanned: &'t mut Scanned,
    /// For each text whose expression is being read: where the text begins, and how many braces are open in the expression.
    interpolations: Vec<(Span, u32)>,
    starts_line: bool,
    /// The end of the line that was looked at last, and its last `"`.
    last_quote: (usize, usize),
    /// No `*/` stands in what is left.
    no_comment_ends: bool,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(result) = self.lexer.next() {
            match result {
                Ok(Kind::Newline) => {
                    self.close_interpolations();
                    self.starts_line = true;
                }
                Ok(Kind::Comment) => {
                    let span = self.span();
                    self.scanned.comments.push(span);
                }
                Ok(Kind::Number) => self.number(),
                Ok(Kind::Date) => self.moment(Kind::Date, 4, moment::date),
                Ok(Kind::Time) => self.moment(Kind::Time, 4, moment::time),
                Ok(Kind::RawText) => {
                    let value = self.between_quotes(1).to_owned();
                    self.literal(Kind::RawText, Literal::RawText(value));
                }
                Ok(Kind::Text) => self.fragment(Kind::Text, Kind::TextStart, None),
                Ok(Kind::OpenBrace) => {
                    if let Some((_, braces)) = self.interpolations.last_mut() {
                        *braces += 1;
                    }
                    self.push(Kind::OpenBrace);
                }
                Ok(Kind::CloseBrace) => match self.interpolations.last_mut() {
                    Some((text, 0)) => {
                        let text = *text;
                        self.interpolations.pop();
                        self.fragment(Kind::TextEnd, Kind::TextMiddle, Some(text));
                    }
                    Some((_, braces)) => {
                        *braces -= 1;
                        self.push(Kind::CloseBrace);
                    }
                    None => self.push(Kind::CloseBrace),
                },
                Ok(Kind::Slash) if self.lexer.remainder().starts_with('*') => self.block_comment(),
                Ok(kind) => self.push(kind),
                Err(()) => self.unknown(),
            }
        }
        self.close_interpolations();
    }

    fn span(&self) -> Span {
        span(self.lexer.span())
    }

    fn push(&mut self, kind: Kind) {
        let span = self.span();
        let starts_line = std::mem::take(&mut self.starts_line);
        self.scanned.tokens.push(Token { kind, starts_line, is_inserted: false, value: 0, span });
    }

    fn literal(&mut self, kind: Kind, value: Literal) {
        self.push(kind);
        if let Some(token) = self.scanned.tokens.last_mut() {
            token.value = u32::try_from(self.scanned.values.len()).unwrap_or(u32::MAX);
        }
        self.scanned.values.push(value);
    }

    fn number(&mut self) {
        let start = self.lexer.span().start;
        let length = number::length(self.text.get(start..).unwrap_or(""));
        self.lexer.bump(length.saturating_sub(1));
        let literal = number::value(self.lexer.slice(), self.follows_unary_minus());
        self.literal_or_malformed(Kind::Number, literal);
    }

    fn follows_unary_minus(&self) -> bool {
        let mut before = self.scanned.tokens.iter().rev();
        before.next().is_some_and(|token| token.kind == Kind::Minus)
            && !before.next().is_some_and(|token| token.kind.ends_operand())
    }

    fn moment(&mut self, kind: Kind, prefix: usize, read: fn(&str) -> Result<Literal, Wrong>) {
        let literal = read(self.between_quotes(prefix));
        self.literal_or_malformed(kind, literal);
    }

    fn between_quotes(&self, prefix: usize) -> &str {
        let slice = self.lexer.slice();
        slice.get(prefix + 1..slice.len() - 1).unwrap_or("")
    }

    fn literal_or_malformed(&mut self, kind: Kind, literal: Result<Literal, Wrong>) {
        match literal {
            Ok(value) => self.literal(kind, value),
            Err(wrong) => {
                let mut diagnostic = Diagnostic::error(code::MALFORMED_LITERAL, self.span(), wrong.message);
                diagnostic.help = wrong.help;
                self.scanned.diagnostics.push(diagnostic);
                self.push(Kind::Malformed);
            }
        }
    }

    /// Reads literal text behind a `"`, or behind the `}` of an interpolation in the text that begins at `text`.
    fn fragment(&mut self, closed: Kind, interpolated: Kind, text: Option<Span>) {
        let start = self.lexer.span().start;
        let Fragment { mut length, end, mut value, wrong } = self.read_fragment();
        // What stands behind a text that is never closed is better read than lost with it.
        if end == FragmentEnd::Unclosed && closed == Kind::Text {
            length = likely_end(self.lexer.remainder().get(..length).unwrap_or(""));
            self.lexer.remainder().get(..length).unwrap_or("").clone_into(&mut value);
        }
        for (at, length, message) in wrong {
            let at = start + 1 + at;
            self.scanned.diagnostics.push(Diagnostic::error(
                code::MALFORMED_LITERAL,
                span(at..at + length),
                message,
            ));
        }
        self.lexer.bump(length);
        match end {
            FragmentEnd::Quote => self.literal(closed, Literal::Text(value)),
            FragmentEnd::Brace => {
                self.literal(interpolated, Literal::Text(value));
                self.interpolations.push((text.unwrap_or(span(start..start + 1)), 0));
            }
            FragmentEnd::Unclosed => {
                self.literal(closed, Literal::Text(value));
                // Within an expression in a text, the text around it is what lacks its end.
                if self.interpolations.is_empty() {
                    self.unclosed(text.unwrap_or(span(start..start + 1)));
                }
                // The mistake is told: what the parser makes of it is not.
                if let Some(token) = self.scanned.tokens.last_mut() {
                    token.is_inserted = true;
                }
            }
        }
    }

    fn read_fragment(&mut self) -> Fragment {
        let at = self.lexer.span().end;
        if self.last_quote.0 <= at {
            let line = self.lexer.remainder().split('\n').next().unwrap_or("");
            self.last_quote = (at + line.len(), at + line.rfind('"').unwrap_or(0));
        }
        fragment(self.lexer.remainder(), self.last_quote.1.saturating_sub(at))
    }

    /// A text ends with its line, and so do the expressions in it.
    fn close_interpolations(&mut self) {
        let end = self.lexer.span().start;
        while let Some((start, _)) = self.interpolations.pop() {
            if self.interpolations.is_empty() {
                self.unclosed(start);
            }
            let value = u32::try_from(self.scanned.values.len()).unwrap_or(u32::MAX);
            self.scanned.values.push(Literal::Text(String::new()));
            self.scanned.tokens.push(Token {
                kind: Kind::TextEnd,
                starts_line: false,
                is_inserted: true,
                value,
                span: span(end..end),
            });
        }
    }

    fn unclosed(&mut self, start: Span) {
        let error = |at: Span, message| Diagnostic::error(code::UNCLOSED, at, message);
        let (at, is_opener) = self.odd_quote(start.start).unwrap_or((start.start, true));
        let at = Span::new(at, at + 1);
        self.scanned.diagnostics.push(if is_opener {
            error(at, "this text is never closed")
                .help("a text ends with `\"` on the line it begins; a new line within it is `\\n`")
        } else {
            error(at, "this ends a text that nothing begins").help("a text stands between two `\"`")
        });
    }

    /// Where the quotes of a line do not pair up: the first that follows a word right behind it, and so ends a
    /// text, or the beginning of the first text that ends right before a word. `last` is the last quote.
    fn odd_quote(&self, last: u32) -> Option<(u32, bool)> {
        let line = self.text.get(..last as usize)?.rfind('\n').map_or(0, |newline| newline + 1);
        let first = self.scanned.tokens.partition_point(|token| (token.span.start as usize) < line);
        let tokens = self.scanned.tokens.get(first..).unwrap_or_default().iter();
        let is_word = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let quotes = tokens.filter(|token| token.kind == Kind::Text && token.span.start <= last);
        quotes.into_iter().find_map(|token| {
            let before = self.text.get(..token.span.start as usize)?.chars().next_back();
            let behind = self.text.get(token.span.end as usize..)?.chars().next();
            if is_word(before) || matches!(before, Some(')' | '.')) {
                Some((token.span.start, false))
            } else if token.span.start < last && is_word(behind) {
                Some((token.span.start, true))
            } else {
                None
            }
        })
    }

    /// `/* … */` of other languages; without its end it goes to that of the line.
    fn block_comment(&mut self) {
        let start = self.lexer.span().start;
        let rest = self.lexer.remainder();
        let end = if self.no_comment_ends { None } else { rest.find("*/") };
        self.no_comment_ends |= end.is_none();
        let length = end.map_or_else(|| rest.find('\n').unwrap_or(rest.len()), |end| end + 2);
        self.lexer.bump(length);
        self.scanned.diagnostics.push(
            Diagnostic::error(code::UNEXPECTED_TOKEN, span(start..start + 2), "unexpected `/*`")
                .help("a comment begins with `//` and ends with its line"),
        );
    }

    /// One diagnostic for a run of characters that begin no token.
    fn unknown(&mut self) {
        let mut start = self.lexer.span().start;
        let is_letter = self.lexer.slice().starts_with(char::is_alphabetic);
        // The name that a foreign letter stands in may have begun before it.
        let beginning = self.scanned.tokens.pop_if(|last| {
            is_letter
                && last.kind.is_name()
                && last.kind != Kind::QuotedName
                && last.span.end as usize == start
        });
        if let Some(beginning) = beginning {
            self.starts_line = beginning.starts_line;
            start = beginning.span.start as usize;
        }
        let (length, wrong) = foreign(self.text.get(start..).unwrap_or(""));
        self.lexer.bump((start + length).saturating_sub(self.lexer.span().end));
        let mut diagnostic = Diagnostic::error(wrong.0, span(start..start + length), wrong.1.message);
        diagnostic.help = wrong.1.help;
        if let Some((title, text)) = own_word(self.text, start..start + length) {
            let edit = Edit { span: diagnostic.span, text };
            diagnostic = diagnostic.fix(title, vec![edit]);
        }
        self.scanned.diagnostics.push(diagnostic);
        self.push(Kind::Unknown);
        if let Some(token) = self.scanned.tokens.last_mut() {
            token.span = span(start..start + length);
        }
    }
}

/// How far a text goes that lacks its end: to the first comma or closer that is not within brackets of its own.
fn likely_end(rest: &str) -> usize {
    let mut depth = 0usize;
    for (at, character) in rest.char_indices() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' | ',' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    rest.trim_end().len()
}

fn span(range: std::ops::Range<usize>) -> Span {
    // Texts of 4 GiB and more are refused before they are scanned.
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(offset(range.start), offset(range.end))
}

/// What is written here for a sign of other languages, with the blanks that a word needs around it: the title of a
/// fix, and its text.
fn own_word(text: &str, at: std::ops::Range<usize>) -> Option<(String, String)> {
    let (before, sign, behind) = (text.get(..at.start)?, text.get(at.clone())?, text.get(at.end..)?);
    let word = match sign {
        "&&" | "&" => "and",
        "||" | "|" => "or",
        "!" => "not",
        _ => {
            let inner = sign.strip_prefix('\'')?.strip_suffix('\'')?;
            let is_plain = !inner.contains(['"', '\\', '{', '}']);
            return is_plain.then(|| ("write `\"`".to_owned(), format!("\"{inner}\"")));
        }
    };
    let is_apart = |character: Option<char>| character.is_none_or(|c| c.is_whitespace() || "([{".contains(c));
    let left = if is_apart(before.chars().next_back()) { "" } else { " " };
    let right = if behind.starts_with(char::is_whitespace) { "" } else { " " };
    Some((format!("write `{word}`"), format!("{left}{word}{right}")))
}

/// What the characters at the start of `rest` are in other languages: their length, and what to say.
fn foreign(rest: &str) -> (usize, (Code, Wrong)) {
    let unexpected =
        |what: &str, help: &str| (code::UNEXPECTED_TOKEN, Wrong::help(format!("unexpected {what}"), help));
    let line = || rest.split('\n').next().unwrap_or("").trim_end_matches('\r');
    for (sign, help) in [
        ("&&", "write `and`"),
        ("||", "write `or`"),
        ("|>", "write `x.f()` for `x |> f()`"),
        ("&", "write `and`"),
        ("|", "write `or`"),
        ("!", "write `not`"),
        (";", "a statement ends with its line: leave the `;` out"),
    ] {
        if rest.starts_with(sign) {
            return (sign.len(), unexpected(&format!("`{sign}`"), help));
        }
    }
    let first = rest.chars().next().unwrap_or('\0');
    match first {
        '#' => (line().len(), unexpected("`#`", "a comment begins with `//`")),
        '\'' => {
            let line = line();
            let length = line.get(1..).and_then(|rest| rest.find('\'')).map_or(line.len(), |end| end + 2);
            (length, unexpected("`'`", "a text stands in double quotes"))
        }
        '`' => {
            let wrong =
                Wrong::help("this name is never closed".to_owned(), "a quoted name ends with a backtick");
            (line().len(), (code::UNCLOSED, wrong))
        }
        _ if first.is_alphabetic() => {
            let is_outside = |character: char| !character.is_alphanumeric() && character != '_';
            let length = rest.find(is_outside).unwrap_or(rest.len());
            let name = rest.get(..length).unwrap_or("");
            let foreign = name.chars().find(|character| !character.is_ascii()).unwrap_or(first);
            let help = format!("a name with other letters than a to z is quoted: `` `{name}` ``");
            (length, unexpected(&format!("`{foreign}`"), &help))
        }
        _ => {
            let length: usize = rest
                .chars()
                .take_while(|&character| character == first)
                .map(char::len_utf8)
                .sum::<usize>()
                .max(1);
            let what = if first.is_control() || first.is_whitespace() {
                format!("character U+{:04X}", u32::from(first))
            } else {
                format!("`{first}`")
            };
            (length, (code::UNEXPECTED_TOKEN, Wrong::new(format!("unexpected {what}"))))
        }
    }
}
