//! A column of a CSV file: text in, values of the column's type out.
//!
//! Spaces around a cell are passed over, but not in text. What is read:
//!
//! | type | cells |
//! |---|---|
//! | Bool | `true` and `false` in any case, `1`, `0` |
//! | Int | decimal digits with a sign; `12.0` is 12, as other tools write Ints with gaps |
//! | Float | `1.5`, `-1e-3`, `inf`, `nan` |
//! | Date | by the format that is given |
//! | Time | ISO 8601, to the microsecond; without an offset it is UTC, without a time midnight; or by the format |
//! | Duration | `250ms 30s 10min 2h 7d`, as in the language |
//! | Size | `512MiB`, as in the language, or a number of bytes |
//! | an enum | the name of a variant |

use std::{borrow::Cow, fmt, sync::Arc};

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, DurationMicrosecondBuilder, Float32Builder, Float64Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder, UInt64Builder,
};
use chrono::{NaiveDate, NaiveDateTime, format::StrftimeItems};
use flow_ir::{
    calendar::{self, MICROSECONDS_PER_DAY},
    expr::{Function, convert},
    types::{Refinement, Type},
    value::Value,
};

/// Reads the cells of one column.
#[derive(Debug)]
pub struct CellReader {
    kind: Kind,
    optional: bool,
    refinements: Vec<Refinement>,
    date_format: String,
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    Missing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Date(i32),
    /// A Time or a Duration.
    Microseconds(i64),
    Size(u64),
}

/// Why a cell does not fit its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    Missing,
    /// Not of the type, which is written with its article.
    Type(String),
    /// Outside of the type's bounds.
    Outside(String),
}

/// Collects a column's values.
#[derive(Debug)]
pub enum ColumnBuilder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Float32(Float32Builder),
    Text(StringBuilder),
    Date(Date32Builder),
    Time(TimestampMicrosecondBuilder),
    Duration(DurationMicrosecondBuilder),
    Size(UInt64Builder),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Float,
    Float32,
    Text,
    Variant(Vec<String>),
    Date,
    Time,
    Duration,
    Size,
}

/// Whether chrono understands a format of dates.
pub fn is_date_format(format: &str) -> bool {
    !StrftimeItems::new(format).any(|item| item == chrono::format::Item::Error)
}

impl CellReader {
    /// None where no text can hold a value of the type.
    pub fn new(ty: &Type, date_format: &str) -> Option<Self> {
        let kind = match ty.storage() {
            Type::Bool => Kind::Bool,
            Type::Int => Kind::Int,
            Type::Float => Kind::Float,
            Type::Float32 => Kind::Float32,
            Type::Text | Type::File => Kind::Text,
            Type::Enum(of) => Kind::Variant(of.variants.clone()),
            Type::Date => Kind::Date,
            Type::Time => Kind::Time,
            Type::Duration => Kind::Duration,
            Type::Size => Kind::Size,
            _ => return None,
        };
        let mut refinements = Vec::new();
        collect_refinements(ty, &mut refinements);
        Some(Self { kind, optional: ty.is_optional(), refinements, date_format: date_format.to_owned() })
    }

    pub fn builder(&self) -> ColumnBuilder {
        match self.kind {
            Kind::Bool => ColumnBuilder::Bool(BooleanBuilder::new()),
            Kind::Int => ColumnBuilder::Int(Int64Builder::new()),
            Kind::Float => ColumnBuilder::Float(Float64Builder::new()),
            Kind::Float32 => ColumnBuilder::Float32(Float32Builder::new()),
            Kind::Text | Kind::Variant(_) => ColumnBuilder::Text(StringBuilder::new()),
            Kind::Date => ColumnBuilder::Date(Date32Builder::new()),
            Kind::Time => ColumnBuilder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Duration => ColumnBuilder::Duration(DurationMicrosecondBuilder::new()),
            Kind::Size => ColumnBuilder::Size(UInt64Builder::new()),
        }
    }

