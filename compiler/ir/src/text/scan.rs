//! A cursor over text, for the recursive-descent readers of this crate.

/// How deep types, values and expressions may nest in text and in JSON. Far above what people
/// write, far below what would exhaust a thread's stack.
pub const MAX_DEPTH: u32 = 128;

/// What was wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct SyntaxError {
    /// In bytes.
    pub offset: usize,
    pub expected: String,
    /// What stands there, shortened.
    pub found: String,
}

#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    pub fn offset(&self) -> usize {
        self.at
    }

    pub fn rewind(&mut self, offset: usize) {
        self.at = offset;
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn since(&self, offset: usize) -> &'a str {
        self.text.get(offset..self.at).unwrap_or_default()
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character after the next one.
    pub fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Passes over blanks and line ends.
    pub fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Passes over blanks within the line.
    pub fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// Passes over `symbol` and the space before it, if it comes next.
    pub fn eat(&mut self, symbol: &str) -> bool {
        let start = self.at;
        self.space();
        if self.rest().starts_with(symbol) {
            self.at += symbol.len();
            return true;
        }
        self.at = start;
        false
    }

    /// Like [`Self::eat`], for a word that must end there.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let start = self.at;
        self.space();
        self.eat_word_here(word, start)
    }

    /// Like [`Self::eat_word`], on the same line alone.
    pub fn eat_word_inline(&mut self, word: &str) -> bool {
        let start = self.at;
        self.blanks();
        self.eat_word_here(word, start)
    }

    fn eat_word_here(&mut self, word: &str, start: usize) -> bool {
        if let Some(after) = self.rest().strip_prefix(word)
            && !after.starts_with(is_name_part)
        {
            self.at += word.len();
            return true;
        }
        self.at = start;
        false
    }

    pub fn expect(&mut self, symbol: &str) -> Result<(), SyntaxError> {
        if self.eat(symbol) { Ok(()) } else { Err(self.error(format!("`{symbol}`"))) }
    }

    pub fn expect_end(&mut self) -> Result<(), SyntaxError> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.error("the end")) }
    }

    /// A plain identifier here, without leading space.
    pub fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if !rest.starts_with(is_name_start) {
            return None;
        }
        let length = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length)
    }

    /// A name, plain or in backticks.
    pub fn name(&mut self) -> Result<String, SyntaxError> {
        self.space();
        if self.peek() == Some('`') {
            return self.quoted('`');
        }
        match self.identifier() {
            Some(name) => Ok(name.to_owned()),
            None => Err(self.error("a name")),
        }
    }

    /// `"text"`
    pub fn text_literal(&mut self) -> Result<String, SyntaxError> {
        self.space();
        self.quoted('"')
    }

    /// `"text"`, or `r"raw"` in which nothing is escaped.
    pub fn text_or_raw(&mut self) -> Result<String, SyntaxError> {
        self.space();
        if !self.rest().starts_with("r\"") {
            return self.quoted('"');
        }
        self.at += 2;
        match self.rest().split_once('"') {
            Some((raw, _)) => {
                self.at += raw.len() + 1;
                Ok(raw.to_owned())
            }
            None => Err(self.error("`\"` at the text's end")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, SyntaxError> {
        if self.peek() != Some(quote) {
            return Err(self.error(format!("`{quote}`")));
        }
        self.next();
        let mut text = String::new();
        loop {
            let here = self.at;
            match self.next() {
                None => return Err(self.error(format!("`{quote}` at the text's end"))),
                Some(c) if c == quote => return Ok(text),
                Some('\\') => match self.escape() {
                    Some(c) => text.push(c),
                    None => {
                        self.at = here;
                        return Err(self.error("an escape such as `\\n` or `\\u{1f600}`"));
                    }
                },
                Some('{') if quote == '"' => {
                    if self.peek() == Some('{') {
                        self.next();
                        text.push('{');
                    } else {
                        self.at = here;
                        return Err(self.error("`{{` for a brace in a text"));
                    }
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        match self.next()? {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '0' => Some('\0'),
            'u' => {
                let (digits, _) = self.rest().strip_prefix('{')?.split_once('}')?;
                self.at += digits.len() + 2;
                u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
            }
            c @ ('\\' | '"' | '`') => Some(c),
            _ => None,
        }
    }

    /// Enters a nested part; every `deepen` needs its `rise`.
    pub fn deepen(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("no more than {MAX_DEPTH} nested parts")));
        }
        Ok(())
    }

    pub fn rise(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// That something else stands here than what was expected.
    pub fn error(&mut self, expected: impl Into<String>) -> SyntaxError {
        self.space();
        SyntaxError { offset: self.at, expected: expected.into(), found: found(self.rest()) }
    }

    /// `items` between brackets, separated by commas; the opening one has been read.
    pub fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut items = Vec::new();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(",") {
                if self.eat(close) {
                    return Ok(items);
                }
            } else if self.eat(close) {
                return Ok(items);
            } else {
                return Err(self.error(format!("`,` or `{close}`")));
            }
        }
    }
}

pub(crate) fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

pub(crate) fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn found(rest: &str) -> String {
    let word: String = rest.chars().take_while(|c| is_name_part(*c)).take(40).collect();
    match rest.chars().next() {
        None => "the end".to_owned(),
        Some(_) if !word.is_empty() => format!("`{word}`"),
        Some(c) => format!("`{c}`"),
    }
}
