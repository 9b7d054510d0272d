//! The page of each code: what it means, an example that fails, and the same example mended.
//!
//! A page is a Markdown file in `pages/`. Its first line is the severity and the title; a fenced block
//! ```` ```flow fail ```` raises the code and nothing else, ```` ```flow mended ```` raises nothing. A block that
//! needs several modules begins each with a line `// file: NAME.flow`. Tests run them all.

use std::sync::LazyLock;

use super::{Code, Severity, code};
use crate::suggest::suggest;

/// What `flowc explain` knows about a code.
#[derive(Debug)]
pub struct Page {
    pub code: Code,
    pub severity: Severity,
    /// A few words: `no such column`
    pub title: &'static str,
    /// Markdown: all that follows the title, the examples included.
    pub text: &'static str,
    pub failing: Example,
    pub mended: Example,
    /// Which command reports the failing example.
    pub stage: Stage,
}

/// A complete small project.
#[derive(Debug)]
pub struct Example {
    /// File names and their texts; the first is the one to look at.
    pub files: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// `flowc check`
    Check,
    /// `flowc plan`, after a check that finds nothing
    Plan,
}

/// The page of `code`, where it has one.
pub fn page(code: Code) -> Option<&'static Page> {
    let pages = &*PAGES;
    pages.binary_search_by_key(&code, |page| page.code).ok().and_then(|index| pages.get(index))
}

/// The codes that have a page, in ascending order.
pub fn codes() -> impl Iterator<Item = Code> {
    PAGES.iter().map(|page| page.code)
}

/// The code that somebody means by `text`: `F0401`, `f0401` and `401` are one; `None` for one there is not.
pub fn find(text: &str) -> Option<Code> {
    let digits = text.strip_prefix(['F', 'f']).unwrap_or(text);
    let is_number = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number)?;
    code::ALL.iter().copied().find(|code| *code == Code(number))
}

/// The code nearest to a misspelled one.
pub fn nearest(text: &str) -> Option<Code> {
    let names: Vec<String> = code::ALL.iter().map(Code::to_string).collect();
    suggest(text, names.iter().map(String::as_str)).and_then(find)
}

