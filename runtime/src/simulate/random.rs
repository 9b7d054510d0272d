//! Numbers that look random and follow from a seed alone.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, not including, `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // By multiplication (Lemire 2019), without the rejection: the bias is below 2^-40 for ends below 2^24.
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// A place in a list of that length; 0 where it is empty.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// From `start` to `end`, both included.
    pub fn between(&mut self, start: i64, end: i64) -> i64 {
        start.saturating_add_unsigned(self.below(end.saturating_sub(start).unsigned_abs() + 1))
    }

    /// True `percent` times out of a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}
