//! Which layer each box stands on.

/// A layer for each of `count` boxes, from 0 without gaps; an edge `(from, to)` goes to a later box and to a lower
/// layer. First each box stands as high as it can (the longest path to it); then those with more edges below than
/// above move down to what needs them, which makes their edges shorter.
pub fn ranks(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut above = vec![Vec::new(); count];
    let mut below = vec![Vec::new(); count];
    for &(from, to) in edges {
        above[to].push(from);
        below[from].push(to);
    }
    let mut ranks = vec![0; count];
    for node in 0..count {
        ranks[node] = above[node].iter().map(|&from: &usize| ranks[from] + 1).max().unwrap_or(0);
    }
    for node in (0..count).rev() {
        let lowest = below[node].iter().map(|&to: &usize| ranks[to] - 1).min();
        if let Some(lowest) = lowest.filter(|_| below[node].len() > above[node].len()) {
            ranks[node] = lowest;
        }
    }
    let mut used: Vec<usize> = ranks.clone();
    used.sort_unstable();
    used.dedup();
    ranks.iter().map(|rank| used.partition_point(|other| other < rank)).collect()
}
