//! The x coordinates: links short and upright, long edges straight, nothing nearer than it may be.

use super::proper::{Link, Proper};

/// Between two boxes, between a box and a passing edge, between two of these.
const BETWEEN_BOXES: f64 = 28.0;
const BESIDE_EDGE: f64 = 16.0;
const BETWEEN_EDGES: f64 = 10.0;
/// Sweeps down and up; all drawings tried were at rest after some forty.
const MOST_SWEEPS: usize = 240;
/// Less movement than this, in pixels, is rest.
const AT_REST: f64 = 0.02;
/// Of the upper side of a box, that links arrive on.
const ENTER_MARGIN: f64 = 18.0;
const ENTER_SPACING: f64 = 20.0;
const LEAST_ENTER_SPACING: f64 = 12.0;
/// So far an edge may move at its end, or a passing edge as a whole, to become straight.
const MOST_SHIFT: f64 = 26.0;
/// So much nearer to its neighbours than usual a passing edge may stand for that.
const MOST_NEARER: f64 = 6.0;

/// The middle of each item. Gives links their places on the upper sides of the boxes, too.
///
/// The sum of the squares of all links' horizontal extents is least, with more weight on passing edges, under the
/// order and the distances within each layer. It is found layer by layer: for one layer with the others held, the
/// problem is an isotonic regression, which pooling adjacent violators solves exactly; since no constraint spans two
/// layers, going on to the next one and back again descends to the optimum of the whole.
pub fn place(proper: &mut Proper) -> Vec<f64> {
    spread_enters(proper);
    let mut middles = vec![0.0; proper.items.len()];
    for layer in &proper.layers {
        let offsets = offsets(proper, layer);
        let half = offsets.last().copied().unwrap_or(0.0) / 2.0;
        for (item, offset) in layer.iter().zip(offsets) {
            middles[*item] = offset - half;
        }
    }
    let depth = proper.layers.len();
    for _ in 0..MOST_SWEEPS {
        let down = 0..depth;
        let up = (0..depth).rev();
        let moved = down.chain(up).map(|layer| settle(proper, &mut middles, layer)).fold(0.0, f64::max);
        if moved < AT_REST {
            break;
        }
    }
    straighten(proper, &mut middles);
    shift_enters(proper, &middles);
    middles
}

/// How far apart the middles of two neighbours must be.
pub fn distance(proper: &Proper, left: usize, right: usize) -> f64 {
    let (left, right) = (&proper.items[left], &proper.items[right]);
    let between = match (left.is_box, right.is_box) {
        (true, true) => BETWEEN_BOXES,
        (false, false) => BETWEEN_EDGES,
        _ => BESIDE_EDGE,
    };
    f64::midpoint(left.width, right.width) + between
}

/// Links arrive side by side on the upper side of a box, in the order in which they come.
fn spread_enters(proper: &mut Proper) {
    let mut places = vec![0; proper.items.len()];
    for layer in &proper.layers {
        for (place, item) in layer.iter().enumerate() {
            places[*item] = place;
        }
    }
    for item in 0..proper.items.len() {
        let mut links = proper.items[item].above.clone();
        if !proper.items[item].is_box || links.len() < 2 {
            continue;
        }
        links.sort_by(|&a, &b| {
            let (a, b) = (&proper.links[a], &proper.links[b]);
            places[a.upper].cmp(&places[b.upper]).then(a.exit.total_cmp(&b.exit))
        });
        let gaps = (links.len() - 1) as f64;
        let room = (proper.items[item].width - 2.0 * ENTER_MARGIN).max(0.0);
        let spacing = ENTER_SPACING.min(room / gaps);
        for (number, link) in links.into_iter().enumerate() {
            proper.links[link].enter = (number as f64 - gaps / 2.0) * spacing;
        }
    }
}

/// How far each item's middle is from the first one's when all stand as near as they may.
fn offsets(proper: &Proper, layer: &[usize]) -> Vec<f64> {
    let mut at = 0.0;
    let mut offsets = Vec::with_capacity(layer.len());
    for (place, &item) in layer.iter().enumerate() {
        if place > 0 {
            at += distance(proper, layer[place - 1], item);
        }
        offsets.push(at);
    }
    offsets
}

/// Puts the items of a layer where the squares of their links are least, and says how far one moved at most.
fn settle(proper: &Proper, middles: &mut [f64], layer: usize) -> f64 {
    let layer = &proper.layers[layer];
    let offsets = offsets(proper, layer);
    let wanted: Vec<(f64, f64)> = layer.iter().map(|&item| wanted(proper, middles, item)).collect();
    let mut moved: f64 = 0.0;
    for (&item, middle) in layer.iter().zip(spread(&wanted, &offsets)) {
        moved = moved.max((middles[item] - middle).abs());
        middles[item] = middle;
    }
    moved
}

/// Places as near as can be, by weighted squares, to those `wanted` (with weights), of which each two neighbours are at
/// least as far apart as in `offsets`: isotonic regression by pooling adjacent violators.
fn spread(wanted: &[(f64, f64)], offsets: &[f64]) -> Vec<f64> {
    // Pools of those that stand as near as they may: mean, weight, number.
    let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(wanted.len());
    for ((wanted, weight), offset) in wanted.iter().zip(offsets) {
        let mut pool = (wanted - offset, *weight, 1);
        while let Some(last) = pools.last().copied().filter(|last| last.0 > pool.0) {
            pools.pop();
            let weight = last.1 + pool.1;
            pool = ((last.0 * last.1 + pool.0 * pool.1) / weight, weight, last.2 + pool.2);
        }
        pools.push(pool);
    }
    let starts = pools.into_iter().flat_map(|(mean, _, count)| std::iter::repeat_n(mean, count));
    starts.zip(offsets).map(|(start, offset)| start + offset).collect()
}

