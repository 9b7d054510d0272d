use proptest::prelude::*;

use crate::{arbitrary, dag::Dag};

const IRIS: &str = r#"dag iris.iris

row data { sepal_length: Float, sepal_width: Float, species: Label<Category> from "Species" }

record py.Report { auc: Auc, pages: List<File>, tested: Dataset<data>? }

param data: Dataset<data> = file"iris.csv"
param share: Fraction = 0.8 (default 0.7)
param depths: List<Int in 1..=16> = [4, 6] (default)

data = std.data.csv(path: $data, delimiter: ",", header: true) -> Dataset<data>
large = std.data.where(data: data, predicate: { let limit = $share; .sepal_length > limit * 5.0 }) -> Dataset<data>
split = std.data.split(data: large, share: $share, seed: 7, stratify: none)
    -> (train: Dataset<data>, test: Dataset<data>)
candidates[0].gbdt = std.tree.gbdt(
    data: split.train, validation: none, trees: 100, leaves: 31, depth: 4, learning_rate: 0.1,
    min_rows: 20, loss: std.tree.Loss.auto, columns: [.sepal_length, .sepal_width],
) -> Classifier<data> with (cpu: 2, memory: 2GiB, on_failure: continue)
best = std.metrics.best(models: [candidates[0].gbdt], on: split.test) after (large) -> Classifier<data>
report = py.report(model: best) -> (auc: Auc, page: File) effect
reports = py.reports(models: [best]) -> List<py.Report>
gain = { let auc = report.auc; auc - 0.5 } -> Float

output model: Classifier<data> = best
output gain: Float = gain
output reports: List<py.Report> = reports

op std.data.csv version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op std.data.where version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op std.data.split version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op std.tree.gbdt version 3 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op std.metrics.best version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op py.report version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262 python "report:main"
op py.reports version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262 python "report:all"
"#;

#[test]
fn a_dag_both_ways() {
    let dag = Dag::from_text(IRIS).unwrap();
    assert_eq!(dag.nodes.len(), 8);
    assert_eq!(dag.to_text(), IRIS, "{}", dag.to_text());
    assert_eq!(Dag::from_json(&dag.to_json()).unwrap(), dag);
}

const CONTROL: &str = r#"dag a.a

param days: List<Date> = [date"2026-11-20"]

load = run for(over: $days, limit: 3) max 366 -> List<Int>
body(day: Date, limit: Int) {
    one = my.load(day: $day, limit: $limit) -> Int
    output value: Int = one
}
both = run pass(a: load, b: 1) -> (a: List<Int>, b: Int)
good = { let all = both.b; all > 0 } -> Bool
sent = run if(condition: good, all: load) after (both) -> Int with (on_failure: continue) effect
then(all: List<Int>) {
    notify = my.notify(all: $all) -> Int effect
    late = run wait(value: notify, duration: 2h) -> Int
    output value: Int = late
}
otherwise() {
    output value: Int = 0
}
last = run while(from: sent, step: 2) max 20 -> Int
condition(s: Int) {
    small = { let s = $s; s < 9 } -> Bool
    output value: Bool = small
}
body(s: Int, step: Int) {
    more = run workflow nightly.clean(s: $s, step: $step) -> (rows: Int)
    body(s: Int, step: Int) {
        sum = { let a = $s; let b = $step; a + b } -> Int
        output rows: Int = sum
    }
    output value: Int = more.rows
}
run = run(value: last) -> Int
approved = run wait_for(value: run, name: "approved", timeout: 2d) -> Int

output value: Int = approved

op my.load version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op my.notify version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op run version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
"#;

#[test]
fn regions_both_ways() {
    let dag = Dag::from_text(CONTROL).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(dag.to_text(), CONTROL, "{}", dag.to_text());
    assert_eq!(Dag::from_json(&dag.to_json()).unwrap(), dag);
    for (from, to, message) in [
        ("$day, limit", "$days, limit", "node `one`, `day`: there is no parameter `days`"),
        ("value: notify, dur", "value: load, dur", "node `late`, `value`: there is no node `load`"),
        (
            "    output value: Bool",
            "    more = my.load() -> Int\n    output value: Bool",
            "two nodes have the name `more`",
        ),
        (
            "run if",
            "run iff",
            "line 12, column 12: expected `if`, `for`, `while`, `workflow`, `query`, `pass`, `wait` or `wait_for`, found `iff`",
        ),
        ("otherwise()", "otherwise", "line 18, column 11: expected `(`, found `{`"),
        ("max 366", "max many", "line 5, column 43: expected a whole number, found `many`"),
    ] {
        let text = CONTROL.replacen(from, to, 1);
        assert_ne!(text, CONTROL, "{from}");
        assert_eq!(Dag::from_text(&text).unwrap_err().to_string(), message);
    }
}

#[test]
fn what_is_malformed_says_where() {
    for (from, to, message) in [
        (
            "split.train",
            "split.trian",
            "node `candidates[0].gbdt`, `data`: node `split` has no port `trian`; it has train, test",
        ),
        ("split.train", "spilt.train", "node `candidates[0].gbdt`, `data`: there is no node `spilt`"),
        ("data: large", "data: best", "node `split`, `data`: there is no node `best`"),
        ("$data", "$date", "node `data`, `path`: there is no parameter `date`"),
        (
            "record py.Report {",
            "record py.Report {} record py.Report {",
            "two records have the name `py.Report`",
        ),
        ("large = ", "data = ", "two nodes have the name `data`"),
        ("cpu: 2", "cpu: 0", "node `candidates[0].gbdt`: `cpu` must be Int ≥ 1, not 0"),
        ("after (large)", "after (larger)", "node `best`, `after`: there is no node `larger`"),
        (
            "op std.data.where",
            "op std.data.whence",
            "node `large`: operator `std.data.where` is not declared",
        ),
        ("op std.data.where", "op std.data.csv", "two operators have the name `std.data.csv`"),
        (
            "signature af",
            "signature bf0",
            "`bf01349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262` is no hash: expected 64 hexadecimal digits",
        ),
        (
            "Dataset<data> = file",
            "Dataset<date> = file",
            "line 7, column 21: expected a row, such as `{ age: Int }`, found `date`",
        ),
        (
            ".sepal_length >",
            ".sepal_len >",
            "line 12, column 80: expected a type for the column `sepal_len`, as in `typed(.sepal_len, Float)`, found `>`",
        ),
        ("seed: 7", "seed 7", "line 13, column 57: expected `:`, found `7`"),
        ("output gain", "output model", "two outputs have the name `model`"),
        ("dag iris", "dga iris", "line 1, column 1: expected `dag`, found `dga`"),
    ] {
        let text = IRIS.replacen(from, to, 1);
        assert_ne!(text, IRIS, "{from}");
        assert_eq!(Dag::from_text(&text).unwrap_err().to_string(), message);
    }
    let deep = IRIS.replace("seed: 7", &format!("seed: {}", "[".repeat(100_000)));
    assert!(Dag::from_text(&deep).unwrap_err().to_string().contains("nested"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn dags_read_back_equal(dag in arbitrary::dag()) {
        let text = dag.to_text();
        let again = Dag::from_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(&again, &dag, "{}", text);
        prop_assert_eq!(again.to_text(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(at in 0usize..3000, length in 0usize..40, insert in "[-@$\\[\\]{}():,\"a-z0-9. ]{0,12}") {
        let mut bytes = IRIS.as_bytes().to_vec();
        let at = at.min(bytes.len());
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, insert.bytes());
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = Dag::from_text(&text);
        }
    }
}
