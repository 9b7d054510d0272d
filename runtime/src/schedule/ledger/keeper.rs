//! One run's side of the ledger: what it has been lent and what of that it uses, and the thread that asks for more and
//! gives back.

use std::{
    fs::{self, File},
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustc_hash::FxHashSet;

use super::{
    super::{
        amount::{Amount, Lack, Need},
        machine::Machine,
    },
    Joining, pool_key,
    share::{AFTER_TURN, Entry, NOW, WANTS, Want, share},
    table::Table,
};

pub struct Keeper {
    table: Table,
    place: usize,
    /// Locked as long as this run lives.
    _life: File,
    machine: Machine,
    limit: (u32, u64),
    scope: PathBuf,
    run: String,
    notify: Box<dyn Fn() + Send + Sync>,
    say: Box<dyn Fn(String) + Send + Sync>,
    pub is_closing: AtomicBool,
    account: Mutex<Account>,
}

#[derive(Default)]
struct Account {
    held: Amount,
    used: Amount,
    /// The first needs since the last settling that were refused.
    refused: Vec<Need>,
    /// What is asked for; those without a ticket the table does not know yet.
    wants: Vec<Want>,
    /// Something was lent since the last settling: the run has not had its chance to use it. Until then nothing of it
    /// goes back, whoever waits: two runs that each give way to the other at once would do so for ever.
    is_fresh: bool,
    /// It was lent when something had been refused already, which is to be tried again.
    is_late: bool,
    /// Until when it may go on with what it holds though others wait; monotonic microseconds.
    turn_ends: u64,
}

/// How long a run may go on with a core while others wait for one. Long against handing it over, which takes some 100
/// microseconds; short for who waits.
const TURN: u64 = 20_000;
/// How often who waits looks whether a holder has died.
const LOOK: Duration = Duration::from_millis(20);
/// How long one waits before telling that a holder is stopped.
const SILENCE: u64 = 1_000_000;

impl Keeper {
    /// Whoever is alone starts with all that it may use.
    pub fn new(table: Table, place: usize, life: File, joining: Joining) -> Result<Self, String> {
        let Joining { run, machine, limit, scope, notify, say } = joining;
        table.pressure(place).store(0, Ordering::Relaxed);
        let mut keeper = Self {
            table,
            place,
            _life: life,
            machine,
            limit,
            scope,
            run,
            notify,
            say,
            is_closing: AtomicBool::new(false),
            account: Mutex::default(),
        };
        let begin = || -> std::io::Result<Amount> {
            let mut told = FxHashSet::default();
            let locked = keeper.table.lock(&mut |process| {
                keeper.tell_stuck(process, &mut told);
                true
            })?;
            let entries = locked.read();
            let mut is_alone = true;
            for (other, _) in entries.iter().enumerate().filter(|(_, entry)| entry.process != 0) {
                if other == place || !keeper.table.is_alive(other) {
                    locked.write(other, &Entry::default());
                } else {
                    is_alone = false;
                }
            }
            let held = if is_alone { keeper.all() } else { Amount::default() };
            locked.write(place, &Entry { held: held.clone(), ..keeper.entry() });
            Ok(held)
        };
        let held = begin().map_err(|error| error.to_string())?;
        keeper.account = Mutex::new(Account { held, is_fresh: true, ..Account::default() });
        Ok(keeper)
    }

    pub fn take(&self, need: &Need) -> Result<Amount, Lack> {
        let keyed = Need { pool: need.pool.as_ref().map(|pool| pool_key(&self.scope, pool)), ..need.clone() };
        let mut account = self.lock();
        let result = if self.is_yielding(&account) {
            Err(Lack { cores: true, ..Lack::default() })
        } else {
            account.held.place(&account.used, &keyed, &self.machine)
        };
        match result {
            Ok(amount) => {
                account.used.add(&amount);
                let pools = need.pool.iter().map(|pool| (pool.clone(), 1)).collect();
                Ok(Amount { pools, ..amount })
            }
            Err(lack) => {
                if account.refused.len() < WANTS && !account.refused.contains(&keyed) {
                    account.refused.push(keyed);
                }
                Err(lack)
            }
        }
    }

    pub fn give(&self, amount: &Amount) {
        let pools = amount.pools.iter().map(|(pool, places)| (pool_key(&self.scope, pool), *places));
        self.lock().used.remove(&Amount { pools: pools.collect(), ..amount.clone() });
    }

    /// What was refused is asked for; what is not used goes back if anybody waits for it.
    pub fn settle(&self) {
        let mut account = self.lock();
        let refused = std::mem::take(&mut account.refused);
        if std::mem::take(&mut account.is_late) {
            // Who lent it tells the run, and that settles again.
            return;
        }
        account.is_fresh = false;
        let is_new = !refused.iter().eq(account.wants.iter().map(|want| &want.need));
        if is_new {
            let mut known = std::mem::take(&mut account.wants);
            let want = |need: Need| match known.iter().position(|want| want.need == need) {
                Some(index) => known.swap_remove(index),
                None => Want { places: self.places(&need), need, ticket: 0, since: now() },
            };
            account.wants = refused.into_iter().map(want).collect();
        }
        // Not looked at before: what is asked of this run while it has its chance, only this hears.
        let pressure = self.table.pressure(self.place).load(Ordering::Acquire);
        let gives = pressure != 0 && account.held != account.used;
        drop(account);
        if is_new || gives {
            self.ring();
        }
    }

    pub fn ring(&self) {
        self.table.ring(self.place);
    }

    /// Until the run ends.
    pub fn keep(&self) {
        let mut told = FxHashSet::default();
        let (mut looks, mut has_dead) = (0_u32, false);
        loop {
            let bell = self.table.bell(self.place).load(Ordering::Acquire);
            let is_closing = self.is_closing.load(Ordering::Acquire);
            let is_waiting = self.turn(has_dead, &mut told).unwrap_or(true);
            if is_closing {
                return;
            }
            loop {
                self.table.wait(self.place, bell, is_waiting.then_some(LOOK));
                looks = looks.wrapping_add(1);
                has_dead = is_waiting && self.has_dead();
                // Now and then all is looked at again, whoever may have died in the middle of a change.
                let is_due = looks.is_multiple_of(25);
                if is_due || has_dead || self.table.bell(self.place).load(Ordering::Acquire) != bell {
                    break;
                }
            }
        }
    }

    /// Takes what was granted, says what is wanted, gives back, and hands out what is free. Whether it still waits.
    fn turn(&self, has_dead: bool, told: &mut FxHashSet<u32>) -> std::io::Result<bool> {
        let locked = self.table.lock(&mut |process| {
            self.tell_stuck(process, told);
            // What a run that ends leaves behind the others clear away: they see that it is gone.
            !self.is_closing.load(Ordering::Acquire)
        })?;
        let before = locked.read();
        let mut entries = before.clone();
        let is_closing = self.is_closing.load(Ordering::Acquire);
        for (place, entry) in entries.iter_mut().enumerate().filter(|(_, entry)| entry.process != 0) {
            if place == self.place && is_closing
                || has_dead && place != self.place && !self.table.is_alive(place)
            {
                *entry = Entry::default();
            }
        }
        let mut account = self.lock();
        let mut is_granted = false;
        if let Some(mine) = entries.get_mut(self.place).filter(|_| !is_closing) {
            // What it asks for it asks for in full, lest two runs keep halves of what each needs whole.
            let asks = account.wants.iter().any(|want| want.ticket == 0);
            if !account.is_fresh && (asks || mine.pressure != 0) {
                account.held = account.used.clone();
            }
            is_granted |= account.absorb(mine);
            for want in account.wants.iter_mut().filter(|want| want.ticket == 0) {
                want.ticket = locked.ticket();
            }
            let granted = Amount::default();
            *mine =
                Entry { held: account.held.clone(), granted, wants: account.wants.clone(), ..self.entry() };
        }
        share(&mut entries, now());
        if let Some(mine) = entries.get_mut(self.place).filter(|_| !is_closing) {
            is_granted |= account.absorb(mine);
            mine.held = account.held.clone();
        }
        let wants = account.wants.clone();
        let mut rung = Vec::new();
        for (place, (entry, before)) in entries.iter().zip(&before).enumerate() {
            if entry != before {
                locked.write(place, entry);
                self.table.pressure(place).store(entry.pressure, Ordering::Release);
            }
            // This one's own thread too: what is asked of it now it has not given in this turn.
            let is_pressed = entry.pressure & !before.pressure != 0;
            if is_pressed || place != self.place && entry.granted != before.granted {
                rung.push(place);
            }
        }
        drop(account);
        drop(locked);
        rung.into_iter().for_each(|place| self.table.ring(place));
        if is_granted {
            (self.notify)();
        }
        let longest = wants.iter().min_by_key(|want| want.since);
        if let Some(want) = longest.filter(|want| now().saturating_sub(want.since) > SILENCE) {
            self.tell_stopped(want, &entries, told);
        }
        Ok(!wants.is_empty())
    }

    /// Others wait, and this run has had its share. What it has just been lent it uses once, whatever is asked of it.
    fn is_yielding(&self, account: &Account) -> bool {
        match self.table.pressure(self.place).load(Ordering::Acquire) {
            0 => false,
            _ if account.is_fresh => false,
            pressure if pressure & NOW != 0 => true,
            pressure => pressure & AFTER_TURN != 0 && now() >= account.turn_ends,
        }
    }

    fn has_dead(&self) -> bool {
        self.table.taken().any(|place| place != self.place && !self.table.is_alive(place))
    }

    /// All that this run may use.
    fn all(&self) -> Amount {
        let (cores, memory) = self.limit;
        let whole = self.machine.whole();
        let pools = whole.pools.iter().map(|(pool, places)| (pool_key(&self.scope, pool), *places));
        let mut all = Amount { cores, memory, gpus: whole.gpus, ..Amount::default() };
        all.add(&Amount { pools: pools.collect(), ..Amount::default() });
        all
    }

    /// This run, with nothing yet.
    fn entry(&self) -> Entry {
        Entry {
            process: std::process::id(),
            run: self.run.clone(),
            machine: Machine { pools: Default::default(), ..self.machine.clone() },
            limit: self.limit,
            ..Entry::default()
        }
    }

    /// How many places the pool of a keyed need has.
    fn places(&self, need: &Need) -> u32 {
        let Some(key) = &need.pool else { return 0 };
        let mut pools = self.machine.pools.iter();
        pools.find(|(pool, _)| pool_key(&self.scope, pool) == *key).map_or(0, |(_, places)| *places)
    }

    fn tell_stuck(&self, process: u32, told: &mut FxHashSet<u32>) {
        if told.insert(process) {
            let how = if is_stopped(process) { ", which is stopped" } else { "" };
            (self.say)(format!(
                "waiting for process {process}{how}, which is about to change who may use what"
            ));
        }
    }

    fn tell_stopped(&self, want: &Want, entries: &[Entry], told: &mut FxHashSet<u32>) {
        let others = entries.iter().enumerate().filter(|(place, _)| *place != self.place);
        for (_, entry) in others.filter(|(_, entry)| entry.process != 0 && entry.pressure != 0) {
            if is_stopped(entry.process) && told.insert(entry.process) {
                let cores = if want.need.cores == 1 { "core" } else { "cores" };
                (self.say)(format!(
                    "waiting for {} {cores}, of which run {} holds {}: its process {} is stopped",
                    want.need.cores,
                    entry.run,
                    entry.total().cores,
                    entry.process
                ));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// Takes what was granted; whether that was anything.
    fn absorb(&mut self, entry: &mut Entry) -> bool {
        let granted = std::mem::take(&mut entry.granted);
        if granted.is_empty() {
            return false;
        }
        self.held.add(&granted);
        let is_open =
            |want: &Want| want.ticket == 0 || entry.wants.iter().any(|open| open.ticket == want.ticket);
        self.wants.retain(is_open);
        self.is_fresh = true;
        self.is_late |= !self.refused.is_empty();
        self.turn_ends = now() + TURN;
        true
    }
}

/// Whether a process exists and does not go on until somebody lets it.
pub fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before it stands in parentheses, and may hold some itself.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('T' | 't'))
}

/// Microseconds of the clock that all processes see alike and that nobody sets.
fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000
        + u64::try_from(time.tv_nsec).unwrap_or_default() / 1_000
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("place", &self.place).finish_non_exhaustive()
    }
}
