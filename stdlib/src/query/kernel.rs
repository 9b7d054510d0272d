//! The functions of numbers on whole columns. They compute what [`Function::apply`] does, cell by cell.

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{DataType, Float64Type, Int64Type},
};
use flow_ir::{
    expr::{Function, math},
    value::Value,
};

use super::operand::{Failure, Operand};

/// An argument of a function: a column, or a value for all rows.
#[derive(Clone, Debug)]
pub enum Argument {
    Column(ArrayRef),
    Constant(Value),
}

/// The function's column; none where there is no kernel for these arguments.
///
/// # Errors
/// Where a row has no value, by overflow and the like.
pub fn apply(function: Function, args: &[Argument]) -> Result<Option<ArrayRef>, Failure> {
    match args {
        [value] => unary(function, value),
        [a, b] => match (ints(a), ints(b)) {
            (Some(a), Some(b)) => int_pair(function, a, b),
            _ => Ok(float_pair(function, floats(a), floats(b))),
        },
        _ => Ok(None),
    }
}

fn unary(function: Function, value: &Argument) -> Result<Option<ArrayRef>, Failure> {
    if let Some(ints) = ints(value) {
        let zero = Operand::Constant(0);
        match function {
            Function::Negate => return zero.try_combine(ints, i64::checked_sub),
            Function::Abs => return zero.try_combine(ints, |_, x| x.checked_abs()),
            Function::Sign => return Ok(ints.map(i64::signum)),
            Function::Ceil | Function::Floor | Function::Round => return Ok(ints.map(|x| x)),
            _ => {}
        }
    }
    let Some(floats) = floats(value) else { return Ok(None) };
    Ok(match function {
        Function::Negate => floats.map(|x| -x),
        Function::Abs => floats.map(f64::abs),
        Function::Sign => floats.map(|x| if x == 0.0 || x.is_nan() { x } else { 1.0_f64.copysign(x) }),
        Function::Ceil => floats.map(f64::ceil),
        Function::Floor => floats.map(f64::floor),
        Function::Round => floats.map(f64::round_ties_even),
        Function::Sqrt => floats.map(f64::sqrt),
        Function::Exp => floats.map(math::exp),
        Function::Log => floats.map(math::log),
        Function::Log1p => floats.map(math::log1p),
        Function::Expm1 => floats.map(math::expm1),
        Function::Sin => floats.map(math::sin),
        Function::Cos => floats.map(math::cos),
        Function::Tanh => floats.map(math::tanh),
        Function::Sigmoid => floats.map(math::sigmoid),
        _ => None,
    })
}

fn int_pair(
    function: Function,
    a: Operand<Int64Type>,
    b: Operand<Int64Type>,
) -> Result<Option<ArrayRef>, Failure> {
    match function {
        Function::Add => a.try_combine(b, i64::checked_add),
        Function::Subtract => a.try_combine(b, i64::checked_sub),
        Function::Multiply => a.try_combine(b, i64::checked_mul),
        // The one overflow, of the least Int by -1, leaves no remainder.
        Function::Remainder => a.try_combine(b, |a, b| (b != 0).then(|| a.wrapping_rem(b))),
        Function::Divide => Ok(float_pair(function, Some(widen(a)), Some(widen(b)))),
        Function::Min => Ok(a.combine(b, i64::min)),
        Function::Max => Ok(a.combine(b, i64::max)),
        _ => Ok(None),
    }
}

fn float_pair(
    function: Function,
    a: Option<Operand<Float64Type>>,
    b: Option<Operand<Float64Type>>,
) -> Option<ArrayRef> {
    let (a, b) = (a?, b?);
    match function {
        Function::Add => a.combine(b, |a, b| a + b),
        Function::Subtract => a.combine(b, |a, b| a - b),
        Function::Multiply => a.combine(b, |a, b| a * b),
        Function::Divide => a.combine(b, |a, b| a / b),
        Function::Remainder => a.combine(b, |a, b| a % b),
        Function::Power => a.combine(b, math::pow),
        // Arrow's own comparisons follow a total order, in which NaN equals itself and -0.0 is below 0.0.
        #[expect(clippy::float_cmp, reason = "the language's equality is that of IEEE 754")]
        Function::Equal => a.compare(b, |a, b| a == b),
        #[expect(clippy::float_cmp, reason = "the language's equality is that of IEEE 754")]
        Function::NotEqual => a.compare(b, |a, b| a != b),
        Function::Less => a.compare(b, |a, b| a < b),
        Function::LessEqual => a.compare(b, |a, b| a <= b),
        Function::Greater => a.compare(b, |a, b| a > b),
        Function::GreaterEqual => a.compare(b, |a, b| a >= b),
        _ => None,
    }
}

fn ints(argument: &Argument) -> Option<Operand<Int64Type>> {
    match argument {
        Argument::Column(column) => column.as_primitive_opt::<Int64Type>().cloned().map(Operand::Column),
        Argument::Constant(Value::Int(value)) => Some(Operand::Constant(*value)),
        Argument::Constant(_) => None,
    }
}

/// Ints widen.
fn floats(argument: &Argument) -> Option<Operand<Float64Type>> {
    if let Some(ints) = ints(argument) {
        return Some(widen(ints));
    }
    match argument {
        Argument::Column(column) if column.data_type() == &DataType::Float64 => {
            Some(Operand::Column(column.as_primitive().clone()))
        }
        Argument::Constant(Value::Float(value)) => Some(Operand::Constant(value.0)),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "that is how Int widens to Float")]
fn widen(ints: Operand<Int64Type>) -> Operand<Float64Type> {
    match ints {
        Operand::Column(column) => Operand::Column(column.unary(|value| value as f64)),
        Operand::Constant(value) => Operand::Constant(value as f64),
    }
}
