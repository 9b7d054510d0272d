//! A difference in colours.

use flow_ir::diff::DagDiff;

/// The difference's text: what was added green, what was removed red, what changed yellow. `paint` colours a line in an
/// SGR code.
pub fn painted(diff: &DagDiff, paint: &impl Fn(&str, &str) -> String) -> String {
    diff.to_text().lines().map(|line| line_in_colour(line, paint) + "\n").collect()
}

fn line_in_colour(line: &str, paint: &impl Fn(&str, &str) -> String) -> String {
    let colour = match line.chars().next() {
        Some('+') => "32",
        Some('-') => "31",
        Some('~') => "33",
        Some('>') => "36",
        Some(' ') => return line.to_owned(),
        _ => "2",
    };
    paint(line, colour)
}
