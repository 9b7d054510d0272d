//! Sums of gradients per bin, the inner loop of training.

use super::bins::{BinMatrix, FeatureBins, Tile};
use super::quantise::{Cell, Quantised};
use super::threads::for_each;

/// Cells of all features, 256 each: indexed by an 8-bit bin, so no access is out of bounds.
pub(super) type Histogram = Vec<[Cell; 256]>;

/// Below so many updates a second thread costs more than it brings (measured on 2 cores: 30 µs to start one, 1 ns an
/// update).
const PARALLEL_UPDATES: usize = 1 << 17;

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

/// Overwrites `histogram` with the sums over `rows`.
pub(super) fn build(
    matrix: &BinMatrix,
    bins: &[FeatureBins],
    rows: &[u32],
    quantised: &[Quantised],
    histogram: &mut Histogram,
    threads: usize,
) {
    let threads = if rows.len() * bins.len() < PARALLEL_UPDATES { 1 } else { threads };
    let width = matrix.tile_width;
    let work = matrix.tiles.iter().zip(histogram.chunks_mut(width).zip(bins.chunks(width))).collect();
    for_each(threads, work, |(tile, (cells, bins)): (&Tile, (&mut [[Cell; 256]], &[FeatureBins]))| {
        for (cells, bins) in cells.iter_mut().zip(bins) {
            cells[..bins.count()].fill(Cell::default());
            cells[255] = Cell::default();
        }
        match tile.width {
            16 => accumulate_fixed::<16>(tile, rows, quantised, cells),
            8 => accumulate_fixed::<8>(tile, rows, quantised, cells),
            4 => accumulate_fixed::<4>(tile, rows, quantised, cells),
            _ => accumulate(tile, rows, quantised, cells),
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

fn accumulate_fixed<const WIDTH: usize>(
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

fn accumulate(tile: &Tile, rows: &[u32], quantised: &[Quantised], cells: &mut [[Cell; 256]]) {
    for &row in rows {
        let row = row as usize;
        let cell = quantised[row].cell();
        let line = &tile.bins[row * tile.width..(row + 1) * tile.width];
        for (cells, &bin) in cells.iter_mut().zip(line) {
            cells[bin as usize].add(cell);
        }
    }
}
