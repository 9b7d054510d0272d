//! The way in: opens a project's state, runs and resumes DAGs, and shows what became of them.
//!
//! [`project`] opens the state. [`bodies`] finds what a DAG needs to be run here, [`run`] runs it, under an [`id`] that nobody
//! has. [`taken_up`] says where a run stands that another process has begun, [`resume`] goes on with it, retries what
//! failed, and reaches it with commands. What is there of a run is [`recorded`]: [`view`] shows it, [`waiting`] says what
//! its nodes wait for, [`why`] why they ran, [`shadow`] what another text would make of it, and [`gc`] removes what nobody
//! needs. [`error`] is all that can go wrong.

mod bodies;
mod error;
mod gc;
mod id;
mod project;
mod recorded;
mod resume;
mod run;
mod shadow;
mod taken_up;
mod view;
mod waiting;
mod why;

pub use error::RunError;
pub use gc::{Keep, Removed};
pub use project::Engine;
pub use resume::{Again, Cancelled, Revival, Signalled};
pub use run::{RunOptions, RunReport};
pub use shadow::{Comparison, Knowledge, NodeComparison};
pub use view::{NodeView, RunView};
pub use waiting::{Waiting, WaitsFor};
pub use why::{Because, Change, Earlier, Side, Why};
