//! Elementary functions that give the same bits on every platform.
//!
//! Each is built from additions, multiplications, divisions and comparisons of f64, which IEEE 754
//! defines to the last bit; nothing here calls the platform's mathematical library, whose results
//! differ between systems and versions. The interpreter, DataFusion and kernels call these very
//! functions. The methods are classic (W. Cody and W. Waite, "Software Manual for the Elementary
//! Functions", 1980; fdlibm, 1993; M. Payne and R. Hanek, "Radian reduction for trigonometric
//! functions", 1983); the code and the coefficients, which are those of the Taylor series, are not
//! theirs.
//!
//! Largest error found against the references in the tests, over all magnitudes: `exp`, `log`,
//! `log1p`, `sin`, `cos` and `pow` one unit in the last place, `expm1` and `sigmoid` two, `tanh` three.
//! Each test holds its bound, and one test holds the bits.

mod double;
mod exp;
mod log;
mod power;
#[cfg(test)]
mod tests;
mod trigonometric;

pub use exp::{exp, expm1, sigmoid, tanh};
pub use log::{log, log1p};
pub use power::pow;
pub use trigonometric::{cos, sin};

/// `coefficients[0] + x * (coefficients[1] + x * …)`
fn polynomial<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    coefficients.into_iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// ln 2 in parts; the first has 42 bits, so that its product with an exponent is exact.
const LN2: [f64; 3] = [0.693_147_180_559_890_3, 5.497_923_018_708_371e-14, 1.947_045_092_380_75e-31];
