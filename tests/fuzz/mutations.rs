//! Programs changed at random, always the same for one seed: their bytes and characters, their tokens, their items.

use flow_syntax::lex::{Token, cut, lex};

/// A small generator of its own (xorshift*), so that a seed means the same everywhere and always.
#[derive(Clone, Copy, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        (number % limit.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, values: &[&'a T]) -> &'a T {
        values[self.below(values.len())]
    }
}

/// One of the programs with up to eight changes.
pub fn mutated(programs: &[String], seed: u64) -> String {
    let random = &mut Random::new(seed);
    let mut text = programs[random.below(programs.len())].clone();
    for _ in 0..1 + random.below(8) {
        match random.below(12) {
            0 => insert_character(&mut text, random),
            1 => remove(&mut text, random),
            2 => duplicate(&mut text, random),
            3 => splice(&mut text, programs, random),
            4 => add_item(&mut text, programs, random),
            5 => flip_byte(&mut text, random),
            6 => wrap(&mut text, random),
            7 => repeat_token(&mut text, random),
            8 | 9 => replace_token(&mut text, random),
            _ => swap_tokens(&mut text, random),
        }
        if text.len() > 1 << 16 {
            text.truncate(text.floor_char_boundary(1 << 16));
        }
    }
    text
}

fn place(text: &str, random: &mut Random) -> usize {
    text.floor_char_boundary(random.below(text.len() + 1))
}

fn insert_character(text: &mut String, random: &mut Random) {
    let at = place(text, random);
    text.insert_str(at, random.pick(CHARACTERS));
}

fn remove(text: &mut String, random: &mut Random) {
    let start = place(text, random);
    let end = text.ceil_char_boundary((start + 1 + random.below(30)).min(text.len()));
    text.replace_range(start..end, "");
}

fn duplicate(text: &mut String, random: &mut Random) {
    let start = place(text, random);
    let end = text.ceil_char_boundary((start + 1 + random.below(120)).min(text.len()));
    let piece = text[start..end].repeat(1 + random.below(4));
    text.insert_str(end, &piece);
}

fn splice(text: &mut String, programs: &[String], random: &mut Random) {
    let other = &programs[random.below(programs.len())];
    let start = place(other, random);
    let end = other.ceil_char_boundary((start + 1 + random.below(200)).min(other.len()));
    let at = place(text, random);
    text.insert_str(at, &other[start..end]);
}

fn add_item(text: &mut String, programs: &[String], random: &mut Random) {
    let other = &programs[random.below(programs.len())];
    let items = cut(other).items;
    if !items.is_empty() {
        text.push('\n');
        text.push_str(items[random.below(items.len())].text);
        text.push('\n');
    }
}

fn flip_byte(text: &mut String, random: &mut Random) {
    let mut bytes = std::mem::take(text).into_bytes();
    if !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    *text = String::from_utf8_lossy(&bytes).into_owned();
}

/// Puts a stretch of tokens into brackets, many times over.
fn wrap(text: &mut String, random: &mut Random) {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return;
    }
    let first = random.below(tokens.len());
    let last = (first + random.below(8)).min(tokens.len() - 1);
    let (open, close) = WRAPPERS[random.below(WRAPPERS.len())];
    let times = 1 + random.below(6) * random.below(8);
    text.insert_str(tokens[last].span.end as usize, &close.repeat(times));
    text.insert_str(tokens[first].span.start as usize, &open.repeat(times));
}

fn repeat_token(text: &mut String, random: &mut Random) {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return;
    }
    let span = tokens[random.below(tokens.len())].span.range();
    let piece = format!("{} ", &text[span.clone()]).repeat(1 + random.below(20));
    text.insert_str(span.start, &piece);
}

fn replace_token(text: &mut String, random: &mut Random) {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return;
    }
    let span = tokens[random.below(tokens.len())].span.range();
    let other = if random.below(2) == 0 {
        random.pick(WORDS).to_owned()
    } else {
        text[tokens[random.below(tokens.len())].span.range()].to_owned()
    };
    text.replace_range(span, &other);
}

