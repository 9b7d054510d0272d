//! Virtual time: what will happen, and when.

use std::{cmp::Ordering, collections::BinaryHeap};

/// What will happen, in the order of its time; what happens at one time, in the order in which it was added.
#[derive(Debug)]
pub struct Timeline<T> {
    now: i64,
    added: u64,
    coming: BinaryHeap<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    time: i64,
    number: u64,
    what: T,
}

impl<T> Timeline<T> {
    /// Begins at that time, in microseconds.
    pub fn new(now: i64) -> Self {
        Self { now, added: 0, coming: BinaryHeap::new() }
    }

    /// Microseconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// `what` happens so many microseconds from now; now, where that is in the past.
    pub fn add(&mut self, delay: i64, what: T) {
        self.added += 1;
        self.coming.push(Entry { time: self.now.saturating_add(delay.max(0)), number: self.added, what });
    }

    /// When the next thing happens.
    pub fn next_time(&self) -> Option<i64> {
        self.coming.peek().map(|entry| entry.time)
    }

    /// Goes on to the next thing that happens.
    pub fn pop(&mut self) -> Option<T> {
        let entry = self.coming.pop()?;
        self.now = self.now.max(entry.time);
        Some(entry.what)
    }

    /// Goes on to a time, over nothing that happens before it.
    pub fn advance(&mut self, time: i64) {
        self.now = self.now.max(time.min(self.next_time().unwrap_or(i64::MAX)));
    }
}

impl<T> Ord for Entry<T> {
    /// The greatest comes first out of the heap: the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.number).cmp(&(self.time, self.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_in_the_order_of_their_time_and_then_of_their_adding() {
        let mut timeline = Timeline::new(100);
        for (delay, what) in [(5, "c"), (0, "a"), (5, "d"), (-7, "b")] {
            timeline.add(delay, what);
        }
        let order: Vec<_> =
            std::iter::from_fn(|| timeline.pop().map(|what| (timeline.now(), what))).collect();
        assert_eq!(order, [(100, "a"), (100, "b"), (105, "c"), (105, "d")]);
        timeline.add(10, "e");
        timeline.advance(200);
        assert_eq!(timeline.now(), 115, "nothing is passed over");
    }
}
