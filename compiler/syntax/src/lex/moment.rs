//! Dates and times: `date"2026-11-20"`, `time"2026-11-20T09:30:00Z"`.

use super::number::Wrong;
use crate::ast::Literal;

/// The value of what stands between the quotes of a `date"…"`.
pub(super) fn date(text: &str) -> Result<Literal, Wrong> {
    days(text).map(Literal::Date).ok_or_else(|| {
        Wrong::help(
            format!("`{text}` is no date"),
            "a date is a day of the calendar, as in `date\"2026-11-20\"`",
        )
    })
}

/// The value of what stands between the quotes of a `time"…"`.
pub(super) fn time(text: &str) -> Result<Literal, Wrong> {
    microseconds(text).map(Literal::Time).ok_or_else(|| {
        Wrong::help(
            format!("`{text}` is no time"),
            "a time has a date, a time of day and a zone, as in `time\"2026-11-20T09:30:00Z\"`",
        )
    })
}

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Days since 1970-01-01 of `YYYY-MM-DD`.
fn days(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let (year, month, day) =
        (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || year == 0 || !(1..=12).contains(&month) {
        return None;
    }
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Days from the civil calendar, after Howard Hinnant: years begin in March, so that the leap
    // day is a year's last, and 719468 days lie between 0000-03-01 and 1970-01-01.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    i32::try_from(shifted_year * 365 + leap_days + day_of_year - 719_468).ok()
}

/// Microseconds since 1970-01-01T00:00:00Z of an RFC 3339 time.
fn microseconds(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let (clock, offset) = match rest.strip_suffix('Z') {
        Some(clock) => (clock, 0),
        None => {
            let (clock, zone) = rest.split_at_checked(rest.rfind(['+', '-'])?)?;
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let offset = below(hours, 24)? * 60 + below(minutes, 60)?;
            (clock, if zone.starts_with('-') { -offset } else { offset })
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (hour, minute, second) =
        (below(parts.next()?, 24)?, below(parts.next()?, 60)?, below(parts.next()?, 60)?);
    if parts.next().is_some() || fraction.len() > 6 {
        return None;
    }
    let micros = number(&format!("{fraction:0<6}"), 6)?;
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    Some(i64::from(days(date)?) * MICROSECONDS_PER_DAY + seconds * 1_000_000 + micros)
}

/// A number of exactly this many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn below(text: &str, limit: i64) -> Option<i64> {
    number(text, 2).filter(|&value| value < limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_days_from_1970() {
        for (text, expected) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2000-03-01", 11_017), ("2026-11-20", 20_777)]
        {
            assert_eq!(days(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn counts_microseconds_with_zones_and_fractions() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:01.5Z", 1_500_000),
            ("1970-01-01T02:00:00+02:00", 0),
            ("1970-01-01T00:00:00-01:30", 5_400_000_000),
        ] {
            assert_eq!(microseconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_days_that_are_not() {
        for text in ["2025-02-29", "2026-13-01", "2026-1-1", "2026-04-31", "0000-01-01", "", "2026-01-01-01"]
        {
            assert!(date(text).is_err(), "{text}");
        }
        for text in ["2026-01-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z1"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
