//! Sums of gradients per bin, the inner loop of training.

use super::bins::{BinMatrix, FeatureBins, Tile};
use super::quantise::{Cell, Quantised};
use super::threads::{Workers, for_each};

/// Cells of all features, 256 each: indexed by an 8-bit bin, so no access is out of bounds.
pub(super) type Histogram = Vec<[Cell; 256]>;

/// Features whose bins lie together, at most: a row of 16 is one vector register, and 16 histograms are 64 KiB.
pub(super) const MAX_TILE_WIDTH: usize = 16;

/// Below so many updates a second thread costs more than it brings (measured on 2 cores: 30 µs to start one, 1 ns an
/// update).
const PARALLEL_UPDATES: usize = 1 << 18;

/// Rows of a tile between two looks at whether anybody still wants the sums: some milliseconds.
const CHECK_ROWS: usize = 1 << 17;

/// Histograms in use at a time are held to this many bytes; beyond, they are built anew where needed.
const POOL_BYTES: usize = 1 << 28;

/// Hands out histograms and takes them back, since fresh ones cost page faults.
#[derive(Debug)]
pub(super) struct Pool {
    free: Vec<Histogram>,
    features: usize,
    lent: usize,
}

impl Pool {
    pub fn new(features: usize) -> Self {
        Self { free: Vec::new(), features, lent: 0 }
    }

    /// One with any content.
    pub fn take(&mut self) -> Histogram {
        self.lent += 1;
        self.free.pop().unwrap_or_else(|| vec![[Cell::default(); 256]; self.features])
    }

    pub fn give_back(&mut self, histogram: Histogram) {
        self.lent -= 1;
        self.free.push(histogram);
    }

    /// Whether leaves should part with theirs.
    pub fn is_full(&self) -> bool {
        self.lent * self.features * size_of::<[Cell; 256]>() > POOL_BYTES
    }
}

/// How many bytes the histograms of a tree with so many leaves take at most.
pub(super) fn memory(features: usize, leaves: usize) -> usize {
    let one = features * size_of::<[Cell; 256]>();
    leaves.saturating_mul(one).min(POOL_BYTES) + 2 * one
}

/// Overwrites `histogram` with the sums over `rows`.
pub(super) fn build(
    matrix: &BinMatrix,
    bins: &[FeatureBins],
    rows: &[u32],
    quantised: &[Quantised],
    histogram: &mut Histogram,
    workers: Workers<'_>,
) {
    let workers = workers.one_if(rows.len() * bins.len() < PARALLEL_UPDATES);
    let width = matrix.tile_width;
    let work = matrix.tiles.iter().zip(histogram.chunks_mut(width).zip(bins.chunks(width))).collect();
    for_each(workers, work, |(tile, (cells, bins)): (&Tile, (&mut [[Cell; 256]], &[FeatureBins]))| {
        for (cells, bins) in cells.iter_mut().zip(bins) {
            cells[..bins.count()].fill(Cell::default());
            cells[255] = Cell::default();
        }
        for rows in rows.chunks(CHECK_ROWS) {
            if workers.is_stopped() {
                return;
            }
            ACCUMULATE[tile.width - 1](tile, rows, quantised, cells);
        }
    });
}

/// Takes `part` off `whole`, which leaves the sibling's sums: exact, since they are integers.
pub(super) fn subtract(whole: &mut Histogram, part: &Histogram, bins: &[FeatureBins]) {
    for ((whole, part), bins) in whole.iter_mut().zip(part).zip(bins) {
        for (whole, part) in whole[..bins.count()].iter_mut().zip(part) {
            *whole = whole.minus(*part);
        }
        whole[255] = whole[255].minus(part[255]);
    }
}

type Accumulate = fn(&Tile, &[u32], &[Quantised], &mut [[Cell; 256]]);

/// By width of the tile less one: a width known to the compiler unrolls the loop over a row's bins.
const ACCUMULATE: [Accumulate; MAX_TILE_WIDTH] = [
    accumulate::<1>,
    accumulate::<2>,
    accumulate::<3>,
    accumulate::<4>,
    accumulate::<5>,
    accumulate::<6>,
    accumulate::<7>,
    accumulate::<8>,
    accumulate::<9>,
    accumulate::<10>,
    accumulate::<11>,
    accumulate::<12>,
    accumulate::<13>,
    accumulate::<14>,
    accumulate::<15>,
    accumulate::<16>,
];

fn accumulate<const WIDTH: usize>(
    tile: &Tile,
    rows: &[u32],
    quantised: &[Quantised],
    cells: &mut [[Cell; 256]],
) {
    let (lines, _) = tile.bins.as_chunks::<WIDTH>();
    let Some(cells) = cells.first_chunk_mut::<WIDTH>() else { return };
    for &row in rows {
        let cell = quantised[row as usize].cell();
        for (cells, &bin) in cells.iter_mut().zip(&lines[row as usize]) {
            cells[bin as usize].add(cell);
        }
    }
}
