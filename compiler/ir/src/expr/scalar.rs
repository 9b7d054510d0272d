//! What each function makes of its arguments: the table of meanings as code.

use std::cmp::Ordering;

use super::{EvalError, Function, convert, math};
use crate::{
    calendar::{self, MICROSECONDS_PER_DAY},
    value::Value,
};

impl Function {
    /// The function's value for these arguments. A missing argument gives a missing result, but in
    /// `is_missing` and `??`, and where `and` and `or` are decided without it. Comparisons with
    /// `none` are for the types to tell: [`super::evaluate`] sees to them.
    ///
    /// # Errors
    /// Int overflow and the like; arguments of types that [`Self::result`] refuses.
    pub fn apply(self, args: &[Value]) -> Result<Value, EvalError> {
        apply(self, args)
    }
}

pub(super) fn apply(function: Function, args: &[Value]) -> Result<Value, EvalError> {
    use Function::*;
    match (function, args) {
        (IsMissing, [value]) => Ok(Value::Bool(*value == Value::None)),
        (OrElse, [value, default]) => Ok(if *value == Value::None { default } else { value }.clone()),
        (And | Or, [a, b]) => connect(function, a, b).ok_or_else(|| arguments(function, args)),
        (In, [value, members @ ..]) => is_in(value, members),
        _ if args.contains(&Value::None) => Ok(Value::None),
        (Equal, [a, b]) => Ok(Value::Bool(are_equal(a, b))),
        (NotEqual, [a, b]) => Ok(Value::Bool(!are_equal(a, b))),
        (Less | LessEqual | Greater | GreaterEqual, [a, b]) => order(function, a, b),
        (Add | Subtract | Multiply | Divide | Remainder | Power, [a, b]) => arithmetic(function, a, b),
        (Min | Max, [first, rest @ ..]) => {
            rest.iter().try_fold(first.clone(), |best, value| extreme(function, &best, value))
        }
        (Clip, [value, low, high]) => extreme(Min, &extreme(Max, value, low)?, high),
        (Not, [Value::Bool(value)]) => Ok(Value::Bool(!value)),
        (Lower, [Value::Text(text)]) => Ok(Value::Text(text.to_lowercase())),
        (Upper, [Value::Text(text)]) => Ok(Value::Text(text.to_uppercase())),
        (Trim, [Value::Text(text)]) => Ok(Value::from(text.trim())),
        (Length, [Value::Text(text)]) => count(text.chars().count(), function, args),
        (Length, [Value::Bytes(bytes)]) => count(bytes.len(), function, args),
        (Length, [Value::List(values)]) => count(values.len(), function, args),
        (Contains, [Value::Text(text), Value::Text(part)]) => Ok(Value::Bool(text.contains(part.as_str()))),
        (StartsWith, [Value::Text(text), Value::Text(part)]) => {
            Ok(Value::Bool(text.starts_with(part.as_str())))
        }
        (Replace, [Value::Text(text), Value::Text(from), Value::Text(to)]) => {
            Ok(Value::Text(text.replace(from.as_str(), to)))
        }
        (Matches, [Value::Text(text), Value::Text(pattern)]) => matches(text, pattern).map(Value::Bool),
        (SplitText, [Value::Text(text), Value::Text(separator)]) if separator.is_empty() => {
            Ok(Value::List(text.chars().map(|character| Value::Text(character.into())).collect()))
        }
        (SplitText, [Value::Text(text), Value::Text(separator)]) => {
            Ok(Value::List(text.split(separator.as_str()).map(Value::from).collect()))
        }
        (Bucket, [value, Value::List(bounds)]) => bucket(value, bounds),
        (Hash, [value]) => hash(value).map(Value::Int).ok_or_else(|| arguments(function, args)),
        (Concat, parts) => {
            let texts: Option<String> = parts.iter().map(convert::text_of).collect();
            texts.map(Value::Text).ok_or_else(|| arguments(function, args))
        }
        (MinutesBetween, [from, to]) => between(function, from, to, 60_000_000.0),
        (DaysBetween, [from, to]) => between(function, from, to, MICROSECONDS_PER_DAY as f64),
        (Field, [record @ Value::Record(_), Value::Text(name)]) => {
            record.field(name).cloned().ok_or_else(|| EvalError::NoField { name: name.clone() })
        }
        (Element, [Value::List(values), Value::Int(index)]) => usize::try_from(*index)
            .ok()
            .and_then(|index| values.get(index))
            .cloned()
            .ok_or(EvalError::NoElement { index: *index, length: values.len() }),
        (Year | Month | Day | Weekday | Hour, [at]) => date_part(function, at),
        (_, [value]) => unary(function, value),
        _ => Err(arguments(function, args)),
    }
}

