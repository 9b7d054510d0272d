//! For any text: no panic, spans within the text, and no silent mistake.

use crate::golden::cases;
use crate::outline::Outline;
use flow_syntax::lex::{Kind, cut, lex};
use flow_syntax::parse::{parse, parse_expression, parse_item};
use proptest::prelude::*;
use std::fs;

/// Holds of every text.
fn holds(text: &str) {
    let (file, diagnostics) = parse(text);
    for diagnostic in &diagnostics {
        assert!(text.get(diagnostic.span.range()).is_some(), "{diagnostic:?} in {text:?}");
        assert!(!diagnostic.message.contains('\n'));
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some(), "{diagnostic:?} in {text:?}");
        }
    }
    let mut errors = 0;
    for (start, item) in &file.items {
        errors += Outline::item(&text[*start as usize..], item).1;
    }
    assert!(errors == 0 || !diagnostics.is_empty(), "a silent mistake in {text:?}");

    let chunks = cut(text);
    let mut end = 0;
    for chunk in &chunks.items {
        let start = chunk.start as usize;
        assert!(end <= start && text[start..].starts_with(chunk.text));
        end = start + chunk.text.len();
        assert!(brackets_match(chunk.text), "{:?}", chunk.text);
    }
    for comment in &chunks.comments {
        assert!(text[comment.range()].starts_with("//"));
    }
    let (_, diagnostics) = parse_expression(text);
    for diagnostic in diagnostics {
        assert!(text.get(diagnostic.span.range()).is_some());
    }
}

fn brackets_match(text: &str) -> bool {
    let mut open = Vec::new();
    for token in lex(text).tokens {
        if let Some(closer) = token.kind.closer() {
            open.push(closer);
        } else if token.kind.is_closer() && open.pop() != Some(token.kind) {
            return false;
        }
    }
    open.is_empty()
}

/// What stands in the golden cases, in pieces that make mistakes likely.
fn pieces() -> Vec<String> {
    let mut pieces: Vec<String> =
        [" ", "\n", "\"", "{", "}", "(", ")", "[", "]", "`", "//", "///", "é", "\\"]
            .map(str::to_owned)
            .to_vec();
    for kinds in [Kind::PUNCTUATION, Kind::KEYWORDS, Kind::WORDS] {
        pieces.extend(kinds.iter().filter_map(|kind| kind.spelling()).map(str::to_owned));
    }
    for case in cases() {
        let text = fs::read_to_string(case).unwrap();
        pieces.extend(text.split_inclusive([' ', '\n']).map(str::to_owned));
    }
    pieces
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_characters(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn any_bytes_read_as_text(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..60)) {
        thread_local!(static PIECES: Vec<String> = pieces());
        let text: String =
            PIECES.with(|pieces| picks.iter().map(|pick| pick.get(pieces).as_str()).collect::<Vec<_>>().concat());
        holds(&text);
    }

    #[test]
    fn cases_with_a_stretch_taken_out_or_doubled(
        case in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        length in 0..20usize,
        is_doubled in any::<bool>(),
    ) {
        let cases = cases();
        let text = fs::read_to_string(case.get(&cases)).unwrap();
        let start = boundary(&text, at.index(text.len()));
        let end = boundary(&text, start + length);
        let from = if is_doubled { start } else { end };
        let head = if is_doubled { end } else { start };
        holds(&format!("{}{}", &text[..head], &text[from..]));
    }
}

/// An edit within one item changes the tree of that item alone.
#[test]
fn an_edit_leaves_the_other_items_equal() {
    for case in cases() {
        let text = fs::read_to_string(case).unwrap();
        let before = cut(&text);
        for chunk in &before.items {
            // A blank line before the item moves it and changes nothing.
            let start = chunk.start as usize;
            let moved = format!("{}\n{}", &text[..start], &text[start..]);
            let after = cut(&moved);
            let texts = |chunks: &flow_syntax::lex::Chunks<'_>| -> Vec<String> {
                chunks.items.iter().map(|chunk| chunk.text.to_owned()).collect()
            };
            assert_eq!(texts(&before), texts(&after));
            assert_eq!(parse_item(chunk.text), parse_item(chunk.text));
        }
    }
}
