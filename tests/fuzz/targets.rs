//! What holds for every text: the same functions run under libFuzzer, in the ordinary tests and in
//! `cargo run --release -p flow-analysis --example mutate`.

use flow_analysis::Analysis;
use flow_syntax::{
    diagnostic::Diagnostic,
    format::format,
    lex::{cut, lex},
    parse::{parse, parse_expression},
};

/// What a target does with a text: it panics where something does not hold.
pub type Target = fn(&str);

/// Every target, by its name.
pub const TARGETS: [(&str, Target); 4] =
    [("lexer", lexer), ("parser", parser), ("formatter", formatter), ("checker", checker)];

/// Tokens lie in order within their item, and brackets match.
pub fn lexer(text: &str) {
    let mut end = 0;
    for chunk in cut(text).items {
        assert_eq!(text.get(chunk.start as usize..).map(|rest| rest.starts_with(chunk.text)), Some(true));
        assert!(chunk.start >= end, "items overlap");
        end = chunk.start + chunk.text.len() as u32;
        let lexed = lex(chunk.text);
        let mut open = Vec::new();
        let mut last = 0;
        for token in &lexed.tokens {
            assert!(token.span.start >= last || token.is_inserted, "tokens overlap: {token:?}");
            assert!(chunk.text.get(token.span.range()).is_some(), "{token:?} lies outside");
            last = token.span.start;
            if let Some(closer) = token.kind.closer() {
                open.push(closer);
            } else if token.kind.is_closer() {
                assert_eq!(open.pop(), Some(token.kind), "brackets do not match");
            }
        }
        assert!(open.is_empty(), "a bracket is left open");
        lie_within(&lexed.diagnostics, chunk.text);
    }
}

/// Parsing never fails, and tells only of places in the text.
pub fn parser(text: &str) {
    let (_, diagnostics) = parse(text);
    lie_within(&diagnostics, text);
    let (_, diagnostics) = parse_expression(text);
    lie_within(&diagnostics, text);
}

/// What is formatted parses, and stays as it is when it is formatted again.
pub fn formatter(text: &str) {
    match format(text) {
        Ok(formatted) => {
            assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "formatting is not idempotent")
        }
        Err(diagnostics) => lie_within(&diagnostics, text),
    }
}

/// Checking never fails, whatever is asked for afterwards.
pub fn checker(text: &str) {
    let mut analysis = Analysis::new();
    analysis.set_file("main", "main.flow", text);
    lie_within(&analysis.check("main"), text);
    for workflow in analysis.workflows("main") {
        analysis.signature("main", &workflow);
        analysis.workflow_body("main", &workflow);
    }
    analysis.operators();
}

fn lie_within(diagnostics: &[Diagnostic], text: &str) {
    for diagnostic in diagnostics {
        assert!(!diagnostic.message.contains('\n'), "{}", diagnostic.message);
        let labels = diagnostic.labels.iter().filter(|label| label.module.is_none()).map(|label| label.span);
        let edits = diagnostic.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        for span in std::iter::once(diagnostic.span).chain(labels).chain(edits) {
            assert!(text.get(span.range()).is_some(), "{diagnostic:?} lies outside of the text");
        }
    }
}
