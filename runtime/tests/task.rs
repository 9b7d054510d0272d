//! Tasks in envelopes: what runs elsewhere gives the same artifacts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;

use flow_ir::{node::Input, types::Type, value::Value};
use flow_runtime::{
    act::Cancel,
    engine::{Engine, RunOptions},
    task::{Envelope, run_envelope},
};
use proptest::prelude::*;
use serde_json::Value as Json;
use support::*;

fn run(folder: &std::path::Path) -> (Engine, String) {
    let mut build = Build::default();
    let table =
        build.node("table", "range", numbers(), &[("rows", constant(70_000)), ("batch", constant(9))]);
    build.node("sum", "total", Type::Int, &[("data", table)]);
    let model = build.node("model", "model", some_model(), &[("size", constant(100_000))]);
    let list = Input::List(vec![model.clone(), model.clone()]);
    build.node("length", "length", Type::Int, &[("model", list)]);
    let both =
        build.node("both", "both", Type::List(Box::new(some_model())), &[("a", model.clone()), ("b", model)]);
    build.node("lengths", "length", Type::Int, &[("model", both)]);
    let any =
        Input::Constant(Value::Record(vec![("x".into(), f64::NAN.into()), ("y".into(), Value::Date(3))]));
    build.node("add", "add", Type::Int, &[("x", constant(i64::MIN))]);
    build.node("noop", "noop", Type::Nothing, &[("value", Input::Constant(Value::None)), ("any", any)]);
    let engine = Engine::open(folder, Arc::new(TestRegistry::default())).unwrap();
    let report = engine.run(build.dag(&[]), &RunOptions::default(), &Cancel::new()).unwrap();
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    (engine, report.run)
}

#[test]
fn a_task_elsewhere_gives_the_same_artifacts() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, run) = run(folder.path());
    for node in engine.show(&run).unwrap().1 {
        let envelope = engine.envelope(&run, &node.id).unwrap();
        let text = envelope.to_json().to_string();
        assert_eq!(Envelope::from_json(&text).unwrap(), envelope);
        let answer = run_envelope(
            &text,
            &TestRegistry::default(),
            engine.environment(),
            engine.artifacts(),
            &Cancel::new(),
        )
        .unwrap();
        assert_eq!(answer["outputs"]["value"], node.outputs[0].1.to_json(), "{}", node.id);
        let reference = &node.outputs[0].1;
        let is_file = engine.artifacts().path(reference.hash).exists();
        assert_eq!(is_file, reference.kind() != "value", "what its reference does not hold is a file");
    }
}

#[test]
fn a_task_that_fails_elsewhere_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, run) = run(folder.path());
    let mut envelope = engine.envelope(&run, "add").unwrap();
    envelope.op = "panic".into();
    let error = |envelope: &Envelope| {
        let text = envelope.to_json().to_string();
        run_envelope(
            &text,
            &TestRegistry::default(),
            engine.environment(),
            engine.artifacts(),
            &Cancel::new(),
        )
    };
    assert_eq!(
        error(&envelope).unwrap_err().to_string(),
        "the envelope calls another version of `panic` than this flowc has"
    );
    envelope.signature = flow_ir::hash::Hash::of(b"panic");
    assert_eq!(
        error(&envelope).unwrap()["error"]["message"],
        "operator `panic` panicked: that was not to be"
    );
    envelope.op = "none".into();
    assert_eq!(
        error(&envelope).unwrap_err().to_string(),
        "the envelope calls `none`, which is no operator of this flowc"
    );
}

/// Replaces or drops something, anywhere.
fn mutate(json: &mut Json, way: &mut impl FnMut() -> usize) {
    match json {
        Json::Object(fields) if !fields.is_empty() && !way().is_multiple_of(4) => {
            let place = way() % fields.len();
            if way().is_multiple_of(6) {
                let name = fields.keys().nth(place).unwrap().clone();
                fields.remove(&name);
            } else if let Some(field) = fields.values_mut().nth(place) {
                mutate(field, way);
            }
        }
        Json::Array(elements) if !elements.is_empty() && !way().is_multiple_of(4) => {
            let place = way() % elements.len();
            mutate(&mut elements[place], way);
        }
        other => {
            *other = match way() % 5 {
                0 => Json::Null,
                1 => Json::from(-1),
                2 => Json::from("flow-task/1"),
                3 => Json::Array(vec![]),
                _ => Json::Object(serde_json::Map::new()),
            }
        }
    }
}

#[test]
fn a_broken_envelope_is_refused_and_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, run) = run(folder.path());
    let sound = engine.envelope(&run, "sum").unwrap().to_json();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2_000));
    let result = runner.run(&any::<u64>(), |seed| {
        let mut random = seed;
        let mut json = sound.clone();
        mutate(&mut json, &mut || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 40) as usize
        });
        // Refused with a line, or still an envelope.
        if let Err(error) = Envelope::from_json(&json.to_string()) {
            prop_assert!(!error.to_string().is_empty());
        }
        Ok(())
    });
    result.unwrap();
    for text in ["", "{}", "[]", "null", "{\"format\": \"flow-task/2\"}"] {
        assert!(Envelope::from_json(text).is_err());
    }
}