    /// The value of a cell; `missing` lists the texts that stand for none.
    ///
    /// # Errors
    /// Where the cell does not fit the column's type.
    pub fn read<'a>(&self, cell: Cow<'a, str>, missing: &[&str]) -> Result<Scalar<'a>, Misfit> {
        let is_text = self.kind == Kind::Text;
        let trimmed = if is_text { cell.as_ref() } else { cell.trim_ascii_str() };
        if missing.contains(&trimmed) {
            return if self.optional { Ok(Scalar::Missing) } else { Err(Misfit::Missing) };
        }
        let scalar = match &self.kind {
            Kind::Text => Some(Scalar::Text(cell)),
            Kind::Variant(variants) => variants
                .iter()
                .any(|variant| variant == trimmed)
                .then(|| Scalar::Text(Cow::Owned(trimmed.to_owned()))),
            Kind::Bool => read_bool(trimmed).map(Scalar::Bool),
            Kind::Int => return self.read_int(trimmed),
            Kind::Float | Kind::Float32 => trimmed.parse().ok().map(Scalar::Float),
            Kind::Date => read_date(trimmed, &self.date_format).map(Scalar::Date),
            Kind::Time => read_time(trimmed, &self.date_format).map(Scalar::Microseconds),
            Kind::Duration | Kind::Size => self.read_with_unit(trimmed),
        };
        let scalar = scalar.ok_or_else(|| Misfit::Type(self.noun()))?;
        self.check(&scalar)?;
        Ok(scalar)
    }

    fn read_int<'a>(&self, text: &str) -> Result<Scalar<'a>, Misfit> {
        let whole = match text.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
            Some(_) => return Err(Misfit::Type(self.noun())),
            None => text,
        };
        let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Misfit::Type(self.noun()));
        }
        let scalar = whole.parse().map(Scalar::Int).map_err(|_| Misfit::Outside("64 bits".to_owned()))?;
        self.check(&scalar)?;
        Ok(scalar)
    }

    fn read_with_unit<'a>(&self, text: &str) -> Option<Scalar<'a>> {
        let ty = if self.kind == Kind::Size { Type::Size } else { Type::Duration };
        match convert(&Value::from(text), &ty) {
            Ok(Value::Duration(microseconds)) => Some(Scalar::Microseconds(microseconds)),
            Ok(Value::Size(bytes)) => Some(Scalar::Size(bytes)),
            _ if self.kind == Kind::Size => text.parse().ok().map(Scalar::Size),
            _ => None,
        }
    }

    fn check(&self, scalar: &Scalar<'_>) -> Result<(), Misfit> {
        for refinement in &self.refinements {
            if let Some(bounds) = violated_bounds(refinement, scalar) {
                return Err(Misfit::Outside(bounds));
            }
        }
        Ok(())
    }

    fn noun(&self) -> String {
        match &self.kind {
            Kind::Bool => "a Bool (true, false, 1, 0)".to_owned(),
            Kind::Int => "an Int".to_owned(),
            Kind::Float | Kind::Float32 => "a Float".to_owned(),
            Kind::Text => "a Text".to_owned(),
            Kind::Variant(variants) => format!("one of {}", variants.join(", ")),
            Kind::Date => format!("a Date of the form `{}`", self.date_format),
            Kind::Time => "a Time (2026-11-20T09:30:00Z)".to_owned(),
            Kind::Duration => "a Duration (30s, 10min, 2h)".to_owned(),
            Kind::Size => "a Size (bytes, 512MiB)".to_owned(),
        }
    }
}

