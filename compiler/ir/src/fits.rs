//! Whether a value is one of a type, refinements included.

use std::fmt::{self, Display, Formatter};

use crate::{
    text::shortened,
    types::{Refinement, Type},
    value::Value,
};

/// Why a value is none of a type. Its text stands alone: `17 is not in 1..=16`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// `expected` is the type, `found` the value, shortened.
    Type { expected: String, found: String },
    /// The value is outside of its type's limits, as `in 1..=16` or `matching r"…"` gives them.
    Refinement { value: String, refinement: String },
    /// `none`, where a value must be.
    Missing { expected: String },
    /// An enum has no such variant.
    Variant { ty: String, found: String, variants: Vec<String> },
    /// A row has no such column.
    Column { found: String, columns: Vec<String> },
    /// An embedding or vector of another length.
    Length { expected: u32, found: usize },
    /// A field that the record has not, or has and should not have.
    Field { name: String, is_missing: bool },
    /// The pattern of a refinement is no regular expression.
    Pattern { pattern: String },
    /// Something within a list (`[3]`) or a record (`.depth`).
    Within { place: String, misfit: Box<Misfit> },
}

/// Whether a text is a regular expression, as `Text matching r"…"` takes one.
pub fn is_pattern(text: &str) -> bool {
    regex::Regex::new(text).is_ok()
}

impl std::error::Error for Misfit {}

impl Display for Misfit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Refinement { value, refinement } => match refinement.strip_prefix("matching ") {
                Some(pattern) => write!(f, "{value} does not match {pattern}"),
                None => write!(f, "{value} is not {refinement}"),
            },
            Self::Missing { expected } => write!(f, "expected {expected}, found nothing"),
            Self::Variant { ty, found, variants } => {
                write!(f, "{ty} has no `{found}`; it has {}", variants.join(", "))
            }
            Self::Column { found, columns } => {
                write!(f, "there is no column `{found}`; there are {}", columns.join(", "))
            }
            Self::Length { expected, found } => write!(f, "expected {expected} numbers, found {found}"),
            Self::Field { name, is_missing: true } => write!(f, "field `{name}` is missing"),
            Self::Field { name, is_missing: false } => write!(f, "there is no field `{name}`"),
            Self::Pattern { pattern } => write!(f, "`{pattern}` is not a regular expression"),
            Self::Within { place, misfit } => write!(f, "{place}: {misfit}"),
        }
    }
}

impl Misfit {
    pub(crate) fn within(self, place: impl Into<String>) -> Self {
        match self {
            Self::Within { place: inner, misfit } => Self::Within { place: place.into() + &inner, misfit },
            misfit => Self::Within { place: place.into(), misfit: Box::new(misfit) },
        }
    }

    pub(crate) fn of_type(expected: &Type, found: &Value) -> Self {
        Self::Type { expected: expected.to_string(), found: shortened(&found.to_string()) }
    }
}

impl Value {
    /// Whether this is a value of `ty`: an Int passes where a Float is asked, a File where a table
    /// or a model is, and limits hold. A pattern need not cover the whole text.
    ///
    /// # Errors
    /// Says what was expected, and where within a list or record.
    pub fn fits(&self, ty: &Type) -> Result<(), Misfit> {
        match (ty, self) {
            (Type::Optional(_) | Type::Nothing, Self::None) => Ok(()),
            (Type::Optional(of), _) => self.fits(of),
            (Type::Refined { base, .. }, Self::None) => self.fits(base),
            (Type::Refined { base, refinement }, _) => {
                self.fits(base)?;
                self.is_within(refinement)
            }
            (Type::Id(of) | Type::QueryId(of) | Type::Pii(of) | Type::Label { of, .. }, _) => self.fits(of),
            (expected, Self::None) => Err(Misfit::Missing { expected: expected.to_string() }),
            (Type::List(of), Self::List(values)) => {
                values.iter().enumerate().try_for_each(|(index, value)| {
                    value.fits(of).map_err(|misfit| misfit.within(format!("[{index}]")))
                })
            }
            (Type::Embedding(length), Self::List(values)) => {
                if u32::try_from(values.len()) != Ok(*length) {
                    return Err(Misfit::Length { expected: *length, found: values.len() });
                }
                Self::List(values.clone()).fits(&Type::List(Box::new(Type::Float)))
            }
            (Type::Record(record), Self::Record(fields)) => {
                for field in &record.fields {
                    match self.field(&field.name) {
                        Some(value) => value
                            .fits(&field.ty)
                            .map_err(|misfit| misfit.within(format!(".{}", field.name)))?,
                        None => return Err(Misfit::Field { name: field.name.clone(), is_missing: true }),
                    }
                }
                match fields.iter().find(|(name, _)| record.field(name).is_none()) {
                    Some((name, _)) => Err(Misfit::Field { name: name.clone(), is_missing: false }),
                    None if fields.len() == record.fields.len() => Ok(()),
                    None => Err(Misfit::of_type(ty, self)),
                }
            }
            (Type::Enum(of), Self::Enum { ty: name, variant }) if of.name == *name => {
                if of.variants.contains(variant) {
                    return Ok(());
                }
                Err(Misfit::Variant {
                    ty: of.name.clone(),
                    found: variant.clone(),
                    variants: of.variants.clone(),
                })
            }
            (Type::Column(row), Self::Column(name)) => match row.column(name) {
                Some(_) => Ok(()),
                None => Err(Misfit::Column {
                    found: name.clone(),
                    columns: row.columns.iter().map(|column| column.name.clone()).collect(),
                }),
            },
            (Type::File | Type::Dataset(_) | Type::Model(_) | Type::Opaque(_), Self::File(_)) => Ok(()),
            _ => {
                let is_one = matches!(
                    (ty.storage(), self),
                    (Type::Bool, Self::Bool(_))
                        | (Type::Int, Self::Int(_))
                        | (Type::Float | Type::Float32, Self::Float(_) | Self::Int(_))
                        | (Type::Text, Self::Text(_))
                        | (Type::Bytes, Self::Bytes(_))
                        | (Type::Date, Self::Date(_))
                        | (Type::Time, Self::Time(_))
                        | (Type::Duration, Self::Duration(_))
                        | (Type::Size, Self::Size(_))
                );
                if is_one { Ok(()) } else { Err(Misfit::of_type(ty, self)) }
            }
        }
    }

