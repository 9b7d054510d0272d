use proptest::prelude::*;

use super::{
    graph::{Edge, Graph, Layout, Size, lay_out},
    order::{count_crossings, order},
    proper::Proper,
    rank::ranks,
};

/// Boxes of any size, and edges to later ones, from the middle or from ports.
fn graph() -> impl Strategy<Value = Graph> {
    let boxes = prop::collection::vec((8.0..260.0_f64, 8.0..400.0_f64), 1..40);
    let edges = prop::collection::vec((any::<u32>(), any::<u32>(), -1_i8..=1), 0..80);
    (boxes, edges).prop_map(|(boxes, edges)| {
        let count = boxes.len() as u32;
        let boxes: Vec<Size> = boxes.into_iter().map(|(width, height)| Size { width, height }).collect();
        let edges =
            edges.into_iter().map(|(a, b, port)| (a % count, b % count, port)).filter(|(a, b, _)| a != b);
        let edges = edges.map(|(a, b, port)| {
            let from = a.min(b) as usize;
            Edge { from, exit: f64::from(port) * boxes[from].width / 4.0, to: a.max(b) as usize }
        });
        Graph { edges: edges.collect(), boxes }
    })
}

fn simple(count: usize, edges: &[(usize, usize)]) -> Graph {
    Graph {
        boxes: vec![Size { width: 100.0, height: 40.0 }; count],
        edges: edges.iter().map(|&(from, to)| Edge { from, exit: 0.0, to }).collect(),
    }
}

fn crossings(graph: &Graph) -> usize {
    let mut proper = Proper::new(graph);
    order(&mut proper);
    count_crossings(&proper)
}

