//! How a DAG's text refers to nodes: `model`, `split.train`, `candidates[2].gbdt`.
//!
//! The port `value` is left out. An id that could be mistaken for something else is written
//! `@"odd id"`.

use std::fmt::{self, Write};

use super::{
    scan::{Cursor, SyntaxError},
    words::{is_plain, write_name, write_text},
};
use crate::node::VALUE_PORT;

/// A reference as written.
pub(crate) struct Reference {
    pub id: String,
    /// None where `id` may end in one.
    pub port: Option<String>,
    /// Whether `id` stands in quotes, so that all of it is the id.
    pub is_exact: bool,
}

/// Writes the id of a node.
pub(crate) fn write_id(out: &mut impl Write, id: &str) -> fmt::Result {
    if is_bare(id) {
        return out.write_str(id);
    }
    out.write_char('@')?;
    write_text(out, id)
}

/// Writes a port. `has_port` says whether an earlier node of that id has that port: a bare id that
/// reads as one needs its own port spelled out.
pub(crate) fn write_port(
    out: &mut impl Write,
    id: &str,
    port: &str,
    has_port: impl Fn(&str, &str) -> bool,
) -> fmt::Result {
    write_id(out, id)?;
    let is_ambiguous = || is_bare(id) && id.rsplit_once('.').is_some_and(|(id, port)| has_port(id, port));
    if port != VALUE_PORT || is_ambiguous() {
        out.write_char('.')?;
        write_name(out, port)?;
    }
    Ok(())
}

pub(crate) fn read_reference(cursor: &mut Cursor<'_>) -> Result<Reference, SyntaxError> {
    cursor.space();
    let is_exact = cursor.peek() == Some('@');
    let id = read_id(cursor)?;
    let has_port = cursor.peek() == Some('.')
        && cursor.peek_second().is_some_and(|c| c == '`' || is_plain(c.encode_utf8(&mut [0; 4])));
    let port = if has_port {
        cursor.next();
        Some(cursor.name()?)
    } else {
        None
    };
    Ok(Reference { id, port, is_exact })
}

pub(crate) fn read_id(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    cursor.space();
    if cursor.peek() == Some('@') {
        cursor.next();
        return cursor.text_literal();
    }
    let start = cursor.offset();
    pass_bare(cursor);
    match cursor.since(start) {
        "" => Err(cursor.error("a node")),
        id => Ok(id.to_owned()),
    }
}

fn is_bare(id: &str) -> bool {
    let mut cursor = Cursor::new(id);
    pass_bare(&mut cursor);
    let first = id.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    !id.is_empty()
        && cursor.rest().is_empty()
        && !RESERVED.contains(&first)
        && !id.split('.').any(|part| part.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Words that begin a line or a value.
const RESERVED: [&str; 15] = [
    "dag", "row", "record", "param", "output", "op", "none", "true", "false", "inf", "nan", "enum", "inputs",
    "after", "with",
];

/// Names joined by `.` and `/`, with `[2]` and `#2` behind them.
fn pass_bare(cursor: &mut Cursor<'_>) {
    if cursor.identifier().is_none() {
        return;
    }
    loop {
        let start = cursor.offset();
        let passed = match cursor.peek() {
            Some('.' | '/') => {
                cursor.next();
                cursor.identifier().is_some()
            }
            Some('#') => {
                cursor.next();
                pass_digits(cursor)
            }
            Some('[') => {
                cursor.next();
                pass_digits(cursor) && cursor.next() == Some(']')
            }
            _ => return,
        };
        if !passed {
            cursor.rewind(start);
            return;
        }
    }
}

fn pass_digits(cursor: &mut Cursor<'_>) -> bool {
    let start = cursor.offset();
    while cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
        cursor.next();
    }
    cursor.offset() > start
}
