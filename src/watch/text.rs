//! Text from anywhere, made fit for a terminal: one line, nothing that moves the cursor, no wider than asked.

use std::borrow::Cow;

use console::{measure_text_width, strip_ansi_codes, truncate_str};

/// How many columns it takes.
pub fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// How wide a column for these texts is. One that is much longer than a column should be sticks out of it.
pub fn column<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0).min(WIDEST_COLUMN)
}

/// Nobody looks along a row that is wider.
const WIDEST_COLUMN: usize = 80;

/// Text that a terminal shows as it is: colours are taken out, a tab is a blank, and any other control character is
/// escaped, as are those that turn the direction of writing.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for character in strip_ansi_codes(text).chars() {
        match character {
            '\t' => plain.push(' '),
            character if is_control(character) => plain.extend(character.escape_default()),
            character => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

/// A line of a log as a terminal would show it: what a carriage return has overwritten is gone, as with the bars that
/// programs draw.
pub fn last_written(line: &str) -> &str {
    line.trim_end().rsplit('\r').next().unwrap_or_default()
}

/// At most `columns` wide; what is too long loses its end.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if columns == 0 { Cow::Borrowed("") } else { truncate_str(text, columns, "…") }
}

/// At most `columns` wide; what is too long loses its middle, since both ends of a node's id tell it apart.
pub fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1).filter(|room| *room > 1) else { return cut(text, columns) };
    let mut end = text.len();
    let mut taken = 0;
    for (at, character) in text.char_indices().rev() {
        taken += width(character.encode_utf8(&mut [0; 4]));
        if taken > room / 2 {
            break;
        }
        end = at;
    }
    let tail = text.get(end..).unwrap_or_default();
    let head = truncate_str(text, room - width(tail), "");
    Cow::Owned(format!("{head}…{tail}"))
}

/// A node's id at most `columns` wide. What tells it from others of its kind stays as long as it can: which iteration it
/// is of. Names lose their middle, the longest first.
pub fn cut_id(id: &str, columns: usize) -> Cow<'_, str> {
    if width(id) <= columns {
        return Cow::Borrowed(id);
    }
    let parts: Vec<(&str, &str)> = id.split('/').map(|part| part.split_at(iteration_of(part))).collect();
    let fixed = parts.iter().map(|(_, iteration)| width(iteration)).sum::<usize>() + parts.len() - 1;
    let names: Vec<usize> = parts.iter().map(|(name, _)| width(name)).collect();
    let Some(room) = columns.checked_sub(fixed).filter(|room| *room >= LEAST_NAME * parts.len()) else {
        return cut_middle(id, columns);
    };
    let widths = |longest: usize| names.iter().map(|name| (*name).min(longest)).sum::<usize>();
    let longest = (LEAST_NAME..=room).rev().find(|longest| widths(*longest) <= room).unwrap_or(LEAST_NAME);
    let cut: Vec<String> =
        parts.iter().map(|(name, iteration)| format!("{}{iteration}", cut_middle(name, longest))).collect();
    Cow::Owned(cut.join("/"))
}

/// Narrower names say nothing.
const LEAST_NAME: usize = 4;

/// Where the iteration at the end of `days[3]` begins; the end where there is none.
fn iteration_of(part: &str) -> usize {
    let number = part.strip_suffix(']').and_then(|part| part.rsplit_once('['));
    let number = number.filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    number.map_or(part.len(), |(name, _)| name.len())
}

/// `0:07`, `12:04`, `1:02:03`
pub fn clock(microseconds: i64) -> String {
    let seconds = microseconds.max(0) / 1_000_000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `3 s`, `12 min`, `2 h 10 min`: how long something may still take.
pub fn about(microseconds: i64) -> String {
    let seconds = (microseconds.max(0) + 999_999) / 1_000_000;
    match seconds {
        0..90 => format!("{} s", seconds.max(1)),
        90..5400 => format!("{} min", (seconds + 30) / 60),
        _ => match (seconds / 3600, seconds / 60 % 60 / 10 * 10) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
    }
}

/// `1,204`
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A figure as a trainer reports it: four digits that count.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    if !(1e-4..1e6).contains(&size) {
        return format!("{value:.2e}");
    }
    let places = match size {
        1000.0.. => 0,
        100.0.. => 1,
        10.0.. => 2,
        1.0.. => 3,
        _ => 4,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(plain("as it is: 日本"), "as it is: 日本");
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\tx"), "red x");
        assert_eq!(plain("a\u{1b}[2Jb\u{7}c\nd\re\u{202e}f"), "ab\\u{7}c\\nd\\re\\u{202e}f");
        assert_eq!(plain("\u{1b}"), "\\u{1b}");
        assert!(!plain("\u{9b}2J \u{1b}]0;title\u{7}").chars().any(char::is_control));
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut_middle("candidates[2].gbdt", 18), "candidates[2].gbdt");
        assert_eq!(cut_middle("candidates[2].gbdt", 11), "candi….gbdt");
        assert_eq!(cut_id("all_days_of_the_year[1203]/load_files", 28), "all_d…_year[1203]/load_files");
        assert_eq!(cut_id("all_days_of_the_year[1203]/load_files", 18), "al…ar[1203]/lo…es");
        assert_eq!(cut_id("all_days_of_the_year[1203]/load_files", 9), "all_…iles");
        let long = "日本語".repeat(70);
        for columns in 0..40 {
            assert!(width(&cut_middle(&long, columns)) <= columns, "{columns}");
            assert!(width(&cut_id(&format!("日本{long}[12]/{long}"), columns)) <= columns, "{columns}");
            assert!(width(&cut(&long, columns)) <= columns, "{columns}");
        }
    }

    #[test]
    fn times_and_sizes_are_for_people() {
        assert_eq!(
            [clock(-5), clock(7_900_000), clock(724_000_000), clock(3_723_000_000)],
            ["0:00", "0:07", "12:04", "1:02:03"]
        );
        assert_eq!(
            [about(1), about(61_000_000), about(700_000_000), about(7_900_000_000)],
            ["1 s", "61 s", "12 min", "2 h 10 min"]
        );
        assert_eq!([number(7), number(1204), number(1_234_567)], ["7", "1,204", "1,234,567"]);
        assert_eq!(
            [0.5, 0.91234, 12.5, 1234.5, 1e-7, 3e9, f64::NAN].map(figure),
            ["0.5", "0.9123", "12.5", "1234", "1.00e-7", "3.00e9", "NaN"]
        );
    }

    #[test]
    fn of_a_line_that_was_overwritten_the_last_is_seen() {
        assert_eq!(last_written("  1%|#\r 99%|####\r100%|#####\r\n"), "100%|#####");
        assert_eq!(last_written("plain"), "plain");
    }
}
