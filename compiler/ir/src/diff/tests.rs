use proptest::prelude::*;

use super::*;
use crate::{
    arbitrary,
    dag::Dag,
    node::{Input, Node, NodeIndex, NodeKind},
    value::Value,
};

const TIPS: &str = "dag tips.tips

param share: Fraction = 0.8 (default)
param limit: Float = 0.5 (default)

data = load() -> Dataset<{ x: Int, y: Float }>
split = split(data: data, share: $share) -> (train: Dataset<{ x: Int }>, test: Dataset<{ x: Int }>)
kept = where(data: split.train, predicate: { let l = $limit; .x > exp(l) }) -> Dataset<{ x: Int }>
left = fit(data: kept, depth: 4) -> Regressor<{ x: Int }>
right = fit(data: kept, depth: 6) -> Regressor<{ x: Int }> with (gpu: 1)
gain = { let a = $share; a * 2.0 } -> Float
sent = run if(condition: true, model: right) -> Int
then(model: Regressor<{ x: Int }>) {
    notify = notify(model: $model) -> Int
    output value: Int = notify
}
otherwise() {
    output value: Int = 0
}
last = run while(from: gain, step: 2.0) max 20 -> Float
condition(s: Float) {
    more = { let s = $s; s < 10.0 } -> Bool
    output value: Bool = more
}
body(s: Float, step: Float) {
    next = improve(state: $s, step: $step) -> Float
    log = note(state: $s) -> Float
    output value: Float = next
}
best = best(models: [left, right], bound: last) -> Regressor<{ x: Int }>
report = report(model: best, data: split.test) -> Rmse

output model: Regressor<{ x: Int }> = best
output report: Rmse = report
output sent: Int = sent

op load version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op split version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op where version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op fit version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op notify version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op improve version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op note version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op best version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op report version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
";

fn read(text: &str) -> Dag {
    Dag::from_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Each case of `cases.txt` edits the DAG above: `- from` and `+ to` lines, then what is told of it.
/// `BLESS=1` writes that anew.
#[test]
fn what_is_told_of_an_edit() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diff/cases.txt");
    let cases = std::fs::read_to_string(&path).unwrap();
    let mut found = String::new();
    for case in cases.split("== ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let (edit, _) = rest.split_once("\n\n").unwrap();
        let mut text = TIPS.to_owned();
        let mut lines = edit.lines();
        while let (Some(from), Some(to)) = (lines.next(), lines.next()) {
            let (from, to) = (from.strip_prefix("< ").unwrap(), to.strip_prefix("> ").unwrap());
            assert!(text.contains(from), "{name}: {from}");
            text = text.replace(from, &to.replace("\\n", "\n"));
        }
        let told = diff(&read(TIPS), &read(&text)).to_text();
        found += &format!("== {name}\n{edit}\n\n{told}\n");
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, cases);
}

/// The paths of all nodes with regions walked into, and a way to change each.
fn paths(dag: &Dag) -> Vec<String> {
    fn walk(nodes: &[Node], path: &str, paths: &mut Vec<String>) {
        for node in nodes {
            paths.push(format!("{path}{}", node.id));
            let inner = match node.kind {
                NodeKind::Map { .. } | NodeKind::Loop { .. } => format!("{path}{}[]/", node.id),
                _ => format!("{path}{}/", node.id),
            };
            node.kind.nested().into_iter().for_each(|(_, region)| walk(&region.nodes, &inner, paths));
        }
    }
    let mut paths_of = Vec::new();
    walk(&dag.nodes, "", &mut paths_of);
    paths_of
}

