//! Draws of rows and features, a function of the seed alone.

/// SplitMix64 (Steele, Lea & Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// An independent stream for each (seed, stream).
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Self(seed);
        let start = mixed.next() ^ stream.wrapping_mul(0xd134_2543_de82_ef95);
        Self(Self(start).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..bound; the bias of the multiplication is below bound / 2^64.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// `count` of `0..total` without replacement, ascending (selection sampling, Knuth 3.4.2 S).
    pub(super) fn choose(&mut self, count: usize, total: usize) -> Vec<u32> {
        let mut chosen = Vec::with_capacity(count);
        for item in 0..total {
            let wanted = count - chosen.len();
            if self.below((total - item) as u64) < wanted as u64 {
                chosen.push(item as u32);
            }
        }
        chosen
    }
}

/// How many a share of `total` is: at least one.
pub(super) fn share_of(share: f64, total: usize) -> usize {
    ((share * total as f64).round() as usize).clamp(1.min(total), total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_exactly_and_evenly() {
        let mut hits = [0; 10];
        for stream in 0..10_000 {
            let chosen = Random::new(7, stream).choose(3, 10);
            assert_eq!(chosen.len(), 3);
            assert!(chosen.is_sorted());
            chosen.iter().for_each(|&item| hits[item as usize] += 1);
        }
        // 3000 expected each, standard deviation 46.
        assert!(hits.iter().all(|&hit| (2_800..3_200).contains(&hit)), "{hits:?}");
    }
}
