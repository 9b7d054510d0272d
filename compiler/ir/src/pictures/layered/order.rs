//! The order of the items within each layer: few crossings.

use super::proper::Proper;

/// Sweeps down and up from each beginning; the best order seen is kept.
const MOST_SWEEPS: usize = 24;
/// Sweeps without a better order, after which the search ends.
const PATIENCE: usize = 8;

/// Orders each layer by the barycentres of what its items are linked to, with exchanges of neighbours, both while
/// that helps (Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs", 1993). Where the search
/// ends depends on where it begins, so it begins three times: from the order given, its mirror image, and one from below.
pub fn order(proper: &mut Proper) {
    let given = proper.layers.clone();
    let mirrored = given.iter().map(|layer| layer.iter().rev().copied().collect()).collect();
    let from_below = from_below(proper);
    let mut best = given.clone();
    let mut fewest = count_crossings(proper);
    for start in [given, from_below, mirrored] {
        if fewest == 0 {
            break;
        }
        proper.layers = start;
        let (layers, crossings) = search(proper);
        if crossings < fewest {
            (best, fewest) = (layers, crossings);
        }
    }
    proper.layers = best;
}

/// The layers in the order in which their items are met from the lowest ones up.
fn from_below(proper: &Proper) -> Vec<Vec<usize>> {
    let mut layers = vec![Vec::new(); proper.layers.len()];
    let mut is_seen = vec![false; proper.items.len()];
    for start in proper.layers.iter().rev().flatten() {
        let mut open = vec![*start];
        while let Some(item) = open.pop() {
            if !std::mem::replace(&mut is_seen[item], true) {
                layers[proper.items[item].layer].push(item);
                open.extend(proper.items[item].above.iter().rev().map(|link| proper.links[*link].upper));
            }
        }
    }
    layers
}

/// The best order found from that of `proper`, and its crossings.
fn search(proper: &mut Proper) -> (Vec<Vec<usize>>, usize) {
    let mut places = Places::of(proper);
    let mut best = proper.layers.clone();
    let mut fewest = crossings(proper, &places);
    let mut since = 0;
    for sweep in 0..MOST_SWEEPS {
        if fewest == 0 || since == PATIENCE {
            break;
        }
        let depth = proper.layers.len();
        let down = sweep % 2 == 0;
        // Items with equal barycentres change their order now and then: one of the two may leave room for others.
        let turns = sweep % 4 > 1;
        for step in 1..depth {
            let layer = if down { step } else { depth - 1 - step };
            sort_layer(proper, &mut places, layer, down, turns);
        }
        exchange(proper, &mut places);
        let now = crossings(proper, &places);
        since += 1;
        if now < fewest {
            fewest = now;
            best.clone_from(&proper.layers);
            since = 0;
        }
    }
    (best, fewest)
}

/// The number of pairs of links that cross.
pub fn count_crossings(proper: &Proper) -> usize {
    crossings(proper, &Places::of(proper))
}

/// For each item its place in its layer.
struct Places(Vec<usize>);

impl Places {
    fn of(proper: &Proper) -> Self {
        let mut places = vec![0; proper.items.len()];
        for layer in &proper.layers {
            for (place, item) in layer.iter().enumerate() {
                places[*item] = place;
            }
        }
        Self(places)
    }

    /// Where a link leaves its upper item, in places: ports of one item stand within half a place.
    fn exit(&self, proper: &Proper, link: usize) -> f64 {
        let link = &proper.links[link];
        self.0[link.upper] as f64 + link.exit / proper.items[link.upper].width.max(1.0)
    }

    fn enter(&self, proper: &Proper, link: usize) -> f64 {
        self.0[proper.links[link].lower] as f64
    }
}

fn sort_layer(proper: &mut Proper, places: &mut Places, layer: usize, down: bool, turns: bool) {
    let mut keyed: Vec<(f64, usize)> = proper.layers[layer]
        .iter()
        .map(|&item| {
            let links = if down { &proper.items[item].above } else { &proper.items[item].below };
            let ends = links
                .iter()
                .map(|&link| if down { places.exit(proper, link) } else { places.enter(proper, link) });
            let sum: f64 = ends.sum();
            (if links.is_empty() { places.0[item] as f64 } else { sum / links.len() as f64 }, item)
        })
        .collect();
    if turns {
        keyed.reverse();
    }
    keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    for (place, (_, item)) in keyed.iter().enumerate() {
        places.0[*item] = place;
    }
    proper.layers[layer] = keyed.into_iter().map(|(_, item)| item).collect();
}

/// Exchanges neighbours wherever their own links cross less the other way round.
fn exchange(proper: &mut Proper, places: &mut Places) {
    let mut goes_on = true;
    let mut rounds = 0;
    while goes_on && rounds < 8 {
        goes_on = false;
        rounds += 1;
        for layer in 0..proper.layers.len() {
            for place in 1..proper.layers[layer].len() {
                let (left, right) = (proper.layers[layer][place - 1], proper.layers[layer][place]);
                let (now, then) = crossings_of_pair(proper, places, left, right);
                if then < now {
                    proper.layers[layer].swap(place - 1, place);
                    places.0[left] = place;
                    places.0[right] = place - 1;
                    goes_on = true;
                }
            }
        }
    }
}

/// Crossings between the links of two neighbours as they stand, and exchanged.
fn crossings_of_pair(proper: &Proper, places: &Places, left: usize, right: usize) -> (usize, usize) {
    let mut count = (0, 0);
    let mut compare = |lefts: &[f64], rights: &[f64]| {
        for a in lefts {
            for b in rights {
                count.0 += usize::from(a > b);
                count.1 += usize::from(a < b);
            }
        }
    };
    let exits = |item: usize| -> Vec<f64> {
        proper.items[item].above.iter().map(|&link| places.exit(proper, link)).collect()
    };
    compare(&exits(left), &exits(right));
    let enters = |item: usize| -> Vec<f64> {
        proper.items[item].below.iter().map(|&link| places.enter(proper, link)).collect()
    };
    compare(&enters(left), &enters(right));
    count
}

/// Between all neighbouring layers, by inversions in a Fenwick tree (Barth, Jünger and Mutzel 2002).
fn crossings(proper: &Proper, places: &Places) -> usize {
    let mut total = 0;
    for pair in proper.layers.windows(2) {
        let mut ends: Vec<(f64, usize)> = pair[0]
            .iter()
            .flat_map(|item| &proper.items[*item].below)
            .map(|&link| (places.exit(proper, link), places.0[proper.links[link].lower]))
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut tree = vec![0_usize; pair[1].len() + 1];
        for (seen, (_, lower)) in ends.iter().enumerate() {
            let mut up_to = 0;
            let mut index = lower + 1;
            while index > 0 {
                up_to += tree[index];
                index &= index - 1;
            }
            total += seen - up_to;
            index = lower + 1;
            while index < tree.len() {
                tree[index] += 1;
                index += index & index.wrapping_neg();
            }
        }
    }
    total
}
