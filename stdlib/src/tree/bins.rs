//! Columns to 8-bit bins: quantiles for numbers, the most frequent codes for categories.

use std::collections::HashMap;

use super::data::{Column, Feature};
use super::sample::Random;
use super::threads::{Workers, for_each};

/// The bin of missing values, and of categories that training did not keep.
pub(super) const MISSING: u8 = 255;

/// Quantiles come from at most this many rows, as in LightGBM (`bin_construct_sample_cnt`).
const QUANTILE_ROWS: usize = 200_000;

/// Rows of a feature between two looks at whether anybody still wants its bins: some milliseconds.
const CHECK_ROWS: usize = 1 << 18;

/// How one feature's values fall into bins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FeatureBins {
    /// Bin i holds the values above `edges[i - 1]` and up to `edges[i]`, compared as f64; strictly ascending, at most 254.
    Numeric { edges: Vec<f32> },
    /// Bin i holds `codes[i]`: distinct, most frequent first, at most 255.
    Categorical { codes: Vec<u32> },
}

/// Bins of all rows, in tiles of a few neighbouring features. Within a tile a row's bins lie together, so that one
/// pass over a leaf's rows updates the histograms of all of them.
#[derive(Debug)]
pub(super) struct BinMatrix {
    pub tile_width: usize,
    pub tiles: Vec<Tile>,
}

#[derive(Debug)]
pub(super) struct Tile {
    /// Features of this tile; `tile_width` but for the last one.
    pub width: usize,
    /// Row after row, `width` each.
    pub bins: Vec<u8>,
}

impl FeatureBins {
    /// Bins in use, the missing one left out.
    pub fn count(&self) -> usize {
        match self {
            FeatureBins::Numeric { edges } => edges.len() + 1,
            FeatureBins::Categorical { codes } => codes.len(),
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            FeatureBins::Numeric { .. } => "numeric",
            FeatureBins::Categorical { .. } => "categorical",
        }
    }

    /// Writes the bin of each of `column`'s rows from `start` on to `bins[0]`, `bins[width]`, … A column of the
    /// other kind writes nothing.
    fn write(&self, column: &Column, start: usize, bins: &mut [u8], width: usize) {
        match (self, column) {
            (FeatureBins::Numeric { edges }, Column::Numeric { values, valid }) => {
                let edges: Vec<f64> = edges.iter().map(|&edge| edge.into()).collect();
                let bin_of = |value| edges.partition_point(|&edge| edge < value) as u8;
                write_bins(&values[start..], valid.map(|valid| &valid[start..]), bins, width, bin_of);
            }
            (FeatureBins::Categorical { codes }, Column::Categorical { codes: values, valid }) => {
                let mut by_code: Vec<(u32, u8)> =
                    codes.iter().zip(0..MISSING).map(|(&code, bin)| (code, bin)).collect();
                by_code.sort_unstable();
                let bin_of = |code| match by_code.binary_search_by_key(&code, |pair| pair.0) {
                    Ok(found) => by_code[found].1,
                    Err(_) => MISSING,
                };
                write_bins(&values[start..], valid.map(|valid| &valid[start..]), bins, width, bin_of);
            }
            _ => {}
        }
    }
}

/// Chooses the bins of every feature. Numbers with at most `bins` distinct values get one bin each, with edges at the
/// midpoints; others get bins of about equal weight, and values as heavy as a bin have one of their own (LightGBM's
/// greedy rule).
pub(super) fn fit(
    features: &[Feature],
    weights: Option<&[f64]>,
    bins: usize,
    workers: Workers<'_>,
) -> Vec<FeatureBins> {
    let rows = features.first().map_or(0, |feature| feature.column.len());
    let sample = (rows > QUANTILE_ROWS).then(|| Random::new(0, 0).choose(QUANTILE_ROWS, rows));
    let mut fitted: Vec<FeatureBins> = vec![FeatureBins::Numeric { edges: Vec::new() }; features.len()];
    let workers = workers.one_if(rows * features.len() < 20_000);
    for_each(workers, features.iter().zip(&mut fitted).collect(), |(feature, fitted)| {
        *fitted = match feature.column {
            Column::Numeric { values, valid } => {
                let edges = fit_edges(distinct(values, valid, weights, sample.as_deref()), bins);
                FeatureBins::Numeric { edges }
            }
            Column::Categorical { codes, valid } => {
                FeatureBins::Categorical { codes: frequent(codes, valid, bins) }
            }
        }
    });
    fitted
}

