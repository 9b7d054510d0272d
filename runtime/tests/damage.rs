//! Artifacts that are torn at any length, or changed anywhere: found, said, and made again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use flow_ir::{dag::Dag, types::Type};
use flow_runtime::{
    act::Cancel,
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
