//! Areas under curves that rank rows by a score. Rows of equal score count as one step.

use super::sum::Sum;

/// A row as a curve sees it.
#[derive(Clone, Copy, Debug)]
pub struct Ranked {
    pub score: f64,
    pub is_positive: bool,
    pub weight: f64,
}

/// The areas; none where the rows are all positive or all negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Areas {
    /// Under the receiver operating characteristic: how often a positive row has a higher score than a
    /// negative one, ties counting half (Hanley & McNeil 1982).
    pub roc: f64,
    /// Average precision: precision at each step, weighted by the recall that the step adds.
    pub precision_recall: f64,
}

/// Rows that are sorted without a look at whether anybody still wants the areas: some milliseconds.
const RUN: usize = 1 << 15;

/// Without any meaning once `is_stopped` says that nobody wants it.
pub fn areas(mut rows: Vec<Ranked>, is_stopped: &dyn Fn() -> bool) -> Option<Areas> {
    sort(&mut rows, is_stopped);
    if is_stopped() {
        return None;
    }
    let total = |is_positive: bool| {
        let weights = rows.iter().filter(|row| row.is_positive == is_positive).map(|row| row.weight);
        weights.collect::<Sum>().total()
    };
    let (positives, negatives) = (total(true), total(false));
    if positives <= 0.0 || negatives <= 0.0 || is_stopped() {
        return None;
    }
    let (mut above_positive, mut above_negative) = (Sum::default(), Sum::default());
    let (mut ordered, mut precisions) = (Sum::default(), Sum::default());
    for step in rows.chunk_by(|a, b| a.score == b.score) {
        let (mut positive, mut negative) = (Sum::default(), Sum::default());
        for row in step {
            if row.is_positive { positive.add(row.weight) } else { negative.add(row.weight) }
        }
        let (positive, negative) = (positive.total(), negative.total());
        ordered.add(negative * (above_positive.total() + positive / 2.0));
        above_positive.add(positive);
        above_negative.add(negative);
        let (true_positives, selected) =
            (above_positive.total(), above_positive.total() + above_negative.total());
        if selected > 0.0 {
            precisions.add(positive * (true_positives / selected));
        }
    }
    let roc = ordered.total() / positives / negatives;
    Some(Areas { roc, precision_recall: precisions.total() / positives })
}

/// By falling score, equal ones in their order: runs are sorted, then merged, two by two.
fn sort(rows: &mut Vec<Ranked>, is_stopped: &dyn Fn() -> bool) {
    for run in rows.chunks_mut(RUN) {
        if is_stopped() {
            return;
        }
        run.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    let mut merged = Vec::with_capacity(rows.len());
    let mut width = RUN;
    while width < rows.len() {
        merged.clear();
        for pair in rows.chunks(2 * width) {
            let (mut first, mut second) = pair.split_at(width.min(pair.len()));
            while let (Some((a, after_a)), Some((b, after_b))) = (first.split_first(), second.split_first()) {
                if merged.len().is_multiple_of(RUN) && is_stopped() {
                    return;
                }
                if a.score.total_cmp(&b.score).is_ge() {
                    merged.push(*a);
                    first = after_a;
                } else {
                    merged.push(*b);
                    second = after_b;
                }
            }
            merged.extend_from_slice(first);
            merged.extend_from_slice(second);
        }
        std::mem::swap(rows, &mut merged);
        width *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_merged_in_order() {
        let row = |place: usize| Ranked {
            score: (place * 7919 % 1000) as f64,
            is_positive: false,
            weight: place as f64,
        };
        let rows: Vec<Ranked> = (0..3 * RUN + 5).map(row).collect();
        let (mut merged, mut sorted) = (rows.clone(), rows);
        sort(&mut merged, &|| false);
        sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
        assert!(merged.iter().zip(&sorted).all(|(a, b)| a.weight == b.weight));
    }
}