    fn is_within(&self, refinement: &Refinement) -> Result<(), Misfit> {
        let fits = match (refinement, self) {
            (Refinement::Int { low, high, inclusive }, Self::Int(value)) => {
                low.is_none_or(|low| *value >= low)
                    && high.is_none_or(|high| if *inclusive { *value <= high } else { *value < high })
            }
            (Refinement::Float { low, high, inclusive }, Self::Float(_) | Self::Int(_)) => {
                let value = self.as_float().unwrap_or(f64::NAN);
                low.is_none_or(|low| value >= low.0)
                    && high.is_none_or(|high| if *inclusive { value <= high.0 } else { value < high.0 })
            }
            (Refinement::Int { low, high, inclusive }, Self::Float(value)) => {
                // A Float whose limits were written as Ints.
                let (low, high) = (low.map(|low| low as f64), high.map(|high| high as f64));
                low.is_none_or(|low| value.0 >= low)
                    && high.is_none_or(|high| if *inclusive { value.0 <= high } else { value.0 < high })
            }
            (Refinement::Matching(pattern), Self::Text(text)) => match regex::Regex::new(pattern) {
                Ok(regex) => regex.is_match(text),
                Err(_) => return Err(Misfit::Pattern { pattern: pattern.clone() }),
            },
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(Misfit::Refinement { value: shortened(&self.to_string()), refinement: refinement.to_string() })
    }

    /// The number of a Float or an Int.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(value.0),
            Self::Int(value) => Some(*value as f64),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_fit() {
        for (value, ty) in [
            ("7", "Float"),
            ("0.8", "Fraction"),
            ("none", "Int in 1..=10?"),
            ("none", "Int? in 1..=10"),
            ("16", "Int in 1..=16"),
            ("0.0", "Float in 0.0..1.0"),
            ("0.5", "Float in 0..1"),
            ("\"abc\"", "Text matching r\"b\""),
            ("[4, 6]", "List<Int in 1..=16>"),
            ("(b: 1, a: none)", "(a: Int?, b: Float)"),
            ("std.tree.Loss.auto", "std.tree.Loss { auto, squared }"),
            ("file\"a.csv\"", "Dataset<{ a: Int }>"),
            ("file\"m\"", "Classifier<{}>"),
            ("\"SF\"", "Pii<Category>"),
            ("[1.0, 2]", "Embedding<2>"),
            (".minutes", "Column<{ minutes: Float }>"),
            ("true", "Label<Bool> positive \"true\""),
            ("0.9", "Auc"),
            ("0s", "Duration"),
        ] {
            let fits = Value::parse(value).unwrap().fits(&Type::parse(ty).unwrap());
            assert_eq!(fits, Ok(()), "{value} is a {ty}");
        }
    }

    #[test]
    fn misfits_say_what_was_expected() {
        for (value, ty, message) in [
            ("17", "Int in 1..=16", "17 is not in 1..=16"),
            ("1.0", "Float in 0.0..1.0", "1.0 is not in 0.0..1.0"),
            ("nan", "Float in 0.0..1.0", "nan is not in 0.0..1.0"),
            ("\"X\"", "Text matching r\"^[a-z]+$\"", "\"X\" does not match r\"^[a-z]+$\""),
            ("0.5", "Int", "expected Int, found 0.5"),
            ("none", "Int", "expected Int, found nothing"),
            ("[4, 60]", "List<Int in 1..=16>", "[1]: 60 is not in 1..=16"),
            ("[(a: 1), (a: true)]", "List<(a: Int)>", "[1].a: expected Int, found true"),
            ("(a: 1)", "(a: Int, b: Int)", "field `b` is missing"),
            ("(a: 1, c: 1)", "(a: Int)", "there is no field `c`"),
            (
                "std.tree.Loss.hinge",
                "std.tree.Loss { auto, squared }",
                "std.tree.Loss has no `hinge`; it has auto, squared",
            ),
            (".a", "Column<{ b: Int, c: Int }>", "there is no column `a`; there are b, c"),
            ("[1.0]", "Embedding<2>", "expected 2 numbers, found 1"),
            ("\"a.csv\"", "Dataset<{ a: Int }>", "expected Dataset<{ a: Int }>, found \"a.csv\""),
            ("\"a\"", "Text matching \"(\"", "`(` is not a regular expression"),
            ("512", "Size", "expected Size, found 512"),
        ] {
            let misfit = Value::parse(value).unwrap().fits(&Type::parse(ty).unwrap()).unwrap_err();
            assert_eq!(misfit.to_string(), message);
        }
    }
}
