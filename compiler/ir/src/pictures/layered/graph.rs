//! The drawing as a whole: parts that do not hang together beside each other, layers below each other, routes.

use super::{order::order, place::place, proper::Proper};

/// Every edge goes from a box to a later one.
#[derive(Debug, Default)]
pub struct Graph {
    pub boxes: Vec<Size>,
    pub edges: Vec<Edge>,
}

/// In pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub from: usize,
    /// Where it leaves the lower side of its box, from the middle. Edges that leave from one point share a trunk.
    pub exit: f64,
    pub to: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

#[derive(Debug, Default, PartialEq)]
pub struct Layout {
    pub size: Size,
    /// The upper left corner of each box.
    pub boxes: Vec<Point>,
    /// For each edge what it goes through: it is upright on each layer, and goes over between them.
    pub routes: Vec<Vec<Run>>,
}

/// An upright part of an edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    pub x: f64,
    pub top: f64,
    pub bottom: f64,
}

/// Between layers at least and at most; in between as far as their edges go sideways.
const LEAST_GAP: f64 = 34.0;
const MOST_GAP: f64 = 84.0;
const GAP_FOR_WIDTH: f64 = 0.1;
/// Between parts that do not hang together.
const BETWEEN_PARTS: f64 = 40.0;
/// Of the height of a layer that a box leaves free; it stands in the middle while there is less.
const MOST_REST: f64 = 60.0;
/// How much wider than high a drawing of several parts may become.
const ASPECT: f64 = 1.8;

/// Where everything stands. Costs little more than sorting for some hundred boxes, for which it is made.
pub fn lay_out(graph: &Graph) -> Layout {
    let parts: Vec<(Part, Layout)> =
        Part::all(graph).into_iter().map(|part| (part.lay_out_alone(), part)).map(|(a, b)| (b, a)).collect();
    let mut layout = Layout {
        size: Size::default(),
        boxes: vec![Point::default(); graph.boxes.len()],
        routes: vec![Vec::new(); graph.edges.len()],
    };
    let area: f64 = parts.iter().map(|(_, part)| part.size.width * part.size.height).sum();
    let widest = parts.iter().map(|(_, part)| part.size.width).fold(0.0, f64::max);
    let limit = (area.sqrt() * ASPECT).max(widest);
    let (mut x, mut y, mut height): (f64, f64, f64) = (0.0, 0.0, 0.0);
    for (part, own) in parts {
        if x > 0.0 && x + own.size.width > limit {
            y += height + BETWEEN_PARTS;
            (x, height) = (0.0, 0.0);
        }
        for (number, at) in part.boxes.iter().zip(&own.boxes) {
            layout.boxes[*number] = Point { x: at.x + x, y: at.y + y };
        }
        for (number, route) in part.edges.iter().zip(own.routes) {
            let moved = |run: Run| Run { x: run.x + x, top: run.top + y, bottom: run.bottom + y };
            layout.routes[*number] = route.into_iter().map(moved).collect();
        }
        height = height.max(own.size.height);
        layout.size.width = layout.size.width.max(x + own.size.width);
        layout.size.height = layout.size.height.max(y + own.size.height);
        x += own.size.width + BETWEEN_PARTS;
    }
    layout
}

/// Boxes that hang together, and the edges between them.
struct Part {
    boxes: Vec<usize>,
    edges: Vec<usize>,
    graph: Graph,
}

impl Part {
    fn all(graph: &Graph) -> Vec<Self> {
        let mut neighbours = vec![Vec::new(); graph.boxes.len()];
        for edge in &graph.edges {
            neighbours[edge.from].push(edge.to);
            neighbours[edge.to].push(edge.from);
        }
        let mut part_of = vec![usize::MAX; graph.boxes.len()];
        let mut parts = 0;
        for start in 0..graph.boxes.len() {
            let mut open = vec![start];
            let mut is_new = false;
            while let Some(node) = open.pop() {
                if part_of[node] == usize::MAX {
                    part_of[node] = parts;
                    is_new = true;
                    open.extend(&neighbours[node]);
                }
            }
            parts += usize::from(is_new);
        }
        let mut parts: Vec<Self> = (0..parts)
            .map(|_| Self { boxes: Vec::new(), edges: Vec::new(), graph: Graph::default() })
            .collect();
        let mut own = vec![0; graph.boxes.len()];
        for (node, size) in graph.boxes.iter().enumerate() {
            let part = &mut parts[part_of[node]];
            own[node] = part.boxes.len();
            part.boxes.push(node);
            part.graph.boxes.push(*size);
        }
        for (number, edge) in graph.edges.iter().enumerate() {
            let part = &mut parts[part_of[edge.from]];
            part.edges.push(number);
            part.graph.edges.push(Edge { from: own[edge.from], exit: edge.exit, to: own[edge.to] });
        }
        parts
    }

