//! DAGs in JSON that are broken in one place each: one clear error that names the place, and never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::path::Path;

use flow_ir::{dag::Dag, read_error::ReadError};
use proptest::prelude::*;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_dags")
}

fn base() -> String {
    let text = std::fs::read_to_string(folder().join("base.dag")).unwrap();
    let dag = Dag::from_text(&text).unwrap();
    assert_eq!(dag.check(), Ok(()));
    dag.to_json()
}

/// As `flowc` reads a file.
fn read(text: &str) -> Result<Dag, String> {
    let dag = Dag::from_json(text).map_err(|error| error.to_string())?;
    dag.check().map_err(|error| error.to_string())?;
    Ok(dag)
}

/// Each case of `cases.txt` edits the JSON of `base.dag`: `<` from and `>` to, then what is said of it.
/// `BLESS=1` writes that anew.
#[test]
fn each_mistake_is_told_with_its_place() {
    let path = folder().join("cases.txt");
    let cases = std::fs::read_to_string(&path).unwrap();
    let base = base();
    let mut found = String::new();
    for case in cases.split("== ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let (edit, _) = rest.split_once("\n\n").unwrap();
        let mut text = base.clone();
        let mut lines = edit.lines();
        while let (Some(from), Some(to)) = (lines.next(), lines.next()) {
            let (from, to) = (from.strip_prefix("< ").unwrap(), to.strip_prefix("> ").unwrap());
            assert!(text.contains(from), "{name}: {from} is not in {text}");
            text = text.replacen(from, to, 1);
        }
        let told = read(&text).expect_err(name);
        assert_eq!(told.lines().count(), 1, "{told}");
        found += &format!("== {name}\n{edit}\n\n{told}\n\n");
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, cases);
}

#[test]
fn what_is_no_dag_at_all_is_refused() {
    let base = base();
    for text in
        ["", " ", "null", "[]", "7", "\"a\"", "{}", "\u{feff}", "{\"format\": 7}", "{\"format\"", "\0\0"]
    {
        assert!(read(text).is_err(), "{text:?}");
    }
    for end in (0..base.len() - 2).step_by(37).filter(|end| base.is_char_boundary(*end)) {
        assert!(read(&base[..end]).is_err(), "cut at {end}");
    }
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(read(&deep).is_err());
    assert!(read(&base.replace("[1]", &deep)).is_err());
    let objects = "{\"a\":".repeat(500_000);
    assert!(read(&objects).is_err());
    let wide = format!("Dataset<{{ {} }}>", "List<".repeat(100_000));
    assert!(read(&base.replace("\"List<Float>\"", &format!("\"{wide}\""))).is_err());
}

/// Regions within regions, deeper than anything that can be read.
#[test]
fn nesting_is_bounded() {
    let mut node =
        "{\"id\":\"x\",\"kind\":\"pass\",\"inputs\":{},\"outputs\":[],\"deterministic\":true}".to_owned();
    for _ in 0..2_000 {
        node = format!(
            "{{\"id\":\"x\",\"kind\":\"workflow\",\"name\":\"a.b\",\"body\":{{\"parameters\":[],\"nodes\":[{node}],\"outputs\":[]}},\
             \"inputs\":{{}},\"outputs\":[],\"deterministic\":true}}"
        );
    }
    let text =
        format!("{{\"format\":\"flow-dag/1\",\"workflow\":\"a.a\",\"nodes\":[{node}],\"outputs\":[]}}");
    let error = read(&text).unwrap_err();
    assert!(error.contains("recursion limit"), "{error}");
}

