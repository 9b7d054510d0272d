//! Artifacts that are torn at any length, or changed anywhere: found, said, and made again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use flow_ir::{dag::Dag, types::Type};
use flow_runtime::{
    act::Cancel,
    decide::RunStatus,
    engine::{Because, Engine, RunError, RunOptions},
};
use support::*;

/// A table, a model and a list with it, each a file; and what is counted in them.
fn large() -> Dag {
    let mut build = Build::default();
    let table =
        build.node("table", "range", numbers(), &[("rows", constant(9000)), ("batch", constant(4000))]);
    let total = build.node("total", "total", Type::Int, &[("data", table)]);
    let model = build.node("model", "model", some_model(), &[("size", constant(70_000))]);
    let length = build.node("length", "length", Type::Int, &[("model", model)]);
    build.dag(&[("total", total), ("length", length)])
}

fn options() -> RunOptions {
    RunOptions { jobs: 2, ..RunOptions::default() }
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_artifact_torn_at_any_length_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), Arc::new(TestRegistry::default())).unwrap();
    let run = engine.run(large(), &options(), &Cancel::new()).unwrap().run;
    for node in ["table", "model"] {
        let reference = engine.artifact(&run, node, None).unwrap();
        let path = engine.artifacts().path(reference.hash);
        let whole = fs::read(&path).unwrap();
        assert_eq!(whole.len() as u64, reference.size);
        let length = whole.len();
        let torn = (0..300).chain((300..length - 300).step_by(997)).chain(length - 300..length);
        for end in torn {
            replace(&path, &whole[..end]);
            let found = engine.artifacts().load(&reference).err().unwrap();
            assert!(found.is_lost(), "{node} at {end}: {found}");
            assert!(!engine.artifacts().is_there(&reference).unwrap());
        }
        for at in (0..length).step_by(1009) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            replace(&path, &changed);
            let found = engine.artifacts().load(&reference).err().unwrap();
            assert!(found.is_lost(), "{node} at {at}: {found}");
        }
        replace(&path, &whole);
        engine.load(&reference).unwrap();
    }
}

#[test]
fn what_is_torn_is_made_again_and_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Arc::new(TestRegistry::default());
    let engine = Engine::open(folder.path(), registry.clone()).unwrap();
    let first = engine.run(large(), &options(), &Cancel::new()).unwrap();
    let reference = engine.artifact(&first.run, "model", None).unwrap();
    let path = engine.artifacts().path(reference.hash);
    replace(&path, &fs::read(&path).unwrap()[..5000]);
    // Who asks for it is told.
    let asked = engine.load(&reference).unwrap_err();
    assert!(matches!(&asked, RunError::Artifact(error) if error.is_lost()), "{asked}");
    assert!(asked.to_string().contains("is corrupt: it has 5000 bytes of"), "{asked}");

    let calls = registry.calls();
    let again = engine.run(large(), &options(), &Cancel::new()).unwrap();
    assert_eq!(registry.calls(), calls + 1, "the model alone");
    assert_eq!(again.outputs, first.outputs);
    engine.load(&reference).unwrap();
    let since = Because::NotKept { since: first.run };
    assert_eq!(engine.why(&again.run, "model").unwrap().because, since);
    // Without anybody asking before, the run itself finds it.
    fs::remove_file(&path).unwrap();
    let third = engine.run(large(), &options(), &Cancel::new()).unwrap();
    assert_eq!(engine.why(&third.run, "model").unwrap().because, Because::Lost { artifact: reference.hash });
}

/// Damages what a node gave, where only its bytes tell, and runs again.
fn mended(text: &str, node: &str) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Arc::new(TestRegistry::default());
    let engine = Engine::open(folder.path(), registry.clone()).unwrap();
    let ears = Arc::new(Ears::default());
    let heard = RunOptions { subscribers: vec![ears.clone()], ..options() };
    let first = engine.run(dag(text), &heard, &Cancel::new()).unwrap();
    assert_eq!(first.status, RunStatus::Finished, "{:?}", first.failures);
    assert!(!ears.heard().iter().any(|line| line.starts_with("retrying")), "{:?}", ears.heard());
    let reference = engine.artifact(&first.run, node, None).unwrap();
    replace(&engine.artifacts().path(reference.hash), &vec![1; reference.size as usize]);
    assert!(engine.load(&reference).is_err());

    let calls = registry.calls();
    let ears = Arc::new(Ears::default());
    let heard = RunOptions { subscribers: vec![ears.clone()], ..options() };
    let again = engine.run(dag(text), &heard, &Cancel::new()).unwrap();
    assert_eq!(again.status, RunStatus::Finished, "{:?}", again.failures);
    assert_eq!(again.outputs, first.outputs);
    engine.load(&reference).unwrap();
    let remade = ears.heard().iter().filter(|line| **line == format!("running {node}")).count();
    assert_eq!(remade, 1, "{:?}", ears.heard());
    assert!(registry.calls() > calls);
}

#[test]
fn the_state_of_a_loop_is_made_again_in_the_iteration_that_gave_it() {
    let text = "
start = model(size: 70000) -> Opaque<\"test\">
last = run while(from: start) max 5 -> Opaque<\"test\">
condition(state: Opaque<\"test\">) {
    size = length(model: $state) -> Int with (cache: off)
    small = { let size = size; size < 70003 } -> Bool
    output value: Bool = small
}
body(state: Opaque<\"test\">) {
    before = length(model: $state) -> Int with (cache: off)
    more = add(a: before, b: 1) -> Int
    bigger = model(size: more) -> Opaque<\"test\">
    output value: Opaque<\"test\"> = bigger
}
end = length(model: last) -> Int with (cache: off)
output size: Int = end";
    for node in ["start", "last[0]/bigger", "last[1]/bigger", "last[2]/bigger"] {
        mended(text, node);
    }
}

#[test]
fn an_element_of_a_list_is_made_again_by_the_instance_that_gave_it() {
    let models = "
models = run for(over: [70000, 70001, 70002]) max 3 -> List<Opaque<\"test\">>
body(size: Int) {
    model = model(size: $size) -> Opaque<\"test\">
    output value: Opaque<\"test\"> = model
}";
    let whole = "
size = length(model: models) -> Int with (cache: off)
output size: Int = size";
    let element_by_element = "
sizes = run for(over: models) max 3 -> List<Int>
body(model: Opaque<\"test\">) {
    size = length(model: $model) -> Int with (cache: off)
    output value: Int = size
}
output sizes: List<Int> = sizes";
    for rest in [whole, element_by_element] {
        mended(&format!("{models}{rest}"), "models[1]/model");
    }
}

#[test]
fn what_an_operator_gave_in_a_list_is_made_again_by_it() {
    let text = "
small = model(size: 70000) -> Opaque<\"test\">
large = model(size: 70001) -> Opaque<\"test\">
both = both(a: small, b: large) -> List<Opaque<\"test\">>
sizes = run for(over: both) max 3 -> List<Int>
body(model: Opaque<\"test\">) {
    size = length(model: $model) -> Int with (cache: off)
    output value: Int = size
}
output sizes: List<Int> = sizes";
    mended(text, "large");
}
