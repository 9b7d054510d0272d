//! Who gets what, and who gives what back: a pure function over all runs that share a machine.
//!
//! Who holds the fewest cores goes first; among equals who has waited longest. Nothing is taken from a running node:
//! who holds more than its share gives back what its nodes finish with, and who has had its turn gives way to one that
//! holds less. So cores converge to equal shares where there are enough of them, and go around where there are not.

use super::super::{
    amount::{Amount, Lack, Need},
    machine::Machine,
};

/// One run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Its process; 0 where there is none.
    pub process: u32,
    pub run: String,
    /// What it takes the whole machine to be. Pools are none of it.
    pub machine: Machine,
    /// How much it may use, in cores and memory.
    pub limit: (u32, u64),
    pub held: Amount,
    /// Handed out, and not yet seen by the run.
    pub granted: Amount,
    /// At most [`WANTS`].
    pub wants: Vec<Want>,
    /// What others ask of it: of the `PRESSURE` constants.
    pub pressure: u32,
}

/// What a run waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Want {
    pub need: Need,
    /// How many places the pool of the need has.
    pub places: u32,
    /// Rises with each want of all runs.
    pub ticket: u64,
    /// Microseconds of the monotonic clock.
    pub since: u64,
}

/// How many needs a run waits for at once: while one waits for a pool or a GPU, others may find room.
pub const WANTS: usize = 4;

/// Give back what is not used.
pub const UNUSED: u32 = 1;
/// Give back also what its nodes finish with, once it has had its turn.
pub const AFTER_TURN: u32 = 2;
/// Give back what its nodes finish with: it holds more than its share.
pub const NOW: u32 = 4;

/// After this long nobody overtakes a run in what it waits for, though its need be large. In microseconds; a guess:
/// some turns of others.
const PATIENCE: u64 = 500_000;

impl Entry {
    /// What others must leave it.
    pub fn total(&self) -> Amount {
        let mut total = self.held.clone();
        total.add(&self.granted);
        total
    }
}

/// Hands out what is free to those who wait for it, and says who is asked to give back what the rest waits for.
pub fn share(entries: &mut [Entry], now: u64) {
    let mut used = Amount::default();
    for entry in entries.iter_mut() {
        entry.pressure = 0;
        used.add(&entry.total());
    }
    let mut waiting: Vec<(usize, Want)> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        waiting.extend(entry.wants.iter().map(|want| (index, want.clone())));
    }
    waiting.sort_by_key(|(index, want)| {
        let is_patient = now.saturating_sub(want.since) < PATIENCE;
        let cores = if is_patient { entries.get(*index).map_or(0, |entry| entry.total().cores) } else { 0 };
        (is_patient, cores, want.ticket)
    });
    let first = waiting.first().map(|(index, _)| *index);
    let is_alone = waiting.iter().all(|(index, _)| Some(*index) == first);
    let mut reserved = Lack::default();
    for (index, want) in &waiting {
        let Some(entry) = entries.get_mut(*index) else { continue };
        match entry.capacity(want).place(&used, &want.need, &entry.machine) {
            Ok(amount) if !want.need.touches(reserved) => {
                used.add(&amount);
                entry.granted.add(&amount);
                entry.wants.retain(|other| other.ticket != want.ticket);
            }
            Ok(_) => {}
            Err(lack) => {
                if now.saturating_sub(want.since) >= PATIENCE {
                    reserved = reserved.or(lack);
                }
                let cores = entry.total().cores;
                let others = entries.iter_mut().enumerate().filter(|(other, _)| other != index);
                others.for_each(|(_, other)| other.press(&want.need, lack, cores));
            }
        }
    }
    if let Some(entry) = first.filter(|_| is_alone).and_then(|first| entries.get_mut(first)) {
        let rest = if entry.granted.is_empty() { Amount::default() } else { entry.rest(&used) };
        entry.granted.add(&rest);
    }
}

impl Entry {
    /// All that there is, as this run sees it: its pool too.
    fn capacity(&self, want: &Want) -> Amount {
        let mut capacity = self.machine.whole();
        capacity.pools = want.need.pool.iter().map(|pool| (pool.clone(), want.places)).collect();
        capacity
    }