impl ColumnBuilder {
    /// Appends what the column's reader gave.
    pub fn append(&mut self, scalar: &Scalar<'_>) {
        match (self, scalar) {
            (Self::Bool(builder), Scalar::Bool(value)) => builder.append_value(*value),
            (Self::Int(builder), Scalar::Int(value)) => builder.append_value(*value),
            (Self::Float(builder), Scalar::Float(value)) => builder.append_value(*value),
            #[expect(clippy::cast_possible_truncation, reason = "a Float32 column rounds to its width")]
            (Self::Float32(builder), Scalar::Float(value)) => builder.append_value(*value as f32),
            (Self::Text(builder), Scalar::Text(value)) => builder.append_value(value),
            (Self::Date(builder), Scalar::Date(value)) => builder.append_value(*value),
            (Self::Time(builder), Scalar::Microseconds(value)) => builder.append_value(*value),
            (Self::Duration(builder), Scalar::Microseconds(value)) => builder.append_value(*value),
            (Self::Size(builder), Scalar::Size(value)) => builder.append_value(*value),
            (builder, _) => builder.append_missing(),
        }
    }

    /// What was appended; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
            Self::Float32(builder) => Arc::new(builder.finish()),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Duration(builder) => Arc::new(builder.finish()),
            Self::Size(builder) => Arc::new(builder.finish()),
        }
    }

    fn append_missing(&mut self) {
        match self {
            Self::Bool(builder) => builder.append_null(),
            Self::Int(builder) => builder.append_null(),
            Self::Float(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Duration(builder) => builder.append_null(),
            Self::Size(builder) => builder.append_null(),
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing, and the column's type has no `?`"),
            Self::Type(noun) => write!(f, "is not {noun}"),
            Self::Outside(bounds) => write!(f, "is outside of {bounds}"),
        }
    }
}

trait TrimAscii {
    fn trim_ascii_str(&self) -> &str;
}

impl TrimAscii for Cow<'_, str> {
    fn trim_ascii_str(&self) -> &str {
        self.trim_matches(|character: char| character.is_ascii_whitespace())
    }
}