impl BinMatrix {
    /// Bins rows `start..start + rows` of the features.
    pub fn new(
        features: &[Feature],
        bins: &[FeatureBins],
        start: usize,
        rows: usize,
        tile_width: usize,
        workers: Workers<'_>,
    ) -> Self {
        let tile_of =
            |features: &[Feature]| Tile { width: features.len(), bins: vec![0; features.len() * rows] };
        let mut tiles: Vec<Tile> = features.chunks(tile_width).map(tile_of).collect();
        let work = tiles.iter_mut().zip(features.chunks(tile_width).zip(bins.chunks(tile_width))).collect();
        for_each(workers, work, |(tile, (features, bins))| {
            for (position, (feature, bins)) in features.iter().zip(bins).enumerate() {
                for first in (0..rows).step_by(CHECK_ROWS) {
                    if workers.is_stopped() {
                        return;
                    }
                    let end = rows.min(first + CHECK_ROWS) * tile.width;
                    let slots = &mut tile.bins[first * tile.width + position..end];
                    bins.write(&feature.column, start + first, slots, tile.width);
                }
            }
        });
        Self { tile_width, tiles }
    }

    pub fn features(&self) -> usize {
        self.tiles.iter().map(|tile| tile.width).sum()
    }

    pub fn rows(&self) -> usize {
        self.tiles.first().map_or(0, |tile| tile.bins.len() / tile.width)
    }

    /// The tile that holds a feature, and the feature's place in it.
    pub fn locate(&self, feature: usize) -> (&Tile, usize) {
        (&self.tiles[feature / self.tile_width], feature % self.tile_width)
    }
}

fn write_bins<T: Copy>(
    values: &[T],
    valid: Option<&[bool]>,
    bins: &mut [u8],
    width: usize,
    bin_of: impl Fn(T) -> u8,
) {
    let slots = bins.iter_mut().step_by(width);
    match valid {
        None => slots.zip(values).for_each(|(slot, &value)| *slot = bin_of(value)),
        Some(valid) => slots
            .zip(values.iter().zip(valid))
            .for_each(|(slot, (&value, &valid))| *slot = if valid { bin_of(value) } else { MISSING }),
    }
}

/// The distinct valid values, ascending, each with its total weight.
fn distinct(
    values: &[f64],
    valid: Option<&[bool]>,
    weights: Option<&[f64]>,
    sample: Option<&[u32]>,
) -> Vec<(f64, f64)> {
    let weighted = |row: usize| {
        let valid = valid.is_none_or(|valid| valid[row]);
        // Adding 0 makes -0 and 0 the same value.
        valid.then(|| (values[row] + 0.0, weights.map_or(1.0, |weights| weights[row])))
    };
    let mut pairs: Vec<(f64, f64)> = match sample {
        Some(sample) => sample.iter().filter_map(|&row| weighted(row as usize)).collect(),
        None => (0..values.len()).filter_map(weighted).collect(),
    };
    // Stable where weights differ, so that equal values add up in the order of the rows.
    if weights.is_some() {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    } else {
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }
    pairs.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    pairs
}

fn fit_edges(distinct: Vec<(f64, f64)>, bins: usize) -> Vec<f32> {
    let between = |pair: &[(f64, f64)]| edge_between(pair[0].0, pair[1].0);
    if distinct.len() <= bins {
        return distinct.windows(2).filter_map(between).collect();
    }
    let total: f64 = distinct.iter().map(|pair| pair.1).sum();
    let heavy = total / bins as f64;
    let is_heavy = |pair: &(f64, f64)| pair.1 >= heavy;
    let (heavy_count, heavy_weight) = distinct
        .iter()
        .filter(|pair| is_heavy(pair))
        .fold((0, 0.0), |(count, weight), pair| (count + 1, weight + pair.1));
    let mut light_bins = bins.saturating_sub(heavy_count).max(1);
    let mut light_weight = total - heavy_weight;
    let mut wanted = light_weight / light_bins as f64;
    let mut edges = Vec::with_capacity(bins - 1);
    let mut in_bin = 0.0;
    for pair in distinct.windows(2) {
        let (this, next) = (&pair[0], &pair[1]);
        in_bin += this.1;
        if !is_heavy(this) {
            light_weight -= this.1;
        }
        let full = is_heavy(this) || in_bin >= wanted || (is_heavy(next) && in_bin >= wanted / 2.0);
        if !full {
            continue;
        }
        let Some(edge) = between(pair) else { continue };
        edges.push(edge);
        if edges.len() == bins - 1 {
            break;
        }
        if !is_heavy(this) {
            light_bins = (light_bins - 1).max(1);
            wanted = light_weight / light_bins as f64;
        }
        in_bin = 0.0;
    }
    edges
}

