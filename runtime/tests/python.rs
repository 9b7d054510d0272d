//! Functions of Python's as operators, and the package on their side. Without a Python, or without the modules that
//! a test is about, it is skipped, and says so; but a Python that FLOW_PYTHON names must have them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use flow_ir::{
    node::{Input, Node, NodeKind, OperatorPlace, Port},
    types::Type,
    value::Value,
};
use flow_runtime::{
    act::{Cancel, process::Environment},
    engine::{Engine, RunOptions, RunReport},
    operator::Datum,
};
use support::*;

/// The interpreter, where it has these modules.
fn python(modules: &[&str]) -> Option<PathBuf> {
    let python = std::env::var_os("FLOW_PYTHON").filter(|path| !path.is_empty());
    let is_named = python.is_some();
    let python = PathBuf::from(python.unwrap_or_else(|| "python3".into()));
    for module in ["sys"].iter().chain(modules) {
        let import = Command::new(&python).args(["-c", &format!("import {module}")]).output();
        if !import.is_ok_and(|output| output.status.success()) {
            assert!(!is_named, "{}, which FLOW_PYTHON names, has no module `{module}`", python.display());
            eprintln!("skipped: {} has no module `{module}`; FLOW_PYTHON names another", python.display());
            return None;
        }
    }
    // Wherever PATH has it: a path that is not absolute would begin at the project.
    let told = Command::new(&python).args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    Some(PathBuf::from(String::from_utf8(told.stdout).ok()?.trim()))
}

struct Project {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Project {
    fn new(python: PathBuf, code: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("functions.py"), code).unwrap();
        let engine = Engine::open(&folder.path().join(".flow"), Arc::new(TestRegistry::default())).unwrap();
        let mut environment = Environment::of(folder.path());
        environment.python = Some(python);
        Self { engine: engine.with_environment(environment), folder }
    }

    fn run(&self, build: Build) -> RunReport {
        self.engine.run(build.dag(&[]), &RunOptions::default(), &Cancel::new()).unwrap()
    }

    /// Calls one function of the project's; gives what is wrong, without the project's folder.
    fn told(&self, function: &str, ty: Type, inputs: &[(&str, Input)]) -> String {
        let mut build = Build::default();
        call(&mut build, "node", function, ty, inputs);
        let report = self.run(build);
        let wrong = report.failures.iter().map(|(_, failure)| match failure.help() {
            Some(help) => format!("{failure}; {help}"),
            None => failure.to_string(),
        });
        let folder = self.folder.path().to_string_lossy().into_owned();
        wrong.collect::<Vec<_>>().join("\n").replace(&folder, "PROJECT")
    }

    fn value(&self, run: &str, node: &str) -> Value {
        match self.datum(run, node) {
            Datum::Value(value) => value,
            other => panic!("{other:?}"),
        }
    }

    fn datum(&self, run: &str, node: &str) -> Datum {
        let nodes = self.engine.show(run).unwrap().1;
        let found = nodes.into_iter().find(|found| found.id == node).unwrap();
        self.engine.load(&found.outputs[0].1).unwrap()
    }
}

fn call(build: &mut Build, id: &str, function: &str, ty: Type, inputs: &[(&str, Input)]) -> Input {
    build.with(id, &format!("test.{function}"), ty, inputs, |node| at(node, function))
}

fn at(node: &mut Node, function: &str) {
    if let NodeKind::Task(operator) = &mut node.kind {
        operator.place = OperatorPlace::Python(format!("functions:{function}"));
    }
    node.policy.memory = 2 << 30;
}

fn ty(text: &str) -> Type {
    Type::parse(text).unwrap()
}

#[test]
fn the_packages_own_tests_pass() {
    let Some(python) = python(&[]) else { return };
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/tests");
    let output = Command::new(&python)
        .args(["-m", "unittest", "discover", "-s"])
        .arg(tests)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    eprintln!("{told}");
}

