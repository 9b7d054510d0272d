//! The ledger's file: one entry for each run, in memory that all processes of the user see.
//!
//! Entries are read and written under one lock on the file, which the system frees when its holder dies; so is the lock
//! that each run has on its own place, and that says whether it lives. A bell for each place wakes who waits.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use rustix::{
    mm::{MapFlags, ProtFlags, mmap, munmap},
    thread::futex,
};

use super::{
    super::{
        amount::{Amount, Need},
        machine::{Gpu, Machine},
    },
    share::{Entry, WANTS, Want},
};

/// The ledger, opened by one run or by somebody who looks.
pub struct Table {
    folder: PathBuf,
    /// Locked while entries are read or written.
    file: File,
    map: NonNull<u8>,
}

/// Places for runs.
pub const PLACES: usize = 128;
/// Different GPUs or pools that an entry can name.
pub const MOST: usize = 16;

/// Rises when the file's form does, so that versions of flowc that differ do not read each other's.
const NAME: &str = "ledger-1";
/// 64-bit words of an entry.
const ENTRY: usize = 256;
/// Bytes before the entries: the next ticket, who has the lock, and the bells.
const HEAD: usize = 4096;
const SIZE: usize = HEAD + PLACES * ENTRY * 8;
/// 32-bit words of the head: where the bells begin, two for each place.
const BELLS: usize = 16;

#[expect(unsafe_code, reason = "memory that is shared with other processes, and atomic throughout")]
// SAFETY: the mapping lives as long as the table, and is only reached through atomics.
unsafe impl Send for Table {}
#[expect(unsafe_code, reason = "memory that is shared with other processes, and atomic throughout")]
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    /// Opens the ledger in a folder of one's own; makes both where they are not there.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let place = fs::metadata(folder)?;
        if place.uid() != rustix::process::geteuid().as_raw() || place.permissions().mode() & 0o022 != 0 {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may write to it"));
        }
        let file = Self::open_file(&folder.join(NAME))?;
        file.lock()?;
        if file.metadata()?.len() != SIZE as u64 {
            // Written rather than stretched: a hole on a full disk would be a signal, not an error.
            use std::os::unix::fs::FileExt;
            file.set_len(0)?;
            file.write_all_at(&vec![0; SIZE], 0)?;
        }
        file.unlock()?;
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        #[expect(unsafe_code, reason = "the only way to share memory")]
        // SAFETY: a new mapping at a place of the system's choice, of a file that has this size and keeps it.
        let map = unsafe { mmap(std::ptr::null_mut(), SIZE, prot, flags, &file, 0)? };
        let map = NonNull::new(map.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { folder: folder.to_owned(), file, map })
    }

    /// A place of one's own, for as long as the file that comes with it is open; none where all are taken.
    pub fn claim(&self) -> io::Result<Option<(usize, File)>> {
        for place in 0..PLACES {
            let file = Self::open_file(&self.place_path(place))?;
            match file.try_lock() {
                Ok(()) => return Ok(Some((place, file))),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The places that some run has or had.
    pub fn taken(&self) -> impl Iterator<Item = usize> {
        let entries = self.words().chunks_exact(ENTRY).enumerate();
        let taken = |words: &[AtomicU64]| words.first().is_some_and(|word| word.load(Ordering::Relaxed) != 0);
        entries.filter(move |(_, words)| taken(words)).map(|(place, _)| place)
    }

    /// Whether the run at a place lives.
    pub fn is_alive(&self, place: usize) -> bool {
        File::open(self.place_path(place))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the lock. Who has it holds it for microseconds, unless its process was stopped just then: `stuck` is told
    /// its number after a second, and says whether to go on waiting.
    pub fn lock(&self, stuck: &mut dyn FnMut(u32) -> bool) -> io::Result<Locked<'_>> {
        let mut wait = Duration::from_micros(20);
        let begun = Instant::now();
        loop {
            match self.file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {}
            }
            if begun.elapsed() > Duration::from_secs(1) && !stuck(self.bells()[2].load(Ordering::Relaxed)) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(1));
        }
        self.bells()[2].store(std::process::id(), Ordering::Relaxed);
        Ok(Locked { table: self })
    }

    /// The word that rises when something has happened for a place.
    pub fn bell(&self, place: usize) -> &AtomicU32 {
        &self.bells()[BELLS + 2 * place]
    }

    /// What is asked of a place, to be read without the lock.
    pub fn pressure(&self, place: usize) -> &AtomicU32 {
        &self.bells()[BELLS + 2 * place + 1]
    }

    pub fn ring(&self, place: usize) {
        self.bell(place).fetch_add(1, Ordering::Release);
        let _ = futex::wake(self.bell(place), futex::Flags::empty(), 1);
    }

    /// Waits until the bell is no longer `seen`, or for so long.
    pub fn wait(&self, place: usize, seen: u32, time: Option<Duration>) {
        let time = time.and_then(|time| time.try_into().ok());
        let _ = futex::wait(self.bell(place), futex::Flags::empty(), seen, time.as_ref());
    }

    fn open_file(path: &Path) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
    }

    fn place_path(&self, place: usize) -> PathBuf {
        self.folder.join(format!("{NAME}-{place}"))
    }

    fn bells(&self) -> &[AtomicU32] {
        #[expect(unsafe_code, reason = "shared memory")]
        // SAFETY: the mapping is that large, aligned to a page, and only ever reached through atomics.
        unsafe {
            std::slice::from_raw_parts(self.map.as_ptr().cast(), HEAD / 4)
        }
    }

    fn words(&self) -> &[AtomicU64] {
        #[expect(unsafe_code, reason = "shared memory")]
        // SAFETY: as above.
        unsafe {
            std::slice::from_raw_parts(self.map.as_ptr().add(HEAD).cast(), PLACES * ENTRY)
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "shared memory")]
        // SAFETY: what was mapped when this was opened, and nobody refers to it any more.
        let _ = unsafe { munmap(self.map.as_ptr().cast(), SIZE) };
    }
}

