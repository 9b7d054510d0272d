//! Text literals: `"text with {expression}"`.

/// A stretch of literal text, up to what ends it.
#[derive(Debug, PartialEq)]
pub(super) struct Fragment {
    /// Bytes of source, with what ends it.
    pub(super) length: usize,
    pub(super) end: FragmentEnd,
    pub(super) value: String,
    /// Escapes that mean nothing: where, how long, and a message.
    pub(super) wrong: Vec<(usize, usize, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FragmentEnd {
    /// The closing `"`.
    Quote,
    /// The `{` of an expression.
    Brace,
    /// The line or the file ends first.
    Unclosed,
}

/// Reads literal text from behind its opening `"`, or from behind an expression's `}`.
///
/// `last_quote` is where the line's last `"` stands. `{{` and `}}` are braces, a single `}` is one too; `\n \t \r \0 \\ \" \{ \}` and `\u{1F600}` are escapes.
pub(super) fn fragment(source: &str, last_quote: usize) -> Fragment {
    let mut value = String::new();
    let mut wrong = Vec::new();
    let mut characters = source.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|&(_, next)| next);
        match character {
            '"' => return Fragment { length: at + 1, end: FragmentEnd::Quote, value, wrong },
            '\n' => return Fragment { length: at, end: FragmentEnd::Unclosed, value, wrong },
            '{' if next == Some('{') => {
                characters.next();
                value.push('{');
            }
            '}' if next == Some('}') => {
                characters.next();
                value.push('}');
            }
            '{' if at < last_quote => {
                return Fragment { length: at + 1, end: FragmentEnd::Brace, value, wrong };
            }
            // No text ends behind this brace: the one that is being read is what lacks its end.
            '{' => {
                let rest = source.get(at..).unwrap_or("");
                let length = at + rest.find('\n').unwrap_or(rest.len());
                return Fragment { length, end: FragmentEnd::Unclosed, value, wrong };
            }
            '\\' => match next {
                Some('u') => {
                    let rest = source.get(at..).unwrap_or("");
                    // Six digits name every character there is.
                    let end = rest.bytes().take(10).position(|byte| byte == b'}');
                    let end = end.filter(|_| rest.starts_with("\\u{"));
                    let length = end.map_or(2, |end| end + 1);
                    match rest.get(3..length.saturating_sub(1)).and_then(code_point) {
                        Some(code) => value.push(code),
                        None => wrong.push((
                            at,
                            length,
                            "a `\\u` escape is a character's number in braces, as in `\\u{1F600}`".to_owned(),
                        )),
                    }
                    while characters.peek().is_some_and(|&(index, _)| index < at + length) {
                        characters.next();
                    }
                }
                Some('\n') | None => wrong.push((at, 1, "a `\\` escapes nothing here".to_owned())),
                Some(next) => {
                    characters.next();
                    match escape(next) {
                        Some(escaped) => value.push(escaped),
                        None => wrong.push((
                            at,
                            1 + next.len_utf8(),
                            format!("`\\{next}` is no escape; a backslash itself is `\\\\`"),
                        )),
                    }
                }
            },
            _ => value.push(character),
        }
    }
    Fragment { length: source.len(), end: FragmentEnd::Unclosed, value, wrong }
}

fn escape(character: char) -> Option<char> {
    Some(match character {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '0' => '\0',
        '\\' | '"' | '{' | '}' => character,
        _ => return None,
    })
}

fn code_point(digits: &str) -> Option<char> {
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> (usize, FragmentEnd, String, usize) {
        let line = source.split('\n').next().unwrap();
        let fragment = fragment(source, line.rfind('"').unwrap_or(0));
        (fragment.length, fragment.end, fragment.value, fragment.wrong.len())
    }

    #[test]
    fn reads_up_to_its_end() {
        use FragmentEnd::*;
        assert_eq!(read("ab\" c"), (3, Quote, "ab".into(), 0));
        assert_eq!(read("a{{b}}{c\""), (7, Brace, "a{b}".into(), 0));
        assert_eq!(read("a {b\n\""), (4, Unclosed, "a ".into(), 0));
        assert_eq!(read("a\nb"), (1, Unclosed, "a".into(), 0));
        assert_eq!(read(r#"\n\t\\\"\u{41}""#), (15, Quote, "\n\t\\\"A".into(), 0));
    }

    #[test]
    fn reports_escapes_that_are_none() {
        assert_eq!(read(r#"\q \u{zz} \u""#).3, 3);
        assert_eq!(read("\\").3, 1);
    }
}
