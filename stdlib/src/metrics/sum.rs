//! Sums of floats that hardly lose digits, always in the order of the rows.

/// A compensated sum (Neumaier 1974): the error does not grow with the number of terms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost +=
            if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    /// An infinity or NaN among the terms stands, as it does in a plain sum.
    pub fn total(self) -> f64 {
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_beside_large_ones_are_kept() {
        let terms = [1.0, 1e100, 1.0, -1e100];
        assert_eq!(Sum::from_iter(terms).total(), 2.0);
        assert_eq!(Sum::from_iter([1.0, f64::INFINITY]).total(), f64::INFINITY);
        assert_eq!(Sum::default().total(), 0.0);
    }
}
