use proptest::prelude::*;

use crate::{
    arbitrary,
    dag::Dag,
    node::{Input, NodeIndex},
    read_error::ReadError,
};

pub(super) const SMALL: &str = r#"{
"format": "flow-dag/1",
"workflow": "iris.iris",
"parameters": [
{"name":"data","type":"Dataset<{ a: Float }>","value":{"file":"iris.csv"}}
],
"nodes": [
{"id":"data","kind":"task","op":{"name":"std.data.csv","version":1,"signature":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","place":"native"},"inputs":{"path":{"parameter":"data"},"delimiter":{"constant":","}},"outputs":[{"name":"value","type":"Dataset<{ a: Float }>"}],"policy":{"cpu":2},"deterministic":true},
{"id":"rows","kind":"task","op":{"name":"std.data.where","version":1,"signature":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","place":"native"},"inputs":{"data":{"port":"data.value"},"predicate":{"expression":{"steps":[{"is":{"column":"a"},"type":"Float"},{"is":{"literal":{"float":0.5}},"type":"Float"},{"is":{"call":["greater",[0,1]]},"type":"Bool"}]}}},"after":["data"],"outputs":[{"name":"value","type":"Dataset<{ a: Float }>"}],"deterministic":true}
],
"outputs": [
{"name":"rows","type":"Dataset<{ a: Float }>","input":{"port":"rows.value"}}
]
}
"#;

#[test]
fn a_small_dag_both_ways() {
    let dag = Dag::from_json(SMALL).unwrap();
    assert_eq!(dag.nodes.len(), 2);
    assert_eq!(dag.nodes[0].policy.cpu, 2);
    assert_eq!(dag.to_json(), SMALL);
}

#[test]
fn what_is_malformed_says_where() {
    for (from, to, message) in [
        ("flow-dag/1", "flow-dag/2", "the format is `flow-dag/2`, and this flowc reads `flow-dag/1`"),
        (
            "\"port\":\"data.value\"",
            "\"port\":\"data.test\"",
            "node `rows`, `data`: node `data` has no port `test`; it has value",
        ),
        ("\"port\":\"data.value\"", "\"port\":\"dta.value\"", "node `rows`, `data`: there is no node `dta`"),
        (
            "\"port\":\"data.value\"",
            "\"port\":\"data\"",
            "node `rows`, `data`: `data` is no port: write `node.port`",
        ),
        ("\"id\":\"rows\"", "\"id\":\"data\"", "two nodes have the name `data`"),
        (
            "{\"parameter\":\"data\"}",
            "{\"parameter\":\"x\"}",
            "node `data`, `path`: there is no parameter `x`",
        ),
        (
            "{\"parameter\":\"data\"}",
            "{\"port\":\"rows.value\"}",
            "the nodes depend on each other in a circle: data → rows → data",
        ),
        ("\"delimiter\"", "\"path\"", "line 8, column 226: `path` comes twice"),
        (
            "\"kind\":\"task\"",
            "\"kind\":\"tsk\"",
            "node `data`: unknown kind `tsk`: expected task, expression, pass, wait, wait_for, conditional, map, loop, workflow or query",
        ),
        (
            "\"kind\":\"task\"",
            "\"kind\":\"expression\"",
            "node `data`: a node of kind expression needs `expression` and nothing else of that sort",
        ),
        ("greater", "grater", "node `rows`, `predicate`: there is no function `grater`"),
        (
            "[0,1]",
            "[0,0]",
            "node `rows`, `predicate`: step 2 of the expression names a part that does not stand before it or is used already",
        ),
        ("[0,1]", "[0]", "node `rows`, `predicate`: step 2 of the expression leaves an earlier step unused"),
        ("\"cpu\":2", "\"cpu\":0", "node `data`: `cpu` must be Int ≥ 1, not 0"),
        ("\"cpu\":2", "\"cpus\":2", "node `data`: there is no policy key `cpus`"),
        (
            "\"type\":\"Bool\"",
            "\"type\":\"Boole\"",
            "node `rows`, `predicate`: `Boole` is no type: expected a type, found `Boole`",
        ),
        (
            "{\"float\":0.5}",
            "{\"flaot\":0.5}",
            "line 9, column 303: unknown kind of constant `flaot`: expected float, bytes, date, time, duration, size, file, column, enum or record",
        ),
        (
            "\"nodes\"",
            "\"nods\"",
            "line 7, column 6: unknown field `nods`, expected one of `format`, `workflow`, `rows`, `parameters`, `nodes`, `outputs`, `origin`",
        ),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL, "{from}");
        assert_eq!(Dag::from_json(&text).unwrap_err().to_string(), message);
    }
    let swapped: Vec<&str> = SMALL.lines().collect();
    let mut lines = swapped.clone();
    lines.swap(7, 8);
    let text = lines.join("\n").replace("true},\n]", "true}\n]").replace("true}\n{", "true},\n{");
    assert_eq!(
        Dag::from_json(&text).unwrap_err().to_string(),
        "node `rows` stands before `data`, which it depends on"
    );
}

#[test]
fn depth_is_bounded() {
    let deep = SMALL.replace("\",\"", &("[".repeat(100_000) + &"]".repeat(100_000)));
    assert!(matches!(Dag::from_json(&deep), Err(ReadError::Json { .. })));
    let mut steps = "{\"is\":{\"column\":\"a\"},\"type\":\"Float\"}".to_owned();
    for step in 0..100_000 {
        steps += &format!(",{{\"is\":{{\"call\":[\"exp\",[{step}]]}},\"type\":\"Float\"}}");
    }
    let (head, rest) = SMALL.split_once("\"steps\":[").unwrap();
    let (_, tail) = rest.split_once("]}}},\"after\"").unwrap();
    let long = format!("{head}\"steps\":[{steps}]}}}}}},\"after\"{tail}");
    assert!(Dag::from_json(&long).unwrap_err().to_string().ends_with("nests too deeply"));
}

/// A chain whose nodes all read one port too: a quadratic step anywhere would take minutes here.
#[test]
fn large_dags_take_linear_time() {
    const NODES: usize = 20_000;
    let mut dag = Dag::from_json(SMALL).unwrap();
    let last = dag.nodes[1].clone();
    for index in 2..NODES {
        let mut node = last.clone();
        node.id = format!("rows[{index}].noop");
        node.after = vec![NodeIndex(u32::try_from(index - 1).unwrap())];
        dag.nodes.push(node);
    }
    for (form, write, read) in [
        ("JSON", Dag::to_json as fn(&Dag) -> String, Dag::from_json as fn(&str) -> Result<Dag, ReadError>),
        ("text", Dag::to_text, Dag::from_text),
    ] {
        let start = std::time::Instant::now();
        let text = write(&dag);
        let written = start.elapsed();
        let again = read(&text).unwrap();
        println!(
            "{form}: {} bytes, written in {written:?}, read in {:?}",
            text.len(),
            start.elapsed() - written
        );
        assert!(again == dag);
    }
    let start = std::time::Instant::now();
    assert_eq!(dag.graph().depth(), NODES);
    assert_eq!(dag.graph().feeds("data", "rows[19999].noop"), Ok(true));
    println!("questions: {:?}", start.elapsed());
}

#[test]
fn ports_of_any_name_are_found() {
    for name in [".", ".a", "a.b", "fixed acidity", "", ". ."] {
        let mut dag = Dag::from_json(SMALL).unwrap();
        let port = dag.outputs.iter().find_map(|output| match output.input {
            Input::Port(port) => Some(port),
            _ => None,
        });
        let port = port.unwrap();
        dag.nodes[port.node.0 as usize].outputs[port.port as usize].name = name.to_owned();
        let text = dag.to_json();
        assert_eq!(Dag::from_json(&text).as_ref(), Ok(&dag), "{name:?}: {text}");
        assert_eq!(Dag::from_text(&dag.to_text()).as_ref(), Ok(&dag), "{name:?}: {}", dag.to_text());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn dags_read_back_equal(dag in arbitrary::dag()) {
        let text = dag.to_json();
        let again = Dag::from_json(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(&again, &dag, "{}", text);
        prop_assert_eq!(again.to_json(), text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(at in 0usize..2000, length in 0usize..40, insert in "[\\[\\]{}:,\"a-z0-9.]{0,12}") {
        let mut bytes = SMALL.as_bytes().to_vec();
        let at = at.min(bytes.len());
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, insert.bytes());
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = Dag::from_json(&text);
        }
    }
}
