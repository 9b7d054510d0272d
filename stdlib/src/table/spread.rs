//! Whether hashes are spread evenly, as those of rows are that nobody has drawn from yet.
//!
//! Rows that one split has parted by their Ids cannot be parted again by the same hashes: all of them are on one
//! side of its share. That shows in a stretch at one end that no hash lies in.

use rustc_hash::FxHashSet;

/// Different hashes that are looked at: with so many a stretch of 1% is found.
const MOST: usize = 4096;
/// A gap that is less likely than this is no chance.
const CHANCE: f64 = 1e-15;

/// The first different hashes, each between 0 and 1.
#[derive(Debug, Default)]
pub(super) struct Spread {
    seen: FxHashSet<u64>,
    low: Option<f64>,
    high: Option<f64>,
}

impl Spread {
    pub fn add(&mut self, hash: f64) {
        if self.seen.len() < MOST && self.seen.insert(hash.to_bits()) {
            self.low = Some(self.low.map_or(hash, |low| low.min(hash)));
            self.high = Some(self.high.map_or(hash, |high| high.max(hash)));
        }
    }

    /// Whether one end is missing, beyond what chance does.
    pub fn is_cut(&self) -> bool {
        let (Some(low), Some(high)) = (self.low, self.high) else { return false };
        let Ok(count) = i32::try_from(self.seen.len()) else { return false };
        (1.0 - low).powi(count) < CHANCE || high.powi(count) < CHANCE
    }
}
