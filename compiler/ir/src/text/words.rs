//! How names, texts and numbers are written, so that they read back equal.

use std::fmt::{self, Write};

use super::scan::{is_name_part, is_name_start};

/// Whether it can stand without backticks.
pub(crate) fn is_plain(name: &str) -> bool {
    name.starts_with(is_name_start) && name.chars().all(is_name_part)
}

/// A name, in backticks where it is no plain identifier.
pub(crate) fn write_name(out: &mut impl Write, name: &str) -> fmt::Result {
    if is_plain(name) { out.write_str(name) } else { write_quoted(out, name, '`') }
}

/// A dotted name, each part as [`write_name`] writes it.
pub(crate) fn write_path(out: &mut impl Write, path: &str) -> fmt::Result {
    for (index, part) in path.split('.').enumerate() {
        if index > 0 {
            out.write_char('.')?;
        }
        write_name(out, part)?;
    }
    Ok(())
}

pub(crate) fn write_text(out: &mut impl Write, text: &str) -> fmt::Result {
    write_quoted(out, text, '"')
}

/// As `r"…"` where that can hold it.
pub(crate) fn write_raw(out: &mut impl Write, text: &str) -> fmt::Result {
    if text.contains('"') || text.contains(char::is_control) {
        write_text(out, text)
    } else {
        write!(out, "r\"{text}\"")
    }
}

fn write_quoted(out: &mut impl Write, text: &str, quote: char) -> fmt::Result {
    out.write_char(quote)?;
    for c in text.chars() {
        match c {
            '\n' => out.write_str("\\n")?,
            '\t' => out.write_str("\\t")?,
            '\r' => out.write_str("\\r")?,
            '\\' => out.write_str("\\\\")?,
            '{' if quote == '"' => out.write_str("{{")?,
            c if c == quote => write!(out, "\\{c}")?,
            c if c.is_control() => write!(out, "\\u{{{:x}}}", u32::from(c))?,
            c => out.write_char(c)?,
        }
    }
    out.write_char(quote)
}

/// The shortest digits that read back equal, always told apart from an Int. Infinities are `inf`
/// and `-inf`, the usual NaN is `nan`, any other one shows its bits: `nan"fff8000000000001"`.
pub(crate) fn write_float(out: &mut impl Write, value: f64) -> fmt::Result {
    if value.is_nan() {
        return match value.to_bits() {
            bits if bits == f64::NAN.to_bits() => out.write_str("nan"),
            bits => write!(out, "nan\"{bits:016x}\""),
        };
    }
    if value.is_infinite() {
        return out.write_str(if value > 0.0 { "inf" } else { "-inf" });
    }
    write!(out, "{value:?}")
}

/// Bytes, in the largest unit that leaves no remainder: `512MiB`.
pub(crate) fn write_size(out: &mut impl Write, bytes: u64) -> fmt::Result {
    let (count, unit) = SIZE_UNITS
        .iter()
        .find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit))
        .map_or((bytes, "B"), |(unit, name)| (bytes / unit, *name));
    write!(out, "{count}{unit}")
}

/// Microseconds, in the largest unit that leaves no remainder: `90s`.
pub(crate) fn write_duration(out: &mut impl Write, microseconds: i64) -> fmt::Result {
    if microseconds == 0 {
        return out.write_str("0s");
    }
    let (count, unit) = DURATION_UNITS
        .iter()
        .find(|(unit, _)| microseconds % unit == 0)
        .map_or((microseconds, "us"), |(unit, name)| (microseconds / unit, *name));
    write!(out, "{count}{unit}")
}

/// Bytes of a size such as `512MiB`.
pub(crate) fn read_size(text: &str) -> Option<u64> {
    let (count, unit) = text.split_at_checked(text.find(|c: char| c.is_ascii_alphabetic())?)?;
    let unit = match unit {
        "B" => 1,
        unit => SIZE_UNITS.iter().find(|(_, name)| *name == unit)?.0,
    };
    digits(count)?.parse::<u64>().ok()?.checked_mul(unit)
}

/// Microseconds of a duration such as `-90s`.
pub(crate) fn read_duration(text: &str) -> Option<i64> {
    let (count, unit) = text.split_at_checked(text.find(|c: char| c.is_ascii_alphabetic())?)?;
    let unit = match unit {
        "us" => 1,
        unit => DURATION_UNITS.iter().find(|(_, name)| *name == unit)?.0,
    };
    digits(count.strip_prefix('-').unwrap_or(count))?;
    count.parse::<i64>().ok()?.checked_mul(unit)
}

/// The name of a float that JSON has no number for.
pub(crate) fn special_float(text: &str) -> Option<f64> {
    match text {
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" => Some(f64::NAN),
        _ => {
            let bits = text.strip_prefix("nan\"")?.strip_suffix('"').filter(|bits| bits.len() == 16)?;
            Some(f64::from_bits(u64::from_str_radix(bits, 16).ok()?)).filter(|value| value.is_nan())
        }
    }
}

pub(crate) fn write_hex(out: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

pub(crate) fn read_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

const SIZE_UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];

const DURATION_UNITS: [(i64, &str); 5] =
    [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms")];

fn digits(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}
