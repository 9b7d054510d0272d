//! Why nodes ran, or were taken from the cache.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;

use flow_ir::{
    dag::{Dag, Parameter},
    node::{Input, NodeKind},
    types::Type,
    value::Value,
};
use flow_runtime::{
    act::Cancel,
    engine::{Because, Change, Engine, RunOptions},
};
use support::*;

struct Lab {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap();
        Self { folder, engine }
    }

    fn run(&self, dag: &Dag) -> String {
        self.run_with(dag, &RunOptions { jobs: 2, ..RunOptions::default() })
    }

    fn run_with(&self, dag: &Dag, options: &RunOptions) -> String {
        self.engine.run(dag.clone(), options, &Cancel::new()).unwrap().run
    }

    fn why(&self, run: &str, node: &str) -> Because {
        self.engine.why(run, node).unwrap().because
    }

    /// What has changed, in words.
    fn changed(&self, run: &str, node: &str, since: &str) -> Vec<String> {
        match self.why(run, node) {
            Because::Changed { since: found, changes } if found == since => {
                changes.iter().map(Change::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A text from a file, a model of that size, and its length.
fn pipeline(file: &str, size: i64) -> Dag {
    let mut build = Build::default();
    let path = Input::Constant(Value::File(file.to_owned()));
    let text = build.node("text", "read", Type::Text, &[("path", path)]);
    let model = build.node("model", "model", some_model(), &[("size", constant(size)), ("text", text)]);
    let length = build.node("length", "length", Type::Int, &[("model", model)]);
    build.dag(&[("length", length)])
}

#[test]
fn each_part_of_a_key_is_named_when_it_changes() {
    let lab = Lab::new();
    let file = lab.folder.path().join("a.txt");
    let name = file.display().to_string();
    std::fs::write(&file, "one").unwrap();
    let first = lab.run(&pipeline(&name, 10));
    assert_eq!(lab.why(&first, "text"), Because::FirstTime);

    let second = lab.run(&pipeline(&name, 10));
    assert_eq!(lab.why(&second, "model"), Because::Cached { run: Some(first) });

    std::fs::write(&file, "two").unwrap();
    let third = lab.run(&pipeline(&name, 20));
    assert_eq!(lab.changed(&third, "text", &second), [format!("the file `{name}`, for `path`")]);
    assert_eq!(lab.changed(&third, "model", &second), ["`size`: 10 -> 20", "`text`: \"one\" -> \"two\""]);
    assert_eq!(lab.changed(&third, "length", &second), ["the content of `model`, from `model`"]);

    let mut retyped = pipeline(&name, 20);
    retyped.nodes[2].outputs[0].ty = Type::Int.optional();
    let fourth = lab.run(&retyped);
    assert_eq!(lab.changed(&fourth, "length", &third), ["the types of what it gives"]);

    let mut other = pipeline(&name, 20);
    let NodeKind::Task(operator) = &mut other.nodes[2].kind else { panic!() };
    *operator = match &pipeline(&name, 20).nodes[1].kind {
        NodeKind::Task(model) => model.clone(),
        other => panic!("{other:?}"),
    };
    other.nodes[2].inputs = vec![("size".to_owned(), constant(3))];
    other.nodes[2].outputs[0].ty = some_model();
    other.outputs[0].ty = some_model();
    let fifth = lab.run(&other);
    assert_eq!(lab.changed(&fifth, "length", &fourth), ["operator: length -> model"]);
}

#[test]
fn what_keeps_a_node_from_the_cache_is_said() {
    let lab = Lab::new();
    let mut build = Build::default();
    let off = build.with("off", "noop", Type::Int, &[("value", constant(1))], |node| {
        node.policy.cache = false;
    });
    let effect =
        build.with("effect", "noop", Type::Int, &[("value", constant(2))], |node| node.effect = true);
    let on = build.node("on", "noop", Type::Int, &[("value", constant(3))]);
    let fails = build.node("fails", "fail", Type::Int, &[("value", on.clone()), ("times", constant(9))]);
    let after = build.node("after", "noop", Type::Int, &[("value", fails.clone())]);
    let dag = build.dag(&[("a", off), ("b", effect), ("c", on), ("d", after)]);
    lab.run(&dag);
    let run = lab.run(&dag);
    assert_eq!(lab.why(&run, "off"), Because::CacheOff);
    assert_eq!(lab.why(&run, "effect"), Because::Effect);
    assert!(matches!(lab.why(&run, "on"), Because::Cached { run: Some(_) }));
    // Failures are never cached, so that each is the first.
    assert_eq!(lab.why(&run, "fails"), Because::FirstTime);
    assert_eq!(lab.why(&run, "after"), Because::NotRun { because: Some("fails".to_owned()) });
    let options = RunOptions { use_cache: false, ..RunOptions::default() };
    assert_eq!(lab.why(&lab.run_with(&dag, &options), "on"), Because::CacheRefused);
    assert!(lab.engine.why(&run, "none").is_err());
}

#[test]
fn a_lost_artifact_is_named() {
    let lab = Lab::new();
    let file = lab.folder.path().join("a.txt");
    std::fs::write(&file, "one").unwrap();
    let dag = pipeline(&file.display().to_string(), 1 << 20);
    let first = lab.run(&dag);
    let artifact = lab.engine.artifact(&first, "model", None).unwrap();
    std::fs::remove_file(lab.engine.artifacts().path(artifact.hash)).unwrap();
    let second = lab.run(&dag);
    assert_eq!(lab.why(&second, "model"), Because::Lost { artifact: artifact.hash });
    assert!(matches!(lab.why(&second, "length"), Because::Cached { .. }));
}

#[test]
fn personal_data_is_not_shown() {
    let lab = Lab::new();
    let run = |text: &str| {
        let mut build = Build::default();
        let name = build.node(
            "name",
            "noop",
            Type::Pii(Box::new(Type::Text)),
            &[("value", Input::Parameter("who".to_owned()))],
        );
        let again = build.node("again", "noop", Type::Pii(Box::new(Type::Text)), &[("value", name)]);
        let mut dag = build.dag(&[("out", again)]);
        let ty = Type::Pii(Box::new(Type::Text));
        let value = Value::Text(text.to_owned());
        dag.parameters = vec![Parameter { name: "who".to_owned(), ty, default: None, value }];
        lab.run(&dag)
    };
    let first = run("Ada");
    let second = run("Grace");
    let told = [lab.changed(&second, "name", &first), lab.changed(&second, "again", &first)].concat();
    assert!(told.iter().all(|text| !text.contains("Ada") && !text.contains("Grace")), "{told:?}");
    assert_eq!(told, ["the content of `value`", "the content of `value`, from `name`"]);
}
