//! One tree, leaf by leaf: always the leaf whose best split gains most (Ke et al. 2017).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::Range;

use super::bins::{BinMatrix, FeatureBins};
use super::histogram::{self, Histogram, Pool};
use super::model::{Node, Test, Tree};
use super::params::{Monotone, Params};
use super::partition::partition;
use super::quantise::{Cell, Quantised, Scale};
use super::split::{Bounds, Candidates, Criterion, Rule, Split, best_split};
use super::threads::{Workers, for_each};

/// Cells to scan below which one thread is faster (a cell takes about 3 ns, a thread 30 µs).
const PARALLEL_CELLS: usize = 1 << 15;

/// Grows trees on one binned data set and keeps the buffers between them.
#[derive(Debug)]
pub(super) struct Grower<'a> {
    matrix: &'a BinMatrix,
    bins: &'a [FeatureBins],
    params: &'a Params,
    workers: Workers<'a>,
    pool: Pool,
    scratch: Vec<u32>,
}

/// A tree whose leaf values are still to be set, and which of `rows` each leaf holds.
#[derive(Debug)]
pub(super) struct Grown {
    pub tree: Tree,
    pub leaves: Vec<Range<usize>>,
    /// By leaf: what constraints leave its value, before the learning rate.
    pub bounds: Vec<Bounds>,
}

/// A leaf of the tree that is growing.
#[derive(Debug)]
struct Leaf {
    rows: Range<usize>,
    depth: u32,
    total: Cell,
    bounds: Bounds,
    /// Its number in the tree.
    index: usize,
}

/// A leaf that may still be split.
#[derive(Debug)]
struct OpenLeaf {
    leaf: Leaf,
    /// None where the pool was full.
    histogram: Option<Histogram>,
    split: Split,
}

/// What all leaves of one tree share.
struct Job<'a> {
    quantised: &'a [Quantised],
    criterion: Criterion,
    gain_scale: f64,
    /// Features this tree may split on, ascending.
    allowed: &'a [u32],
}

impl<'a> Grower<'a> {
    pub fn new(
        matrix: &'a BinMatrix,
        bins: &'a [FeatureBins],
        params: &'a Params,
        workers: Workers<'a>,
    ) -> Self {
        Self { matrix, bins, params, workers, pool: Pool::new(bins.len()), scratch: Vec::new() }
    }

    /// Reorders `rows` so that each leaf's lie together, in their first order.
    pub fn grow(
        &mut self,
        rows: &mut [u32],
        quantised: &[Quantised],
        scale: Scale,
        allowed: &[u32],
    ) -> Grown {
        let job = Job {
            quantised,
            criterion: Criterion::new(self.params, scale),
            gain_scale: scale.hessian / (scale.gradient * scale.gradient),
            allowed,
        };
        self.scratch.resize(rows.len(), 0);
        let root_rows = 0..rows.len();
        let mut grown = Grown {
            tree: Tree::single_leaf(rows.len()),
            leaves: Vec::from([root_rows]),
            bounds: vec![Bounds::NONE],
        };
        let mut parents: Vec<Option<(usize, bool)>> = vec![None];
        let mut open = BinaryHeap::new();
        let mut total = Cell::default();
        rows.iter().for_each(|&row| total.add(quantised[row as usize].cell()));
        if job.criterion.can_split(total) {
            let mut root = self.pool.take();
            self.build(&job, rows, &mut root);
            let root_leaf = Leaf { rows: 0..rows.len(), depth: 0, total, bounds: Bounds::NONE, index: 0 };
            open.extend(self.open(&job, root_leaf, root));
        }
        // Once it is stopped histograms may be of some rows only, and nothing must be taken off them.
        while !self.workers.is_stopped()
            && let Some(OpenLeaf { leaf, histogram, split }) = open.pop()
        {
            let Split { feature, rule, left: left_total, gain } = split;
            let right_total = leaf.total.minus(left_total);
            let (left_bounds, right_bounds) = leaf.bounds.children(
                self.direction(feature),
                job.criterion.value(left_total, leaf.bounds),
                job.criterion.value(right_total, leaf.bounds),
            );
            let Range { start, end } = leaf.rows;
            let cut = start
                + partition(
                    self.matrix,
                    feature as usize,
                    &rule.table(),
                    &mut rows[start..end],
                    &mut self.scratch,
                    // A part of it would leave rows in no leaf.
                    self.workers.threads.into(),
                );

            let right_index = grown.leaves.len();
            let node = grown.tree.nodes.len();
            if let Some((parent, is_left)) = parents[leaf.index] {
                let parent: &mut Node = &mut grown.tree.nodes[parent];
                *(if is_left { &mut parent.left } else { &mut parent.right }) = node as i32;
            }
            parents[leaf.index] = Some((node, true));
            parents.push(Some((node, false)));
            grown.tree.nodes.push(Node {
                feature,
                test: match rule {
                    Rule::AtMost { bin, missing_left } => Test::AtMost { bin, missing_left },
                    Rule::Among(set) => {
                        grown.tree.sets.push(set);
                        Test::Among(grown.tree.sets.len() as u32 - 1)
                    }
                },
                left: !(leaf.index as i32),
                right: !(right_index as i32),
                gain: gain * job.gain_scale,
            });
            grown.leaves[leaf.index] = start..cut;
            grown.leaves.push(cut..end);
            grown.bounds[leaf.index] = left_bounds;
            grown.bounds.push(right_bounds);

            if grown.leaves.len() == self.params.leaves as usize {
                histogram.into_iter().for_each(|histogram| self.pool.give_back(histogram));
                break;
            }
            let depth = leaf.depth + 1;
            let deep = self.params.depth != 0 && depth >= self.params.depth;
            let may_split = |total| !deep && job.criterion.can_split(total);
            let (left, right) = self.children(
                &job,
                histogram,
                (may_split(left_total), &rows[start..cut]),
                (may_split(right_total), &rows[cut..end]),
            );
            let left_leaf =
                Leaf { rows: start..cut, depth, total: left_total, bounds: left_bounds, index: leaf.index };
            let right_leaf =
                Leaf { rows: cut..end, depth, total: right_total, bounds: right_bounds, index: right_index };
            for (leaf, histogram) in [(left_leaf, left), (right_leaf, right)] {
                open.extend(histogram.and_then(|histogram| self.open(&job, leaf, histogram)));
            }
        }
        for leaf in open {
            leaf.histogram.into_iter().for_each(|histogram| self.pool.give_back(histogram));
        }
        grown.tree.leaf_rows = grown.leaves.iter().map(|rows| rows.len() as u32).collect();
        grown.tree.values = vec![0.0; grown.leaves.len()];
        grown
    }

