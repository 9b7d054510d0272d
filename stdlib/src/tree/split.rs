//! The best cut of one leaf on one feature, from its histogram.

use super::bins::{FeatureBins, MISSING};
use super::params::{Monotone, Params};
use super::quantise::{Cell, Scale};

/// Fewest second-order weight in a leaf, as in LightGBM (`min_sum_hessian_in_leaf`) and scikit-learn.
const MIN_HESSIAN: f64 = 1e-3;
/// Up to so many categories each is tried against the rest (LightGBM `max_cat_to_onehot`); more are sorted.
const ONE_VS_REST: usize = 4;
/// Added to a category's hessian when categories are sorted (LightGBM `cat_smooth`).
const CATEGORY_SMOOTHING: f64 = 10.0;
/// Added to L2 for sorted categories, since their order was fitted to the same rows (LightGBM `cat_l2`).
const CATEGORY_L2: f64 = 10.0;
/// Categories with fewer rows in a leaf stay on the right (scikit-learn `MIN_CAT_SUPPORT`).
const MIN_CATEGORY_ROWS: u32 = 10;
/// A gain has to exceed the rounding of the terms it is the difference of.
const ROUNDING: f64 = 1e-12;

/// Which bins go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    AtMost { bin: u8, missing_left: bool },
    Among(BinSet),
}

/// A set of bins, the missing one included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BinSet(pub [u64; 4]);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    /// Decrease of the loss's second-order approximation, in integer units: comparable within one tree.
    pub gain: f64,
    pub feature: u32,
    pub rule: Rule,
    pub left: Cell,
}

/// What a monotone constraint further up the tree leaves a leaf: its value, gradient units per hessian unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub low: f64,
    pub high: f64,
}

/// What every candidate of one tree is held to, in integer units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Criterion {
    l1: f64,
    l2: f64,
    category_smoothing: f64,
    category_l2: f64,
    min_hessian: f64,
    min_rows: u32,
}

impl BinSet {
    pub fn insert(&mut self, bin: u8) {
        self.0[usize::from(bin >> 6)] |= 1 << (bin & 63);
    }

    pub fn contains(&self, bin: u8) -> bool {
        self.0[usize::from(bin >> 6)] >> (bin & 63) & 1 == 1
    }
}

impl Rule {
    /// By bin, whether it goes left.
    pub fn table(&self) -> [bool; 256] {
        match self {
            Rule::AtMost { bin, missing_left } => std::array::from_fn(|other| {
                if other == usize::from(MISSING) { *missing_left } else { other <= usize::from(*bin) }
            }),
            Rule::Among(set) => std::array::from_fn(|other| set.contains(other as u8)),
        }
    }
}

impl Bounds {
    pub const NONE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Bounds of both sides of a split: one that was held to a direction keeps all that follows below it on its own side
    /// of the middle (LightGBM's basic method).
    pub fn children(self, direction: Monotone, left_value: f64, right_value: f64) -> (Self, Self) {
        let middle = left_value / 2.0 + right_value / 2.0;
        let below = Self { high: middle.min(self.high), ..self };
        let above = Self { low: middle.max(self.low), ..self };
        match direction {
            Monotone::Free => (self, self),
            Monotone::Increasing => (below, above),
            Monotone::Decreasing => (above, below),
        }
    }

    pub fn clamp(self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }
}

impl Criterion {
    pub fn new(params: &Params, scale: Scale) -> Self {
        Self {
            l1: params.l1 * scale.gradient,
            l2: params.l2 * scale.hessian,
            category_smoothing: CATEGORY_SMOOTHING * scale.hessian,
            category_l2: CATEGORY_L2 * scale.hessian,
            min_hessian: MIN_HESSIAN * scale.hessian,
            min_rows: params.min_rows,
        }
    }

    /// Whether a leaf with these sums could have two children.
    pub fn can_split(&self, total: Cell) -> bool {
        total.rows() >= self.min_rows.saturating_mul(2) && total.hessian() >= 2.0 * self.min_hessian
    }

    fn allows(&self, side: Cell) -> bool {
        side.rows() >= self.min_rows && side.hessian() >= self.min_hessian
    }

    /// The gradient sum after the L1 penalty, squared.
    fn squared(&self, gradient: f64) -> f64 {
        let shrunk = (gradient.abs() - self.l1).max(0.0);
        shrunk * shrunk
    }

    /// What a leaf with these sums takes off the loss, twice.
    fn score(&self, sums: Cell) -> f64 {
        self.squared(sums.gradient()) / (sums.hessian() + self.l2)
    }

