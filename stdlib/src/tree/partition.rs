//! Moves a leaf's rows so that those of each child lie together.

use super::bins::BinMatrix;
use super::threads::{ROW_BLOCK, Workers, for_each};

/// Rows that stay with one thread.
const PARALLEL_ROWS: usize = 1 << 17;

/// Stable: rows whose bin of `feature` is in `goes_left` come first, both sides keep their order. Returns how many
/// went left. `scratch` is at least as long as `rows`.
pub(super) fn partition(
    matrix: &BinMatrix,
    feature: usize,
    goes_left: &[bool; 256],
    rows: &mut [u32],
    scratch: &mut [u32],
    workers: Workers<'_>,
) -> usize {
    let (tile, place) = matrix.locate(feature);
    let bins = &tile.bins[place..];
    let is_left = |row: u32| goes_left[bins[row as usize * tile.width] as usize];
    if rows.len() < PARALLEL_ROWS || workers.threads == 1 {
        let left = part(rows, scratch, is_left);
        let right = rows.len() - left;
        rows[left..].copy_from_slice(&scratch[..right]);
        return left;
    }
    let mut lefts = vec![0; rows.len().div_ceil(ROW_BLOCK)];
    let blocks = rows.chunks_mut(ROW_BLOCK).zip(scratch.chunks_mut(ROW_BLOCK)).zip(&mut lefts).collect();
    for_each(workers, blocks, |((rows, scratch), left): ((&mut [u32], &mut [u32]), &mut usize)| {
        *left = part(rows, scratch, is_left);
    });
    let mut end = 0;
    for (block, &left) in lefts.iter().enumerate() {
        let start = block * ROW_BLOCK;
        rows.copy_within(start..start + left, end);
        end += left;
    }
    let mut place = end;
    for (block, &left) in lefts.iter().enumerate() {
        let start = block * ROW_BLOCK;
        let right = ROW_BLOCK.min(rows.len() - start) - left;
        rows[place..place + right].copy_from_slice(&scratch[start..start + right]);
        place += right;
    }
    end
}

/// Left rows to the front of `rows`, right rows to the front of `scratch`, without a branch on the data.
fn part(rows: &mut [u32], scratch: &mut [u32], is_left: impl Fn(u32) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for next in 0..rows.len() {
        let row = rows[next];
        let goes_left = is_left(row);
        rows[left] = row;
        scratch[right] = row;
        left += usize::from(goes_left);
        right += usize::from(!goes_left);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::super::bins::Tile;
    use super::*;

    #[test]
    fn parts_stably_alone_and_in_blocks() {
        let count = PARALLEL_ROWS + 5_000;
        let bins: Vec<u8> = (0..count).map(|row| ((row * 7919) % 251) as u8).collect();
        let matrix = BinMatrix { tile_width: 1, tiles: vec![Tile { width: 1, bins: bins.clone() }] };
        let goes_left: [bool; 256] = std::array::from_fn(|bin| bin % 3 == 0);
        let all: Vec<u32> = (0..count as u32).collect();
        let is_left = |row: &&u32| goes_left[bins[**row as usize] as usize];
        let mut expected: Vec<u32> = all.iter().filter(is_left).copied().collect();
        let lefts = expected.len();
        expected.extend(all.iter().filter(|row| !is_left(row)));
        for threads in [1, 2, 3] {
            let (mut rows, mut scratch) = (all.clone(), vec![0; count]);
            assert_eq!(partition(&matrix, 0, &goes_left, &mut rows, &mut scratch, threads.into()), lefts);
            assert_eq!(rows, expected);
        }
    }
}
