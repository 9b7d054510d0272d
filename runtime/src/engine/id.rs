//! Ids of runs: eight letters and digits that sort by time and are read aloud without doubt.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Crockford's: without i, l, o and u.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 2025-01-01T00:00:00Z. Forty bits of milliseconds from here last until 2059.
const EPOCH: Duration = Duration::from_secs(1_735_689_600);

/// Ids for a run that begins now, each later than the one before.
pub struct Ids {
    next: u64,
}

pub fn ids_from_now() -> Ids {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ids { next: u64::try_from(now.saturating_sub(EPOCH).as_millis()).unwrap_or(u64::MAX) }
}

impl Ids {
    pub fn next(&mut self) -> String {
        self.next = self.next.wrapping_add(1);
        let digit = |place: u32| self.next >> (5 * place) & 31;
        (0..8)
            .rev()
            .filter_map(|place| DIGITS.get(digit(place) as usize))
            .map(|digit| char::from(*digit))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let mut ids = Ids { next: 31 };
        assert_eq!([ids.next(), ids.next()], ["00000010", "00000011"]);
        let mut ids = ids_from_now();
        let ids: Vec<String> = (0..100).map(|_| ids.next()).collect();
        assert!(ids.is_sorted());
    }
}