    /// The value of a leaf with these sums.
    pub fn value(&self, sums: Cell, bounds: Bounds) -> f64 {
        let gradient = sums.gradient();
        let shrunk = (gradient.abs() - self.l1).max(0.0).copysign(gradient);
        bounds.clamp(-shrunk / (sums.hessian() + self.l2))
    }

    /// What a leaf with these sums takes off the loss, twice, if it has this value.
    fn score_at(&self, sums: Cell, value: f64) -> f64 {
        let hessian = sums.hessian() + self.l2;
        -(2.0 * (sums.gradient() * value + self.l1 * value.abs()) + hessian * value * value)
    }

    /// What two leaves take off together; one division, since that is what takes time.
    #[inline]
    fn pair_score(&self, left: Cell, total: Cell, extra_l2: f64) -> f64 {
        let right = total.minus(left);
        let left_hessian = left.hessian() + (self.l2 + extra_l2);
        let right_hessian = right.hessian() + (self.l2 + extra_l2);
        let numerator =
            self.squared(left.gradient()) * right_hessian + self.squared(right.gradient()) * left_hessian;
        numerator / (left_hessian * right_hessian)
    }
}

/// The split of `feature` with the highest gain over not splitting; the first of equals. `cells` are the leaf's, `total`
/// their sum; `constraint` is None where the tree knows none.
pub(super) fn best_split(
    feature: u32,
    bins: &FeatureBins,
    cells: &[Cell; 256],
    total: Cell,
    criterion: &Criterion,
    constraint: Option<(Bounds, Monotone)>,
    candidates: &mut Candidates,
) -> Option<Split> {
    let mut best = Best::new(total, criterion, constraint);
    let rule = match bins {
        FeatureBins::Numeric { .. } => numeric(&mut best, &cells[..bins.count()], cells[255], candidates)?,
        FeatureBins::Categorical { .. } => Rule::Among(categorical(&mut best, bins.count(), cells)?),
    };
    Some(Split { gain: best.score - best.unsplit, feature, rule, left: best.left })
}

/// Room for the thresholds of one feature, reused between features.
#[derive(Debug)]
pub(super) struct Candidates {
    /// What goes left, cut after the bin of the same place.
    left: [Cell; 256],
    bins: [u8; 256],
    scores: [f64; 256],
}

impl Candidates {
    pub fn new() -> Self {
        Self { left: [Cell::default(); 256], bins: [0; 256], scores: [0.0; 256] }
    }
}

/// The best split so far.
struct Best<'a> {
    criterion: &'a Criterion,
    constraint: Option<(Bounds, Monotone)>,
    total: Cell,
    /// What not splitting takes off the loss, twice; candidates have to exceed it.
    unsplit: f64,
    score: f64,
    left: Cell,
}

impl<'a> Best<'a> {
    fn new(total: Cell, criterion: &'a Criterion, constraint: Option<(Bounds, Monotone)>) -> Self {
        let unsplit = match constraint {
            None => criterion.score(total),
            Some((bounds, _)) => criterion.score_at(total, criterion.value(total, bounds)),
        };
        let score = unsplit + unsplit.abs() * ROUNDING + f64::MIN_POSITIVE;
        Self { criterion, constraint, total, unsplit, score, left: Cell::default() }
    }

    /// What the two sides take off; where they break the constraint, less than any.
    #[inline]
    fn pair_score(&self, left: Cell, extra_l2: f64) -> f64 {
        let Some((bounds, direction)) = self.constraint else {
            return self.criterion.pair_score(left, self.total, extra_l2);
        };
        let right = self.total.minus(left);
        let (left_value, right_value) =
            (self.criterion.value(left, bounds), self.criterion.value(right, bounds));
        let is_allowed = match direction {
            Monotone::Free => true,
            Monotone::Increasing => left_value <= right_value,
            Monotone::Decreasing => left_value >= right_value,
        };
        if is_allowed {
            self.criterion.score_at(left, left_value) + self.criterion.score_at(right, right_value)
        } else {
            f64::NEG_INFINITY
        }
    }

    /// Takes the candidate if both sides are allowed and it is better.
    fn offer(&mut self, left: Cell, extra_l2: f64) -> bool {
        let right = self.total.minus(left);
        if !(self.criterion.allows(left) && self.criterion.allows(right)) {
            return false;
        }
        let score = self.pair_score(left, extra_l2);
        self.take(left, score)
    }

    fn take(&mut self, left: Cell, score: f64) -> bool {
        let better = score > self.score;
        if better {
            (self.score, self.left) = (score, left);
        }
        better
    }
}

