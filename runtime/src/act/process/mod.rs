//! External operators: a function of Python's or a command, each in a process of its own.
//!
//! [`environment`] is what they find around them, [`code`] tells whether their code is there and hashes it.
//! [`operator`] runs one: [`call`] writes its inputs, [`spawn`] starts it, [`watch`] stays with it while [`capture`]
//! and [`messages`] take what it says, [`outputs`] reads what it gives and [`columns`] holds that against what was
//! promised. [`proc`] finds the processes that it started, [`orphans`] those of a flowc that died; [`python`] is
//! the package on their side.

mod call;
mod capture;
mod code;
mod columns;
mod environment;
mod messages;
mod operator;
mod orphans;
mod outputs;
mod proc;
mod python;
mod spawn;
mod watch;

pub use code::Missing;
pub use environment::{Environment, NoPython, PASSED_ON};
pub use operator::ProcessOperator;
pub use orphans::kill_orphans;
