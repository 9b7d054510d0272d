//! Which process works on a run: for people, who may want to look at it or stop it. What keeps others away from
//! the run is its lock and its epoch.

use std::{fmt, fs, process};

/// A process, told apart from later ones of the same number by when it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub host: String,
    pub pid: u32,
    /// Clock ticks after the machine's start; 0 where the system does not say.
    pub started: u64,
}

impl Owner {
    pub fn this_process() -> Self {
        Self::of(process::id())
    }

    fn of(pid: u32) -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self { host: host.trim().to_owned(), pid, started: started(pid).unwrap_or_default() }
    }

    /// Whether it does nothing at all until it is sent SIGCONT; of processes on this machine.
    pub fn is_stopped(&self) -> bool {
        let here = Self::of(self.pid);
        *self == here && state(self.pid).is_some_and(|state| ["T", "t"].contains(&state.as_str()))
    }

    /// As [`fmt::Display`] writes it.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let (pid, started) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { pid, started, host: parts.next()?.to_owned() })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.pid, self.started, self.host)
    }
}

fn started(pid: u32) -> Option<u64> {
    field(pid, 22)?.parse().ok()
}

/// `R`, `S`, `T` where it is stopped, …
fn state(pid: u32) -> Option<String> {
    field(pid, 3)
}

/// Of `/proc/PID/stat`, counted from 1; the second, a name in brackets, may hold anything.
fn field(pid: u32, number: usize) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    fields.nth(number.checked_sub(3)?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_written() {
        let owner = Owner { host: "a host".to_owned(), pid: 7, started: 12_345 };
        assert_eq!(Owner::read(&owner.to_string()), Some(owner));
        assert_eq!(Owner::read("7 x"), None);
    }

    #[test]
    fn this_process_has_started() {
        assert!(Owner::this_process().started > 0);
    }
}