/// Where an item would stand if it were alone on its layer, and how much that weighs.
fn wanted(proper: &Proper, middles: &[f64], item: usize) -> (f64, f64) {
    let mut sum = 0.0;
    let mut weight = 0.0;
    let mut add = |link: usize, at: f64| {
        let link = &proper.links[link];
        let passing = [link.upper, link.lower].iter().filter(|end| !proper.items[**end].is_box).count();
        let own = [1.0, 1.0, 8.0][passing];
        sum += at * own;
        weight += own;
    };
    for &link in &proper.items[item].above {
        let Link { upper, exit, enter, .. } = &proper.links[link];
        add(link, middles[*upper] + exit - enter);
    }
    for &link in &proper.items[item].below {
        let Link { lower, exit, enter, .. } = &proper.links[link];
        add(link, middles[*lower] + enter - exit);
    }
    // An item without links stays near where it is.
    if weight > 0.0 { (sum / weight, weight) } else { (middles[item], 0.01) }
}

/// Puts passing edges upright over as many layers as their neighbours leave room for.
fn straighten(proper: &Proper, middles: &mut [f64]) {
    let mut places = vec![0; proper.items.len()];
    for layer in &proper.layers {
        for (place, item) in layer.iter().enumerate() {
            places[*item] = place;
        }
    }
    for trunk in &proper.trunks {
        let mut start = 0;
        while start < trunk.len() {
            let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
            let mut end = start;
            while end < trunk.len() {
                let (from, to) = room(proper, middles, &places, trunk[end]);
                let (from, to) = (low.max(from), high.min(to));
                if from > to {
                    break;
                }
                (low, high) = (from, to);
                end += 1;
            }
            let end = end.max(start + 1);
            let part = &trunk[start..end];
            let mean = part.iter().map(|item| middles[*item]).sum::<f64>() / part.len() as f64;
            if low <= high {
                let ends = ends(proper, middles, part);
                let free = low - MOST_NEARER..=high + MOST_NEARER;
                let near = ends.into_iter().filter(|end| free.contains(end));
                let straight = near.min_by(|a, b| (a - mean).abs().total_cmp(&(b - mean).abs()));
                let straight = straight.filter(|end| (end - mean).abs() <= MOST_SHIFT);
                for item in part {
                    middles[*item] = straight.unwrap_or_else(|| mean.clamp(low, high));
                }
            }
            start = end;
        }
    }
}

/// Where the links above and below a part of a trunk leave and arrive.
fn ends(proper: &Proper, middles: &[f64], part: &[usize]) -> Vec<f64> {
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return Vec::new() };
    let above = proper.items[*first].above.iter().map(|&link| &proper.links[link]);
    let below = proper.items[*last].below.iter().map(|&link| &proper.links[link]);
    above
        .map(|link| middles[link.upper] + link.exit)
        .chain(below.map(|link| middles[link.lower] + link.enter))
        .collect()
}

/// Links that come nearly straight from above arrive where they come from.
fn shift_enters(proper: &mut Proper, middles: &[f64]) {
    for item in 0..proper.items.len() {
        let mut links = proper.items[item].above.clone();
        if !proper.items[item].is_box || links.is_empty() {
            continue;
        }
        links.sort_by(|&a, &b| proper.links[a].enter.total_cmp(&proper.links[b].enter));
        let half = (proper.items[item].width / 2.0 - ENTER_MARGIN).max(0.0);
        let last = links.len() - 1;
        let spacing = LEAST_ENTER_SPACING.min(2.0 * half / last.max(1) as f64);
        let offsets: Vec<f64> = (0..links.len()).map(|number| number as f64 * spacing).collect();
        let wanted: Vec<(f64, f64)> = links
            .iter()
            .map(|&link| {
                let Link { upper, exit, enter, .. } = proper.links[link];
                let straight = middles[upper] + exit - middles[item];
                if (straight - enter).abs() <= MOST_SHIFT { (straight, 2.0) } else { (enter, 1.0) }
            })
            .collect();
        for (number, (link, enter)) in links.into_iter().zip(spread(&wanted, &offsets)).enumerate() {
            let least = -half + offsets[number];
            let most = half - (offsets[last] - offsets[number]);
            proper.links[link].enter = enter.min(most).max(least);
        }
    }
}

/// From where to where an item may move while its neighbours stay.
fn room(proper: &Proper, middles: &[f64], places: &[usize], item: usize) -> (f64, f64) {
    let layer = &proper.layers[proper.items[item].layer];
    let place = places[item];
    let left = place.checked_sub(1).map(|left| layer[left]);
    let right = layer.get(place + 1);
    // What stands exactly as near as it may keeps its place whatever the last bit says.
    (
        left.map_or(f64::NEG_INFINITY, |left| middles[left] + distance(proper, left, item))
            .min(middles[item]),
        right
            .map_or(f64::INFINITY, |right| middles[*right] - distance(proper, item, *right))
            .max(middles[item]),
    )
}
