use super::{Card, Scene, Shape, Tallies, scene};
use crate::{dag::Dag, pictures::NodeState};

const SIGNATURE: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";

/// A DAG of tasks, each with what it reads.
fn dag(nodes: &[(String, &str, Vec<String>)]) -> Dag {
    let mut text = "dag a.a\n\n".to_owned();
    let mut ops: Vec<&str> = Vec::new();
    for (id, op, inputs) in nodes {
        let inputs: Vec<String> =
            inputs.iter().enumerate().map(|(number, id)| format!("i{number}: {id}")).collect();
        text += &format!("{id} = {op}({}) -> Int\n", inputs.join(", "));
        if !ops.contains(op) {
            ops.push(op);
        }
    }
    text += "\n";
    for op in ops {
        text += &format!("op {op} version 1 signature {SIGNATURE}\n");
    }
    Dag::from_text(&text).unwrap()
}

fn node(id: &str, op: &'static str, inputs: &[&str]) -> (String, &'static str, Vec<String>) {
    (id.to_owned(), op, inputs.iter().map(|id| (*id).to_owned()).collect())
}

fn of(dag: &Dag) -> Scene {
    scene(dag, &Tallies::default())
}

fn titles(scene: &Scene) -> Vec<(&str, usize)> {
    scene.body.cards.iter().map(|card| (card.title.as_str(), card.count)).collect()
}

#[test]
fn a_fan_of_equal_siblings_shares_cards() {
    let mut nodes = vec![node("data", "read", &[])];
    for number in 0..200 {
        nodes.push(node(&format!("all[{number}].fit"), "fit", &["data"]));
        nodes.push(node(&format!("all[{number}].score"), "score", &[&format!("all[{number}].fit")]));
    }
    let scene = of(&dag(&nodes));
    assert_eq!(titles(&scene), [("data", 1), ("all[…].fit", 200), ("all[…].score", 200)]);
    assert_eq!(scene.body.links.len(), 2);
    assert_eq!(scene.nodes, 401);
}

#[test]
fn few_siblings_have_a_card_each() {
    let nodes: Vec<_> = (0..6).map(|number| node(&format!("all[{number}].fit"), "fit", &[])).collect();
    assert_eq!(of(&dag(&nodes)).body.cards.len(), 6);
}

#[test]
fn siblings_that_read_from_elsewhere_are_not_equal() {
    let mut nodes = vec![node("a", "read", &[]), node("b", "read", &[])];
    nodes.extend(
        (0..10).map(|number| node(&format!("x{number}"), "fit", &[if number < 8 { "a" } else { "b" }])),
    );
    let scene = of(&dag(&nodes));
    assert_eq!(titles(&scene), [("a", 1), ("b", 1), ("x…", 8), ("x8", 1), ("x9", 1)]);
}

#[test]
fn a_long_chain_is_folded_into_stretches() {
    let mut nodes = vec![node("n0", "step", &[])];
    nodes.extend((1..2000).map(|number| node(&format!("n{number}"), "step", &[&format!("n{}", number - 1)])));
    let scene = of(&dag(&nodes));
    assert!(scene.body.cards.len() <= 24, "{}", scene.body.cards.len());
    assert_eq!(scene.body.cards.iter().map(|card| card.count).sum::<usize>(), 2000);
    assert_eq!(scene.body.links.len(), scene.body.cards.len() - 1);
}

#[test]
fn links_go_to_later_cards_and_cards_are_few_whatever_the_dag() {
    // A random DAG with many levels, all of whose nodes differ: a linear congruential generator is random enough.
    let mut state = 1_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let ops = ["read", "join", "fit", "score", "group"];
    for size in [50, 500, 3000] {
        let mut nodes: Vec<(String, &str, Vec<String>)> = Vec::new();
        for number in 0..size {
            let inputs = (0..next(3)).filter(|_| number > 0).map(|_| nodes[next(number.max(1))].0.clone());
            let inputs: std::collections::BTreeSet<String> = inputs.collect();
            nodes.push((format!("name_{number}"), ops[next(5)], inputs.into_iter().collect()));
        }
        let scene = of(&dag(&nodes));
        assert!(scene.body.cards.len() <= 150, "{}", scene.body.cards.len());
        assert!(scene.body.links.iter().all(|link| link.from < link.to));
        assert_eq!(scene.body.cards.iter().map(|card| card.count).sum::<usize>(), size);
    }
}

#[test]
fn a_parameter_that_many_read_is_listed() {
    let mut text = "dag a.a\n\nparam seed: Int = 1 (default)\nparam once: Int = 2 (default)\n\n".to_owned();
    for number in 0..5 {
        text += &format!("n{number} = {{ let a = $seed; a + {number} }} -> Int\n");
    }
    text += "last = { let a = $once; a + 1 } -> Int\n";
    let dag = Dag::from_text(&text).unwrap();
    let scene = of(&dag);
    assert_eq!(scene.listed, [("seed".to_owned(), "1".to_owned())]);
    let parameters: Vec<&Card> =
        scene.body.cards.iter().filter(|card| card.shape == Shape::Parameter).collect();
    assert_eq!(parameters.len(), 1);
    assert_eq!(parameters[0].title, "once");
    let formulas: Vec<&str> = scene.body.cards.iter().map(|card| card.subtitle.as_str()).collect();
    assert!(formulas.contains(&"once + 1"), "{formulas:?}");
}

#[test]
fn repetitions_of_a_region_are_counted_at_their_node() {
    let dag = Dag::from_text(
        "dag a.a\n\ndays[0] = { 1 + 1 } -> Int\ndays = run for(over: [1, 2, 3]) max 9 -> List<Int>\n\
         body(day: Int) {\n    load = { let a = $day; a + 1 } -> Int\n    output value: Int = load\n}\n",
    );
    let Ok(dag) = dag else { panic!("{dag:?}") };
    let of = |id, state| NodeState { id, state, seconds: Some(1.0) };
    let states = [
        of("days[0]", "finished"),
        of("days", "failed"),
        of("days[0]/load", "finished"),
        of("days[1]/load", "failed"),
        of("days[2]/load", "finished"),
    ];
    let scene = scene(&dag, &Tallies::new(&dag, &states));
    let map = scene.body.cards.iter().find(|card| card.shape == Shape::Map).unwrap();
    let load = map.panels[0].body.cards.iter().find(|card| card.title == "load").unwrap();
    let counts: Vec<(&str, usize)> =
        load.tally.states.iter().map(|(state, count)| (state.name(), *count)).collect();
    assert_eq!(counts, [("failed", 1), ("finished", 2)]);
    assert_eq!(load.tally.seconds, Some(3.0));
}