/// Missing rows are tried on both sides (Chen & Guestrin 2016, algorithm 3); without any, the side with more rows will
/// take those of prediction.
fn numeric(best: &mut Best, cells: &[Cell], missing: Cell, candidates: &mut Candidates) -> Option<Rule> {
    let on_right = ascend(best, cells, Cell::default(), candidates);
    let on_left = if missing.is_empty() { None } else { ascend(best, cells, missing, candidates) };
    let bin = on_left.or(on_right)?;
    let missing_left =
        if missing.is_empty() { best.left.rows() * 2 >= best.total.rows() } else { on_left.is_some() };
    Some(Rule::AtMost { bin, missing_left })
}

/// Tries every threshold; `left` is what goes left in any case. Three plain loops, since small leaves leave most bins
/// empty in no order that a branch could be foreseen by.
fn ascend(best: &mut Best, cells: &[Cell], mut left: Cell, candidates: &mut Candidates) -> Option<u8> {
    // An empty bin cuts where the one before it does: its candidate is overwritten.
    let mut count = 0;
    for (bin, cell) in cells.iter().enumerate() {
        left.add(*cell);
        candidates.left[count] = left;
        candidates.bins[count] = bin as u8;
        count += usize::from(!cell.is_empty());
    }
    // Rows only gather on the left and only dwindle on the right: what is allowed is one range.
    let (criterion, total) = (best.criterion, best.total);
    let all = &candidates.left[..count];
    let first = all.iter().position(|&left| criterion.allows(left))?;
    let last = all.iter().rposition(|&left| criterion.allows(total.minus(left)))?;
    let scores = candidates.scores.get_mut(first..=last)?;
    for (score, left) in scores.iter_mut().zip(&candidates.left[first..=last]) {
        *score = best.pair_score(*left, 0.0);
    }
    let highest = scores
        .iter()
        .fold(f64::NEG_INFINITY, |highest, &score| if score > highest { score } else { highest });
    let place = first + scores.iter().position(|&score| score == highest)?;
    best.take(candidates.left[place], highest).then(|| candidates.bins[place])
}

/// The missing bin is one more category.
fn categorical(best: &mut Best, count: usize, cells: &[Cell; 256]) -> Option<BinSet> {
    let present: Vec<u8> = (0..=MISSING).filter(|&bin| usize::from(bin) < count || bin == MISSING).collect();
    let present: Vec<u8> = present.into_iter().filter(|&bin| !cells[usize::from(bin)].is_empty()).collect();
    let mut set = if present.len() <= ONE_VS_REST {
        one_vs_rest(best, &present, cells)?
    } else {
        many_vs_many(best, present, cells)?
    };
    if cells[usize::from(MISSING)].is_empty() && best.left.rows() * 2 >= best.total.rows() {
        set.insert(MISSING);
    }
    Some(set)
}

fn one_vs_rest(best: &mut Best, present: &[u8], cells: &[Cell; 256]) -> Option<BinSet> {
    let mut chosen = None;
    for &bin in present {
        if best.offer(cells[usize::from(bin)], 0.0) {
            chosen = Some(bin);
        }
    }
    let mut set = BinSet::default();
    set.insert(chosen?);
    Some(set)
}

/// For a convex loss the best partition is a prefix of the categories in the order of their mean response (Fisher
/// 1958). From both ends, since rare categories stay on the right.
fn many_vs_many(best: &mut Best, mut present: Vec<u8>, cells: &[Cell; 256]) -> Option<BinSet> {
    let extra_l2 = best.criterion.category_l2;
    present.retain(|&bin| cells[usize::from(bin)].rows() >= MIN_CATEGORY_ROWS);
    let response = |bin: u8| {
        let cell = cells[usize::from(bin)];
        cell.gradient() / (cell.hessian() + best.criterion.category_smoothing)
    };
    present.sort_by(|&a, &b| response(a).total_cmp(&response(b)).then(a.cmp(&b)));
    let mut chosen = None;
    for descending in [false, true] {
        if descending {
            present.reverse();
        }
        let mut left = Cell::default();
        for (taken, &bin) in present.iter().enumerate() {
            left.add(cells[usize::from(bin)]);
            if best.offer(left, extra_l2) {
                chosen = Some((descending, taken + 1));
            }
        }
    }
    let (descending, taken) = chosen?;
    if !descending {
        present.reverse();
    }
    let mut set = BinSet::default();
    present[..taken].iter().for_each(|&bin| set.insert(bin));
    Some(set)
}
