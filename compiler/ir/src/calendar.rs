//! The proleptic Gregorian calendar, and dates and times as ISO 8601.
//!
//! The conversions between days and civil dates are Howard Hinnant's, "chrono-compatible low-level
//! date algorithms". All arithmetic is on i64, which holds every day that a value can.

use std::fmt::{self, Write};

pub const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilDate {
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// The date of a number of days since 1970-01-01.
pub fn civil_from_days(days: i64) -> CivilDate {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    CivilDate {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: u8::try_from(month).unwrap_or_default(),
        day: u8::try_from(day).unwrap_or_default(),
    }
}

/// The number of days since 1970-01-01; none for a date that does not exist.
pub fn days_from_civil(date: CivilDate) -> Option<i64> {
    if !(1..=12).contains(&date.month) || date.day == 0 || date.day > days_in_month(date.year, date.month) {
        return None;
    }
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let year = date.year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// 1 is Monday, 7 is Sunday.
pub fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// `2026-11-20`; years outside of 0 to 9999 have a sign and at least five digits.
pub fn write_date(out: &mut impl Write, days: i64) -> fmt::Result {
    let CivilDate { year, month, day } = civil_from_days(days);
    match year {
        0..=9999 => write!(out, "{year:04}-{month:02}-{day:02}"),
        _ => write!(out, "{year:+06}-{month:02}-{day:02}"),
    }
}

/// `2026-11-20T09:30:00Z`, with microseconds where there are any.
pub fn write_time(out: &mut impl Write, microseconds: i64) -> fmt::Result {
    write_date(out, microseconds.div_euclid(MICROSECONDS_PER_DAY))?;
    let in_day = microseconds.rem_euclid(MICROSECONDS_PER_DAY);
    let (seconds, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
    write!(out, "T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        write!(out, ".{}", digits.trim_end_matches('0'))?;
    }
    out.write_char('Z')
}

/// Days since 1970-01-01 of `2026-11-20`.
pub fn read_date(text: &str) -> Option<i32> {
    i32::try_from(read_days(text)?).ok()
}

/// Microseconds since 1970-01-01T00:00:00Z of `2026-11-20T09:30:00Z`. Seconds and their fraction
/// may be left out, as may the time of day (midnight) and the offset (UTC); a blank may stand for `T`.
pub fn read_time(text: &str) -> Option<i64> {
    let (date, rest) = match text.split_once(['T', ' ']) {
        Some((date, rest)) => (date, rest),
        None => (text, "00:00Z"),
    };
    let (clock, offset) = match rest.find(['Z', '+', '-']).and_then(|at| rest.split_at_checked(at)) {
        Some((clock, offset)) => (clock, read_offset(offset)?),
        None => (rest, 0),
    };
    let days = i128::from(read_days(date)?);
    let in_day = i128::from(read_clock(clock)?) - i128::from(offset);
    i64::try_from(days * i128::from(MICROSECONDS_PER_DAY) + in_day).ok()
}

fn read_days(text: &str) -> Option<i64> {
    let (sign, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(unsigned) => (if text.starts_with('-') { -1 } else { 1 }, unsigned),
        None => (1, text),
    };
    let signed = unsigned.len() != text.len();
    let mut parts = unsigned.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let year_length = if signed { 5..=8 } else { 4..=4 };
    if parts.next().is_some() || !year_length.contains(&year.len()) || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let year = sign * digits(year)?;
    let month = u8::try_from(digits(month)?).ok()?;
    let day = u8::try_from(digits(day)?).ok()?;
    days_from_civil(CivilDate { year, month, day })
}

/// Microseconds since midnight of `09:30`, `09:30:15` or `09:30:15.25`.
fn read_clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hour, minute) = (two_digits(parts.next()?, 23)?, two_digits(parts.next()?, 59)?);
    let (second, fraction) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (two_digits(seconds, 59)?, 0),
            Some((seconds, fraction)) => (two_digits(seconds, 59)?, read_fraction(fraction)?),
        },
    };
    if parts.next().is_some() {
        return None;
    }
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction)
}

/// Digits past the sixth are cut off, since a Time has microseconds.
fn read_fraction(text: &str) -> Option<i64> {
    digits(text)?;
    let mut padded: String = text.chars().take(6).collect();
    while padded.len() < 6 {
        padded.push('0');
    }
    digits(&padded)
}

/// Microseconds east of UTC: `Z`, `+02:00`, `-0530`, `+02`.
fn read_offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let unsigned = text.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match unsigned.split_once(':') {
        Some(parts) => parts,
        None if unsigned.len() == 2 => (unsigned, "00"),
        None => unsigned.split_at_checked(2)?,
    };
    Some(sign * (two_digits(hours, 23)? * 60 + two_digits(minutes, 59)?) * 60_000_000)
}

fn two_digits(text: &str, max: i64) -> Option<i64> {
    digits(text).filter(|value| text.len() == 2 && *value <= max)
}

fn digits(text: &str) -> Option<i64> {
    Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date_text(days: i64) -> String {
        let mut text = String::new();
        write_date(&mut text, days).unwrap();
        text
    }

    fn time_text(microseconds: i64) -> String {
        let mut text = String::new();
        write_time(&mut text, microseconds).unwrap();
        text
    }

    #[test]
    fn known_dates() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (20_777, "2026-11-20"),
            (-719_528, "0000-01-01"),
            (-719_529, "-00001-12-31"),
            (2_932_897, "+10000-01-01"),
        ] {
            assert_eq!(date_text(days), text);
            assert_eq!(read_date(text), i32::try_from(days).ok());
        }
        assert_eq!(weekday(0), 4, "1970-01-01 was a Thursday");
        assert_eq!(weekday(20_777), 5, "2026-11-20 is a Friday");
    }

    #[test]
    fn dates_that_do_not_exist() {
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "26-01-01",
            "2026-01-01-",
            "",
            "x",
        ] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }

    #[test]
    fn times_in_all_their_spellings() {
        let at = 1_795_167_000_000_000;
        assert_eq!(time_text(at), "2026-11-20T09:30:00Z");
        for text in
            ["2026-11-20T09:30:00Z", "2026-11-20 09:30", "2026-11-20T11:30:00+02:00", "2026-11-20T04:00-0530"]
        {
            assert_eq!(read_time(text), Some(at), "{text}");
        }
        assert_eq!(time_text(at + 250_000), "2026-11-20T09:30:00.25Z");
        assert_eq!(read_time("2026-11-20T09:30:00.25Z"), Some(at + 250_000));
        for text in ["2026-11-20T24:00", "2026-11-20T09", "2026-11-20T09:30:00+", "2026-11-20T09:30:00.Z"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_day_and_instant_reads_back(days: i32, microseconds: i64) {
            assert_eq!(read_date(&date_text(i64::from(days))), Some(days));
            assert_eq!(read_time(&time_text(microseconds)), Some(microseconds));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9TZ:. ]{0,40}|\\PC{0,20}") {
            let _ = (read_date(&text), read_time(&text));
        }
    }
}