fn read_bool(text: &str) -> Option<bool> {
    if text == "1" || text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text == "0" || text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The default format is the calendar's own, which is several times faster.
fn read_date(text: &str, format: &str) -> Option<i32> {
    if format == "%Y-%m-%d"
        && let Some(days) = calendar::read_date(text)
    {
        return Some(days);
    }
    let date = NaiveDate::parse_from_str(text, format).ok()?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

fn read_time(text: &str, date_format: &str) -> Option<i64> {
    if let Some(time) = calendar::read_time(text) {
        return Some(time);
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, date_format) {
        return Some(time.and_utc().timestamp_micros());
    }
    i64::from(read_date(text, date_format)?).checked_mul(MICROSECONDS_PER_DAY)
}

fn collect_refinements(ty: &Type, into: &mut Vec<Refinement>) {
    match ty {
        Type::Refined { base, refinement } => {
            into.push(refinement.clone());
            collect_refinements(base, into);
        }
        Type::Optional(of) | Type::Id(of) | Type::QueryId(of) | Type::Pii(of) | Type::Label { of, .. } => {
            collect_refinements(of, into);
        }
        _ => {}
    }
}

/// The refinement as it is written, where the value does not keep to it.
fn violated_bounds(refinement: &Refinement, scalar: &Scalar<'_>) -> Option<String> {
    let (keeps, low, high, inclusive) = match (refinement, scalar) {
        (Refinement::Int { low, high, inclusive }, Scalar::Int(value)) => {
            let below = high.is_none_or(|high| *value < high || *inclusive && *value == high);
            let keeps = low.is_none_or(|low| *value >= low) && below;
            (keeps, low.map(|low| low.to_string()), high.map(|high| high.to_string()), *inclusive)
        }
        (Refinement::Float { low, high, inclusive }, Scalar::Float(value)) => {
            let (low, high) = (low.map(|low| low.0), high.map(|high| high.0));
            #[expect(clippy::float_cmp, reason = "the bound itself is asked for")]
            let below = high.is_none_or(|high| *value < high || *inclusive && *value == high);
            let keeps = low.is_none_or(|low| *value >= low) && below;
            (keeps, low.map(|low| format!("{low:?}")), high.map(|high| format!("{high:?}")), *inclusive)
        }
        (Refinement::Matching(pattern), Scalar::Text(text)) => {
            let matches =
                Function::Matches.apply(&[Value::from(text.as_ref()), Value::from(pattern.as_str())]);
            let keeps = matches == Ok(Value::Bool(true));
            return (!keeps).then(|| format!("what matches r\"{pattern}\""));
        }
        _ => return None,
    };
    let dots = if inclusive && high.is_some() { "..=" } else { ".." };
    (!keeps).then(|| format!("{}{dots}{}", low.unwrap_or_default(), high.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &Type, text: &'static str) -> Result<Scalar<'static>, String> {
        let reader = CellReader::new(ty, "%Y-%m-%d").unwrap();
        reader.read(Cow::Borrowed(text), &["", "NA"]).map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn cells_become_values() {
        let half_past_nine = 1_795_167_000_000_000;
        let cases = [
            (Type::Bool, "TRUE", Scalar::Bool(true)),
            (Type::Bool, " 0 ", Scalar::Bool(false)),
            (Type::Int, "-12", Scalar::Int(-12)),
            (Type::Int, "+7", Scalar::Int(7)),
            (Type::Int, "830.0", Scalar::Int(830)),
            (Type::Int.optional(), "NA", Scalar::Missing),
            (Type::Float, "1e-3", Scalar::Float(0.001)),
            (Type::Float, "-inf", Scalar::Float(f64::NEG_INFINITY)),
            (Type::Category, " a ", Scalar::Text(Cow::Borrowed(" a "))),
            (Type::Category, "12", Scalar::Text(Cow::Borrowed("12"))),
            (Type::Date, "1970-01-02", Scalar::Date(1)),
            (Type::Date, "1969-12-31", Scalar::Date(-1)),
            (Type::Time, "2026-11-20T09:30:00Z", Scalar::Microseconds(half_past_nine)),
            (Type::Time, "2026-11-20T10:30:00+01:00", Scalar::Microseconds(half_past_nine)),
            (Type::Time, "2026-11-20 09:30", Scalar::Microseconds(half_past_nine)),
            (Type::EventTime, "1970-01-01", Scalar::Microseconds(0)),
            (Type::Duration, "10min", Scalar::Microseconds(600_000_000)),
            (Type::Size, "2KiB", Scalar::Size(2048)),
            (Type::Size, "4096", Scalar::Size(4096)),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(read(&ty, text), Ok(expected), "{ty:?} from {text:?}");
        }
    }

    #[test]
    fn cells_that_do_not_fit_say_why() {
        let within = Refinement::Int { low: Some(1), high: Some(10), inclusive: true };
        let matching = Refinement::Matching(r"^[A-Z]\d$".to_owned());
        let code = Type::Refined { base: Box::new(Type::Category), refinement: matching };
        let small = Type::Refined { base: Box::new(Type::Int), refinement: within };
        let cases = [
            (Type::Int, "x", "is not an Int"),
            (Type::Int, "1.5", "is not an Int"),
            (Type::Int, "1_000", "is not an Int"),
            (Type::Int, "9223372036854775808", "is outside of 64 bits"),
            (small, "11", "is outside of 1..=10"),
            (code, "a7", "is outside of what matches r\"^[A-Z]\\d$\""),
            (Type::Float, "1,5", "is not a Float"),
            (Type::Float, "NA", "is missing, and the column's type has no `?`"),
            (Type::Text, "", "is missing, and the column's type has no `?`"),
            (Type::Bool, "yes", "is not a Bool (true, false, 1, 0)"),
            (Type::Date, "20.11.2026", "is not a Date of the form `%Y-%m-%d`"),
            (Type::Date, "2026-02-30", "is not a Date of the form `%Y-%m-%d`"),
            (Type::Time, "+5000000-01-01", "is not a Time (2026-11-20T09:30:00Z)"),
            (Type::Size, "-1", "is not a Size (bytes, 512MiB)"),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(read(&ty, text), Err(expected.to_owned()), "{ty:?} from {text:?}");
        }
    }
}
