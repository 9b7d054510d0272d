//! What a comparison with literals leaves of a column's values.

use flow_ir::{expr::Function, value::Value};

/// Values of one expression over a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Limits {
    /// Between the two, each with whether it belongs; and whether NaN, which no comparison holds for, does.
    Range {
        low: Option<(Key, bool)>,
        high: Option<(Key, bool)>,
        has_nan: bool,
    },
    OneOf(Vec<Key>),
    NoneOf(Vec<Key>),
}

/// A literal that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Bool(bool),
    Number(flow_ir::value::Float64),
    /// Since 1970: a Date is its midnight.
    Micros(i64),
    Text(String),
}

pub(super) const MICROS_OF_DAY: i64 = 86_400_000_000;
/// Beyond, neighbouring Ints are one Float.
const EXACT: i64 = 1 << 53;

impl Key {
    /// `None` for what is not compared by order or equality of literals.
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            #[expect(clippy::cast_precision_loss, reason = "it is exact below")]
            Value::Int(value) if (-EXACT..=EXACT).contains(value) => {
                Self::Number(flow_ir::value::Float64(*value as f64))
            }
            // Zero has one key, as it has one place in order.
            Value::Float(value) if !value.0.is_nan() => Self::Number(flow_ir::value::Float64(value.0 + 0.0)),
            Value::Date(days) => Self::Micros(i64::from(*days).checked_mul(MICROS_OF_DAY)?),
            Value::Time(micros) | Value::Duration(micros) => Self::Micros(*micros),
            Value::Text(text) => Self::Text(text.clone()),
            Value::Enum { variant, .. } => Self::Text(variant.clone()),
            _ => return None,
        })
    }

    /// So much more than some value, which is not told: a count for an Int, microseconds for a time.
    pub fn offset(by: i64) -> Option<Self> {
        Self::of(&Value::Int(by))
    }

    /// The key so much further on; `None` where nothing but no offset at all could be told of.
    fn moved(&self, by: &Self) -> Option<Self> {
        let Self::Number(by) = by else { return None };
        match self {
            key if by.0 == 0.0 => Some(key.clone()),
            #[expect(clippy::cast_possible_truncation, reason = "offsets are whole, and exact")]
            Self::Micros(micros) => micros.checked_add(by.0 as i64).map(Self::Micros),
            #[expect(clippy::cast_precision_loss, reason = "what it is compared with has no such loss")]
            Self::Number(number) => {
                let sum = number.0 + by.0;
                let is_exact = number.0.fract() == 0.0 && sum.abs() <= EXACT as f64;
                is_exact.then_some(Self::Number(flow_ir::value::Float64(sum)))
            }
            Self::Bool(_) | Self::Text(_) => None,
        }
    }

    fn order(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => a.0.partial_cmp(&b.0),
            (Self::Micros(a), Self::Micros(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl Limits {
    /// What `value FUNCTION key` holds for; where `holds` is false, what it does not hold for.
    pub fn of(function: Function, key: Key, holds: bool, may_be_nan: bool) -> Option<Self> {
        let range = |low, high| Some(Self::Range { low, high, has_nan: may_be_nan && !holds });
        match (function, holds) {
            (Function::Equal, true) | (Function::NotEqual, false) => Some(Self::OneOf(vec![key])),
            (Function::Equal, false) | (Function::NotEqual, true) => Some(Self::NoneOf(vec![key])),
            (Function::Less, true) | (Function::GreaterEqual, false) => range(None, Some((key, false))),
            (Function::LessEqual, true) | (Function::Greater, false) => range(None, Some((key, true))),
            (Function::Greater, true) | (Function::LessEqual, false) => range(Some((key, false)), None),
            (Function::GreaterEqual, true) | (Function::Less, false) => range(Some((key, true)), None),
            _ => None,
        }
    }

    /// The limits of a value whose distance from another one, now known, has these.
    pub fn beside(&self, base: &Value) -> Option<Self> {
        let base = Key::of(base)?;
        let moved = |limit: &Option<(Key, bool)>| match limit {
            Some((by, belongs)) => Some(Some((base.moved(by)?, *belongs))),
            None => Some(None),
        };
        let all = |keys: &[Key]| keys.iter().map(|by| base.moved(by)).collect::<Option<Vec<Key>>>();
        Some(match self {
            Self::Range { low, high, has_nan } => {
                Self::Range { low: moved(low)?, high: moved(high)?, has_nan: *has_nan }
            }
            Self::OneOf(keys) => Self::OneOf(all(keys)?),
            Self::NoneOf(keys) => Self::NoneOf(all(keys)?),
        })
    }

    /// Whether no value is within both.
    pub fn exclude(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Range { low: a_low, high: a_high, has_nan: a_nan },
                Self::Range { low: b_low, high: b_high, has_nan: b_nan },
            ) => !(*a_nan && *b_nan) && (is_below(a_high, b_low) || is_below(b_high, a_low)),
            (Self::OneOf(keys), limits) | (limits, Self::OneOf(keys)) => {
                keys.iter().all(|key| !limits.may_contain(key))
            }
            _ => false,
        }
    }

    /// Whether a value that compares as this may be within.
    pub fn may_contain(&self, key: &Key) -> bool {
        match self {
            Self::Range { low, high, .. } => {
                let point = Some((key.clone(), true));
                !is_below(high, &point) && !is_below(&point, low)
            }
            Self::OneOf(keys) => {
                keys.iter().any(|other| key.order(other).is_none_or(std::cmp::Ordering::is_eq))
            }
            Self::NoneOf(keys) => !keys.contains(key),
        }
    }

    /// Whether all that is below a value within is within too.
    pub fn is_open_below(&self) -> bool {
        matches!(self, Self::Range { low: None, .. })
    }
}

fn is_below(high: &Option<(Key, bool)>, low: &Option<(Key, bool)>) -> bool {
    let (Some((high, high_belongs)), Some((low, low_belongs))) = (high, low) else { return false };
    match high.order(low) {
        Some(std::cmp::Ordering::Less) => true,
        Some(std::cmp::Ordering::Equal) => !(*high_belongs && *low_belongs),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(function: Function, value: i64, holds: bool) -> Limits {
        Limits::of(function, Key::of(&Value::Int(value)).unwrap(), holds, true).unwrap()
    }

    #[test]
    fn complements_exclude_one_another() {
        let (below, from) = (limits(Function::Less, 2020, true), limits(Function::GreaterEqual, 2020, true));
        let to = limits(Function::LessEqual, 2020, true);
        assert!(below.exclude(&from) && from.exclude(&below));
        assert!(!to.exclude(&from));
        assert!(limits(Function::Equal, 1, true).exclude(&limits(Function::NotEqual, 1, true)));
        assert!(limits(Function::Equal, 1, true).exclude(&limits(Function::Greater, 1, true)));
        assert!(!limits(Function::Equal, 1, true).exclude(&limits(Function::GreaterEqual, 1, true)));
    }

    #[test]
    fn nan_is_in_both_where_both_are_negated() {
        let below = limits(Function::Less, 0, false);
        let from = limits(Function::GreaterEqual, 0, false);
        assert!(!below.exclude(&from));
        assert!(below.exclude(&limits(Function::Less, 0, true)));
    }

    #[test]
    fn a_distance_has_a_place_once_its_base_is_known() {
        let before = Limits::of(Function::Less, Key::offset(-1).unwrap(), true, false).unwrap();
        let at = Limits::of(Function::GreaterEqual, Key::offset(0).unwrap(), true, false).unwrap();
        assert!(before.exclude(&at));
        assert_eq!(before.beside(&Value::Int(2020)), Some(limits_of_ints(Function::Less, 2019)));
        let text = Value::from("SF");
        assert!(before.beside(&text).is_none());
        assert!(at.beside(&text).is_some_and(|limits| limits.may_contain(&Key::of(&text).unwrap())));
    }

    fn limits_of_ints(function: Function, value: i64) -> Limits {
        Limits::of(function, Key::of(&Value::Int(value)).unwrap(), true, false).unwrap()
    }

    #[test]
    fn a_date_is_its_midnight() {
        let date = Limits::of(Function::Less, Key::of(&Value::Date(1)).unwrap(), true, false).unwrap();
        let time = Key::of(&Value::Time(MICROS_OF_DAY)).unwrap();
        assert!(date.exclude(&Limits::of(Function::GreaterEqual, time, true, false).unwrap()));
    }
}