/// Three-valued: what is decided without the missing side is not missing.
fn connect(function: Function, a: &Value, b: &Value) -> Option<Value> {
    let truth = |value: &Value| match value {
        Value::Bool(value) => Some(Some(*value)),
        Value::None => Some(None),
        _ => None,
    };
    let decisive = function == Function::Or;
    Some(match (truth(a)?, truth(b)?) {
        (Some(a), _) if a == decisive => Value::Bool(decisive),
        (_, Some(b)) if b == decisive => Value::Bool(decisive),
        (Some(_), Some(_)) => Value::Bool(!decisive),
        _ => Value::None,
    })
}

fn is_in(value: &Value, members: &[Value]) -> Result<Value, EvalError> {
    if *value == Value::None {
        return Ok(Value::None);
    }
    let members = match members {
        [Value::List(members)] if !matches!(value, Value::List(_)) => members,
        members => members,
    };
    Ok(Value::Bool(members.iter().any(|member| are_equal(value, member))))
}

/// Numbers as numbers (NaN is equal to nothing), a Date beside a Time as its midnight.
fn are_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_equal(a, b))
        }
        (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|((name, a), (other, b))| name == other && are_equal(a, b))
        }
        (a, b) => match (a.as_float(), b.as_float(), instant(a), instant(b)) {
            (Some(a), Some(b), ..) => a == b,
            (.., Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

/// None for values without an order; `Some(None)` where one is NaN.
fn compare(a: &Value, b: &Value) -> Option<Option<Ordering>> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(Some(a.cmp(b))),
        (Value::Text(a), Value::Text(b)) => Some(Some(a.cmp(b))),
        (Value::Duration(a), Value::Duration(b)) => Some(Some(a.cmp(b))),
        (Value::Size(a), Value::Size(b)) => Some(Some(a.cmp(b))),
        (a, b) => match (a.as_float(), b.as_float()) {
            (Some(a), Some(b)) => Some(a.partial_cmp(&b)),
            _ => Some(Some(instant(a)?.cmp(&instant(b)?))),
        },
    }
}

fn order(function: Function, a: &Value, b: &Value) -> Result<Value, EvalError> {
    let order = compare(a, b).ok_or_else(|| arguments(function, &[a.clone(), b.clone()]))?;
    Ok(Value::Bool(order.is_some_and(|order| match function {
        Function::Less => order.is_lt(),
        Function::LessEqual => order.is_le(),
        Function::Greater => order.is_gt(),
        _ => order.is_ge(),
    })))
}

/// The smaller or the greater; NaN beside anything is NaN, and -0.0 is below 0.0 (IEEE 754-2019,
/// minimum and maximum).
fn extreme(function: Function, a: &Value, b: &Value) -> Result<Value, EvalError> {
    let order = compare(a, b).ok_or_else(|| arguments(function, &[a.clone(), b.clone()]))?;
    let takes_first = match order {
        Some(Ordering::Equal) => {
            let is_negative = |value: &Value| value.as_float().is_some_and(f64::is_sign_negative);
            is_negative(a) == (function == Function::Min)
        }
        Some(order) => order.is_lt() == (function == Function::Min),
        None => a.as_float().is_some_and(f64::is_nan),
    };
    Ok(if takes_first { a.clone() } else { b.clone() })
}

fn arithmetic(function: Function, a: &Value, b: &Value) -> Result<Value, EvalError> {
    use Function::{Add, Divide, Multiply, Power, Remainder, Subtract};
    let args = || vec![a.clone(), b.clone()];
    let checked = |value: Option<Value>| value.ok_or_else(|| EvalError::Overflow { function, args: args() });
    if let (Value::Int(x), Value::Int(y)) = (a, b)
        && function != Divide
    {
        return ints(function, *x, *y);
    }
    if let (Some(x), Some(y)) = (a.as_float(), b.as_float()) {
        return Ok(Value::from(match function {
            Add => x + y,
            Subtract => x - y,
            Multiply => x * y,
            Divide => x / y,
            Remainder => x % y,
            _ => math::pow(x, y),
        }));
    }
    match (function, a, b) {
        (Add, Value::Duration(x), Value::Duration(y)) => checked(x.checked_add(*y).map(Value::Duration)),
        (Subtract, Value::Duration(x), Value::Duration(y)) => checked(x.checked_sub(*y).map(Value::Duration)),
        (Divide, Value::Duration(x), Value::Duration(y)) => Ok(Value::from(*x as f64 / *y as f64)),
        (Add | Subtract, at @ (Value::Date(_) | Value::Time(_)), Value::Duration(by))
        | (Add, Value::Duration(by), at @ (Value::Date(_) | Value::Time(_))) => {
            checked(shift(at, if function == Add { Some(*by) } else { by.checked_neg() }))
        }
        (Subtract, x, y) if instant(x).is_some() && instant(y).is_some() => {
            checked(difference(y, x).map(Value::Duration))
        }
        (Multiply, Value::Duration(time), factor) | (Multiply, factor, Value::Duration(time)) => match factor
        {
            Value::Int(factor) => checked(time.checked_mul(*factor).map(Value::Duration)),
            Value::Float(factor) => checked(rounded(*time as f64 * factor.0).map(Value::Duration)),
            _ => Err(arguments(function, &args())),
        },
        (Divide, Value::Duration(time), divisor) => match divisor.as_float() {
            Some(0.0) => Err(EvalError::DivisionByZero { function, args: args() }),
            Some(divisor) => checked(rounded(*time as f64 / divisor).map(Value::Duration)),
            None => Err(arguments(function, &args())),
        },
        (Add, Value::Size(x), Value::Size(y)) => checked(x.checked_add(*y).map(Value::Size)),
        (Subtract, Value::Size(x), Value::Size(y)) => checked(x.checked_sub(*y).map(Value::Size)),
        (Divide, Value::Size(x), Value::Size(y)) => Ok(Value::from(*x as f64 / *y as f64)),
        (Multiply, Value::Size(size), Value::Int(factor))
        | (Multiply, Value::Int(factor), Value::Size(size)) => {
            checked(u64::try_from(*factor).ok().and_then(|factor| size.checked_mul(factor)).map(Value::Size))
        }
        (Add | Subtract | Multiply | Divide | Remainder | Power, ..) | (..) => {
            Err(arguments(function, &args()))
        }
    }
}