/// The table while nobody else reads or writes entries.
pub struct Locked<'a> {
    table: &'a Table,
}

impl Locked<'_> {
    /// All entries, those of no run too.
    pub fn read(&self) -> Vec<Entry> {
        let entries = self.table.words().chunks_exact(ENTRY);
        entries.map(|words| Reader { words, at: 0 }.entry()).collect()
    }

    pub fn write(&self, place: usize, entry: &Entry) {
        if let Some(words) = self.table.words().chunks_exact(ENTRY).nth(place) {
            Writer { words, at: 0 }.entry(entry);
        }
    }

    /// A number higher than any before.
    pub fn ticket(&self) -> u64 {
        let [low, high] = [&self.table.bells()[0], &self.table.bells()[1]];
        let next = low.load(Ordering::Relaxed).wrapping_add(1);
        if next == 0 {
            high.fetch_add(1, Ordering::Relaxed);
        }
        low.store(next, Ordering::Relaxed);
        u64::from(high.load(Ordering::Relaxed)) << 32 | u64::from(next)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let _ = self.table.file.unlock();
    }
}

/// What stands in an entry, in order; whatever it is, it is read as something.
struct Reader<'a> {
    words: &'a [AtomicU64],
    at: usize,
}

struct Writer<'a> {
    words: &'a [AtomicU64],
    at: usize,
}

impl Reader<'_> {
    fn word(&mut self) -> u64 {
        let word = self.words.get(self.at).map_or(0, |word| word.load(Ordering::Relaxed));
        self.at += 1;
        word
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.word()).unwrap_or(u32::MAX)
    }

    fn pairs(&mut self) -> Vec<(u64, u64)> {
        let count = usize::try_from(self.word()).unwrap_or(MOST).min(MOST);
        let mut pairs: Vec<(u64, u64)> = (0..MOST).map(|_| (self.word(), self.word())).collect();
        pairs.truncate(count);
        pairs
    }

    fn option(&mut self) -> Option<u64> {
        let (is_there, word) = (self.word() != 0, self.word());
        is_there.then_some(word)
    }

    fn amount(&mut self) -> Amount {
        let (cores, memory) = (self.small(), self.word());
        let gpus = self.pairs().into_iter();
        let gpus = gpus.map(|(gpu, bytes)| (u32::try_from(gpu).unwrap_or(u32::MAX), bytes)).collect();
        let pools = self.pairs().into_iter();
        let pools = pools.map(|(pool, places)| (key_name(pool), u32::try_from(places).unwrap_or(u32::MAX)));
        Amount { cores, memory, gpus, pools: pools.collect() }
    }

    fn entry(&mut self) -> Entry {
        let process = self.small();
        if process == 0 {
            return Entry::default();
        }
        let bytes: Vec<u8> = (0..4).flat_map(|_| self.word().to_le_bytes()).collect();
        let run = String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned();
        let (cores, memory) = (self.small(), self.word());
        let gpus = self.pairs().into_iter().map(|(index, memory)| Gpu {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            memory: (memory != 0).then_some(memory),
        });
        let machine = Machine { cores, memory, gpus: gpus.collect(), ..Machine::default() };
        let limit = (self.small(), self.word());
        let (held, granted) = (self.amount(), self.amount());
        let count = usize::try_from(self.word()).unwrap_or(WANTS).min(WANTS);
        let mut wants: Vec<Want> = (0..WANTS).map(|_| self.want()).collect();
        wants.truncate(count);
        Entry { process, run, machine, limit, held, granted, wants, pressure: self.small() }
    }

    fn want(&mut self) -> Want {
        let need = Need {
            cores: self.small(),
            memory: self.word(),
            gpus: self.small(),
            gpu_memory: self.option(),
            pool: self.option().map(key_name),
        };
        Want { need, places: self.small(), ticket: self.word(), since: self.word() }
    }
}

