//! Sine and cosine, of any finite number of radians.

use super::{double, polynomial};

pub fn sin(x: f64) -> f64 {
    // The cube is below half of the last place, and a negative zero stays one.
    if x.abs() < 1.8e-8 {
        return x;
    }
    let Some((quarter, high, low)) = reduce(x) else { return f64::NAN };
    match quarter {
        0 => sine(high, low),
        1 => cosine(high, low),
        2 => -sine(high, low),
        _ => -cosine(high, low),
    }
}

pub fn cos(x: f64) -> f64 {
    let Some((quarter, high, low)) = reduce(x) else { return f64::NAN };
    match quarter {
        0 => cosine(high, low),
        1 => -sine(high, low),
        2 => -cosine(high, low),
        _ => sine(high, low),
    }
}

/// The number of quarter turns in `x`, from 0 to 3, and what is left of it, between -π/4 and π/4, in
/// two parts. None where `x` is not finite.
///
/// Payne and Hanek's way: of the product of `x` and 2/π only the bits from the value 2 down matter,
/// and those come from 192 bits of 2/π, which stand where the exponent of `x` says.
fn reduce(x: f64) -> Option<(u64, f64, f64)> {
    if !x.is_finite() {
        return None;
    }
    let size = x.abs();
    if size <= std::f64::consts::FRAC_PI_4 {
        return Some((0, x, 0.0));
    }
    let bits = size.to_bits();
    let mantissa = u128::from((bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000);
    let exponent = usize::try_from(bits >> 52).ok()?;
    // `size` is `mantissa 2^(exponent - 1075)`. Bits of 2/π worth 4 or more times the mantissa are
    // whole turns; before the first bit of 2/π stands one word of zeros.
    let skipped = exponent + 64 - 1077;
    let (word, shift) = (skipped / 64, skipped % 64);
    let at = |index: usize| {
        let pair = |index: usize| u128::from(TWO_OVER_PI.get(index).copied().unwrap_or_default());
        (((pair(index) << 64 | pair(index + 1)) << shift) >> 64) & u128::from(u64::MAX)
    };
    let low = mantissa * at(word + 2);
    let middle = mantissa * at(word + 1) + (low >> 64);
    let high = mantissa.wrapping_mul(at(word)).wrapping_add(middle >> 64);
    let (high, middle, low) = (high as u64, middle as u64, low as u64);

    // Two bits of quarter turns; below them a fraction of one, which is read as signed.
    let fraction = (u128::from(high << 2 | middle >> 62) << 64) | u128::from(middle << 2 | low >> 62);
    let signed = fraction as i128;
    let quarter = (high >> 62).wrapping_add(u64::from(signed < 0)) & 3;
    let leading = signed as f64;
    let trailing = (signed.wrapping_sub(leading as i128)) as f64;
    const TURN: f64 = 1.0 / (1u128 << 127) as f64 / 2.0;
    let (leading, trailing) = (leading * TURN, trailing * TURN);
    let product = double::product(leading, HALF_PI.0);
    let (high, low) =
        double::ordered_sum(product.0, product.1 + (leading * HALF_PI.1 + trailing * HALF_PI.0));
    if x > 0.0 { Some((quarter, high, low)) } else { Some((quarter.wrapping_neg() & 3, -high, -low)) }
}

/// The sine of `x + low`, for `|x|` up to π/4.
fn sine(x: f64, low: f64) -> f64 {
    let square = x * x;
    let series = polynomial(
        square,
        [
            -1.0 / 6.0,
            1.0 / 120.0,
            -1.0 / 5_040.0,
            1.0 / 362_880.0,
            -1.0 / 39_916_800.0,
            1.0 / 6_227_020_800.0,
            -1.0 / 1_307_674_368_000.0,
            1.0 / 355_687_428_096_000.0,
        ],
    );
    x + (x * square * series + low * (1.0 - 0.5 * square))
}

/// The cosine of `x + low`, for `|x|` up to π/4.
fn cosine(x: f64, low: f64) -> f64 {
    let square = x * x;
    let series = polynomial(
        square,
        [
            1.0 / 24.0,
            -1.0 / 720.0,
            1.0 / 40_320.0,
            -1.0 / 3_628_800.0,
            1.0 / 479_001_600.0,
            -1.0 / 87_178_291_200.0,
            1.0 / 20_922_789_888_000.0,
            -1.0 / 6_402_373_705_728_000.0,
        ],
    );
    let half = 0.5 * square;
    let rough = 1.0 - half;
    rough + (((1.0 - rough) - half) + (square * square * series - x * low))
}

const HALF_PI: double::Double = (std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17);

/// The binary digits of 2/π behind one word of zeros: enough for the largest f64.
const TWO_OVER_PI: [u64; 21] = [
    0x0000_0000_0000_0000,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];