/// The middles of the boxes.
fn middles(graph: &Graph, layout: &Layout) -> Vec<f64> {
    layout.boxes.iter().zip(&graph.boxes).map(|(at, size)| at.x + size.width / 2.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn boxes_keep_apart(graph in graph()) {
        let layout = lay_out(&graph);
        let boxes: Vec<_> = layout.boxes.iter().zip(&graph.boxes).collect();
        for (number, (a, own)) in boxes.iter().enumerate() {
            prop_assert!(a.x >= -0.01 && a.x + own.width <= layout.size.width + 0.01);
            prop_assert!(a.y >= -0.01 && a.y + own.height <= layout.size.height + 0.01);
            for (b, other) in &boxes[number + 1..] {
                let beside = a.x + own.width + 20.0 <= b.x || b.x + other.width + 20.0 <= a.x;
                let below = a.y + own.height + 20.0 <= b.y || b.y + other.height + 20.0 <= a.y;
                prop_assert!(beside || below, "{a:?} {own:?}, {b:?} {other:?}");
            }
        }
    }

    #[test]
    fn edges_go_down_and_through_no_box(graph in graph()) {
        let layout = lay_out(&graph);
        for (edge, route) in graph.edges.iter().zip(&layout.routes) {
            let (from, to) = (layout.boxes[edge.from], layout.boxes[edge.to]);
            let (first, last) = (route[0], route[route.len() - 1]);
            prop_assert!((first.top - from.y - graph.boxes[edge.from].height).abs() < 0.01);
            prop_assert!((first.x - from.x - graph.boxes[edge.from].width / 2.0 - edge.exit).abs() < 0.01);
            prop_assert!((last.bottom - to.y).abs() < 0.01);
            prop_assert!(last.x >= to.x && last.x <= to.x + graph.boxes[edge.to].width);
            let ys: Vec<f64> = route.iter().flat_map(|run| [run.top, run.bottom]).collect();
            prop_assert!(ys.windows(2).all(|pair| pair[0] <= pair[1] + 0.01), "{ys:?}");
            for run in route {
                for (at, size) in layout.boxes.iter().zip(&graph.boxes) {
                    let is_beside = run.x <= at.x || run.x >= at.x + size.width;
                    let is_apart = run.bottom <= at.y + 0.01 || run.top >= at.y + size.height - 0.01;
                    prop_assert!(is_beside || is_apart);
                }
            }
            // Between layers an edge goes sideways: no box may stand there.
            for pair in route.windows(2) {
                for (at, size) in layout.boxes.iter().zip(&graph.boxes) {
                    let is_apart = pair[1].top <= at.y + 0.01 || pair[0].bottom >= at.y + size.height - 0.01;
                    let is_beside = pair[0].x.max(pair[1].x) <= at.x || pair[0].x.min(pair[1].x) >= at.x + size.width;
                    prop_assert!(is_apart || is_beside);
                }
            }
        }
    }

    #[test]
    fn equal_graphs_have_equal_layouts(graph in graph()) {
        prop_assert_eq!(lay_out(&graph), lay_out(&graph));
    }

    #[test]
    fn the_order_found_is_no_worse_than_that_given(graph in graph()) {
        let before = count_crossings(&Proper::new(&graph));
        prop_assert!(crossings(&graph) <= before);
    }

    #[test]
    fn layers_have_no_gaps(graph in graph()) {
        let pairs: Vec<_> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        let ranks = ranks(graph.boxes.len(), &pairs);
        prop_assert!(pairs.iter().all(|(from, to)| ranks[*from] < ranks[*to]));
        let deepest = ranks.iter().max().copied().unwrap_or(0);
        prop_assert!((0..=deepest).all(|rank| ranks.contains(&rank)));
    }
}

#[test]
fn nothing_is_laid_out_as_nothing() {
    assert_eq!(lay_out(&Graph::default()), Layout::default());
}

#[test]
fn a_chain_stands_upright() {
    let graph = simple(5, &[(0, 1), (1, 2), (2, 3), (3, 4)]);
    let layout = lay_out(&graph);
    assert!(middles(&graph, &layout).iter().all(|middle| (middle - 50.0).abs() < 0.01));
}

#[test]
fn a_source_stands_in_the_middle_of_what_it_feeds() {
    let graph = simple(4, &[(0, 1), (0, 2), (0, 3)]);
    let middles = middles(&graph, &lay_out(&graph));
    assert!((middles[0] - middles[2]).abs() < 0.1, "{middles:?}");
    assert!((middles[1] + middles[3] - 2.0 * middles[0]).abs() < 0.1, "{middles:?}");
}

#[test]
fn a_late_source_stands_beside_the_box_above_its_reader() {
    assert_eq!(ranks(5, &[(0, 1), (1, 2), (2, 4), (3, 4)]), [0, 1, 2, 2, 3]);
}

#[test]
fn what_can_be_drawn_without_crossings_is() {
    // A tree whose leaves are given in an order that crosses, a row of diamonds, and a ladder.
    let tree = simple(7, &[(0, 1), (0, 2), (1, 3), (2, 4), (1, 5), (2, 6)]);
    let diamonds = simple(7, &[(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (3, 5), (4, 6), (5, 6)]);
    let ladder = simple(8, &[(0, 3), (1, 2), (2, 5), (3, 4), (4, 7), (5, 6), (0, 2), (4, 6)]);
    for graph in [tree, diamonds, ladder] {
        assert_eq!(crossings(&graph), 0);
    }
}

#[test]
fn edges_from_one_point_share_their_way() {
    let graph = simple(5, &[(0, 1), (1, 2), (2, 3), (3, 4), (0, 3), (0, 4)]);
    let layout = lay_out(&graph);
    let (short, long) = (&layout.routes[4], &layout.routes[5]);
    assert_eq!(short[..short.len() - 1], long[..short.len() - 1]);
}

#[test]
fn a_hundred_and_fifty_boxes_with_three_hundred_edges_take_a_moment() {
    let edges: Vec<_> = (0..300).map(|number| (number * 7 % 75, 75 + number * 13 % 75)).collect();
    let start = std::time::Instant::now();
    lay_out(&simple(150, &edges));
    assert!(start.elapsed().as_secs() < 10);
}
