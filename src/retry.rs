//! `flowc retry`: runs what has failed in a run again, in place, and what was cancelled or has waited.

use std::path::Path;

use flow_runtime::engine::Engine;

pub use crate::revival::Options;
use crate::{
    exit::{Exit, Failure},
    revival,
    terminal::Terminal,
};

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    revival::execute(options, root, terminal, Engine::retry)
}
