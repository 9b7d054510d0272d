//! Why a ready node is not running: what it needs, how much of that is free, and who has the rest.

use std::fmt;

use flow_ir::text::bytes;

use super::{
    amount::{Amount, Lack, Need, WHOLE},
    machine::Machine,
};

/// Who has a part of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub who: Who,
    pub amount: Amount,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A running node of the same run.
    Node(String),
    /// Another run of the same user; stopped where its process does not go on (`SIGSTOP`, a debugger).
    Run { run: String, process: u32, is_stopped: bool },
}

/// One thing that there is too little of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    Cores {
        need: u32,
        free: u32,
        of: u32,
        held: Vec<(Who, u32)>,
    },
    /// Bytes.
    Memory {
        need: u64,
        free: u64,
        of: u64,
        held: Vec<(Who, u64)>,
    },
    /// GPUs, or parts of them by their memory.
    Gpus {
        need: u32,
        memory: Option<u64>,
        of: u32,
        held: Vec<(Who, usize)>,
    },
    Pool {
        pool: String,
        taken: u32,
        of: u32,
        held: Vec<(Who, u32)>,
    },
}

/// What keeps a node of that need from starting on `machine`, of which `holders` have their parts. Empty where it
/// fits: then others go first, or it starts any moment.
pub fn reasons(machine: &Machine, need: &Need, holders: &[Holder]) -> Vec<Reason> {
    let mut used = Amount::default();
    holders.iter().for_each(|holder| used.add(&holder.amount));
    let whole = machine.whole();
    let Err(lack) = whole.place(&used, need, machine) else { return Vec::new() };
    let Lack { cores, memory, gpus, pool } = lack;
    let mut reasons = Vec::new();
    if cores {
        reasons.push(Reason::Cores {
            need: need.cores,
            free: machine.cores.saturating_sub(used.cores),
            of: machine.cores,
            held: held(holders, |amount| amount.cores),
        });
    }
    if memory {
        reasons.push(Reason::Memory {
            need: need.memory,
            free: machine.memory.saturating_sub(used.memory),
            of: machine.memory,
            held: held(holders, |amount| amount.memory),
        });
    }
    if gpus {
        reasons.push(Reason::Gpus {
            need: need.gpus,
            memory: need.gpu_memory,
            of: u32::try_from(machine.gpus.len()).unwrap_or(u32::MAX),
            held: held(holders, |amount| amount.gpus.len()),
        });
    }
    if let Some(name) = need.pool.as_deref().filter(|_| pool) {
        reasons.push(Reason::Pool {
            pool: name.to_owned(),
            taken: used.pool(name),
            of: whole.pool(name),
            held: held(holders, |amount| amount.pool(name)),
        });
    }
    reasons
}

/// Who has some of it, the names in order.
fn held<T: Default + PartialEq>(holders: &[Holder], part: impl Fn(&Amount) -> T) -> Vec<(Who, T)> {
    let mut held: Vec<(Who, T)> = holders
        .iter()
        .map(|holder| (holder.who.clone(), part(&holder.amount)))
        .filter(|(_, part)| *part != T::default())
        .collect();
    held.sort_by(|a, b| a.0.cmp(&b.0));
    held
}

/// How many holders are named before the rest is counted.
const NAMED: usize = 4;

fn list<T>(held: &[(Who, T)], show: impl Fn(&T) -> String) -> String {
    let mut parts: Vec<String> =
        held.iter().take(NAMED).map(|(who, part)| format!("{who}{}", show(part))).collect();
    if held.len() > NAMED {
        parts.push(format!("{} more", held.len() - NAMED));
    }
    parts.join(", ")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cores { need, free, of, held } => {
                let cores = if *need == 1 { "core" } else { "cores" };
                write!(f, "{need} {cores} ({free} of {of} free; ")?;
                write!(f, "taken by {})", list(held, |cores| format!(" {cores}")))
            }
            Self::Memory { need, free, of, held } => {
                write!(f, "{} of memory ({} of {} free; ", bytes(*need), bytes(*free), bytes(*of))?;
                write!(f, "taken by {})", list(held, |held| format!(" {}", bytes(*held))))
            }
            Self::Gpus { need, memory, of, held } => {
                let gpus = if *need == 1 { "GPU" } else { "GPUs" };
                write!(f, "{need} {gpus}")?;
                if let Some(memory) = memory.filter(|memory| *memory != WHOLE) {
                    write!(f, " with {}", bytes(memory))?;
                }
                write!(f, " (of {of}; taken by {})", list(held, |gpus| format!(" {gpus}")))
            }
            Self::Pool { pool, taken, of, held } => {
                let places = |places: &u32| if *places == 1 { String::new() } else { format!(" {places}") };
                write!(f, "a place in pool `{pool}` ({taken} of {of} taken, by {})", list(held, places))
            }
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => write!(f, "`{node}`"),
            Self::Run { run, process, is_stopped: false } => write!(f, "run {run} (process {process})"),
            Self::Run { run, process, is_stopped: true } => {
                write!(f, "run {run} (process {process}, which is stopped)")
            }
        }
    }
}
