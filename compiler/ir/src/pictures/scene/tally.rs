//! What became of nodes in a run, by the places of the DAG where they stand.

use std::collections::{HashMap, HashSet};

use crate::{dag::Dag, node::Node, pictures::NodeState};

/// Where a node is in its life, as pictures tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Failed,
    Running,
    Finished,
    Cached,
    Cancelled,
    Skipped,
    Pending,
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Failed,
        Self::Running,
        Self::Finished,
        Self::Cached,
        Self::Cancelled,
        Self::Skipped,
        Self::Pending,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Cached => "cached",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Pending => "pending",
        }
    }

    /// A state that has no name here is one before running.
    fn of_name(name: &str) -> Self {
        let name = if name == "finishing" { "running" } else { name };
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Pending)
    }
}

/// How many nodes are in each state, and how long they took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// In the order of [`State::ALL`], without those that no node is in.
    pub states: Vec<(State, usize)>,
    pub seconds: Option<f64>,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        for (state, count) in &other.states {
            match self.states.iter_mut().find(|(own, _)| own == state) {
                Some((_, own)) => *own += count,
                None => self.states.push((*state, *count)),
            }
        }
        self.states.sort_unstable();
        if let Some(seconds) = other.seconds {
            *self.seconds.get_or_insert(0.0) += seconds;
        }
    }

    pub fn total(&self) -> usize {
        self.states.iter().map(|(_, count)| count).sum()
    }

    /// The one that is to be seen first.
    pub fn state(&self) -> Option<State> {
        self.states.first().map(|(state, _)| *state)
    }
}

/// The tallies of a run by path: `nightly/clean`, `days[]/load`.
#[derive(Debug, Default)]
pub struct Tallies(HashMap<String, Tally>);

impl Tallies {
    pub fn new(dag: &Dag, states: &[NodeState<'_>]) -> Self {
        let mut paths = Paths::default();
        paths.add("", &dag.nodes);
        let mut tallies: HashMap<String, Tally> = HashMap::new();
        for node in states {
            let tally = Tally { states: vec![(State::of_name(node.state), 1)], seconds: node.seconds };
            tallies.entry(paths.of_run(node.id)).or_default().add(&tally);
        }
        Self(tallies)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of the node of that path.
    pub fn of(&self, scope: &str, node: &Node) -> Tally {
        self.0.get(&format!("{scope}{}", node.id)).cloned().unwrap_or_default()
    }
}

/// All nodes' paths, and of those whose regions run for each element or several times.
#[derive(Default)]
struct Paths {
    all: HashSet<String>,
    repeating: HashSet<String>,
}

impl Paths {
    fn add(&mut self, scope: &str, nodes: &[Node]) {
        for node in nodes {
            let path = format!("{scope}{}", node.id);
            let regions = node.kind.regions();
            let own = format!("{scope}{}", node.scope());
            for (_, region) in regions {
                self.add(&own, &region.nodes);
            }
            if own.ends_with("[]/") {
                self.repeating.insert(path.clone());
            }
            self.all.insert(path);
        }
    }

    /// `days[]/load` for `days[3]/load`, where `days` is a node that repeats.
    fn of_run(&self, id: &str) -> String {
        if self.all.contains(id) {
            return id.to_owned();
        }
        let mut path = String::new();
        let mut parts = id.split_inclusive('/').peekable();
        while let Some(part) = parts.next() {
            let repeated =
                part.strip_suffix("]/").and_then(|part| part.rsplit_once('[')).filter(|(_, number)| {
                    parts.peek().is_some()
                        && !number.is_empty()
                        && number.bytes().all(|byte| byte.is_ascii_digit())
                });
            match repeated {
                Some((node, _)) if self.repeating.contains(&format!("{path}{node}")) => {
                    path += node;
                    path += "[]/";
                }
                _ => path += part,
            }
        }
        path
    }
}