/// A row that is named once and stands at many ports: what is small in the file must not become large here.
#[test]
fn a_small_file_stays_small() {
    let columns: Vec<String> = (0..20_000).map(|column| format!("c{column}: Float")).collect();
    let node = |index: usize| {
        format!(
            "{{\"id\":\"n{index}\",\"kind\":\"pass\",\"inputs\":{{}},\"outputs\":[{{\"name\":\"a\",\"type\":\"Dataset<r>\"}}],\"deterministic\":true}}"
        )
    };
    let nodes: Vec<String> = (0..20_000).map(node).collect();
    let text = format!(
        "{{\"format\":\"flow-dag/1\",\"workflow\":\"a.a\",\"rows\":{{\"r\":\"{{ {} }}\"}},\"nodes\":[{}],\"outputs\":[]}}",
        columns.join(", "),
        nodes.join(",")
    );
    assert!(matches!(Dag::from_json(&text), Err(ReadError::TooLarge { .. })));
}

/// One node with many ports that another reads, each by its name.
#[test]
fn many_ports_take_linear_time() {
    const PORTS: usize = 40_000;
    let ports: Vec<String> =
        (0..PORTS).map(|port| format!("{{\"name\":\"p{port}\",\"type\":\"Int\"}}")).collect();
    let inputs: Vec<String> =
        (0..PORTS).map(|port| format!("\"p{port}\":{{\"port\":\"a.p{port}\"}}")).collect();
    let given: Vec<String> = (0..PORTS).map(|port| format!("\"p{port}\":{{\"constant\":1}}")).collect();
    let text = format!(
        "{{\"format\":\"flow-dag/1\",\"workflow\":\"a.a\",\"nodes\":[\
         {{\"id\":\"a\",\"kind\":\"pass\",\"inputs\":{{{}}},\"outputs\":[{ports}],\"deterministic\":true}},\
         {{\"id\":\"b\",\"kind\":\"pass\",\"inputs\":{{{}}},\"outputs\":[{ports}],\"deterministic\":true}}],\"outputs\":[]}}",
        given.join(","),
        inputs.join(","),
        ports = ports.join(",")
    );
    let dag = read(&text).unwrap();
    assert!(flow_ir::diff::diff(&dag, &dag).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever becomes of valid JSON, it is read or refused; what is read can be written and read again.
    #[test]
    fn mutated_json_is_read_or_refused(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..24, any::<prop::sample::Index>(), 0usize..48), 1..4),
    ) {
        thread_local!(static BASE: String = base());
        let mut bytes = BASE.with(|base| base.clone().into_bytes());
        for (at, length, from, taken) in edits {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            let from = from.index(bytes.len());
            let piece = bytes[from..(from + taken).min(bytes.len())].to_vec();
            bytes.splice(at..end, piece);
        }
        if let Ok(dag) = read(&String::from_utf8_lossy(&bytes)) {
            let again = Dag::from_json(&dag.to_json());
            prop_assert_eq!(again.as_ref(), Ok(&dag));
            prop_assert!(flow_ir::diff::diff(&dag, &dag).is_empty());
            let _ = dag.graph().depth();
        }
    }

    /// A value in the JSON is exchanged for another one of it, so that it stays JSON and means something else.
    #[test]
    fn exchanged_parts_are_read_or_refused(from: prop::sample::Index, to: prop::sample::Index) {
        thread_local!(static PARTS: (serde_json::Value, Vec<String>) = {
            let json: serde_json::Value = serde_json::from_str(&base()).unwrap();
            let mut pointers = Vec::new();
            pointers_of(&json, "", &mut pointers);
            (json, pointers)
        });
        let text = PARTS.with(|(json, pointers)| {
            let mut json = json.clone();
            let part = json.pointer(&pointers[from.index(pointers.len())]).unwrap().clone();
            *json.pointer_mut(&pointers[to.index(pointers.len())]).unwrap() = part;
            json.to_string()
        });
        if let Ok(dag) = read(&text) {
            let again = Dag::from_json(&dag.to_json());
            prop_assert_eq!(again.as_ref(), Ok(&dag));
        }
    }
}

fn pointers_of(json: &serde_json::Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match json {
        serde_json::Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| pointers_of(item, &format!("{at}/{index}"), all));
        }
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers_of(field, &format!("{at}/{name}"), all);
            });
        }
        _ => {}
    }
}
