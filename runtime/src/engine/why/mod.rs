//! Why a node of a run ran, or did not: the parts of its key against those of the nearest earlier run.
//!
//! Nothing is kept for this but the hashes of files and of external code: all else is in the runs' DAGs and in
//! what their nodes gave. [`change`] says in which parts two keys differ, [`earlier`] what a run's node looked like.

mod change;
mod earlier;

use std::sync::Arc;

use flow_ir::{
    hash::Hash,
    node::{Node, NodeKind},
};
use serde_json::Value as Json;

pub use change::{Change, Side, changes};
pub use earlier::Earlier;

use super::{Engine, RunError};
use crate::decide::NodeState;
use crate::{event::Kind, store::StoreError};
use earlier::RecordedNode;

/// Why a node ran, or did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub run: String,
    pub node: String,
    pub state: NodeState,
    pub because: Because,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// Its key is that of a node that has run before: of this run's, where it is still known.
    Cached {
        run: Option<String>,
    },
    /// No earlier run of the workflow has such a node that finished.
    FirstTime,
    /// Against the nearest earlier run in which it finished.
    Changed {
        since: String,
        changes: Vec<Change>,
    },
    /// Nothing differs from that run, and the result is not in the cache.
    NotKept {
        since: String,
    },
    /// The cache knew what it gives, but this artifact was not there, or damaged.
    Lost {
        artifact: Hash,
    },
    /// The run was started with `--no-cache`.
    CacheRefused,
    /// Its policy says `cache: off`.
    CacheOff,
    Effect,
    /// It passes on what others compute, waits, or runs a region: nothing that a cache would keep.
    NothingToKeep,
    /// What it reads cannot be known.
    Unknown,
    /// It has not run: it waits, or this node's end keeps it from running.
    NotRun {
        because: Option<String>,
    },
}

impl Engine {
    /// Why a node of a run ran, or did not.
    pub fn why(&self, run: &str, node: &str) -> Result<Why, RunError> {
        let run = self.find_run(run)?;
        let recorded = Arc::new(self.recorded(&run.id)?);
        let Some(found) = RecordedNode::find(&recorded, node) else {
            return Err(RunError::NoNode { run: run.id, node: node.to_owned() });
        };
        let row = found.row();
        let state = row.map_or(NodeState::Pending, |row| row.state);
        let because = match row {
            Some(row) if row.state.has_begun() => self.ran(&run.id, &run.workflow, row.cached, &found)?,
            row => {
                let because = row.and_then(|row| row.data.get("because")?.as_str());
                Because::NotRun { because: because.map(str::to_owned) }
            }
        };
        Ok(Why { run: run.id, node: node.to_owned(), state, because })
    }

    fn ran(&self, run: &str, workflow: &str, cached: bool, node: &RecordedNode) -> Result<Because, RunError> {
        if let Some(because) = without_key(node.node()) {
            return Ok(because);
        }
        let earlier = Earlier::new(&*self.store, &self.artifacts, workflow, Some(run))?;
        if cached {
            for other in earlier.nodes(node.id()) {
                let other = other?;
                if changes(&other, node).is_some_and(|changes| changes.is_empty()) {
                    return Ok(Because::Cached { run: Some(other.run.id.clone()) });
                }
            }
            return Ok(Because::Cached { run: None });
        }
        let told = self.told(run, node.id())?;
        if told.refused_cache {
            return Ok(Because::CacheRefused);
        }
        if let Some(artifact) = told.lost {
            return Ok(Because::Lost { artifact });
        }
        Ok(earlier.why(node)?)
    }

    /// What the events of a run say that its tables do not.
    fn told(&self, run: &str, node: &str) -> Result<Told, RunError> {
        let mut told = Told::default();
        for event in self.store.events(run)? {
            match event.kind {
                Kind::RunStarted => {
                    told.refused_cache = event.data.get("cache") == Some(&Json::Bool(false));
                }
                Kind::Running if event.node.as_deref() == Some(node) => {
                    told.lost = hash(event.data.get("lost"));
                }
                _ => {}
            }
        }
        Ok(told)
    }
}

impl Earlier<'_> {
    /// Why a node that the cache does not have runs.
    ///
    /// # Errors
    /// Those of the store.
    pub fn why(&self, node: &impl Side) -> Result<Because, StoreError> {
        if let Some(because) = without_key(node.node()) {
            return Ok(because);
        }
        let Some(before) = self.nodes(node.id()).next() else { return Ok(Because::FirstTime) };
        let before = before?;
        let since = before.run.id.clone();
        Ok(match changes(&before, node) {
            None => Because::Unknown,
            Some(changes) if changes.is_empty() => Because::NotKept { since },
            Some(changes) => Because::Changed { since, changes },
        })
    }
}

fn without_key(node: &Node) -> Option<Because> {
    match &node.kind {
        NodeKind::Task(_) | NodeKind::Expression(_) | NodeKind::Query { .. } => {}
        _ => return Some(Because::NothingToKeep),
    }
    if node.effect {
        return Some(Because::Effect);
    }
    (!node.policy.cache).then_some(Because::CacheOff)
}

#[derive(Default)]
struct Told {
    refused_cache: bool,
    lost: Option<Hash>,
}

fn hash(json: Option<&Json>) -> Option<Hash> {
    Hash::from_hex(json?.as_str()?)
}
