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

pub fn areas(rows: &mut [Ranked]) -> Option<Areas> {
    rows.sort_by(|a, b| b.score.total_cmp(&a.score));
    let total = |is_positive: bool| {
        let weights = rows.iter().filter(|row| row.is_positive == is_positive).map(|row| row.weight);
        weights.collect::<Sum>().total()
    };
    let (positives, negatives) = (total(true), total(false));
    if positives <= 0.0 || negatives <= 0.0 {
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
