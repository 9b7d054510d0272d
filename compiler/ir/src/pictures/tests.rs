//! Cases in `tests/golden/pictures`: a DAG, as text or JSON, and its pictures beside it; a picture of a run where a file
//! of its states is there, a node a line. `BLESS=1` writes what is drawn.

use std::{fs, path::Path};

use super::NodeState;
use crate::dag::Dag;

const DAG: &str = "dag a.a

data = std.data.csv(path: file\"a.csv\") -> Dataset<{ x: Int }>
split = split(data: data) -> (train: Dataset<{ x: Int }>, test: Dataset<{ x: Int }>)
half = { 1.0 < 2.0 } -> Bool
send = notify(a: split.train, b: split.train, c: split.test) after (half) -> () effect

output rows: Dataset<{ x: Int }> = data

op std.data.csv version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op split version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
op notify version 1 signature af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262
";

#[test]
fn dot() {
    let text = Dag::from_text(DAG).unwrap().to_dot();
    let body: Vec<&str> = text.lines().skip(4).collect();
    assert_eq!(
        body,
        [
            "    n0 [label=\"data\\ndata.csv\"]",
            "    n1 [label=\"split\"]",
            "    n2 [label=\"half\\n1.0 < 2.0\" shape=ellipse]",
            "    n3 [label=\"send\\nnotify\" peripheries=2]",
            "    n4 [label=\"rows\" shape=plaintext]",
            "    n0 -> n1",
            "    n0 -> n4",
            "    n1 -> n3 [label=\"train\"]",
            "    n1 -> n3 [label=\"test\"]",
            "    n2 -> n3 [style=dashed]",
            "}",
        ]
    );
}

#[test]
fn mermaid() {
    let text = Dag::from_text(DAG).unwrap().to_mermaid();
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "flowchart TB",
            "    n0[\"data<br>data.csv\"]",
            "    n1[\"split\"]",
            "    n2(\"half<br>1.0 #60; 2.0\")",
            "    n3[\"send<br>notify\"]",
            "    n4>\"rows\"]",
            "    n0 --> n1",
            "    n0 --> n4",
            "    n1 -->|\"train\"| n3",
            "    n1 -->|\"test\"| n3",
            "    n2 -.-> n3",
        ]
    );
}

#[test]
fn golden_pictures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pictures");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut cases = 0;
    let mut wrong = Vec::new();
    for path in paths {
        let read = |text: &str| match path.extension()?.to_str()? {
            "dag" => Some(Dag::from_text(text).unwrap()),
            "json" => Some(Dag::from_json(text).unwrap()),
            _ => None,
        };
        let Some(dag) = read(&fs::read_to_string(&path).unwrap()) else { continue };
        cases += 1;
        let svg = match fs::read_to_string(path.with_extension("states")) {
            Ok(states) => dag.to_svg_of_run(&states.lines().map(state).collect::<Vec<_>>()),
            Err(_) => dag.to_svg(),
        };
        for (extension, found) in [("svg", svg), ("dot", dag.to_dot()), ("mmd", dag.to_mermaid())] {
            let golden = path.with_extension(extension);
            if std::env::var_os("BLESS").is_some() {
                fs::write(&golden, found).unwrap();
            } else if fs::read_to_string(&golden).unwrap_or_default() != found {
                wrong.push(golden);
            }
        }
    }
    assert!(cases > 0 && wrong.is_empty(), "drawn otherwise now (BLESS=1 writes them): {wrong:?}");
}

/// `NODE STATE [SECONDS]`
fn state(line: &str) -> NodeState<'_> {
    let mut words = line.split(' ');
    let (id, state) = (words.next().unwrap(), words.next().unwrap());
    NodeState { id, state, seconds: words.next().map(|seconds| seconds.parse().unwrap()) }
}
