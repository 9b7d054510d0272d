//! How long the nodes of a workflow took in earlier runs.

use std::time::Duration;

use rustc_hash::FxHashMap;

/// What earlier runs of a workflow took, by the nodes' ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    nodes: FxHashMap<String, Past>,
}

/// What a node took in those earlier runs in which it ran to its end, not taken from the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    pub runs: u32,
    pub longest: Duration,
    /// In the latest of them.
    pub latest: Duration,
    total: Duration,
}

impl History {
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn of(&self, node: &str) -> Option<&Past> {
        self.nodes.get(node)
    }

    /// Takes a run in, the latest first.
    pub fn add(&mut self, node: String, took: Duration) {
        let past = self.nodes.entry(node).or_insert(Past { latest: took, ..Past::default() });
        past.runs += 1;
        past.longest = past.longest.max(took);
        past.total += took;
    }
}

impl Past {
    pub fn mean(&self) -> Duration {
        self.total / self.runs.max(1)
    }
}