fn ints(function: Function, x: i64, y: i64) -> Result<Value, EvalError> {
    use Function::{Add, Multiply, Remainder, Subtract};
    let args = || vec![Value::Int(x), Value::Int(y)];
    let result = match function {
        Add => x.checked_add(y),
        Subtract => x.checked_sub(y),
        Multiply => x.checked_mul(y),
        Remainder if y == 0 => return Err(EvalError::DivisionByZero { function, args: args() }),
        Remainder => Some(x.wrapping_rem(y)),
        _ if y < 0 => return Err(EvalError::NegativeExponent { exponent: y }),
        // Only 0, 1 and -1 have powers beyond 2^32 that fit.
        _ => match (x, u32::try_from(y)) {
            (_, Ok(y)) => x.checked_pow(y),
            (0 | 1, _) => Some(x),
            (-1, _) => Some(if y % 2 == 0 { 1 } else { -1 }),
            _ => None,
        },
    };
    result.map(Value::Int).ok_or_else(|| EvalError::Overflow { function, args: args() })
}

/// The name of the range that holds a number: its lower bound is in it, its upper one is not. NaN is in none.
fn bucket(value: &Value, bounds: &[Value]) -> Result<Value, EvalError> {
    let refused = || arguments(Function::Bucket, &[value.clone(), Value::List(bounds.to_vec())]);
    let number = value.as_float().ok_or_else(refused)?;
    let floats: Vec<f64> = bounds.iter().map(Value::as_float).collect::<Option<_>>().ok_or_else(refused)?;
    if floats.is_empty() || !floats.is_sorted_by(|a, b| a < b) {
        return Err(refused());
    }
    if number.is_nan() {
        return Ok(Value::from("nan"));
    }
    let below = floats.partition_point(|bound| *bound <= number);
    let name = |index: Option<usize>| index.and_then(|index| bounds.get(index)).and_then(convert::text_of);
    let (low, high) = (name(below.checked_sub(1)), name(Some(below)));
    Ok(Value::Text(format!("{}..{}", low.unwrap_or_default(), high.unwrap_or_default())))
}

/// The first 64 bits of the BLAKE3 hash of a value's bytes. -0.0 is 0.0, and every NaN is one.
fn hash(value: &Value) -> Option<i64> {
    let (kind, bytes) = match value {
        Value::Bool(value) => (0, vec![u8::from(*value)]),
        Value::Int(value) => (1, value.to_le_bytes().to_vec()),
        Value::Float(value) if value.0.is_nan() => (2, f64::NAN.to_le_bytes().to_vec()),
        Value::Float(value) => (2, (value.0 + 0.0).to_le_bytes().to_vec()),
        Value::Text(text) => (3, text.as_bytes().to_vec()),
        Value::Date(days) => (4, days.to_le_bytes().to_vec()),
        Value::Time(at) => (5, at.to_le_bytes().to_vec()),
        _ => return None,
    };
    let digest = crate::hash::Hash::of(&[&[kind], bytes.as_slice()].concat()).0;
    digest.first_chunk().map(|first| i64::from_le_bytes(*first))
}