    fn lay_out_alone(&self) -> Layout {
        let boxes = &self.graph.boxes;
        let mut proper = Proper::new(&self.graph);
        order(&mut proper);
        let mut middles = place(&mut proper);
        let left = |item: usize, middles: &[f64]| middles[item] - proper.items[item].width / 2.0;
        let least = (0..proper.items.len()).map(|item| left(item, &middles)).fold(f64::INFINITY, f64::min);
        middles.iter_mut().for_each(|middle| *middle -= least);

        let bands = bands(&proper, boxes, &middles);
        let band = |item: usize| bands[proper.items[item].layer];
        let corner = |item: usize| {
            let (top, bottom) = band(item);
            let rest = bottom - top - boxes[item].height;
            let ends = (proper.items[item].above.is_empty(), proper.items[item].below.is_empty());
            // Beside something high, what begins or ends an edge stands near its other end.
            let above = match ends {
                (false, true) if rest > MOST_REST => 0.0,
                (true, false) if rest > MOST_REST => rest,
                _ => rest / 2.0,
            };
            Point { x: left(item, &middles), y: top + above }
        };
        let link_between = |upper: usize, lower: usize, exit: f64| {
            let mut links = proper.items[upper].below.iter().map(|link| &proper.links[*link]);
            links.find(|link| link.lower == lower && link.exit.to_bits() == exit.to_bits())
        };
        let routes = self.graph.edges.iter().zip(&proper.routes).map(|(edge, route)| {
            let mut runs = Vec::with_capacity(route.len());
            for (number, &item) in route.iter().enumerate() {
                let (top, bottom) = band(item);
                if number == 0 {
                    let below = corner(item).y + boxes[item].height;
                    runs.push(Run { x: middles[item] + edge.exit, top: below, bottom });
                } else if number + 1 == route.len() {
                    let exit = if number == 1 { edge.exit } else { 0.0 };
                    let enter = link_between(route[number - 1], item, exit).map_or(0.0, |link| link.enter);
                    runs.push(Run { x: middles[item] + enter, top, bottom: corner(item).y });
                } else {
                    runs.push(Run { x: middles[item], top, bottom });
                }
            }
            runs
        });
        let right = |item: usize| middles[item] + proper.items[item].width / 2.0;
        Layout {
            size: Size {
                width: (0..proper.items.len()).map(right).fold(0.0, f64::max),
                height: bands.last().map_or(0.0, |band| band.1),
            },
            boxes: (0..boxes.len()).map(corner).collect(),
            routes: routes.collect(),
        }
    }
}

/// From where to where each layer goes down the page.
fn bands(proper: &Proper, boxes: &[Size], middles: &[f64]) -> Vec<(f64, f64)> {
    let mut gaps = vec![LEAST_GAP; proper.layers.len()];
    for link in &proper.links {
        let sideways = (middles[link.upper] + link.exit - middles[link.lower] - link.enter).abs();
        let gap = &mut gaps[proper.items[link.upper].layer];
        *gap = gap.max((LEAST_GAP + sideways * GAP_FOR_WIDTH).min(MOST_GAP));
    }
    let mut at = 0.0;
    let mut bands = Vec::with_capacity(gaps.len());
    for (layer, gap) in proper.layers.iter().zip(gaps) {
        let height =
            layer.iter().filter_map(|item| boxes.get(*item)).map(|size| size.height).fold(0.0, f64::max);
        bands.push((at, at + height));
        at += height + gap;
    }
    bands
}
