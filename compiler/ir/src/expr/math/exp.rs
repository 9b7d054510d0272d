//! The exponential and what is made of it.

use super::{LN2, polynomial};

/// e to the power of x. Overflows to infinity above 709.78, underflows to zero below -745.13.
pub fn exp(x: f64) -> f64 {
    exp_of_sum(x, 0.0)
}

/// e to the power of x, less one; exact to the last place or so near zero too.
pub fn expm1(x: f64) -> f64 {
    if x.is_nan() || x.abs() < 5.6e-17 {
        return x;
    }
    if x > LARGEST {
        return f64::INFINITY;
    }
    if x < -40.0 {
        return -1.0;
    }
    let (power, reduced, correction) = reduce(x, 0.0);
    let fraction = reduced + (reduced * reduced * tail(reduced) + correction);
    if power == 0 {
        return fraction;
    }
    // 2^k (1 + fraction) - 1, arranged so that the subtraction comes before the scaling.
    if power > 60 {
        return scale(1.0 + fraction, power);
    }
    scale(fraction + (1.0 - scale(1.0, -power)), power)
}

/// The hyperbolic tangent.
pub fn tanh(x: f64) -> f64 {
    let size = x.abs();
    let result = if x.is_nan() || size < 3.7e-9 {
        return x;
    } else if size > 22.0 {
        1.0
    } else if size >= 1.0 {
        1.0 - 2.0 / (expm1(2.0 * size) + 2.0)
    } else {
        let less = expm1(-2.0 * size);
        -less / (less + 2.0)
    };
    result.copysign(x)
}

/// `1 / (1 + exp(-x))`
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let power = exp(x);
        power / (1.0 + power)
    }
}

/// e to the power of `x + low`, where `low` is at most half of the last place of `x`.
pub(super) fn exp_of_sum(x: f64, low: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x > LARGEST {
        return f64::INFINITY;
    }
    if x < SMALLEST {
        return 0.0;
    }
    let (power, reduced, correction) = reduce(x, low);
    let square = reduced * reduced;
    scale(1.0 + (reduced + (square * tail(reduced) + correction)), power)
}

/// `k`, `r` and `c` such that `x + low` is `k ln 2 + r + c` and `|r|` at most half of ln 2.
fn reduce(x: f64, low: f64) -> (i32, f64, f64) {
    let power = (x * std::f64::consts::LOG2_E + 0.5).floor();
    let high = x - power * LN2[0];
    let low = power * LN2[1] - low;
    let reduced = high - low;
    (power as i32, reduced, (high - reduced) - low)
}

/// `(exp(r) - 1 - r) / r²`
fn tail(r: f64) -> f64 {
    polynomial(
        r,
        [
            1.0 / 2.0,
            1.0 / 6.0,
            1.0 / 24.0,
            1.0 / 120.0,
            1.0 / 720.0,
            1.0 / 5_040.0,
            1.0 / 40_320.0,
            1.0 / 362_880.0,
            1.0 / 3_628_800.0,
            1.0 / 39_916_800.0,
            1.0 / 479_001_600.0,
            1.0 / 6_227_020_800.0,
        ],
    )
}

/// `x * 2^power`, in two steps since the power itself may be out of range.
fn scale(x: f64, power: i32) -> f64 {
    let half = power / 2;
    x * power_of_two(half) * power_of_two(power - half)
}

fn power_of_two(power: i32) -> f64 {
    f64::from_bits(u64::try_from(i64::from(power) + 1023).unwrap_or_default() << 52)
}

/// Above it the result overflows.
const LARGEST: f64 = 709.782_712_893_384;
/// Below it the result is less than half of the smallest subnormal.
const SMALLEST: f64 = -745.133_219_101_941_2;
