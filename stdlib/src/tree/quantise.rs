//! Gradients as integers, so that sums are exact and come out the same in any order, on any number of threads.
//!
//! Each round and class has one scale, a power of two chosen from the largest absolute gradient: 30 bits per row,
//! rounded to nearest. Shi et al. 2022 show that 2 to 5 bits with stochastic rounding suffice; with 30 the rounding is
//! far below what any split depends on and needs no random draw, and equal gradients stay equal. A device with
//! 32-bit counters adds the two halves of 15 bits apart, over at most 2^15 rows. Hessians have fewer bits where there
//! are many rows, so that a leaf's row count and hessian share one 64-bit word. Leaf values are taken from the exact
//! gradients, so quantisation can only ever change which of two almost equal splits is chosen.

use super::threads::{ROW_BLOCK, Workers, for_each};

const GRADIENT_LIMIT: f64 = (1 << 30) as f64;
/// Low bits of [`Cell::mass`] that hold the hessian; the row count has the 28 above.
const HESSIAN_BITS: u32 = 36;
const ONE_ROW: u64 = 1 << HESSIAN_BITS;
pub(super) const MAX_ROWS: usize = (1 << (64 - HESSIAN_BITS)) - 1;

/// Integer units per 1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub gradient: f64,
    pub hessian: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Quantised {
    gradient: i32,
    hessian: u32,
}

/// Sums over rows: gradient, and `rows << 36 | hessian`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(align(16))]
pub(super) struct Cell {
    gradient: u64,
    mass: u64,
}

/// Gradients and hessians (0 or more) to integers.
pub(super) fn quantise(
    gradients: &[f64],
    hessians: &[f64],
    quantised: &mut [Quantised],
    workers: Workers<'_>,
) -> Scale {
    // Whole, so that rounding cannot lift the sum of all rows over HESSIAN_BITS.
    let hessian_limit = (ONE_ROW as f64 / (gradients.len() as f64 + 1.0)).floor().min(GRADIENT_LIMIT);
    let scale = Scale {
        gradient: scale_for(largest(gradients), GRADIENT_LIMIT),
        hessian: scale_for(largest(hessians), hessian_limit),
    };
    let blocks = quantised
        .chunks_mut(ROW_BLOCK)
        .zip(gradients.chunks(ROW_BLOCK).zip(hessians.chunks(ROW_BLOCK)))
        .collect();
    for_each(workers, blocks, |(quantised, (gradients, hessians))| {
        for (slot, (gradient, hessian)) in quantised.iter_mut().zip(gradients.iter().zip(hessians)) {
            *slot = Quantised {
                gradient: round(gradient * scale.gradient),
                hessian: round(hessian * scale.hessian) as u32,
            };
        }
    });
    scale
}

impl Quantised {
    pub fn cell(self) -> Cell {
        Cell { gradient: i64::from(self.gradient) as u64, mass: ONE_ROW | u64::from(self.hessian) }
    }
}

impl Cell {
    pub fn add(&mut self, other: Cell) {
        self.gradient = self.gradient.wrapping_add(other.gradient);
        self.mass = self.mass.wrapping_add(other.mass);
    }

    pub fn minus(self, other: Cell) -> Cell {
        Cell {
            gradient: self.gradient.wrapping_sub(other.gradient),
            mass: self.mass.wrapping_sub(other.mass),
        }
    }

    pub fn is_empty(self) -> bool {
        self.mass == 0
    }

    pub fn gradient(self) -> f64 {
        self.gradient as i64 as f64
    }

    pub fn hessian(self) -> f64 {
        (self.mass & (ONE_ROW - 1)) as i64 as f64
    }

    pub fn rows(self) -> u32 {
        (self.mass >> HESSIAN_BITS) as u32
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

/// The power of two in `limit / largest / 2 ..= limit / largest`: integers and halves then stay exact.
fn scale_for(largest: f64, limit: f64) -> f64 {
    if largest == 0.0 {
        return 1.0;
    }
    let ratio = (limit / largest).clamp(f64::MIN_POSITIVE, f64::MAX);
    f64::from_bits(ratio.to_bits() & f64::INFINITY.to_bits())
}

/// To nearest, ties to even, by plain additions (they vectorise everywhere).
fn round(value: f64) -> i32 {
    const ROUND: f64 = 6_755_399_441_055_744.0;
    ((value + ROUND) - ROUND) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_integers_are_exact() {
        let gradients = [3.0, -1.5, 0.0];
        let hessians = [1.0, 1.0, 0.25];
        let mut quantised = [Quantised::default(); 3];
        let scale = quantise(&gradients, &hessians, &mut quantised, 1.into());
        let mut sum = Cell::default();
        quantised.iter().for_each(|row| sum.add(row.cell()));
        assert_eq!(sum.gradient() / scale.gradient, 1.5);
        assert_eq!(sum.hessian() / scale.hessian, 2.25);
        assert_eq!(sum.rows(), 3);
        let rest = sum.minus(quantised[0].cell());
        assert_eq!((rest.gradient() / scale.gradient, rest.rows()), (-1.5, 2));
    }

    #[test]
    fn extreme_scales_stay_finite() {
        for largest in [0.0, 5e-324, 1e-300, 1.0, 1e300, f64::MAX] {
            let scale = scale_for(largest, GRADIENT_LIMIT);
            assert!(scale.is_finite() && scale > 0.0 && (largest * scale) <= GRADIENT_LIMIT);
        }
    }
}