    /// The cores and the memory that nobody holds, as far as this run may use them.
    fn rest(&self, used: &Amount) -> Amount {
        let (cores, memory) = self.limit;
        let total = self.total();
        let left = |whole: u64, used: u64, limit: u64, own: u64| {
            whole.saturating_sub(used).min(limit.saturating_sub(own))
        };
        let free_cores = left(self.machine.cores.into(), used.cores.into(), cores.into(), total.cores.into());
        Amount {
            cores: u32::try_from(free_cores).unwrap_or_default(),
            memory: left(self.machine.memory, used.memory, memory, total.memory),
            ..Amount::default()
        }
    }

    /// Somebody who holds so many cores waits for what this run may have.
    fn press(&mut self, need: &Need, lack: Lack, cores: u32) {
        let total = self.total();
        if lack.cores && total.cores > 0 {
            self.pressure |= UNUSED;
            if cores < total.cores {
                self.pressure |= AFTER_TURN;
            }
            if cores.saturating_add(1) < total.cores {
                self.pressure |= NOW;
            }
        }
        let has_more = lack.memory && total.memory > 0
            || lack.gpus && !total.gpus.is_empty()
            || lack.pool && need.pool.as_ref().is_some_and(|pool| total.pool(pool) > 0);
        if has_more {
            self.pressure |= UNUSED | AFTER_TURN;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GIB: u64 = 1 << 30;

    fn entry(cores: u32) -> Entry {
        let machine = Machine { cores: 2, memory: 8 * GIB, ..Machine::default() };
        let held = Amount { cores, memory: u64::from(cores) * GIB, ..Amount::default() };
        Entry { process: 1, limit: (2, 8 * GIB), machine, held, ..Entry::default() }
    }

    fn wanting(held: u32, cores: u32, ticket: u64) -> Entry {
        let need = Need { cores, memory: GIB, ..Need::default() };
        Entry { wants: vec![Want { need, places: 0, ticket, since: 0 }], ..entry(held) }
    }

    #[test]
    fn who_is_alone_gets_all_that_is_free() {
        let mut entries = [wanting(0, 1, 1)];
        share(&mut entries, 0);
        assert_eq!((entries[0].granted.cores, entries[0].granted.memory), (2, 8 * GIB));
        assert_eq!(entries[0].wants, []);
    }

    #[test]
    fn who_holds_more_gives_way() {
        let mut entries = [entry(2), wanting(0, 1, 1)];
        share(&mut entries, 0);
        assert_eq!(entries[0].pressure, UNUSED | AFTER_TURN | NOW);
        // One core each is fair: nobody is asked for what is in use.
        let mut entries = [wanting(1, 1, 1), entry(1)];
        share(&mut entries, 0);
        assert_eq!(entries[1].pressure, UNUSED);
        // More runs than cores: they take turns.
        let mut entries = [entry(1), entry(1), wanting(0, 1, 1)];
        share(&mut entries, 0);
        assert_eq!(entries.map(|entry| entry.pressure), [UNUSED | AFTER_TURN, UNUSED | AFTER_TURN, 0]);
    }

    #[test]
    fn a_large_need_waits_its_time_and_is_then_overtaken_by_nobody() {
        let granted = |now| {
            let mut entries = [entry(1), wanting(0, 2, 1), wanting(0, 1, 2)];
            share(&mut entries, now);
            entries.map(|entry| entry.granted.cores)
        };
        assert_eq!(granted(0), [0, 0, 1]);
        assert_eq!(granted(PATIENCE), [0, 0, 0]);
    }

    proptest! {
        /// However often runs want and give back, in whatever order: no more is held than there is, and who wants
        /// gets it when the others have given back.
        #[test]
        fn never_more_than_there_is(
            steps in prop::collection::vec((0_usize..5, 0_u32..3, 0_u64..5), 1..200),
        ) {
            let mut entries = vec![entry(0); 5];
            for (ticket, (run, cores, memory)) in (0..).zip(steps) {
                let entry = &mut entries[run];
                let granted = std::mem::take(&mut entry.granted);
                entry.held.add(&granted);
                if cores == 0 {
                    entry.held = Amount::default();
                } else {
                    let need = Need { cores, memory: memory * GIB, ..Need::default() };
                    entry.wants = vec![Want { need, places: 0, ticket, since: ticket * 50_000 }];
                }
                share(&mut entries, ticket * 50_000);
                let mut used = Amount::default();
                entries.iter().for_each(|entry| used.add(&entry.total()));
                prop_assert!(used.cores <= 2 && used.memory <= 8 * GIB);
                prop_assert!(
                    !used.is_empty() || entries.iter().all(|entry| entry.wants.is_empty()),
                    "somebody waits though nobody holds anything"
                );
            }
        }
    }
}