    fn build(&self, job: &Job, rows: &[u32], histogram: &mut Histogram) {
        histogram::build(self.matrix, self.bins, rows, job.quantised, histogram, self.workers);
    }

    /// Histograms of those children that may split: the smaller side is counted, the other is what it leaves of the
    /// parent's.
    fn children(
        &mut self,
        job: &Job,
        parent: Option<Histogram>,
        (left_splits, left): (bool, &[u32]),
        (right_splits, right): (bool, &[u32]),
    ) -> (Option<Histogram>, Option<Histogram>) {
        let left_is_small = left.len() <= right.len();
        let (small, small_splits, large, large_splits) = if left_is_small {
            (left, left_splits, right, right_splits)
        } else {
            (right, right_splits, left, left_splits)
        };
        let (small, large) = match parent {
            Some(mut whole) if large_splits => {
                let mut part = self.pool.take();
                self.build(job, small, &mut part);
                histogram::subtract(&mut whole, &part, self.bins);
                if !small_splits {
                    self.pool.give_back(part);
                    (None, Some(whole))
                } else {
                    (Some(part), Some(whole))
                }
            }
            Some(mut whole) => {
                if small_splits {
                    self.build(job, small, &mut whole);
                    (Some(whole), None)
                } else {
                    self.pool.give_back(whole);
                    (None, None)
                }
            }
            None => {
                let mut count = |rows, splits: bool| {
                    splits.then(|| {
                        let mut histogram = self.pool.take();
                        self.build(job, rows, &mut histogram);
                        histogram
                    })
                };
                (count(small, small_splits), count(large, large_splits))
            }
        };
        if left_is_small { (small, large) } else { (large, small) }
    }

    /// Finds the leaf's best split; a leaf that has none is finished.
    fn open(&mut self, job: &Job, leaf: Leaf, histogram: Histogram) -> Option<OpenLeaf> {
        let split = self.find_split(job, &histogram, &leaf);
        let (histogram, spare) = if split.is_none() || self.pool.is_full() {
            (None, Some(histogram))
        } else {
            (Some(histogram), None)
        };
        spare.into_iter().for_each(|spare| self.pool.give_back(spare));
        split.map(|split| OpenLeaf { leaf, histogram, split })
    }

    fn direction(&self, feature: u32) -> Monotone {
        self.params.monotone.get(feature as usize).copied().unwrap_or(Monotone::Free)
    }

    fn find_split(&self, job: &Job, histogram: &Histogram, leaf: &Leaf) -> Option<Split> {
        let is_constrained = self.params.monotone.iter().any(|&direction| direction != Monotone::Free);
        let constraint = |feature| is_constrained.then(|| (leaf.bounds, self.direction(feature)));
        let workers = self.workers.one_if(job.allowed.len() * 256 < PARALLEL_CELLS);
        let mut found = vec![None; job.allowed.len()];
        let chunk = job.allowed.len().div_ceil(workers.threads).max(1);
        for_each(
            workers,
            job.allowed.chunks(chunk).zip(found.chunks_mut(chunk)).collect(),
            |(features, found)| {
                let mut candidates = Candidates::new();
                for (&feature, found) in features.iter().zip(found) {
                    let index = feature as usize;
                    let (bins, cells) = (&self.bins[index], &histogram[index]);
                    let (criterion, constraint) = (&job.criterion, constraint(feature));
                    *found =
                        best_split(feature, bins, cells, leaf.total, criterion, constraint, &mut candidates);
                }
            },
        );
        // The first of equals, so that neither threads nor chunks decide.
        found.into_iter().flatten().reduce(|best, next| if next.gain > best.gain { next } else { best })
    }
}

impl Ord for OpenLeaf {
    fn cmp(&self, other: &Self) -> Ordering {
        self.split
            .gain
            .total_cmp(&other.split.gain)
            .then(Reverse(self.leaf.index).cmp(&Reverse(other.leaf.index)))
    }
}

impl PartialOrd for OpenLeaf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OpenLeaf {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OpenLeaf {}
