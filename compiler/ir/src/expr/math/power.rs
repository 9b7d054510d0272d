//! Powers.

use super::{double, exp::exp_of_sum, log::log_double};

/// `x` to the power of `y`, with the special cases of IEEE 754-2019, 9.2.1: `pow(x, 0)` and
/// `pow(1, y)` are 1 even for NaN, a negative `x` has powers for integers alone.
pub fn pow(x: f64, y: f64) -> f64 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let is_integer = y.is_finite() && y.trunc() == y;
    // From 2^53 on every float is even.
    let is_odd = is_integer && y.abs() < 9_007_199_254_740_992.0 && (y as i64) % 2 != 0;
    let sign = if is_odd && x.is_sign_negative() { -1.0 } else { 1.0 };
    let size = x.abs();
    if y.is_infinite() {
        return if size == 1.0 {
            1.0
        } else if (size > 1.0) == (y > 0.0) {
            f64::INFINITY
        } else {
            0.0
        };
    }
    if size == 0.0 || size == f64::INFINITY {
        return sign * if (size == 0.0) == (y > 0.0) { 0.0 } else { f64::INFINITY };
    }
    if x < 0.0 && !is_integer {
        return f64::NAN;
    }
    if size == 1.0 {
        return sign;
    }
    let logarithm = log_double(size);
    let estimate = y * logarithm.0;
    if estimate.abs() > 750.0 {
        return sign * if estimate > 0.0 { f64::INFINITY } else { 0.0 };
    }
    let (high, low) = double::product(y, logarithm.0);
    let (high, low) = double::ordered_sum(high, low + y * logarithm.1);
    sign * exp_of_sum(high, low)
}
