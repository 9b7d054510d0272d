//! A graph whose links all go from one layer to the next: long edges have an item of their own on each layer they pass.

use std::collections::HashMap;

use super::{graph::Graph, rank::ranks};

/// The room of an edge that passes a layer.
pub const PASSING_WIDTH: f64 = 6.0;

#[derive(Debug)]
pub struct Proper {
    /// First the boxes, by their own numbers; then what stands for passing edges.
    pub items: Vec<Item>,
    /// The items of each layer, from left to right.
    pub layers: Vec<Vec<usize>>,
    pub links: Vec<Link>,
    /// For each edge of the graph the items that it goes through, its ends too.
    pub routes: Vec<Vec<usize>>,
    /// The passing items of one origin, from top to bottom. Edges from one point of one box share them.
    pub trunks: Vec<Vec<usize>>,
}

#[derive(Debug)]
pub struct Item {
    pub width: f64,
    pub is_box: bool,
    pub layer: usize,
    /// Links from above, and to below.
    pub above: Vec<usize>,
    pub below: Vec<usize>,
}

#[derive(Debug)]
pub struct Link {
    pub upper: usize,
    /// Where it leaves, from the middle of the upper item.
    pub exit: f64,
    pub lower: usize,
    /// Where it arrives, from the middle of the lower item.
    pub enter: f64,
}

impl Proper {
    pub fn new(graph: &Graph) -> Self {
        let pairs: Vec<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let ranks = ranks(graph.boxes.len(), &pairs);
        let items = graph.boxes.iter().zip(&ranks);
        let items = items.map(|(size, rank)| Item::new(size.width, true, *rank)).collect();
        let depth = ranks.iter().max().map_or(0, |rank| rank + 1);
        let mut proper = Self {
            items,
            layers: vec![Vec::new(); depth],
            links: Vec::new(),
            routes: Vec::new(),
            trunks: Vec::new(),
        };
        let mut trunk_of: HashMap<(usize, u64), usize> = HashMap::new();
        let mut link_of: HashMap<(usize, u64, usize), ()> = HashMap::new();
        for edge in &graph.edges {
            let trunk = *trunk_of.entry((edge.from, edge.exit.to_bits())).or_insert_with(|| {
                proper.trunks.push(Vec::new());
                proper.trunks.len() - 1
            });
            let passed = ranks[edge.to] - ranks[edge.from] - 1;
            while proper.trunks[trunk].len() < passed {
                let layer = ranks[edge.from] + 1 + proper.trunks[trunk].len();
                proper.trunks[trunk].push(proper.items.len());
                proper.items.push(Item::new(PASSING_WIDTH, false, layer));
            }
            let mut route = vec![edge.from];
            route.extend(&proper.trunks[trunk][..passed]);
            route.push(edge.to);
            for pair in route.windows(2) {
                let exit = if pair[0] == edge.from { edge.exit } else { 0.0 };
                if link_of.insert((pair[0], exit.to_bits(), pair[1]), ()).is_none() {
                    proper.items[pair[0]].below.push(proper.links.len());
                    proper.items[pair[1]].above.push(proper.links.len());
                    proper.links.push(Link { upper: pair[0], exit, lower: pair[1], enter: 0.0 });
                }
            }
            proper.routes.push(route);
        }
        proper.fill_layers();
        proper
    }

    /// An order to begin with: what hangs together stands together, and else as it was given.
    fn fill_layers(&mut self) {
        let mut is_seen = vec![false; self.items.len()];
        for start in 0..self.items.len() {
            let mut open = vec![start];
            while let Some(item) = open.pop() {
                if !std::mem::replace(&mut is_seen[item], true) {
                    self.layers[self.items[item].layer].push(item);
                    open.extend(self.items[item].below.iter().rev().map(|link| self.links[*link].lower));
                }
            }
        }
    }
}

impl Item {
    fn new(width: f64, is_box: bool, layer: usize) -> Self {
        Self { width, is_box, layer, above: Vec::new(), below: Vec::new() }
    }
}
