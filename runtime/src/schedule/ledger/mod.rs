//! Several runs of one user on one machine: who holds what stands in a file that all of them map.
//!
//! [`table`] is that file, [`share`] decides purely who gets what, [`keeper`] speaks with the table for one run from a
//! thread of its own. A run holds its part in blocks: as long as nobody else waits, its nodes come and go without a
//! look at the table.

mod keeper;
mod share;
mod table;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
};

use keeper::Keeper;
use table::Table;

use super::{
    amount::{Amount, Lack, Need},
    lend::Lender,
    machine::Machine,
    waiting::{Holder, Who},
};

/// What a run says of itself when it joins.
pub struct Joining {
    pub run: String,
    /// What there is, and the limits of pools.
    pub machine: Machine,
    /// How many cores and bytes this run may use.
    pub limit: (u32, u64),
    /// Runs with the same scope have the same pools.
    pub scope: PathBuf,
    /// Called from another thread when it is worth trying again.
    pub notify: Box<dyn Fn() + Send + Sync>,
    /// Tells the user what this run waits for, where that may last.
    pub say: Box<dyn Fn(String) + Send + Sync>,
}

/// A run's part in the ledger; given back when it is dropped.
pub struct Lease {
    keeper: Arc<Keeper>,
    thread: Option<JoinHandle<()>>,
}

/// Joins the ledger in `folder`.
///
/// # Errors
/// Why it cannot be used, in a few words: then a run goes on without.
pub fn join(folder: &Path, joining: Joining) -> Result<Lease, String> {
    let most = joining.machine.gpus.len().max(joining.machine.pools.len());
    if most > table::MOST {
        return Err(format!("it has no room for {most} GPUs or pools"));
    }
    let table = Table::open(folder).map_err(|error| error.to_string())?;
    let (place, file) = table
        .claim()
        .map_err(|error| error.to_string())?
        .ok_or_else(|| format!("{} runs share this machine already", table::PLACES))?;
    let keeper = Arc::new(Keeper::new(table, place, file, joining)?);
    let kept = keeper.clone();
    let thread = std::thread::Builder::new()
        .name("flow-ledger".to_owned())
        .spawn(move || kept.keep())
        .map_err(|error| error.to_string())?;
    Ok(Lease { keeper, thread: Some(thread) })
}

/// Who holds what now, as far as it can be known: none where there is no ledger. The pools are those of `scope`, which
/// `machine` has.
pub fn holders(folder: &Path, scope: &Path, machine: &Machine) -> Vec<Holder> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let Ok(table) = Table::open(folder) else { return Vec::new() };
    let entries = match table.lock(&mut |_| false) {
        Ok(locked) => locked.read(),
        Err(_) => return Vec::new(),
    };
    let entries = entries.into_iter().enumerate();
    let living = entries.filter(|(place, entry)| entry.process != 0 && table.is_alive(*place));
    let holder = |(_, entry): (usize, share::Entry)| {
        let mut amount = entry.total();
        let name = |key: &Arc<str>| machine.pools.keys().find(|pool| pool_key(scope, pool) == *key).cloned();
        amount.pools = amount.pools.iter().filter_map(|(key, taken)| Some((name(key)?, *taken))).collect();
        let is_stopped = keeper::is_stopped(entry.process);
        Holder { who: Who::Run { run: entry.run, process: entry.process, is_stopped }, amount }
    };
    living.map(holder).collect()
}

impl Lender for Lease {
    fn take(&mut self, need: &Need) -> Result<Amount, Lack> {
        self.keeper.take(need)
    }

    fn give(&mut self, amount: &Amount) {
        self.keeper.give(amount);
    }

    fn settle(&mut self) {
        self.keeper.settle();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.is_closing.store(true, Ordering::Release);
        self.keeper.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joining")
            .field("run", &self.run)
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

/// A pool's name in the ledger: projects do not share theirs.
fn pool_key(scope: &Path, pool: &str) -> Arc<str> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(scope.as_os_str().as_encoded_bytes()).update(&[0]).update(pool.as_bytes());
    let hash = hasher.finalize();
    hash.as_bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
