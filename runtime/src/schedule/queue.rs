//! Ready nodes, and the best one that fits.
//!
//! By priority, then by the longest path to an end (critical path first), then in the DAG's order. Nodes of equal
//! need share a queue, so that what does not fit is passed over at once, however many nodes it is. A smaller node may
//! overtake one that does not fit at the moment, but not for ever: see [`PATIENCE`].

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    sync::Arc,
};

use flow_ir::{dag::Dag, node::Node, template::path_of};
use rustc_hash::FxHashMap;

use super::{
    amount::{Amount, Lack, Need},
    lend::Lender,
    machine::{CannotFit, Machine},
};
use crate::decide::Graph;

/// How long nodes took in earlier runs, in microseconds, by their ids; for nodes of regions also by the paths of their
/// templates ([`path_of`]), where it is one for all instances.
pub type Weights = FxHashMap<String, i64>;

pub struct Scheduler {
    /// How much this run may use.
    limit: Machine,
    weights: Weights,
    whole: Amount,
    used: Amount,
    /// By node.
    taken: FxHashMap<u32, Vec<Amount>>,
    lender: Option<Box<dyn Lender>>,
    /// For each node: its queue, and its rank in it.
    places: Vec<(u32, Rank)>,
    queues: Vec<Queue>,
    known: FxHashMap<Need, u32>,
    /// The best node of each queue.
    heads: BTreeSet<(Rank, u32, u32)>,
    /// Since which count of takes each queue waits, with its number.
    oldest: BTreeSet<(u64, u32)>,
    takes: u64,
}

/// How often others may be taken while the best node waits for room, before all that would use the same wait with
/// it. A guess: large enough to use idle cores, small enough that the wait ends.
const PATIENCE: u64 = 64;
/// Likewise for a node of the same priority as the best one whose path is shorter.
const LONG_PATIENCE: u64 = 1024;
/// How many different needs are looked at for one that fits: a take costs O(log n) whatever the DAG asks for.
const LOOK: usize = 64;

/// Greater is sooner: priority, path, order in the DAG.
type Rank = (i64, u64, Reverse<u32>);

#[derive(Debug)]
struct Queue {
    need: Need,
    waiting: BinaryHeap<(Rank, u32)>,
    /// The count of takes when it was last served or had begun to wait.
    since: u64,
}

impl Scheduler {
    /// `limit` is what the run may use. Paths are as long as their nodes took before; a node of which that is not
    /// known counts as the mean of the others, so that without any knowledge a path is as long as it has nodes.
    ///
    /// # Errors
    /// Where a node exceeds `limit` by itself.
    pub fn new(dag: &Dag, graph: &Graph, limit: Machine, weights: &Weights) -> Result<Self, CannotFit> {
        limit.check(dag)?;
        let mut scheduler = Self {
            whole: limit.whole(),
            limit,
            weights: weights.clone(),
            used: Amount::default(),
            taken: FxHashMap::default(),
            lender: None,
            places: Vec::with_capacity(dag.nodes.len()),
            queues: Vec::new(),
            known: FxHashMap::default(),
            heads: BTreeSet::new(),
            oldest: BTreeSet::new(),
            takes: 0,
        };
        let durations = scheduler.durations(dag.nodes.iter().map(|node| node.id.as_str()));
        for (node, path) in dag.nodes.iter().zip(graph.paths(&durations)) {
            scheduler.add_place(Need::of(node), node.policy.priority, path);
        }
        Ok(scheduler)
    }

    /// How much the run may use.
    pub fn limit(&self) -> &Machine {
        &self.limit
    }

    /// Shares the machine with others from now on.
    pub fn share(&mut self, lender: Box<dyn Lender>) {
        self.lender = Some(lender);
    }

    /// The next node that there is, after those of the DAG: `path` is the longest one from it to an end.
    pub fn add_place(&mut self, need: Need, priority: i64, path: u64) {
        let index = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let queue = match self.known.get(&need) {
            Some(queue) => *queue,
            None => {
                let queue = u32::try_from(self.queues.len()).unwrap_or(u32::MAX);
                self.known.insert(need.clone(), queue);
                self.queues.push(Queue { need, waiting: BinaryHeap::new(), since: 0 });
                queue
            }
        };
        self.places.push((queue, (priority, path, Reverse(index))));
    }

    /// The next nodes that there are: those of a region that the node `around` runs, each as urgent as that one at
    /// least. `ids` are theirs in the run.
    pub fn add_region(&mut self, around: u32, nodes: &[Node], ids: &[Arc<str>], graph: &Graph) {
        let (priority, path) =
            self.places.get(around as usize).map_or((0, 0), |(_, (priority, path, _))| (*priority, *path));
        let durations = self.durations(ids.iter().map(|id| &**id));
        for (node, below) in nodes.iter().zip(graph.paths(&durations)) {
            let priority = priority.saturating_add(node.policy.priority);
            self.add_place(Need::of(node), priority, path.saturating_add(below));
        }
    }