/// The page for a terminal; with `colour` there are ANSI escapes.
pub fn explain(code: Code, colour: bool) -> Option<String> {
    let page = page(code)?;
    let paint = |text: &str, escape: &str| {
        if colour { format!("\u{1b}[{escape}m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let severity_colour = match page.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
    };
    let kind = format!("{}[{code}]", page.severity.word());
    let mut lines = format!("{}: {}\n", paint(&kind, severity_colour), paint(page.title, BOLD));
    let mut margin = None;
    for line in page.text.lines() {
        match (line.strip_prefix("```"), &margin) {
            (Some(info), None) => {
                let (heading, escape) =
                    if info.contains("fail") { ("This fails:", RED) } else { ("This works:", GREEN) };
                lines.push_str(&format!("{}\n\n", paint(heading, escape)));
                margin = Some(paint("│", escape));
            }
            (Some(_), Some(_)) => margin = None,
            (None, Some(bar)) if line.is_empty() => lines.push_str(&format!("  {bar}\n")),
            (None, Some(bar)) => lines.push_str(&format!("  {bar} {line}\n")),
            (None, None) => lines.push_str(&format!("{line}\n")),
        }
    }
    Some(lines)
}

const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const GREEN: &str = "1;32";
const BOLD: &str = "1";

static PAGES: LazyLock<Vec<Page>> =
    LazyLock::new(|| FILES.iter().map(|(code, file)| read(*code, file)).collect());

/// In ascending order.
const FILES: &[(Code, &str)] = &[
    (code::UNEXPECTED_TOKEN, include_str!("pages/F0101.md")),
    (code::UNCLOSED, include_str!("pages/F0102.md")),
    (code::MALFORMED_LITERAL, include_str!("pages/F0103.md")),
    (code::UNKNOWN_NAME, include_str!("pages/F0201.md")),
    (code::UNKNOWN_MODULE, include_str!("pages/F0202.md")),
    (code::DEFINED_TWICE, include_str!("pages/F0203.md")),
    (code::IMPORT_CYCLE, include_str!("pages/F0204.md")),
    (code::UNUSED, include_str!("pages/F0205.md")),
    (code::NAME_CASE, include_str!("pages/F0206.md")),
    (code::TYPE_MISMATCH, include_str!("pages/F0301.md")),
    (code::MISSING_ARGUMENT, include_str!("pages/F0302.md")),
    (code::UNKNOWN_ARGUMENT, include_str!("pages/F0303.md")),
    (code::OUT_OF_RANGE, include_str!("pages/F0304.md")),
    (code::NOT_EXHAUSTIVE, include_str!("pages/F0305.md")),
    (code::MAYBE_MISSING, include_str!("pages/F0306.md")),
    (code::NO_SUCH_COLUMN, include_str!("pages/F0401.md")),
    (code::COLUMN_TYPE, include_str!("pages/F0402.md")),
    (code::COLUMNS_DIFFER, include_str!("pages/F0403.md")),
    (code::MEANING_FORBIDS, include_str!("pages/F0404.md")),
    (code::LABEL_COUNT, include_str!("pages/F0405.md")),
    (code::MODEL_LACKS_FEATURE, include_str!("pages/F0406.md")),
    (code::WRONG_TASK, include_str!("pages/F0407.md")),
    (code::NOT_A_FEATURE, include_str!("pages/F0408.md")),
    (code::KNOWN_TOO_LATE, include_str!("pages/F0501.md")),
    (code::RUN_ARMS_DIFFER, include_str!("pages/F0502.md")),
    (code::RECURSION, include_str!("pages/F0503.md")),
    (code::FITTED_ROWS, include_str!("pages/F0601.md")),
    (code::SEEN_ROWS, include_str!("pages/F0602.md")),
    (code::CHOSEN_ROWS, include_str!("pages/F0603.md")),
    (code::LABEL_LEAK, include_str!("pages/F0604.md")),
    (code::PERSONAL_DATA, include_str!("pages/F0605.md")),
    (code::FUTURE_JOINED, include_str!("pages/F0606.md")),
    (code::BAD_POLICY, include_str!("pages/F0701.md")),
    (code::WRONG_DEVICE, include_str!("pages/F0702.md")),
    (code::NO_IMPLEMENTATION, include_str!("pages/F0703.md")),
];

fn read(code: Code, file: &'static str) -> Page {
    let (headline, text) = file.split_once('\n').unwrap_or((file, ""));
    let (severity, title) = match headline.split_once(": ") {
        Some(("warning", title)) => (Severity::Warning, title),
        Some((_, title)) => (Severity::Error, title),
        None => (Severity::Error, headline),
    };
    let stage = if text.contains("```flow fail plan\n") { Stage::Plan } else { Stage::Check };
    let failing = example(block(text, "```flow fail"));
    Page { code, severity, title, text, failing, mended: example(block(text, "```flow mended")), stage }
}

/// The lines between a fence that begins with `opening` and the one that closes it.
fn block<'t>(text: &'t str, opening: &str) -> &'t str {
    let behind = text.split_once(opening).map_or("", |(_, behind)| behind);
    let inside = behind.split_once('\n').map_or("", |(_, inside)| inside);
    inside.split_once("```").map_or("", |(block, _)| block)
}

fn example(block: &'static str) -> Example {
    const MARKER: &str = "// file: ";
    let files = if block.starts_with(MARKER) {
        block
            .split(MARKER)
            .filter_map(|part| part.split_once('\n'))
            .map(|(name, text)| (name, text.trim_end()))
            .collect()
    } else {
        vec![("example.flow", block)]
    };
    Example { files }
}