#[test]
fn values_come_and_go() {
    let Some(python) = python(&[]) else { return };
    let project = Project::new(
        python,
        r#"
import datetime as dt
import flowlang

def kinds(**inputs):
    assert inputs["date"] == dt.date(2026, 11, 20), inputs
    assert inputs["many"] == [1, 2] and inputs["none"] is None, inputs
    assert inputs["share"] == 0.5 and inputs["flag"] is True, inputs
    return {"a": inputs["time"] + dt.timedelta(days=1), "b": None}

def several():
    flowlang.progress(1, 2)
    flowlang.metric("loss", 0.25)
    print("said")
    return 1, "two"

async def later(x: int) -> int:
    return x + 1
"#,
    );
    let mut build = Build::default();
    let constant_of = |text: &str| Input::Constant(Value::parse(text).unwrap());
    let inputs = [
        ("date", constant_of("date\"2026-11-20\"")),
        ("time", constant_of("time\"2026-11-20T09:30:00Z\"")),
        ("many", constant_of("[1, 2]")),
        ("none", constant_of("none")),
        ("share", constant_of("0.5")),
        ("flag", constant_of("true")),
    ];
    call(&mut build, "kinds", "kinds", ty("(a: Time, b: Int?)"), &inputs);
    build.with("several", "test.several", Type::Int, &[], |node| {
        at(node, "several");
        node.outputs =
            vec![Port { name: "a".into(), ty: Type::Int }, Port { name: "b".into(), ty: Type::Text }];
    });
    call(&mut build, "later", "later", Type::Int, &[("x", constant(6))]);
    let report = project.run(build);
    assert_eq!(report.failures, []);
    assert_eq!(project.value(&report.run, "kinds").to_string(), "(a: time\"2026-11-21T09:30:00Z\", b: none)");
    assert_eq!(project.value(&report.run, "several"), Value::Int(1));
    assert_eq!(project.value(&report.run, "later"), Value::Int(7));
}

#[test]
fn mistakes_are_told_with_the_users_own_line() {
    let Some(python) = python(&[]) else { return };
    let shown = python.display().to_string();
    let project = Project::new(
        python,
        r#"
import os, sys

def inner():
    raise ValueError("the data\nare  odd")

def fails():
    inner()

def lacks():
    import no_such_module.part

def ends():
    sys.exit(0)

def wrong(y):
    return y

def nothing():
    pass

def one():
    return 1

def two():
    return 1, 2

def text():
    return "seven"

def unpicklable():
    return lambda: 0

def dies():
    os.abort()

def prints_garbage():
    os.write(3, b"\xff\xfe garbage \n" * 1000)
    os.write(1, b"\xff\xfe")
    return 1
"#,
    );
    let int = || Type::Int;
    assert_eq!(
        project.told("fails", int(), &[]),
        "ValueError: the data are odd (functions.py, line 5 in `inner`)"
    );
    assert_eq!(
        project.told("lacks", int(), &[]),
        format!(
            "Python ({shown}) has no module `no_such_module` (functions.py, line 11 in `lacks`); \
             `{shown} -m pip install no_such_module` installs it"
        )
    );
    assert_eq!(
        project.told("ends", int(), &[]),
        "the function ended the process with exit code 0, and gave nothing (functions.py, line 14 in `ends`)"
    );
    let told = project.told("wrong", int(), &[("x", constant(1))]);
    assert!(told.starts_with("`functions:wrong` is called with `x`, and is written as (y): "), "{told}");
    assert_eq!(project.told("nothing", int(), &[]), "output `value`: expected Int, found nothing");
    assert_eq!(project.told("text", int(), &[]), "output `value`: expected Int, found \"seven\"");
    assert_eq!(project.told("one", some_model(), &[]), "");
    assert!(project.told("unpicklable", some_model(), &[]).contains("a `function` cannot be pickled"));
    assert!(project.told("dies", int(), &[]).starts_with("it was ended by signal 6 (SIGABRT)"));
    assert_eq!(project.told("prints_garbage", int(), &[]), "");
    let traceback = {
        let mut build = Build::default();
        call(&mut build, "node", "fails", int(), &[]);
        let report = project.run(build);
        let folder = project.engine.run_folder(&report.run).node("node").attempt(1);
        fs::read_to_string(folder.stderr()).unwrap()
    };
    assert!(traceback.starts_with("Traceback (most recent call last):\n  File \""), "{traceback}");
    assert!(!traceback.contains("flowlang") && traceback.contains("in fails\n    inner()"), "{traceback}");
}