/// Calls `change` with the node that stands at that place of [`paths`].
fn change(dag: &mut Dag, place: usize, change: &mut dyn FnMut(&mut Node)) {
    fn walk(nodes: &mut [Node], left: &mut usize, change: &mut dyn FnMut(&mut Node)) -> bool {
        for node in nodes {
            if *left == 0 {
                change(node);
                return true;
            }
            *left -= 1;
            if node.kind.nested_mut().into_iter().any(|region| walk(&mut region.nodes, left, change)) {
                return true;
            }
        }
        false
    }
    let mut left = place;
    assert!(walk(&mut dag.nodes, &mut left, change));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Nothing differs between equal DAGs, and something between all others.
    #[test]
    fn nothing_differs_exactly_where_they_are_equal(a in arbitrary::dag(), b in arbitrary::dag()) {
        prop_assert_eq!(diff(&a, &a.clone()), DagDiff::default());
        let found = diff(&a, &b);
        prop_assert_eq!(found.is_empty(), a == b);
        prop_assert_eq!(found.to_text().is_empty(), a == b);
        let schema = include_str!("../../../../grammar/flow-diff.schema.json");
        prop_assert_eq!(crate::json::schema_tests::check_against(schema, &found.to_json()), Ok(()));
        let (before, after) = (paths(&a), paths(&b));
        for node in &found.nodes {
            let all = if node.kind == Kind::Removed { &before } else { &after };
            prop_assert!(all.contains(&node.path), "{}", node.path);
        }
    }

    /// A node whose name alone changes is a renamed one, and nothing else is told.
    #[test]
    fn a_new_name_is_told_as_such(a in arbitrary::dag(), place: prop::sample::Index) {
        let all = paths(&a);
        prop_assume!(!all.is_empty());
        let place = place.index(all.len());
        let mut b = a.clone();
        change(&mut b, place, &mut |node| node.id = "renamed_node".to_owned());
        let found = diff(&a, &b);
        prop_assert_eq!(found.nodes.len(), 1, "{}", found.to_text());
        let node = &found.nodes[0];
        prop_assert_eq!((node.kind, node.effect), (Kind::Renamed, Effect::KeepsCache));
        prop_assert_eq!(node.was.as_deref(), Some(all[place].as_str()));
        prop_assert!(found.followers.is_empty() && found.affected.is_empty() && found.outputs.is_empty());
    }

    /// Another policy is told of that node alone, with the key, and changes no results.
    #[test]
    fn a_policy_is_told_as_such(a in arbitrary::dag(), place: prop::sample::Index, retry in 1_u32..9) {
        let all = paths(&a);
        prop_assume!(!all.is_empty());
        let place = place.index(all.len());
        let mut b = a.clone();
        change(&mut b, place, &mut |node| node.policy.retry += retry);
        let found = diff(&a, &b);
        prop_assert_eq!(found.nodes.len(), 1, "{}", found.to_text());
        let node = &found.nodes[0];
        prop_assert_eq!((node.kind, node.effect, &node.path), (Kind::Changed, Effect::PolicyOnly, &all[place]));
        prop_assert_eq!(node.changes.len(), 1);
        prop_assert_eq!(&node.changes[0].part, &Part::Policy("retry"));
        prop_assert_eq!(found.summary().results, 0);
    }

    /// Of another constant the node is told, and exactly those follow that read what it gives, through others too.
    #[test]
    fn what_reads_a_changed_node_follows(a in arbitrary::dag(), place: prop::sample::Index) {
        prop_assume!(!a.nodes.is_empty());
        let place = place.index(a.nodes.len());
        let is_task = |node: &Node| matches!(node.kind, NodeKind::Task(_) | NodeKind::Expression(_));
        prop_assume!(a.nodes.iter().all(is_task));
        let mut b = a.clone();
        b.nodes[place].inputs.push(("one_more".to_owned(), Input::Constant(Value::Int(7))));
        let found = diff(&a, &b);
        prop_assert_eq!(found.nodes.len(), 1, "{}", found.to_text());
        prop_assert_eq!(&found.nodes[0].path, &a.nodes[place].id);
        prop_assert_eq!(found.nodes[0].effect, Effect::ChangesResults);
        let mut is_reached = vec![false; a.nodes.len()];
        is_reached[place] = true;
        let mut expected = Vec::new();
        for (index, node) in a.nodes.iter().enumerate().skip(place + 1) {
            // An edge without data passes no results on.
            let mut reads = false;
            for (_, input) in &node.inputs {
                input.for_each_port(&mut |port| reads |= is_reached[port.node.0 as usize]);
            }
            is_reached[index] = reads;
            if reads {
                expected.push(node.id.clone());
            }
        }
        let followers: Vec<String> = found.followers.iter().map(|follower| follower.path.clone()).collect();
        prop_assert_eq!(followers, expected);
    }

    /// A node that nobody reads comes and goes without a trace elsewhere.
    #[test]
    fn a_node_comes_and_goes(a in arbitrary::dag()) {
        let mut b = a.clone();
        let mut node = read(TIPS).nodes[0].clone();
        node.id = "new_node".to_owned();
        b.nodes.push(node);
        let found = diff(&a, &b);
        prop_assert_eq!(found.nodes.len(), 1, "{}", found.to_text());
        prop_assert_eq!((found.nodes[0].kind, &*found.nodes[0].path), (Kind::Added, "new_node"));
        prop_assert!(found.followers.is_empty());
        let found = diff(&b, &a);
        prop_assert_eq!(found.nodes.len(), 1, "{}", found.to_text());
        prop_assert_eq!((found.nodes[0].kind, &*found.nodes[0].path), (Kind::Removed, "new_node"));
    }
}

