//! One mistake gives one error: every name of the examples is misspelled in turn, every sign left out.
#![allow(clippy::unwrap_used, reason = "a test")]

use flow_analysis::Analysis;
use flow_syntax::{
    diagnostic::Diagnostic,
    lex::{Kind, cut, lex},
    span::Span,
};

const EXAMPLES: [&str; 2] = [
    include_str!("../../../examples/iris/iris.flow"),
    include_str!("../../../examples/diabetes/diabetes.flow"),
];

fn errors(text: &str) -> Vec<Diagnostic> {
    let mut analysis = Analysis::new();
    analysis.set_file("main", "main.flow", text);
    analysis.check("main").into_iter().filter(Diagnostic::is_error).collect()
}

/// The places of names, each long enough that dropping a letter leaves a misspelled word.
fn names(text: &str) -> Vec<Span> {
    let tokens = |start: u32, text: &str| -> Vec<Span> {
        let tokens = lex(text).tokens.into_iter();
        tokens.filter(|token| token.kind == Kind::Name).map(|token| token.span.shift(start)).collect()
    };
    let all = cut(text).items.iter().flat_map(|chunk| tokens(chunk.start, chunk.text)).collect::<Vec<_>>();
    all.into_iter().filter(|span| span.end - span.start >= 4).collect()
}

#[test]
fn a_misspelled_name_is_one_error() {
    let mut failures = String::new();
    let (mut planted, mut at_place) = (0, 0);
    for text in EXAMPLES {
        assert_eq!(errors(text), []);
        for span in names(text) {
            let mut misspelled = text.to_owned();
            misspelled.replace_range(span.start as usize + 2..span.start as usize + 3, "");
            let found = errors(&misspelled);
            // A name that nothing else uses may be called as one likes.
            if found.is_empty() {
                continue;
            }
            planted += 1;
            at_place += usize::from(found.iter().any(|found| found.span.start == span.start));
            if found.len() > 1 {
                let line = text.get(..span.start as usize).unwrap().matches('\n').count() + 1;
                let messages: Vec<String> =
                    found.iter().map(|found| format!("{}: {}", found.code, found.message)).collect();
                failures += &format!(
                    "`{}` in line {line}: {}\n",
                    text.get(span.range()).unwrap(),
                    messages.join("; ")
                );
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    // The others are misspelled where they are defined, and are missed where they are used.
    assert!(planted > 100 && at_place * 3 > planted * 2, "{at_place} of {planted} were found at their place");
}

/// What the checker says beside the parser's errors where one sign is left out.
#[test]
fn a_missing_sign_is_the_parsers_to_tell() {
    let (mut planted, mut with_guesses) = (0, 0);
    for text in EXAMPLES {
        for chunk in cut(text).items {
            for token in lex(chunk.text).tokens {
                if token.is_inserted
                    || matches!(token.kind, Kind::Name | Kind::Doc | Kind::ModuleDoc | Kind::End)
                {
                    continue;
                }
                let mut broken = text.to_owned();
                broken.replace_range(token.span.shift(chunk.start).range(), "");
                let found = errors(&broken);
                let parsed = found.iter().filter(|found| found.code.0 < 200).count();
                planted += usize::from(parsed > 0);
                with_guesses += usize::from(parsed > 0 && found.len() > parsed);
            }
        }
    }
    assert!(planted > 150 && with_guesses * 20 <= planted, "{with_guesses} of {planted} told more");
}