#[test]
fn tables_are_what_the_annotation_asks_for() {
    let Some(python) = python(&["pyarrow", "pandas", "polars"]) else { return };
    let project = Project::new(
        python,
        r#"
from __future__ import annotations
import pandas as pd
import polars as pl
import pyarrow as pa

def of_pandas(data: pd.DataFrame) -> pd.DataFrame:
    assert isinstance(data, pd.DataFrame)
    return data.assign(x=data["x"] + 1)

def of_polars(data: "pl.DataFrame"):
    assert isinstance(data, pl.DataFrame)
    return data.with_columns(pl.col("x") + 1)

def lazily(data: pl.LazyFrame):
    return data.with_columns((pl.col("x") + 1).cast(pl.Int32))

def of_arrow(data: pa.Table):
    assert isinstance(data, pa.Table)
    return {"x": [value + 1 for value in data["x"].to_pylist()]}

def by_default(data):
    assert isinstance(data, pd.DataFrame)
    return data.assign(x=(data["x"] + 1).astype("float64"))

def with_a_gap(data: pd.DataFrame):
    return data.assign(x=data["x"].where(data["x"] != 3))

def train(data: pd.DataFrame):
    return {"mean": data["x"].mean()}

def predict(model, data: pd.DataFrame):
    return data.assign(x=int(model["mean"]))
"#,
    );
    let mut build = Build::default();
    let table = build.node("table", "range", numbers(), &[("rows", constant(5)), ("batch", constant(2))]);
    let functions = ["of_pandas", "of_polars", "lazily", "of_arrow", "by_default"];
    let mut rows = table.clone();
    for function in functions {
        rows = call(&mut build, function, function, numbers(), &[("data", rows)]);
    }
    build.node("total", "total", Type::Int, &[("data", rows)]);
    call(&mut build, "gap", "with_a_gap", numbers(), &[("data", table.clone())]);
    call(&mut build, "gaps", "with_a_gap", ty("Dataset<{ x: Int? }>"), &[("data", table.clone())]);
    let model = call(&mut build, "model", "train", some_model(), &[("data", table.clone())]);
    let predicted = call(&mut build, "predicted", "predict", numbers(), &[("model", model), ("data", table)]);
    build.node("sum", "total", Type::Int, &[("data", predicted)]);
    let report = project.run(build);
    let wrong: Vec<String> =
        report.failures.iter().map(|(node, failure)| format!("{node}: {failure}")).collect();
    assert_eq!(wrong, ["gap: output `value`: row 4 of column `x` is missing, and Int has no `?`"]);
    let total = (0..5).sum::<i64>() + 5 * i64::try_from(functions.len()).unwrap();
    assert_eq!(project.value(&report.run, "total"), Value::Int(total));
    assert_eq!(project.value(&report.run, "sum"), Value::Int(10));
}

#[test]
fn a_cell_of_which_arrow_makes_nothing_is_named() {
    let Some(python) = python(&["pyarrow", "pandas"]) else { return };
    let project = Project::new(
        python,
        r#"
import pandas as pd

def mixed():
    return pd.DataFrame({"x": [1.0, 2.0, None, "secret"]})

def several():
    return [mixed()]
"#,
    );
    let row = "output `value`: row 4 of column `x` holds the str `secret`, which is no Float?";
    assert_eq!(project.told("mixed", ty("Dataset<{ x: Float? }>"), &[]), row);
    assert_eq!(
        project.told("several", ty("List<Dataset<{ x: Float? }>>"), &[]),
        row.replace("`value`", "`value[0]`")
    );
    let told = project.told("mixed", ty("Dataset<{ x: Pii<Float?> }>"), &[]);
    assert!(
        told.contains("row 4 of column `x` holds what is no Pii<Float?>") && !told.contains("secret"),
        "{told}"
    );
}

#[test]
fn without_pyarrow_tables_say_how_to_get_it() {
    let Some(python) = python(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    // Without `site` there are no installed packages.
    let bare = folder.path().join("python");
    fs::write(&bare, format!("#!/bin/sh\nexec '{}' -S \"$@\"\n", python.display())).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&bare, mode).unwrap();
    let project = Project::new(bare, "def same(data):\n    return data\n");
    let mut build = Build::default();
    let table = build.node("table", "range", numbers(), &[("rows", constant(5)), ("batch", constant(2))]);
    call(&mut build, "same", "same", numbers(), &[("data", table)]);
    let report = project.run(build);
    let failure = &report.failures[0].1;
    assert_eq!(failure.to_string(), "Python has no module `pyarrow`, by which tables come and go");
    assert!(failure.help().unwrap().contains("install pyarrow` installs it"), "{:?}", failure.help());
}
