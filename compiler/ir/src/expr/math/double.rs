//! Unevaluated sums of two f64, with about 106 bits (T. Dekker, "A floating-point technique for
//! extending the available precision", 1971).

/// High and low part.
pub type Double = (f64, f64);

/// `a + b` exactly.
pub fn sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let from_b = high - a;
    (high, (a - (high - from_b)) + (b - from_b))
}

/// `a + b` exactly, where `a` is not the smaller one.
pub fn ordered_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    (high, b - (high - a))
}

/// `a * b` exactly, unless it overflows or underflows.
pub fn product(a: f64, b: f64) -> Double {
    let high = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    (high, a_low * b_low - (((high - a_high * b_high) - a_low * b_high) - a_high * b_low))
}

pub fn multiply(a: Double, b: Double) -> Double {
    let (high, low) = product(a.0, b.0);
    ordered_sum(high, low + (a.0 * b.1 + a.1 * b.0))
}

pub fn add(a: Double, b: Double) -> Double {
    let (high, low) = sum(a.0, b.0);
    ordered_sum(high, low + (a.1 + b.1))
}

/// Two halves of 26 bits.
fn split(a: f64) -> Double {
    let shifted = a * 134_217_729.0;
    let high = shifted - (shifted - a);
    (high, a - high)
}
