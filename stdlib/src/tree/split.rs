//! The best cut of one leaf on one feature, from its histogram.

use super::bins::{FeatureBins, MISSING};
use super::params::Params;
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
}

/// The split of `feature` with the highest gain over not splitting; the first of equals. `cells` are the leaf's, `total`
/// their sum.
pub(super) fn best_split(
    feature: u32,
    bins: &FeatureBins,
    cells: &[Cell; 256],
    total: Cell,
    criterion: &Criterion,
) -> Option<Split> {
    let mut best = Best::new(total, criterion);
    let rule = match bins {
        FeatureBins::Numeric { .. } => numeric(&mut best, &cells[..bins.count()], cells[255])?,
        FeatureBins::Categorical { .. } => Rule::Among(categorical(&mut best, bins.count(), cells)?),
    };
    Some(Split { gain: best.gain(), feature, rule, left: best.left })
}

/// The best candidate so far. Gains are compared as fractions crosswise, which needs no division per candidate.
struct Best<'a> {
    criterion: &'a Criterion,
    total: Cell,
    numerator: f64,
    denominator: f64,
    left: Cell,
}

impl<'a> Best<'a> {
    fn new(total: Cell, criterion: &'a Criterion) -> Self {
        let unsplit = criterion.score(total);
        Self {
            criterion,
            total,
            numerator: unsplit * (1.0 + ROUNDING) + f64::MIN_POSITIVE,
            denominator: 1.0,
            left: Cell::default(),
        }
    }

    /// Takes the candidate if it is better. Its sides are allowed.
    #[inline]
    fn offer(&mut self, left: Cell, extra_l2: f64) -> bool {
        let right = self.total.minus(left);
        let left_hessian = left.hessian() + self.criterion.l2 + extra_l2;
        let right_hessian = right.hessian() + self.criterion.l2 + extra_l2;
        let numerator = self.criterion.squared(left.gradient()) * right_hessian
            + self.criterion.squared(right.gradient()) * left_hessian;
        let denominator = left_hessian * right_hessian;
        let better = numerator * self.denominator > self.numerator * denominator;
        if better {
            self.numerator = numerator;
            self.denominator = denominator;
            self.left = left;
        }
        better
    }

    fn gain(&self) -> f64 {
        self.numerator / self.denominator - self.criterion.score(self.total)
    }
}

/// Missing rows are tried on both sides (Chen & Guestrin 2016, algorithm 3); without any, the side with more rows will
/// take those of prediction.
fn numeric(best: &mut Best, cells: &[Cell], missing: Cell) -> Option<Rule> {
    let on_right = ascend(best, cells, Cell::default());
    let on_left = if missing.is_empty() { None } else { ascend(best, cells, missing) };
    let bin = on_left.or(on_right)?;
    let missing_left =
        if missing.is_empty() { best.left.rows() * 2 >= best.total.rows() } else { on_left.is_some() };
    Some(Rule::AtMost { bin, missing_left })
}

/// Offers every threshold; `left` is what goes left in any case.
fn ascend(best: &mut Best, cells: &[Cell], mut left: Cell) -> Option<u8> {
    let mut chosen = None;
    for (cell, bin) in cells.iter().zip(0..=MISSING) {
        if cell.is_empty() {
            continue;
        }
        left.add(*cell);
        if !best.criterion.allows(left) {
            continue;
        }
        if !best.criterion.allows(best.total.minus(left)) {
            break;
        }
        if best.offer(left, 0.0) {
            chosen = Some(bin);
        }
    }
    chosen
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
        let left = cells[usize::from(bin)];
        let allowed = best.criterion.allows(left) && best.criterion.allows(best.total.minus(left));
        if allowed && best.offer(left, 0.0) {
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
            if !best.criterion.allows(left) {
                continue;
            }
            if !best.criterion.allows(best.total.minus(left)) {
                break;
            }
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
