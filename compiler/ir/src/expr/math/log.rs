//! The natural logarithm.

use super::{
    LN2,
    double::{self, Double},
    polynomial,
};

/// The natural logarithm: NaN below zero, minus infinity at zero.
pub fn log(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x <= 0.0 {
        return if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    }
    let (power, mantissa) = decompose(x);
    log_of_parts(power, mantissa - 1.0, 0.0)
}

/// `log(1 + x)`, exact to the last place or so near zero too.
pub fn log1p(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY || x.abs() < 5.5e-17 {
        return x;
    }
    if x <= -1.0 {
        return if x == -1.0 { f64::NEG_INFINITY } else { f64::NAN };
    }
    if x > -0.29 && x < 0.41 {
        return log_of_parts(0.0, x, 0.0);
    }
    let (shifted, lost) = double::sum(1.0, x);
    let (power, mantissa) = decompose(shifted);
    log_of_parts(power, mantissa - 1.0, lost / shifted)
}

/// The natural logarithm of a finite number above zero, with about 65 good bits.
pub(super) fn log_double(x: f64) -> Double {
    let (power, mantissa) = decompose(x);
    let f = mantissa - 1.0;
    // s = f / (2 + f), and log(1 + f) = 2 (s + s z (1/3 + z/5 + z²/7 + …)) with z = s².
    let divisor = double::sum(2.0, f);
    let high = f / divisor.0;
    let covered = double::product(high, divisor.0);
    let s = (high, (((f - covered.0) - covered.1) - high * divisor.1) / divisor.0);
    let z = double::multiply(s, s);
    let third = double::multiply(z, THIRD);
    let rest = z.0 * z.0 * polynomial(z.0, AREA_TANGENT);
    let series = double::ordered_sum(third.0, third.1 + rest);
    let correction = double::multiply(s, series);
    let half = double::add(s, correction);
    let whole_part = double::sum(power * LN2[0], power * LN2[1]);
    double::add(whole_part, (2.0 * half.0, 2.0 * half.1 + power * LN2[2]))
}

/// `power ln 2 + log(1 + f) + correction`, for `f` between -0.3 and 0.42.
fn log_of_parts(power: f64, f: f64, correction: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let series = z * (2.0 / 3.0 + 2.0 * z * polynomial(z, AREA_TANGENT));
    let half_square = 0.5 * f * f;
    let low = s * (half_square + series) + (power * LN2[1] + correction);
    power * LN2[0] - ((half_square - low) - f)
}

/// `k` and `m` such that `x` is `m 2^k`, with `m` between the roots of 1/2 and 2.
fn decompose(x: f64) -> (f64, f64) {
    let (x, shift) = if x < f64::MIN_POSITIVE { (x * 18_014_398_509_481_984.0, 54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = i32::try_from(bits >> 52).unwrap_or_default() - 1023 - shift;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        (f64::from(exponent + 1), 0.5 * mantissa)
    } else {
        (f64::from(exponent), mantissa)
    }
}

const THIRD: Double = (1.0 / 3.0, 1.850_371_707_708_594e-17);

/// 1/5, 1/7, …: the series of the inverse hyperbolic tangent from its third term on.
const AREA_TANGENT: [f64; 10] = [
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
    1.0 / 23.0,
];