    /// How long each node takes, as far as is known.
    fn durations<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Vec<u64> {
        if self.weights.is_empty() {
            return vec![1; ids.count()];
        }
        let known = ids.map(|id| {
            let weight = self.weights.get(id).or_else(|| self.weights.get(&*path_of(id)))?;
            u64::try_from(*weight).ok()
        });
        with_mean(&known.collect::<Vec<_>>())
    }

    /// The node has all its inputs.
    pub fn add(&mut self, node: u32, attempt: u32) {
        let Some((index, rank)) = self.places.get(node as usize).copied() else { return };
        let Some(queue) = self.queues.get_mut(index as usize) else { return };
        match queue.waiting.peek() {
            Some((best, first)) if (*best, *first) >= (rank, attempt) => {}
            Some((best, first)) => {
                self.heads.remove(&(*best, *first, index));
                self.heads.insert((rank, attempt, index));
            }
            None => {
                queue.since = self.takes;
                self.oldest.insert((queue.since, index));
                self.heads.insert((rank, attempt, index));
            }
        }
        queue.waiting.push((rank, attempt));
    }

    /// Takes the best node that fits, and what it needs: [`Self::taken`] has it. The caller drops a node that is
    /// no longer ready, and releases it.
    pub fn take(&mut self) -> Option<(u32, u32)> {
        let owed = self.owed();
        let mut lacking = None;
        let mut tried = 0;
        // A tree's iterator cannot go on beside what a try changes.
        let mut below = None;
        if let Some(queue) = owed {
            match self.try_queue(queue) {
                Ok(taken) => return Some(taken),
                Err(lack) => lacking = Some(lack),
            }
        }
        while tried < LOOK {
            let next = match below {
                None => self.heads.last(),
                Some(below) => self.heads.range(..below).next_back(),
            };
            let head @ (.., queue) = *next?;
            below = Some(head);
            tried += 1;
            let is_free = |lack| self.queues.get(queue as usize).is_some_and(|of| !of.need.touches(lack));
            if Some(queue) != owed
                && lacking.is_none_or(is_free)
                && let Ok(taken) = self.try_queue(queue)
            {
                return Some(taken);
            }
        }
        None
    }

    /// What a running node has been given.
    pub fn taken(&self, node: u32) -> Option<&Amount> {
        self.taken.get(&node)?.last()
    }

    /// The node no longer uses what it took.
    pub fn release(&mut self, node: u32) {
        // One that became ready twice is handed out twice, and the second time given back at once.
        let Some(amounts) = self.taken.get_mut(&node) else { return };
        let amount = amounts.pop();
        if amounts.is_empty() {
            self.taken.remove(&node);
        }
        if let Some(amount) = amount {
            self.used.remove(&amount);
            if let Some(lender) = &mut self.lender {
                lender.give(&amount);
            }
        }
    }

    /// All that fits has been taken, and the run waits for something to happen.
    pub fn settle(&mut self) {
        if let Some(lender) = &mut self.lender {
            lender.settle();
        }
    }

    /// The queue whose turn it is, whoever else fits.
    fn owed(&self) -> Option<u32> {
        let (best, _, queue) = self.heads.last()?;
        let since = self.queues.get(*queue as usize)?.since;
        if self.takes - since >= PATIENCE {
            return Some(*queue);
        }
        let (since, oldest) = self.oldest.first()?;
        let ((priority, ..), _) = self.queues.get(*oldest as usize)?.waiting.peek()?;
        (self.takes - since >= LONG_PATIENCE && *priority == best.0).then_some(*oldest)
    }

    fn try_queue(&mut self, index: u32) -> Result<(u32, u32), Lack> {
        let Some(queue) = self.queues.get_mut(index as usize) else { return Err(Lack::default()) };
        let mut amount = self.whole.place(&self.used, &queue.need, &self.limit)?;
        if let Some(lender) = &mut self.lender {
            amount = lender.take(&queue.need)?;
        }
        let Some((rank, attempt)) = queue.waiting.pop() else { return Err(Lack::default()) };
        self.heads.remove(&(rank, attempt, index));
        self.oldest.remove(&(queue.since, index));
        self.takes += 1;
        queue.since = self.takes;
        if let Some((rank, attempt)) = queue.waiting.peek() {
            self.heads.insert((*rank, *attempt, index));
            self.oldest.insert((queue.since, index));
        }
        self.used.add(&amount);
        let (_, _, Reverse(node)) = rank;
        self.taken.entry(node).or_default().push(amount);
        Ok((node, attempt))
    }
}

/// The mean stands for what is not known; 1 where nothing is. None takes no time at all.
/// The mean where nothing is known.
fn with_mean(durations: &[Option<u64>]) -> Vec<u64> {
    let known = durations.iter().flatten();
    let (count, total) =
        known.fold((0_u128, 0_u128), |(count, total), duration| (count + 1, total + u128::from(*duration)));
    let mean = total.checked_div(count).and_then(|mean| u64::try_from(mean).ok()).unwrap_or(1).max(1);
    durations.iter().map(|duration| duration.unwrap_or(mean).max(1)).collect()
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("limit", &self.limit)
            .field("used", &self.used)
            .field("queues", &self.queues)
            .finish_non_exhaustive()
    }
}