impl Writer<'_> {
    fn word(&mut self, value: impl Into<u64>) {
        if let Some(word) = self.words.get(self.at) {
            word.store(value.into(), Ordering::Relaxed);
        }
        self.at += 1;
    }

    fn pairs(&mut self, pairs: impl ExactSizeIterator<Item = (u64, u64)>) {
        self.word(pairs.len().min(MOST) as u64);
        let end = self.at + 2 * MOST;
        for (key, value) in pairs.take(MOST) {
            self.word(key);
            self.word(value);
        }
        self.at = end;
    }

    fn option(&mut self, value: Option<u64>) {
        self.word(u64::from(value.is_some()));
        self.word(value.unwrap_or_default());
    }

    fn amount(&mut self, amount: &Amount) {
        self.word(amount.cores);
        self.word(amount.memory);
        self.pairs(amount.gpus.iter().map(|(gpu, bytes)| (u64::from(*gpu), *bytes)));
        self.pairs(amount.pools.iter().map(|(pool, places)| (name_key(pool), u64::from(*places))));
    }

    fn entry(&mut self, entry: &Entry) {
        self.word(entry.process);
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(entry.run.bytes()).for_each(|(to, from)| *to = from);
        for word in bytes.as_chunks().0 {
            self.word(u64::from_le_bytes(*word));
        }
        let machine = &entry.machine;
        self.word(machine.cores);
        self.word(machine.memory);
        self.pairs(machine.gpus.iter().map(|gpu| (gpu.index.into(), gpu.memory.unwrap_or_default())));
        self.word(entry.limit.0);
        self.word(entry.limit.1);
        self.amount(&entry.held);
        self.amount(&entry.granted);
        self.word(entry.wants.len().min(WANTS) as u64);
        for place in 0..WANTS {
            self.want(&entry.wants.get(place).cloned().unwrap_or_default());
        }
        self.word(entry.pressure);
    }

    fn want(&mut self, want: &Want) {
        self.word(want.need.cores);
        self.word(want.need.memory);
        self.word(want.need.gpus);
        self.option(want.need.gpu_memory);
        self.option(want.need.pool.as_deref().map(name_key));
        self.word(want.places);
        self.word(want.ticket);
        self.word(want.since);
    }
}

/// A pool's name as 64 bits.
fn name_key(name: &str) -> u64 {
    u64::from_str_radix(name, 16).unwrap_or_default()
}

fn key_name(key: u64) -> std::sync::Arc<str> {
    format!("{key:016x}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(&folder.path().join("own")).unwrap();
        let amount = |cores| Amount {
            cores,
            memory: 1 << 40,
            gpus: vec![(0, 5), (3, u64::MAX)],
            pools: vec![(key_name(7), 2)],
        };
        let need = Need { cores: 3, memory: 9, gpus: 1, gpu_memory: Some(4), pool: Some(key_name(7)) };
        let entry = Entry {
            process: 42,
            run: "1k3f9a2b".to_owned(),
            machine: Machine {
                cores: 8,
                memory: 1 << 41,
                gpus: vec![Gpu { index: 0, memory: None }, Gpu { index: 3, memory: Some(1 << 30) }],
                ..Machine::default()
            },
            limit: (4, 1 << 30),
            held: amount(1),
            granted: amount(2),
            wants: vec![Want { need, places: 4, ticket: 1 << 33, since: 12 }; WANTS],
            pressure: 3,
        };
        let locked = table.lock(&mut |_| true).unwrap();
        locked.write(5, &entry);
        assert_eq!(locked.read()[5], entry);
        assert!(locked.ticket() < locked.ticket());
        let last = PLACES - 1;
        locked.write(last, &Entry { wants: Vec::new(), ..entry.clone() });
        assert_eq!(locked.read()[last].wants, []);
        assert_eq!(locked.read()[6], Entry::default());
    }

    #[test]
    fn what_is_no_entry_breaks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(&folder.path().join("own")).unwrap();
        for word in [u64::MAX, 1, 0x0101_0101_0101_0101] {
            table.words().iter().for_each(|slot| slot.store(word, Ordering::Relaxed));
            let mut entries = table.lock(&mut |_| true).unwrap().read();
            super::super::share::share(&mut entries, 0);
        }
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(Table::open(folder.path()).err().unwrap().to_string(), "others may write to it");
    }
}
