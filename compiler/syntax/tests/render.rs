//! What a person sees: each case is drawn and compared with `tests/render/NAME.txt`; `BLESS=1` rewrites it.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its case has failed")]

use flow_syntax::diagnostic::{Diagnostic, Edit, Sources, code, render};
use flow_syntax::span::Span;
use std::path::Path;

const RIDES: &str = "\
schema Ride {
    ride_id:  Id<Int>,
    distance: Float,
    minutes:  Float?,
}

workflow long(rides: Dataset<Ride>) -> (long: Dataset<Ride>) {
    let größe = rides.where(.distnce > 10.0)
    größe
        .derive(speed: .distance / .minutes)
        .drop(.speed)
}
";

/// The span of the `nth` place where `part` stands.
fn span(text: &str, part: &str, nth: usize) -> Span {
    let (start, _) = text.match_indices(part).nth(nth).unwrap();
    Span::new(start as u32, (start + part.len()) as u32)
}

fn shows(name: &str, diagnostic: &Diagnostic) {
    let mut sources = Sources::new();
    sources.add("rides", "rides.flow", RIDES);
    sources.add("lib.units", "lib/units.flow", "// Größen\nconst MINUTES: Float = 60.0\n");
    let actual = render(diagnostic, "rides", &sources, false);
    assert_eq!(
        without_escapes(&render(diagnostic, "rides", &sources, true)),
        actual,
        "{name}: colours change the text"
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &actual).unwrap();
    }
    assert_eq!(actual, std::fs::read_to_string(&file).unwrap_or_default(), "{name}; BLESS=1 rewrites it");
}

fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, text)| text))
}

#[test]
fn one_place() {
    let place = span(RIDES, ".distnce", 0);
    let diagnostic = Diagnostic::error(code::NO_SUCH_COLUMN, place, "no column `distnce` in `Ride`")
        .help("did you mean `.distance`?")
        .fix("write `.distance`", vec![Edit { span: place, text: ".distance".to_owned() }]);
    shows("one_place", &diagnostic);
}

#[test]
fn several_places() {
    let place = span(RIDES, ".minutes", 0);
    let message = "`.minutes` may be missing, and a missing value cannot be divided by";
    let diagnostic = Diagnostic::error(code::MAYBE_MISSING, place, message)
        .note("`Float?`")
        .label(span(RIDES, "minutes:  Float?", 0), "declared here")
        .label(span(RIDES, "größe", 1), "the table")
        .help("write `.minutes ?? 1.0`, or fill the column with `prep.impute`");
    shows("several_places", &diagnostic);
}

#[test]
fn several_files() {
    let diagnostic =
        Diagnostic::error(code::TYPE_MISMATCH, span(RIDES, "10.0", 0), "expected `Int`, found `Float`")
            .note("a `Float`")
            .label_in("lib.units", Span::new(18, 25), "this constant decides")
            .label_in("std.gone", Span::new(0, 1), "nobody knows this module, so this is left out");
    shows("several_files", &diagnostic);
}

#[test]
fn a_place_over_several_lines() {
    let place = span(RIDES, "größe\n        .derive(speed: .distance / .minutes)\n        .drop(.speed)", 0);
    let diagnostic = Diagnostic::error(code::COLUMNS_DIFFER, place, "`Dataset<Ride>` is wanted here")
        .note("lacks `minutes`")
        .label(span(RIDES, "Dataset<Ride>", 1), "wanted because of this");
    shows("several_lines", &diagnostic);
}

#[test]
fn a_warning_at_the_end_of_the_file() {
    let end = RIDES.len() as u32;
    let diagnostic =
        Diagnostic::warning(code::UNUSED, Span::new(end, end), "something is missing at the end");
    shows("end_of_file", &diagnostic);
}

#[test]
fn any_span_can_be_drawn() {
    let mut sources = Sources::new();
    sources.add("a", "a.flow", "ä\r\n€\n\tb");
    sources.add("b", "b.flow", "");
    for start in 0..12 {
        for end in 0..12 {
            let diagnostic = Diagnostic::error(code::UNCLOSED, Span { start, end }, "unclosed")
                .label(Span { start: end, end: start }, "here")
                .label_in("b", Span { start, end }, "there");
            let lines = render(&diagnostic, "a", &sources, false);
            assert!(lines.starts_with("error[F0102]: unclosed\n"), "{lines}");
        }
    }
    let diagnostic = Diagnostic::error(code::UNCLOSED, Span::new(0, 1), "unclosed");
    assert_eq!(render(&diagnostic, "x", &sources, false), "error[F0102]: unclosed\n  in module `x`\n");
}