fn unary(function: Function, value: &Value) -> Result<Value, EvalError> {
    use Function::*;
    let overflow = || EvalError::Overflow { function, args: vec![value.clone()] };
    match (function, value) {
        (Negate, Value::Int(x)) => return x.checked_neg().map(Value::Int).ok_or_else(overflow),
        (Abs, Value::Int(x)) => return x.checked_abs().map(Value::Int).ok_or_else(overflow),
        (Negate, Value::Duration(x)) => return x.checked_neg().map(Value::Duration).ok_or_else(overflow),
        (Abs, Value::Duration(x)) => return x.checked_abs().map(Value::Duration).ok_or_else(overflow),
        (Sign, Value::Int(x)) => return Ok(Value::Int(x.signum())),
        (Ceil | Floor | Round, Value::Int(_)) => return Ok(value.clone()),
        _ => {}
    }
    let Some(x) = value.as_float() else { return Err(arguments(function, std::slice::from_ref(value))) };
    Ok(Value::from(match function {
        Negate => -x,
        Abs => x.abs(),
        Sign if x == 0.0 || x.is_nan() => x,
        Sign => 1.0_f64.copysign(x),
        Ceil => x.ceil(),
        Floor => x.floor(),
        // Half to even, as in IEEE 754, Python and NumPy.
        Round => x.round_ties_even(),
        Sqrt => x.sqrt(),
        Exp => math::exp(x),
        Log => math::log(x),
        Log1p => math::log1p(x),
        Expm1 => math::expm1(x),
        Sin => math::sin(x),
        Cos => math::cos(x),
        Tanh => math::tanh(x),
        Sigmoid => math::sigmoid(x),
        _ => return Err(arguments(function, std::slice::from_ref(value))),
    }))
}

fn date_part(function: Function, at: &Value) -> Result<Value, EvalError> {
    let (days, in_day) = match at {
        Value::Date(days) => (i64::from(*days), 0),
        Value::Time(at) => (at.div_euclid(MICROSECONDS_PER_DAY), at.rem_euclid(MICROSECONDS_PER_DAY)),
        other => return Err(arguments(function, std::slice::from_ref(other))),
    };
    let date = calendar::civil_from_days(days);
    Ok(Value::Int(match function {
        Function::Year => date.year,
        Function::Month => i64::from(date.month),
        Function::Day => i64::from(date.day),
        Function::Weekday => calendar::weekday(days),
        _ => in_day / 3_600_000_000,
    }))
}

fn between(function: Function, from: &Value, to: &Value, unit: f64) -> Result<Value, EvalError> {
    let args = || vec![from.clone(), to.clone()];
    if instant(from).is_none() || instant(to).is_none() {
        return Err(arguments(function, &args()));
    }
    match difference(from, to) {
        Some(microseconds) => Ok(Value::from(microseconds as f64 / unit)),
        None => Err(EvalError::Overflow { function, args: args() }),
    }
}

fn matches(text: &str, pattern: &str) -> Result<bool, EvalError> {
    use std::cell::RefCell;
    // The pattern is nearly always the same for all rows.
    thread_local! { static LAST: RefCell<Option<regex::Regex>> = const { RefCell::new(None) }; }
    LAST.with_borrow_mut(|last| {
        if let Some(regex) = last
            && regex.as_str() == pattern
        {
            return Ok(regex.is_match(text));
        }
        let regex =
            regex::Regex::new(pattern).map_err(|_| EvalError::Pattern { pattern: pattern.to_owned() })?;
        Ok(last.insert(regex).is_match(text))
    })
}

fn count(length: usize, function: Function, args: &[Value]) -> Result<Value, EvalError> {
    i64::try_from(length).map(Value::Int).map_err(|_| arguments(function, args))
}

/// Microseconds since 1970-01-01T00:00:00Z of a Date or Time.
///
/// A Date may lie where no Time does, hence 128 bits.
fn instant(value: &Value) -> Option<i128> {
    match value {
        Value::Date(days) => Some(i128::from(*days) * i128::from(MICROSECONDS_PER_DAY)),
        Value::Time(at) => Some(i128::from(*at)),
        _ => None,
    }
}

fn difference(from: &Value, to: &Value) -> Option<i64> {
    i64::try_from(instant(to)? - instant(from)?).ok()
}

/// A Date moves to the day on which its midnight comes to lie.
fn shift(at: &Value, by: Option<i64>) -> Option<Value> {
    let moved = instant(at)? + i128::from(by?);
    match at {
        Value::Date(_) => {
            i32::try_from(moved.div_euclid(i128::from(MICROSECONDS_PER_DAY))).ok().map(Value::Date)
        }
        _ => i64::try_from(moved).ok().map(Value::Time),
    }
}

fn rounded(value: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let value = value.round_ties_even();
    (-BEYOND..BEYOND).contains(&value).then_some(value as i64)
}

fn arguments(function: Function, args: &[Value]) -> EvalError {
    EvalError::Arguments { function, args: args.to_vec() }
}