#[cfg(test)]
mod tests {
    use super::super::code;
    use super::{Code, Severity, Stage, codes, explain, find, nearest, page};
    use crate::format::format;
    use crate::parse::parse;

    fn folder() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnostic/pages")
    }

    #[test]
    fn every_page_is_embedded_under_its_code() {
        let mut files: Vec<String> = std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, codes().map(|code| format!("{code}.md")).collect::<Vec<_>>());
        for code in codes() {
            let file = std::fs::read_to_string(folder().join(format!("{code}.md"))).unwrap();
            assert!(file.ends_with(page(code).unwrap().text), "{code} holds another code's page");
        }
    }

    #[test]
    fn every_page_has_its_parts() {
        for page in codes().filter_map(page) {
            let code = page.code;
            assert!(!page.title.is_empty() && !page.title.ends_with('.'), "{code}: title");
            for example in [&page.failing, &page.mended] {
                assert!(!example.files.is_empty(), "{code}: example");
                for (name, text) in &example.files {
                    assert!(name.ends_with(".flow") && !text.trim().is_empty(), "{code}: {name}");
                }
            }
            assert_eq!(page.text.matches("```").count(), 4, "{code}: two blocks, each opened and closed");
            assert!(page.text.lines().all(|line| line.chars().count() <= 120), "{code}: long line");
            assert_eq!(page.stage == Stage::Plan, code > code::BAD_POLICY);
        }
    }

    #[test]
    fn examples_fail_to_parse_only_where_they_are_to() {
        for page in codes().filter_map(page) {
            let found = |example: &super::Example| -> Vec<Code> {
                let files = example.files.iter();
                files.flat_map(|(_, text)| parse(text).1).map(|diagnostic| diagnostic.code).collect()
            };
            let is_of_syntax = page.code < code::UNKNOWN_NAME;
            assert_eq!(found(&page.failing), if is_of_syntax { vec![page.code] } else { vec![] });
            assert_eq!(found(&page.mended), [], "{}", page.code);
        }
    }

    #[test]
    fn mended_examples_are_in_the_one_style() {
        for page in codes().filter_map(page) {
            for (_, text) in &page.mended.files {
                assert_eq!(format(text).unwrap().trim_end(), text.trim_end(), "{}", page.code);
            }
        }
    }

    #[test]
    fn an_example_may_have_several_files() {
        let page = page(code::IMPORT_CYCLE).unwrap();
        let names: Vec<_> = page.failing.files.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["rides.flow", "units.flow"]);
        assert!(page.failing.files[1].1.starts_with("use rides.{MINUTES}"));
    }

    #[test]
    fn codes_are_found_as_people_write_them() {
        for text in ["F0401", "f0401", "0401", "401"] {
            assert_eq!(find(text), Some(code::NO_SUCH_COLUMN), "{text}");
        }
        for text in ["", "F", "F9999", "E0401", "F04010", "+401", "4O1"] {
            assert_eq!(find(text), None, "{text}");
        }
        assert_eq!(nearest("F4001"), Some(code::NO_SUCH_COLUMN));
        assert_eq!(nearest("E0401"), Some(code::NO_SUCH_COLUMN));
        assert_eq!(nearest("help"), None);
    }

    #[test]
    fn an_explanation_shows_both_examples() {
        let text = explain(code::UNUSED, false).unwrap();
        assert!(text.starts_with("warning[F0205]: unused\n\nA name is imported"), "{text}");
        assert!(text.contains("This fails:\n\n  │ use std.debug\n  │ use std.tree\n  │\n"), "{text}");
        assert!(text.contains("This works:\n\n  │ use std.debug\n  │\n"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("```"), "{text}");
        assert!(explain(code::UNUSED, true).unwrap().contains("\u{1b}[1;33mwarning[F0205]\u{1b}[0m"));
        assert_eq!(page(code::UNUSED).unwrap().severity, Severity::Warning);
        assert_eq!(explain(Code(9999), false), None);
    }
}
