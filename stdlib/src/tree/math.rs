//! exp and ln as polynomials: the platform's own differ in the last bits between systems, and models must not.

const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 1 / n! for n from 0.
const INVERSE_FACTORIALS: [f64; 14] = {
    let mut table = [1.0; 14];
    let (mut n, mut factorial) = (1, 1.0);
    while n < table.len() {
        factorial *= n as f64;
        table[n] = 1.0 / factorial;
        n += 1;
    }
    table
};

/// e^x within 2 units in the last place; saturates outside -708..=709 instead of reaching 0 or infinity.
pub(super) fn exp(x: f64) -> f64 {
    // Adding and taking away 1.5 * 2^52 rounds to an integer with plain additions, which vectorise everywhere.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let x = x.clamp(-708.0, 709.0);
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    // Taylor up to r^13 / 13!: for |r| <= ln(2) / 2 the rest is below 2^-57.
    let mut sum = INVERSE_FACTORIALS[13];
    for factor in INVERSE_FACTORIALS[..13].iter().rev() {
        sum = sum * r + factor;
    }
    let exponent = (shifted.to_bits().wrapping_sub(ROUND.to_bits())).wrapping_add(1023);
    sum * f64::from_bits(exponent << 52)
}

/// Natural logarithm within 3 units in the last place, for positive, normal, finite x.
pub(super) fn ln(x: f64) -> f64 {
    // x = 2^k * m with m in sqrt(1/2)..sqrt(2); ln m = 2 atanh((m - 1) / (m + 1)).
    let offset = x.to_bits().wrapping_sub(std::f64::consts::FRAC_1_SQRT_2.to_bits());
    let k = (offset as i64) >> 52;
    let m = f64::from_bits(x.to_bits().wrapping_sub((k as u64) << 52));
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for odd in [23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        sum = (sum + 1.0 / odd) * square;
    }
    let k = k as f64;
    k * LN2_HIGH + (k * LN2_LOW + (2.0 * s * sum + 2.0 * s))
}

/// 1 / (1 + e^-x).
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_platform() {
        for step in -70_000..=70_000 {
            let x = f64::from(step) * 0.01;
            assert!((exp(x) / x.exp() - 1.0).abs() < 5e-16, "exp({x})");
            let y = x.exp();
            assert!((ln(y) - y.ln()).abs() <= 4e-16 * y.ln().abs().max(1.0), "ln({y})");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(ln(1.0), 0.0);
        assert!(exp(-1e300) > 0.0 && exp(1e300).is_finite());
    }
}
