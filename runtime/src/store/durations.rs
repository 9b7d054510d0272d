//! How long the nodes of a workflow took in earlier runs.

use std::time::Duration;

use flow_ir::template::path_of;
use rustc_hash::FxHashMap;

/// What earlier runs of a workflow took, by the nodes' ids. The nodes of a region are taken together, however often it
/// was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    by_path: FxHashMap<String, NodeDurations>,
}

/// What a node took in those earlier runs in which it ran to its end, not taken from the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeDurations {
    pub runs: u32,
    pub longest: Duration,
    /// In the latest of them.
    pub latest: Duration,
    total: Duration,
}

impl Durations {
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// Of a node, by its id in any run.
    pub fn of(&self, node: &str) -> Option<&NodeDurations> {
        self.by_path.get(&*path_of(node))
    }

    /// How long each took in the mean, by the path of its template.
    pub fn means(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.by_path.iter().map(|(path, node)| (path.as_str(), node.mean()))
    }

    /// Takes a run of a node in, the latest first.
    pub fn add(&mut self, node: &str, took: Duration) {
        let path = path_of(node);
        let first = NodeDurations { latest: took, ..NodeDurations::default() };
        let of = match self.by_path.get_mut(&*path) {
            Some(of) => of,
            None => self.by_path.entry(path.into_owned()).or_insert(first),
        };
        of.runs += 1;
        of.longest = of.longest.max(took);
        of.total += took;
    }
}

impl NodeDurations {
    pub fn mean(&self) -> Duration {
        self.total / self.runs.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instances_of_a_region_are_taken_together() {
        let mut durations = Durations::default();
        for (id, seconds) in [("days[0]/load", 3), ("days[1]/load", 5), ("other[1].load", 9)] {
            durations.add(id, Duration::from_secs(seconds));
        }
        let load = durations.of("days[99]/load").unwrap();
        assert_eq!((load.runs, load.longest.as_secs(), load.latest.as_secs()), (2, 5, 3));
        assert_eq!(load.mean().as_secs(), 4);
        assert_eq!(durations.of("other[2].load"), None);
    }
}
