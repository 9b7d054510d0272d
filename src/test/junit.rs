//! Tests for CI systems, in JUnit's XML: a suite for each file, a case for each test.
//!
//! There is no one schema. This is what Jenkins, GitLab, Azure Pipelines and the usual GitHub actions read alike:
//! `testsuites/testsuite/testcase`, with `failure` for what does not hold and `error` for what could not be carried out.

use std::{fmt::Write, time::Duration};

use flow_syntax::diagnostic::render;

use super::report::{Case, Verdict, position};

/// The tests of one file.
pub struct Suite {
    pub file: String,
    pub cases: Vec<Testcase>,
}

pub struct Testcase {
    name: String,
    class: String,
    line: usize,
    seconds: f64,
    /// `failure` or `error`, its message, and all there is to say.
    fault: Option<(&'static str, String, String)>,
}

impl Testcase {
    pub fn of(case: &Case<'_>) -> Self {
        let fault = match &case.verdict {
            Verdict::Passed => None,
            Verdict::Not(fault) => {
                let element = if fault.is_assertion { "failure" } else { "error" };
                let module = fault.module.as_deref();
                let text = module.map(|module| render(&fault.diagnostic, module, case.sources, false));
                let text = text.unwrap_or_else(|| fault.diagnostic.message.clone()) + &fault.details;
                Some((element, fault.diagnostic.message.clone(), text))
            }
        };
        Self {
            name: case.test.name.clone(),
            class: case.module.to_owned(),
            line: position(case.sources, case.module, case.test.span)
                .map_or(0, |(_, at)| usize::try_from(at.line).unwrap_or_default()),
            seconds: case.elapsed.as_secs_f64(),
            fault,
        }
    }
}

pub fn document(suites: &[Suite], elapsed: Duration) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<&Testcase> = suites.iter().flat_map(|suite| &suite.cases).collect();
    // Writing into a text does not fail.
    let _ = writeln!(text, "<testsuites name=\"flowc test\" {}>", counts(&all, elapsed.as_secs_f64()));
    for suite in suites {
        let cases: Vec<&Testcase> = suite.cases.iter().collect();
        let seconds = cases.iter().map(|case| case.seconds).sum();
        let file = escape(&suite.file);
        let _ = writeln!(text, "  <testsuite name=\"{file}\" file=\"{file}\" {}>", counts(&cases, seconds));
        for case in cases {
            let _ = write!(
                text,
                "    <testcase name=\"{}\" classname=\"{}\" file=\"{file}\" line=\"{}\" time=\"{:.3}\"",
                escape(&case.name),
                escape(&case.class),
                case.line,
                case.seconds
            );
            match &case.fault {
                None => text.push_str("/>\n"),
                Some((element, message, all)) => {
                    let (message, all) = (escape(message), escape_text(all));
                    let _ = writeln!(
                        text,
                        ">\n      <{element} message=\"{message}\" type=\"{element}\">{all}</{element}>\n    </testcase>"
                    );
                }
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn counts(cases: &[&Testcase], seconds: f64) -> String {
    let of = |wanted: &str| {
        let is_it = |case: &&&Testcase| case.fault.as_ref().is_some_and(|(element, ..)| *element == wanted);
        cases.iter().filter(is_it).count()
    };
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{seconds:.3}\"",
        cases.len(),
        of("failure"),
        of("error")
    )
}

/// For an attribute: line breaks would come back as spaces.
fn escape(text: &str) -> String {
    escape_text(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// XML 1.0 has no place for most control characters, however they are written.
fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => escaped.push(c),
            '\r' => escaped.push_str("&#13;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c < ' ' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_escaped() {
        assert_eq!(escape("a < \"b\" & 'c' > d"), "a &lt; &quot;b&quot; &amp; &apos;c&apos; &gt; d");
        assert_eq!(escape("two\nlines\tand \u{1b}[31m\u{0}"), "two&#10;lines&#9;and \u{fffd}[31m\u{fffd}");
    }
}
