//! External operators: a function of Python's or a command, each in a process of its own.
//!
//! [`environment`] is what they find around them, [`code`] tells whether their code is there and hashes it.
//! [`operator`] runs one: [`call`] writes its inputs, [`spawn`] starts it, [`watch`] stays with it while [`capture`]
//! and [`messages`] take what it says, [`outputs`] reads what it gives and [`columns`] holds that against what was
//! promised. [`proc`] finds the processes that it started, [`orphans`] those of a flowc that died; [`python`] is
//! the package on their side. All that but the code and its environment is Linux's; [`elsewhere`] says so.

mod code;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod environment;
mod python;

#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod capture;
#[cfg(target_os = "linux")]
mod columns;
#[cfg(target_os = "linux")]
mod messages;
#[cfg(target_os = "linux")]
mod operator;
#[cfg(target_os = "linux")]
mod orphans;
#[cfg(target_os = "linux")]
mod outputs;
#[cfg(target_os = "linux")]
mod proc;
#[cfg(target_os = "linux")]
mod spawn;
#[cfg(target_os = "linux")]
mod watch;

pub use code::Missing;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{ProcessOperator, kill_orphans};
pub use environment::{Environment, NoPython, PASSED_ON};
#[cfg(target_os = "linux")]
pub use operator::ProcessOperator;
#[cfg(target_os = "linux")]
pub use orphans::kill_orphans;