/// An f32 that separates two f64: `low <= edge < high`, near the middle. None where f32 is too coarse to do so; the
/// two values then share a bin.
fn edge_between(low: f64, high: f64) -> Option<f32> {
    let middle = (low / 2.0 + high / 2.0) as f32;
    let middle = if f64::from(middle) < low {
        middle.next_up()
    } else if f64::from(middle) >= high {
        middle.next_down()
    } else {
        middle
    };
    (middle.is_finite() && f64::from(middle) >= low && f64::from(middle) < high).then_some(middle)
}

fn frequent(codes: &[u32], valid: Option<&[bool]>, bins: usize) -> Vec<u32> {
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for (row, &code) in codes.iter().enumerate() {
        if valid.is_none_or(|valid| valid[row]) {
            *counts.entry(code).or_default() += 1;
        }
    }
    let mut by_count: Vec<(u32, usize)> = counts.into_iter().collect();
    by_count.sort_unstable_by_key(|&(code, count)| (std::cmp::Reverse(count), code));
    by_count.truncate(bins);
    by_count.into_iter().map(|(code, _)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(values: &[f64]) -> Vec<f32> {
        fit_edges(distinct(values, None, None, None), 255)
    }

    #[test]
    fn few_values_get_a_bin_each() {
        assert_eq!(numeric(&[3.0, 1.0, 2.0, 1.0]), [1.5, 2.5]);
        assert_eq!(numeric(&[0.0, -0.0]), Vec::<f32>::new());
        assert_eq!(numeric(&[]), Vec::<f32>::new());
    }

    #[test]
    fn edges_separate_close_and_huge_values() {
        // 2^24 + 1 is no f32, but 2^24 lies below it and 2^24 + 2 is one; beyond f32 nothing separates.
        let edges = numeric(&[16_777_216.0, 16_777_217.0, 16_777_218.0, 1e300, f64::MAX]);
        assert_eq!(edges, [16_777_216.0, f32::MAX]);
    }

    #[test]
    fn many_values_get_quantiles_and_heavy_ones_their_own() {
        let mut values: Vec<f64> = (0..10_000).map(f64::from).collect();
        values.extend(std::iter::repeat_n(5_000.0, 10_000));
        let edges = fit_edges(distinct(&values, None, None, None), 101);
        assert_eq!(edges.len(), 100);
        let heavy = edges.partition_point(|&edge| edge < 5_000.0);
        assert!(edges[heavy] == 5_000.5 && edges[heavy - 1] > 4_899.0, "{edges:?}");
    }

    #[test]
    fn weights_move_the_quantiles() {
        let values: Vec<f64> = (0..1_000).map(f64::from).collect();
        let weights: Vec<f64> = values.iter().map(|&value| if value < 100.0 { 9.0 } else { 1.0 }).collect();
        let edges = fit_edges(distinct(&values, None, Some(&weights), None), 18);
        // Half of the weight is below 100, 9 a value: bins of 12 values there, of 100 above.
        assert_eq!(edges.iter().filter(|&&edge| edge < 100.0).count(), 8);
    }

    #[test]
    fn frequent_categories_are_kept() {
        let codes = [7, 7, 7, 3, 3, 9, 9, 1];
        assert_eq!(frequent(&codes, None, 3), [7, 3, 9]);
        let bins = FeatureBins::Categorical { codes: vec![7, 3, 9] };
        let mut written = [0; 8];
        let valid = [true, false, true, true, true, true, true, true];
        bins.write(&Column::Categorical { codes: &codes, valid: Some(&valid) }, 0, &mut written, 1);
        assert_eq!(written, [0, 255, 0, 1, 1, 2, 2, 255]);
    }
}
