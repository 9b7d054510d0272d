//! How fast DAGs are written, read, checked and compared.
//!
//!     cargo bench -p flow-ir --bench dag
//!
//! Fails where the median of a stated time is over its limit.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use flow_ir::{
    dag::Dag,
    diff::diff,
    node::{Input, NodeIndex, PortRef},
    value::Value,
};

const RUNS: usize = 15;

/// Half of the nodes are trainers that read one table of 30 columns, half are expressions over what the one before gave.
fn dag(nodes: usize) -> Dag {
    let columns: Vec<String> = (0..30).map(|column| format!("column_{column}: Float?")).collect();
    let mut dag = Dag::from_text(&format!(
        "dag bench.bench\n\nrow data {{ {} }}\n\nparam data: Dataset<data> = file\"data.csv\"\n\n\
         data = std.data.csv(path: $data, delimiter: \",\", header: true) -> Dataset<data>\n\
         fit = std.tree.gbdt(data: data, trees: 100, learning_rate: 0.1, depth: 4, seed: 0) \
         -> Regressor<data> with (cpu: 2, memory: 2GiB)\n\
         gain = {{ let a = $data; 1.0 }} -> Float\n\n\
         op std.data.csv version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\n\
         op std.tree.gbdt version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\n",
        columns.join(", ")
    ))
    .unwrap();
    let (fit, gain) = (dag.nodes[1].clone(), dag.nodes[2].clone());
    for index in 3..nodes {
        let mut node = if index % 2 == 0 { fit.clone() } else { gain.clone() };
        node.id = format!("candidates[{index}].{}", node.id);
        if index % 2 == 0 {
            node.inputs[3].1 = Input::Constant(Value::Int(index as i64));
        } else {
            let before = PortRef { node: NodeIndex(u32::try_from(index - 1).unwrap()), port: 0 };
            node.inputs[0].1 = Input::Port(before);
        }
        dag.nodes.push(node);
    }
    dag
}

fn main() {
    let mut held = true;
    println!("| | median of {RUNS} | slowest | limit | |\n|---|---|---|---|---|");
    for (nodes, limits) in [(20_000, [300, 1_000, 1_000]), (100_000, [1_500, 5_000, 5_000])] {
        let dag = dag(nodes);
        let json = dag.to_json();
        let mut other = dag.clone();
        other.nodes[0].inputs[1].1 = Input::Constant(Value::from(";"));
        let [file, same, changed] = limits;
        held &= measure(&format!("writing and reading {nodes} nodes of JSON"), file, || {
            let text = black_box(&dag).to_json();
            black_box(Dag::from_json(&text).unwrap());
        });
        held &= measure(&format!("writing and reading {nodes} nodes of text"), file * 2, || {
            let text = black_box(&dag).to_text();
            black_box(Dag::from_text(&text).unwrap());
        });
        held &= measure(&format!("reading and checking {nodes} nodes of JSON"), file, || {
            let dag = Dag::from_json(black_box(&json)).unwrap();
            dag.check().unwrap();
        });
        held &= measure(&format!("diff of {nodes} nodes, equal"), same, || {
            assert!(diff(black_box(&dag), black_box(&dag)).is_empty());
        });
        held &= measure(&format!("diff of {nodes} nodes, the first changed"), changed, || {
            black_box(diff(black_box(&dag), black_box(&other)).to_text());
        });
    }
    assert!(held, "a stated time is not held");
}

fn measure(name: &str, limit: u64, mut work: impl FnMut()) -> bool {
    work();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    let (median, slowest) = (times[RUNS / 2], times[RUNS - 1]);
    let is_held = median <= Duration::from_millis(limit);
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "| {name} | {:.1} ms | {:.1} ms | {limit} ms | {} |",
        ms(median),
        ms(slowest),
        if is_held { "ok" } else { "MISSED" }
    );
    is_held
}
