//! `grammar/flow.ebnf` and `grammar/flow.tmLanguage.json` speak of the same tokens as the lexer.

use flow_syntax::lex::{Kind, lex};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn grammar(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grammar").join(file)).unwrap()
}

/// The rules with their names, and the examples in the comment behind each.
fn rules(grammar: &str) -> Vec<(String, String, Vec<String>)> {
    let mut rules: Vec<(String, String, Vec<String>)> = Vec::new();
    let mut is_comment = false;
    for line in grammar.lines() {
        let starts_comment = line.trim_start().starts_with("(*");
        if starts_comment || is_comment {
            is_comment = !line.contains("*)");
            continue;
        }
        let (rule, comment) = line.split_once("(*").unwrap_or((line, ""));
        if let Some((name, body)) = rule.split_once(" = ").filter(|(name, _)| !name.starts_with(' ')) {
            rules.push((name.trim().to_owned(), body.to_owned(), examples(comment)));
        } else if let Some((_, body, _)) = rules.last_mut() {
            body.push_str(rule);
        }
    }
    rules
}

/// What stands between backticks; an example that holds some is between two of them.
fn examples(comment: &str) -> Vec<String> {
    if let Some(quoted) = comment.split("``").nth(1) {
        return vec![format!("`{quoted}`")];
    }
    comment.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn terminals(body: &str) -> Vec<String> {
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn is_token_rule(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii_uppercase() || character == '_')
}

fn kind_name(kind: Kind) -> String {
    let mut name = String::new();
    for character in format!("{kind:?}").chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(character.to_uppercase());
    }
    name
}

fn kinds(text: &str) -> Vec<Kind> {
    lex(text).tokens.iter().filter(|token| !token.is_inserted).map(|token| token.kind).collect()
}

fn spellings() -> BTreeSet<&'static str> {
    [Kind::PUNCTUATION, Kind::KEYWORDS, Kind::WORDS].concat().into_iter().filter_map(Kind::spelling).collect()
}

#[test]
fn the_grammar_has_the_terminals_of_the_lexer() {
    let rules = rules(&grammar("flow.ebnf"));
    let written: BTreeSet<String> = rules
        .iter()
        .filter(|(name, ..)| !is_token_rule(name))
        .flat_map(|(_, body, _)| terminals(body))
        .collect();
    let written: BTreeSet<&str> = written.iter().map(String::as_str).collect();
    assert_eq!(written, spellings());

    let keywords =
        rules.iter().find(|(name, ..)| name == "keyword").map(|(_, body, _)| terminals(body)).unwrap();
    let reserved: Vec<&str> = Kind::KEYWORDS.iter().filter_map(|kind| kind.spelling()).collect();
    assert_eq!(keywords, reserved);
}

#[test]
fn every_spelling_is_one_token() {
    let all = [Kind::PUNCTUATION, Kind::KEYWORDS, Kind::WORDS].concat();
    for kind in all.into_iter().filter(|kind| kind.closer().is_none() && !kind.is_closer()) {
        assert_eq!(kinds(kind.spelling().unwrap()), [kind]);
    }
}

#[test]
fn every_example_of_a_token_is_one() {
    let rules = rules(&grammar("flow.ebnf"));
    let token_rules: Vec<_> = rules.iter().filter(|(name, ..)| is_token_rule(name)).collect();
    for (name, _, examples) in &token_rules {
        assert!(!examples.is_empty() || name == "NEWLINE", "{name} has no example");
        for example in examples {
            let comments = lex(example).comments;
            if name == "COMMENT" {
                assert_eq!((comments.len(), kinds(example).len()), (1, 0), "{example}");
                continue;
            }
            // The parts of an interpolated text stand in one only.
            let (text, place) = match name.as_str() {
                "TEXT_START" => (format!("{example}a}}\""), 0),
                "TEXT_MIDDLE" => (format!("\"{{a{example}b}}\""), 2),
                "TEXT_END" => (format!("\"{{a{example}"), 2),
                _ => (example.clone(), 0),
            };
            let kinds = kinds(&text);
            assert_eq!(kinds.get(place).copied().map(kind_name).as_ref(), Some(name), "{example}");
            assert!(lex(&text).diagnostics.is_empty(), "{example}");
        }
    }
    let defined: BTreeSet<&str> = token_rules.iter().map(|(name, ..)| name.as_str()).collect();
    let fixed: BTreeSet<&str> = spellings();
    for kind in Kind::ALL {
        let is_described = kind.spelling().is_some_and(|spelling| fixed.contains(spelling))
            || defined.contains(kind_name(*kind).as_str());
        // What is no token of a sound text is no part of the grammar.
        let is_wrong = matches!(kind, Kind::Malformed | Kind::Unknown | Kind::End);
        assert!(is_described != is_wrong, "{kind:?}");
    }
}

#[test]
fn every_rule_that_is_named_is_defined() {
    let rules = rules(&grammar("flow.ebnf"));
    let defined: BTreeSet<&str> = rules.iter().map(|(name, ..)| name.as_str()).collect();
    for (name, body, _) in rules.iter().filter(|(name, ..)| !is_token_rule(name)) {
        let without_terminals: String = body.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let words =
            without_terminals.split(|character: char| !character.is_alphanumeric() && character != '_');
        for word in words.filter(|word| !word.is_empty()) {
            assert!(defined.contains(word), "{name} speaks of {word}");
        }
    }
}

#[test]
fn editors_highlight_the_same_words() {
    let grammar: serde_json::Value = serde_json::from_str(&grammar("flow.tmLanguage.json")).unwrap();
    let words = |rule: &str| -> BTreeSet<String> {
        let pattern = grammar["repository"][rule]["match"].as_str().unwrap();
        let list = pattern.split("(?:").nth(1).unwrap().split(')').next().unwrap();
        list.split('|').map(str::to_owned).collect()
    };
    let reserved: BTreeSet<String> =
        Kind::KEYWORDS.iter().filter_map(|kind| kind.spelling()).map(str::to_owned).collect();
    let highlighted: BTreeSet<String> =
        ["keyword", "constant", "operator-word"].iter().flat_map(|rule| words(rule)).collect();
    assert_eq!(highlighted, reserved);
    let openers: BTreeSet<String> = Kind::WORDS
        .iter()
        .filter(|kind| kind.opens_item() && !kind.opens_later_item())
        .filter_map(|kind| kind.spelling())
        .map(str::to_owned)
        .collect();
    assert_eq!(words("item"), openers);
    let others: BTreeSet<String> = Kind::WORDS
        .iter()
        .filter(|kind| !kind.opens_item())
        .filter_map(|kind| kind.spelling())
        .map(str::to_owned)
        .collect();
    for word in words("clause") {
        assert!(word.split(' ').all(|part| others.contains(part) || part == "on"), "{word}");
    }
}
