//! Tests for people: a line each, and where one fails the place, both sides and what differs.

use std::time::Duration;

use flow_syntax::diagnostic::render;

use super::report::{Case, Counts, Verdict};
use crate::{terminal::Terminal, watch::text::plain, words::count};

/// What takes less says nothing of it.
const SLOW: Duration = Duration::from_millis(500);

pub fn case(case: &Case<'_>, terminal: &Terminal) -> String {
    let is_told = case.elapsed >= SLOW && !terminal.quiet;
    let time = if !is_told { String::new() } else { format!(" ({})", seconds(case.elapsed)) };
    let name = format!("{}: {}{time}", case.file(), plain(&case.test.name));
    let fault = match &case.verdict {
        Verdict::Passed if terminal.quiet => return String::new(),
        Verdict::Passed => return format!("{}  {name}\n", terminal.paint_out("    ok", "32")),
        Verdict::Not(fault) => fault,
    };
    let word = if fault.is_assertion { "failed" } else { " error" };
    let mut text = format!("{}  {name}\n", terminal.paint_out(word, "31;1"));
    match &fault.module {
        Some(module) => text += &render(&fault.diagnostic, module, case.sources, terminal.colour_out),
        None => {
            text += &format!("error: {}\n", fault.diagnostic.message);
            if let Some(help) = &fault.diagnostic.help {
                text += &format!(" help: {help}\n");
            }
        }
    }
    for line in fault.details.lines() {
        text += &match line.chars().next() {
            Some('+') => terminal.paint_out(line, "32"),
            Some('-') => terminal.paint_out(line, "31"),
            _ => line.to_owned(),
        };
        text.push('\n');
    }
    text.push('\n');
    text
}

pub fn summary(counts: Counts, elapsed: Duration, terminal: &Terminal) -> String {
    if terminal.quiet && counts.passed == counts.all() {
        return String::new();
    }
    if counts.all() == 0 {
        return "there are no tests\n".to_owned();
    }
    let mut parts = vec![format!("{} passed", counts.passed)];
    let bad = [(counts.failed, "failed"), (counts.errors, "could not be carried out")];
    parts.extend(
        bad.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")),
    );
    let colour = if counts.passed == counts.all() { "32" } else { "31;1" };
    let parts = terminal.paint_out(&parts.join(", "), colour);
    format!("{}: {parts} in {}\n", count(counts.all(), "test", "tests"), seconds(elapsed))
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.2} s", elapsed.as_secs_f64())
}