/// Nodes whose names count keep their results where one comes before them.
#[test]
fn counted_names_are_told_by_what_is_called() {
    const OPS: &str =
        "\nop fit version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\n";
    let fits = |depths: &[u32], name: &dyn Fn(usize) -> String| {
        let node = |(index, depth)| format!("{} = fit(depth: {depth}) -> Int\n", name(index));
        let nodes: String = depths.iter().enumerate().map(node).collect();
        read(&format!("dag a.a\n\n{nodes}{OPS}"))
    };
    let numbered = |index: usize| if index == 0 { "fit".to_owned() } else { format!("fit#{}", index + 1) };
    let listed = |index: usize| format!("fits[{index}].fit");
    let told = |before: &[u32], after: &[u32], name: &dyn Fn(usize) -> String| {
        diff(&fits(before, name), &fits(after, name)).to_text()
    };
    assert_eq!(
        told(&[4, 6], &[5, 4, 6], &numbered),
        "+ fit  fit\n> fit#2  fit  was fit, keeps the cache\n> fit#3  fit  was fit#2, keeps the cache\n\
         1 added, 2 renamed, results change of 1 node\n"
    );
    assert_eq!(
        told(&[4, 6, 8], &[6, 8], &listed),
        "- fits[0].fit  fit\n> fits[0].fit  fit  was fits[1].fit, keeps the cache\n\
         > fits[1].fit  fit  was fits[2].fit, keeps the cache\n1 removed, 2 renamed, no results change\n"
    );
    assert_eq!(
        told(&[4, 6], &[6, 8], &numbered),
        "~ fit  fit  changes results\n    depth: 4 -> 6\n~ fit#2  fit  changes results\n    depth: 6 -> 8\n\
         2 changed, results change of 2 nodes\n"
    );
}

/// A quadratic step anywhere would take minutes here.
#[test]
fn large_dags_take_linear_time() {
    const NODES: usize = 20_000;
    let chain = |first: i64, prefix: &str| {
        let mut dag = read(&format!(
            "dag a.a\n\n{prefix}0 = noop(value: {first}) -> Int\n{prefix}1 = noop(value: {prefix}0) -> Int\n\n\
             op noop version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\n"
        ));
        for index in 2..NODES {
            let mut node = dag.nodes[1].clone();
            node.id = format!("{prefix}{index}");
            let last = NodeIndex(u32::try_from(index - 1).unwrap());
            node.inputs[0].1 = Input::Port(crate::node::PortRef { node: last, port: 0 });
            dag.nodes.push(node);
        }
        dag
    };
    let before = chain(1, "n");
    for (after, what) in [
        (chain(1, "n"), "equal"),
        (chain(2, "n"), "first changed"),
        (chain(1, "m"), "all renamed"),
        (chain(2, "m"), "all other"),
        (chain(1, "n#"), "all renamed and counted"),
    ] {
        let start = std::time::Instant::now();
        let found = diff(&before, &after);
        println!("{what}: {:?} in {:?}", found.summary(), start.elapsed());
        assert_eq!(found.is_empty(), what == "equal");
    }
}
