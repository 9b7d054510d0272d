//! Text to DAG: each folder of `tests/golden/dag` is a case.
//!
//! `input.flow`, or without one the example of the case's name, is planned with the parameters of
//! `params.json`, where there is one. `expected.dag` is the DAG as the text says it; `expected.plan` what runs,
//! with what was left out, where that differs. `BLESS=1` writes both.

use std::{
    fs,
    path::{Path, PathBuf},
};

use flow_analysis::Analysis;
use flow_ir::{
    dag::Dag,
    node::{Node, NodeKind},
};

use super::support::Facts;
use crate::{
    evaluate::{evaluate, from_folder},
    parameters::bind,
    passes::{Stage, at_stage},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The cases: their names, the files of their programs relative to the root, and their texts.
pub(crate) fn cases() -> Vec<(String, String, String)> {
    let folder = Path::new(ROOT).join("tests/golden/dag");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let case = |name: String| match fs::read_to_string(folder.join(&name).join("input.flow")) {
        Ok(text) => (name.clone(), format!("flows/{name}.flow"), text),
        Err(_) => {
            let file = format!("examples/{name}/{name}.flow");
            let text = fs::read_to_string(Path::new(ROOT).join(&file)).unwrap();
            (name, file, text)
        }
    };
    names.into_iter().map(case).collect()
}

/// The DAG of a case, as the text says it.
pub(crate) fn expected(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join("tests/golden/dag").join(name).join("expected.dag")).unwrap()
}

#[test]
fn golden_dags() {
    let mut failures = Vec::new();
    let cases = cases();
    for (name, file, text) in &cases {
        let folder = Path::new(ROOT).join("tests/golden/dag").join(name);
        let dag = plan(name, file, text, &folder.join("params.json"));
        let (plan, pruned) = at_stage(dag.clone(), Stage::Plan, &Facts);
        let warnings: String = pruned.iter().map(|pruned| format!("// {pruned}\n")).collect();
        let expected_plan = (plan != dag).then(|| warnings + &plan.to_text());
        compare(&folder.join("expected.dag"), Some(dag.to_text()), &mut failures);
        compare(&folder.join("expected.plan"), expected_plan, &mut failures);
        check_spans(name, &dag, text);
        assert_eq!(Dag::from_text(&dag.to_text()).unwrap(), dag, "{name} reads back equal");
        assert_eq!(Dag::from_json(&plan.to_json()).unwrap(), plan, "{name} reads back equal");
    }
    assert!(cases.len() >= 18, "cases are found");
    assert!(failures.is_empty(), "BLESS=1 writes what differs:\n{}", failures.join("\n"));
}

fn plan(name: &str, file: &str, text: &str, params: &PathBuf) -> Dag {
    let mut analysis = Analysis::new();
    analysis.set_file(name, file, text);
    let errors: Vec<_> = analysis.check(name).into_iter().filter(|found| found.is_error()).collect();
    assert_eq!(errors, [], "{name}");
    let workflows = analysis.workflows(name);
    let own = workflows.iter().find(|workflow| *workflow == name);
    let workflow = own.or(workflows.first()).unwrap().clone();
    let signature = analysis.signature(name, &workflow).unwrap();
    let params = fs::read_to_string(params).ok();
    let params = params.map(|text| serde_json::from_str(&text).unwrap());
    let given = bind(&signature, &[], params.as_ref(), &|path| from_folder("", path)).unwrap();
    evaluate(&analysis, &Facts, name, &workflow, &given).unwrap()
}

/// A node's span holds the call that it was made by.
fn check_spans(name: &str, dag: &Dag, text: &str) {
    let spans = &dag.origin.as_ref().unwrap().spans;
    let nodes = with_regions(&dag.nodes);
    assert_eq!(spans.len(), nodes.len());
    for (node, (start, end)) in nodes.iter().zip(spans) {
        let call = text.get(*start as usize..*end as usize).unwrap();
        let operator = match &node.kind {
            NodeKind::Conditional { .. } => "run if",
            NodeKind::Map { .. } => "run for",
            NodeKind::Loop { .. } => "run while",
            NodeKind::Workflow { name, .. } => name.rsplit('.').next().unwrap(),
            _ => node.op().rsplit('.').next().unwrap(),
        };
        // One that is read from a path that was given has no call, and an expression may be a fn's.
        let is_call =
            call.contains(operator) || call.is_empty() || operator == "expression" || name == "paths";
        assert!(is_call, "{name}: `{}` stands at `{call}`", node.id);
    }
}

fn with_regions(nodes: &[Node]) -> Vec<&Node> {
    let mut all = Vec::new();
    for node in nodes {
        all.push(node);
        node.kind.regions().iter().for_each(|(_, region)| all.extend(with_regions(&region.nodes)));
    }
    all
}

/// Holds a file against what it should be, or makes it so.
fn compare(path: &Path, found: Option<String>, failures: &mut Vec<String>) {
    let expected = fs::read_to_string(path).ok();
    if expected == found {
        return;
    }
    if std::env::var_os("BLESS").is_none() {
        failures.push(format!("{}\n{}", path.display(), found.unwrap_or_default()));
        return;
    }
    match found {
        Some(found) => fs::write(path, found).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}
