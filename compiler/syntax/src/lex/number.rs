//! Literals that begin with a digit: numbers, shares, sizes and durations.

use crate::ast::{Literal, Number};

/// The length in bytes of the literal at the start of `text`, which begins with a digit.
pub(super) fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let digits = |mut index: usize| {
        while at(index).is_ascii_digit() || at(index) == b'_' {
            index += 1;
        }
        index
    };
    let mut end = digits(0);
    // `1..16` is a range, `folds.0` no literal: a point belongs to the number only before a digit.
    if at(end) == b'.' && at(end + 1).is_ascii_digit() {
        end = digits(end + 1);
    }
    if matches!(at(end), b'e' | b'E') {
        let sign = usize::from(matches!(at(end + 1), b'+' | b'-'));
        if at(end + 1 + sign).is_ascii_digit() {
            end = digits(end + 1 + sign);
        }
    }
    while at(end).is_ascii_alphanumeric() || at(end) == b'_' {
        end += 1;
    }
    // Digits that touch a `%` are always a share.
    if at(end) == b'%' && at(end.wrapping_sub(1)).is_ascii_digit() {
        end += 1;
    }
    end
}

/// The value of a literal as [`length`] cut it, or what is wrong with it.
///
/// `is_negated` says that a unary minus stands before it, which makes room for the least integer.
pub(super) fn value(text: &str, is_negated: bool) -> Result<Literal, Wrong> {
    let number_end = number_length(text);
    let (number, unit) = text.split_at_checked(number_end).unwrap_or((text, ""));
    if number.ends_with('_') || number.contains("__") || number.contains("_.") {
        return Err(Wrong::new(format!("`{text}` has a `_` that stands between no two digits")));
    }
    let plain: String = number.chars().filter(|&character| character != '_').collect();
    let is_integer = plain.bytes().all(|byte| byte.is_ascii_digit());
    let float = || match plain.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Number(value)),
        _ => Err(Wrong::new(format!("`{number}` is too large for a Float"))),
    };
    match unit {
        "" if is_integer => integer(text, &plain, is_negated),
        "" => Ok(Literal::Float(float()?)),
        "%" => Ok(Literal::Percent(float()?)),
        _ => {
            if let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == unit) {
                let bytes = whole(&plain, *factor).and_then(|bytes| u64::try_from(bytes).ok());
                bytes.map(Literal::Size).ok_or_else(|| unfit(text, "Size", "whole bytes below 16 EiB"))
            } else if let Some((_, factor)) = DURATIONS.iter().find(|(name, _)| *name == unit) {
                let microseconds = whole(&plain, *factor).and_then(|value| i64::try_from(value).ok());
                microseconds
                    .map(Literal::Duration)
                    .ok_or_else(|| unfit(text, "Duration", "whole microseconds below 292,000 years"))
            } else {
                Err(unknown_unit(text, number, unit))
            }
        }
    }
}

/// What is wrong with a literal.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: String) -> Self {
        Self { message, help: None }
    }

    pub(super) fn help(message: String, help: impl Into<String>) -> Self {
        Self { message, help: Some(help.into()) }
    }
}

/// Units of sizes, in bytes.
const SIZES: &[(&str, u64)] =
    &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50)];

/// Units of durations, in microseconds.
const DURATIONS: &[(&str, u64)] = &[
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("min", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
];

/// Where the digits, point and exponent end and a unit begins.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        let next = bytes.get(end + 1).copied().unwrap_or(0);
        let after_next = bytes.get(end + 2).copied().unwrap_or(0);
        match byte {
            b'0'..=b'9' | b'_' | b'.' => end += 1,
            b'e' | b'E' if next.is_ascii_digit() => end += 2,
            b'e' | b'E' if matches!(next, b'+' | b'-') && after_next.is_ascii_digit() => end += 3,
            _ => break,
        }
    }
    end
}

fn integer(text: &str, digits: &str, is_negated: bool) -> Result<Literal, Wrong> {
    const LEAST: u64 = i64::MIN.unsigned_abs();
    match digits.parse::<u64>() {
        Ok(value) if value < LEAST || (value == LEAST && is_negated) => Ok(Literal::Int(value)),
        _ => Err(Wrong::help(
            format!("`{text}` is too large for an Int, which has 64 bits"),
            format!("`{text}.0` is a Float"),
        )),
    }
}

/// A decimal number times a factor, where that is a whole number.
fn whole(number: &str, factor: u64) -> Option<u128> {
    let (digits, decimals) = number.split_once('.').unwrap_or((number, ""));
    let scale = 10u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let value: u128 = format!("{digits}{decimals}").parse().ok()?;
    let product = value.checked_mul(u128::from(factor))?;
    (product % scale == 0).then_some(product / scale)
}

fn unfit(text: &str, ty: &str, bounds: &str) -> Wrong {
    Wrong::new(format!("`{text}` does not fit a {ty}, which counts {bounds}"))
}

fn unknown_unit(text: &str, number: &str, unit: &str) -> Wrong {
    let intended = match unit.to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        "t" | "tb" | "tib" => "TiB",
        "b" | "bytes" => "B",
        "sec" | "secs" | "second" | "seconds" => "s",
        "mins" | "minute" | "minutes" => "min",
        "hr" | "hrs" | "hour" | "hours" => "h",
        "day" | "days" => "d",
        "msec" | "millis" => "ms",
        _ => {
            return Wrong::help(
                format!("`{text}` is no number: `{unit}` is not a unit"),
                "sizes end with B KiB MiB GiB TiB, durations with ms s min h d, shares with %",
            );
        }
    };
    Wrong::help(
        format!("`{text}` is no number: `{unit}` is not a unit"),
        format!("write `{number}{intended}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_where_the_literal_ends() {
        for (text, expected) in [
            ("42)", 2),
            ("1_000 ", 5),
            ("0.5.abs", 3),
            ("1..=16", 1),
            ("1e-3]", 4),
            ("1e5", 3),
            ("80%,", 3),
            ("80 %", 2),
            ("512MiB)", 6),
            ("10min", 5),
            ("12abc+", 5),
            ("1.5GiB", 6),
            ("3e", 2),
        ] {
            assert_eq!(length(text), expected, "{text}");
        }
    }

    #[test]
    fn has_the_value_that_is_written() {
        for (text, expected) in [
            ("42", Literal::Int(42)),
            ("1_000", Literal::Int(1000)),
            ("0.5", Literal::Float(Number(0.5))),
            ("1e-3", Literal::Float(Number(0.001))),
            ("80%", Literal::Percent(Number(80.0))),
            ("12.5%", Literal::Percent(Number(12.5))),
            ("512MiB", Literal::Size(512 << 20)),
            ("1.5KiB", Literal::Size(1536)),
            ("250ms", Literal::Duration(250_000)),
            ("10min", Literal::Duration(600_000_000)),
            ("7d", Literal::Duration(604_800_000_000)),
        ] {
            assert_eq!(value(text, false), Ok(expected), "{text}");
        }
        assert_eq!(value("9223372036854775808", true), Ok(Literal::Int(1 << 63)));
    }

    #[test]
    fn says_what_is_wrong() {
        for text in
            ["9223372036854775808", "1__0", "1_", "12abc", "1e999", "0.3B", "99999999d99", "1e", "3MB"]
        {
            assert!(value(text, false).is_err(), "{text}");
        }
        assert_eq!(value("3MB", false).unwrap_err().help.unwrap(), "write `3MiB`");
    }
}
