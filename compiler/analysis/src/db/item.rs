//! A file as its items, and each item's tree.
//!
//! An item is known by what opens it (`workflow iris`), so that it stays the same item when others come
//! or go before it, and when its own body changes. Only its text and its place are tracked: who asks for
//! the tree runs again when the text changed, and nobody runs again for the place.

use flow_syntax::{ast, diagnostic::Diagnostic};

use super::{Db, File};

#[salsa::tracked(debug)]
pub struct Item<'db> {
    #[returns(copy)]
    pub file: File,
    #[returns(copy)]
    pub keyword: Keyword,
    /// Empty where it has none.
    pub name: String,
    #[tracked]
    pub text: String,
    /// Where it begins in its file.
    #[tracked]
    #[returns(copy)]
    pub start: u32,
}

/// The word that opens an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Keyword {
    Use,
    Const,
    Type,
    Enum,
    Schema,
    Fn,
    Operator,
    Workflow,
    Test,
    /// None of the above; the parser says what is wrong.
    Unknown,
}

/// An item's tree, and what the parser had to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parsed {
    pub item: ast::Item,
    pub diagnostics: Vec<Diagnostic>,
}

/// The items of a file, in order.
#[salsa::tracked(returns(deref))]
pub fn items<'db>(db: &'db dyn Db, file: File) -> Vec<Item<'db>> {
    let chunks = flow_syntax::lex::cut(file.text(db));
    let make = |chunk: &flow_syntax::lex::Chunk<'_>| {
        let (keyword, name) = opening(chunk.text);
        Item::new(db, file, keyword, name, chunk.text.to_owned(), chunk.start)
    };
    chunks.items.iter().map(make).collect()
}

/// The `//!` lines of a file.
#[salsa::tracked]
pub fn module_doc(db: &dyn Db, file: File) -> Option<String> {
    flow_syntax::lex::cut(file.text(db)).doc.map(|doc| doc.text)
}

/// The tree of an item, with spans that count from the item's start.
#[salsa::tracked]
pub fn parse_item<'db>(db: &'db dyn Db, item: Item<'db>) -> Parsed {
    let parsed = flow_syntax::parse::parse_item(item.text(db));
    Parsed { item: parsed.item, diagnostics: parsed.diagnostics }
}

impl Parsed {
    /// Where the item stops being readable. What follows is a guess, which no further mistake is told of.
    pub fn broken_at(&self) -> Option<u32> {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .map(|diagnostic| diagnostic.span.start)
            .min()
    }
}

impl Keyword {
    fn of(word: &str) -> Self {
        match word {
            "use" => Self::Use,
            "const" => Self::Const,
            "type" => Self::Type,
            "enum" => Self::Enum,
            "schema" => Self::Schema,
            "fn" => Self::Fn,
            "operator" => Self::Operator,
            "workflow" => Self::Workflow,
            "test" => Self::Test,
            _ => Self::Unknown,
        }
    }

    /// Whether it names a type.
    pub fn is_type(self) -> bool {
        matches!(self, Self::Type | Self::Enum | Self::Schema)
    }
}

/// The keyword and the name of an item, without reading further. What follows `use` serves as the name, and for a
/// test the text that it begins with.
fn opening(text: &str) -> (Keyword, String) {
    let head = text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with("//"));
    let head = head.unwrap_or("");
    let (word, rest) = head.split_at(word_length(head));
    let keyword = Keyword::of(word);
    let rest = rest.trim_start();
    let name = match keyword {
        Keyword::Unknown => "",
        Keyword::Use => rest.trim_end(),
        Keyword::Test => rest.split('"').nth(1).unwrap_or(rest.trim_end()),
        _ => match rest.strip_prefix('`') {
            Some(quoted) => quoted.split('`').next().unwrap_or(""),
            None => rest.get(..word_length(rest)).unwrap_or(""),
        },
    };
    (keyword, name.to_owned())
}

fn word_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_opens_an_item() {
        let cases = [
            ("/// Doc.\nworkflow iris(\n", Keyword::Workflow, "iris"),
            ("schema `my table` { a: Int }", Keyword::Schema, "my table"),
            ("fn speed<R>(x: Float)", Keyword::Fn, "speed"),
            ("use std.tree", Keyword::Use, "std.tree"),
            ("test \"one\" { assert \"a\" == b }", Keyword::Test, "one"),
            ("worklow x()", Keyword::Unknown, ""),
            ("", Keyword::Unknown, ""),
        ];
        for (text, keyword, name) in cases {
            assert_eq!(opening(text), (keyword, name.to_owned()), "{text}");
        }
    }
}