fn swap_tokens(text: &mut String, random: &mut Random) {
    let tokens = tokens(text);
    if tokens.len() < 2 {
        return;
    }
    let first = random.below(tokens.len() - 1);
    let second = (first + 1 + random.below(5)).min(tokens.len() - 1);
    let (a, b) = (tokens[first].span.range(), tokens[second].span.range());
    let (one, two) = (text[a.clone()].to_owned(), text[b.clone()].to_owned());
    text.replace_range(b, &one);
    text.replace_range(a, &two);
}

/// The tokens that the text holds itself, in order.
fn tokens(text: &str) -> Vec<Token> {
    let chunks = cut(text).items;
    let tokens = chunks.iter().flat_map(|chunk| {
        lex(chunk.text).tokens.into_iter().map(|token| Token { span: token.span.shift(chunk.start), ..token })
    });
    tokens.filter(|token| !token.is_inserted && !token.span.is_empty()).collect()
}

const WRAPPERS: &[(&str, &str)] = &[
    ("(", ")"),
    ("[", "]"),
    ("{ ", " }"),
    ("List<", ">"),
    ("\"{", "}\""),
    ("if true { ", " } else { 1 }"),
    ("not ", ""),
    ("-", ""),
    ("(x) => ", ""),
    ("f(", ")"),
    ("", "?"),
    ("", ".derive(a: 1)"),
    ("for x in ", " { x }"),
    ("run if ", " { 1 } else { 2 }"),
];

/// Of every plane, width, direction and kind of trouble.
const CHARACTERS: &[&str] = &[
    "\u{0}",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "é",
    "e\u{301}",
    "ß",
    "ſ",
    "ı",
    "İ",
    "Ω",
    "я",
    "א",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{200d}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffd}",
    "\u{ffff}",
    "中",
    "ﬃ",
    "🌱",
    "👩‍👩‍👧‍👦",
    "\u{10ffff}",
    "\u{e0001}",
    "𝔘",
    "\r",
    "\r\n",
    "\n",
    "\t",
    "\u{b}",
    "\u{c}",
    "\"",
    "`",
    "'",
    "\\",
    "{",
    "}",
    "//",
    "///",
    "//!",
    "/*",
    "*/",
    "%",
    "@",
    "#",
    "$",
];

const WORDS: &[&str] = &[
    "use",
    "const",
    "type",
    "enum",
    "schema",
    "fn",
    "operator",
    "workflow",
    "test",
    "let",
    "if",
    "else",
    "match",
    "for",
    "in",
    "and",
    "or",
    "not",
    "true",
    "false",
    "none",
    "run",
    "while",
    "with",
    "from",
    "max",
    "native",
    "verb",
    "python",
    "command",
    "without",
    "matching",
    "positive",
    "unseen",
    "by",
    "rows",
    "of",
    "part",
    "fitted",
    "chosen",
    "on",
    "present",
    "effect",
    "Int",
    "Float",
    "Text",
    "Bool",
    "Category",
    "Dataset",
    "Classifier",
    "List",
    "Label",
    "Id",
    "Pii",
    "Column",
    "R",
    "x",
    ".x",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "1e308",
    "1e999",
    "0.0",
    "80%",
    "1_000",
    "99999999h",
    "4GiB",
    "2h",
    "date\"2026-02-29\"",
    "time\"2026-11-20T09:30:00Z\"",
    "\"\"",
    "\"{x}\"",
    "r\"(\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ":",
    ".",
    "..",
    "..=",
    "?",
    "??",
    "->",
    "=>",
    "=",
    "==",
    "!=",
    "<=",
    ">=",
    "+",
    "-",
    "*",
    "**",
    "/",
    "% ",
    "split",
    "folds",
    "group",
    "join",
    "derive",
    "select",
    "where",
    "predict",
    "window",
    "count()",
    "sum(.x)",
    "metrics",
    "tree",
    "std.tree",
    "_",
    "`a b`",
];
