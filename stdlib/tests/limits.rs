//! What every operator keeps to: it looks often enough whether anybody still wants its result, and it holds no more
//! memory than it may.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use flow_ir::{
    expr::{Expr, ExprKind, Function},
    node::Port,
    types::{Column, ModelType, Row, Task, Type},
    value::Value,
};
use flow_runtime::operator::{
    Argument, Budget, Call, Context, Datum, OperatorError, Registry, Reservation, Table,
};
use flow_stdlib::StandardLibrary;

const MIB: u64 = 1 << 20;
/// A native operator stops within 200 ms; slow machines, and builds without optimisation, get five times.
const STOPS_WITHIN: Duration = Duration::from_millis(1000);

/// Notes how long an operator goes without asking whether it is cancelled.
struct Surroundings {
    looks: Mutex<Looks>,
    cancelled: bool,
    memory: u64,
    budget: Arc<Budget>,
    scratch: PathBuf,
}

/// By the clock of this thread's work: what else the machine does meanwhile does not count.
struct Looks {
    last: Duration,
    longest: Duration,
    count: u64,
}

impl Surroundings {
    fn new(scratch: &Path, memory: u64) -> Self {
        let looks = Looks { last: worked(), longest: Duration::ZERO, count: 0 };
        Self {
            looks: Mutex::new(looks),
            cancelled: false,
            memory,
            budget: Budget::new(memory),
            scratch: scratch.to_owned(),
        }
    }

    fn look(&self) {
        let mut looks = self.looks.lock().unwrap();
        looks.longest = looks.longest.max(worked() - looks.last);
        looks.last = worked();
        looks.count += 1;
    }
}

impl Context for Surroundings {
    fn is_cancelled(&self) -> bool {
        self.look();
        self.cancelled
    }

    fn attempt(&self) -> u32 {
        1
    }

    fn threads(&self) -> usize {
        1
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn gpus(&self) -> &[u32] {
        &[]
    }

    fn reserve(&self, op: &str, what: &str, bytes: u64) -> Result<Reservation, OperatorError> {
        self.budget.reserve(op, what, bytes)
    }

    fn scratch(&self) -> Option<&Path> {
        Some(&self.scratch)
    }

    fn progress(&self, _done: u64, _total: u64) {}

    fn log(&self, _line: &str) {}
}

fn row() -> Row {
    let label = Type::Label { of: Box::new(Type::Bool), positive: None };
    let columns = [
        ("id", Type::Id(Box::new(Type::Int))),
        ("a", Type::Float),
        ("b", Type::Float),
        ("city", Type::Category),
        ("y", label),
    ];
    let column = |(name, ty): (&str, Type)| Column { name: name.to_owned(), ty, source: None };
    Row { columns: columns.map(column).to_vec() }
}

/// Writes a CSV file of about so many bytes.
fn write_csv(path: &Path, bytes: u64) {
    let mut file = std::io::BufWriter::new(fs::File::create(path).unwrap());
    let mut line = "id,a,b,city,y\n".to_owned();
    let (mut written, mut number) = (0, 0_u64);
    while written < bytes {
        file.write_all(line.as_bytes()).unwrap();
        written += line.len() as u64;
        line.clear();
        let a = (number * 2_654_435_761 % 1_000_003) as f64 / 1e3;
        let city = ["Berlin", "Lisbon", "Oslo", "Turin"][(number / 7 % 4) as usize];
        writeln!(line, "{number},{a},{:.4},{city},{}", a.sqrt(), a * 7.0 % 3.0 > 1.4).unwrap();
        number += 1;
    }
}

fn call(op: &str, inputs: Vec<(&str, Argument)>, outputs: Vec<(&str, Type)>) -> Call {
    Call {
        op: op.to_owned(),
        inputs: inputs.into_iter().map(|(name, argument)| (name.to_owned(), argument)).collect(),
        outputs: outputs.into_iter().map(|(name, ty)| Port { name: name.to_owned(), ty }).collect(),
        steps: Vec::new(),
    }
}

fn value(value: impl Into<Value>) -> Argument {
    Argument::Datum(Datum::Value(value.into()))
}

fn csv(path: &Path) -> Call {
    let missing = Value::List(vec![Value::from("")]);
    let bad_rows = Value::Enum { ty: "std.data.BadRows".into(), variant: "fail".into() };
    let inputs = vec![
        ("path", value(Value::File(path.to_str().unwrap().to_owned()))),
        ("delimiter", value(",")),
        ("header", value(Value::Bool(true))),
        ("missing", value(missing)),
        ("dates", value("%Y-%m-%d")),
        ("bad_rows", value(bad_rows)),
    ];
    call("std.data.csv", inputs, vec![("value", Type::Dataset(row()))])
}

fn column(name: &str, ty: Type) -> Expr {
    Expr { kind: ExprKind::Column(name.to_owned()), ty }
}

fn of(function: Function, args: Vec<Expr>, ty: Type) -> Expr {
    Expr { kind: ExprKind::Call { function, args }, ty }
}

/// Every operator of which a table is the main input.
fn calls(table: &Table, model: &Datum) -> Vec<Call> {
    let data = || ("data", Argument::Datum(Datum::Table(table.clone())));
    let model = || ("model", Argument::Datum(model.clone()));
    let numbers = || vec![column("a", Type::Float), column("b", Type::Float)];
    let sum = of(Function::Add, numbers(), Type::Float);
    let sum = of(Function::Log, vec![of(Function::Exp, vec![sum], Type::Float)], Type::Float);
    let with = |added: &[(&str, Type)]| {
        let mut row = row();
        let column =
            |(name, ty): &(&str, Type)| Column { name: (*name).into(), ty: ty.clone(), source: None };
        row.columns.extend(added.iter().map(column));
        Type::Dataset(row)
    };
    let expression = |expr| Argument::Expression { expr, bindings: Vec::new() };
    let split = |stratify: Value| {
        let inputs = vec![
            data(),
            ("share", value(0.7)),
            ("seed", value(Value::Int(1))),
            ("stratify", value(stratify)),
            ("group", value(Value::None)),
        ];
        call("std.table.split", inputs, vec![("train", with(&[])), ("test", with(&[]))])
    };
    let names = |names: &[&str]| {
        value(Value::List(names.iter().map(|name| Value::Column((*name).to_owned())).collect()))
    };
    let all = ["id", "a", "b", "city", "y"];
    let derived = Argument::Record(vec![("c".to_owned(), expression(sum))]);
    let predicted = with(&[("prediction", Type::Bool), ("probability", Type::Float)]);
    let less = of(Function::Less, numbers(), Type::Bool);
    vec![
        call("std.table.select", vec![data(), ("columns", names(&all))], vec![("value", with(&[]))]),
        call("std.table.drop", vec![data(), ("columns", names(&[]))], vec![("value", with(&[]))]),
        call(
            "std.table.derive",
            vec![data(), ("columns", derived)],
            vec![("value", with(&[("c", Type::Float)]))],
        ),
        call("std.table.where", vec![data(), ("predicate", expression(less))], vec![("value", with(&[]))]),
        split(Value::None),
        split(Value::Column("city".to_owned())),
        call("std.table.predict", vec![data(), model(), ("prefix", value(""))], vec![("value", predicted)]),
        call("std.metrics.classification", vec![data(), model()], Vec::new()),
    ]
}

fn gbdt(table: &Table, trees: i64) -> Call {
    let variant = |ty: &str, variant: &str| value(Value::Enum { ty: ty.into(), variant: variant.into() });
    let inputs = vec![
        ("data", Argument::Datum(Datum::Table(table.clone()))),
        ("validation", value(Value::None)),
        ("trees", value(Value::Int(trees))),
        ("leaves", value(Value::Int(31))),
        ("depth", value(Value::Int(0))),
        ("learning_rate", value(0.1)),
        ("min_rows", value(Value::Int(20))),
        ("bins", value(Value::Int(255))),
        ("l1", value(0.0)),
        ("l2", value(0.0)),
        ("row_share", value(1.0)),
        ("feature_share", value(1.0)),
        ("loss", variant("std.tree.Loss", "auto")),
        ("early_stop", value(Value::None)),
        ("class_weight", variant("std.tree.ClassWeight", "none")),
        ("seed", value(Value::Int(0))),
    ];
    let model = ModelType { task: Task::Classifier, row: row(), result: None };
    call("std.tree.gbdt", inputs, vec![("value", Type::Model(model))])
}

fn run(call: &Call, context: &Surroundings) -> Result<Vec<Datum>, OperatorError> {
    StandardLibrary.find(&call.op).expect("an operator").body.run(call, context)
}

/// Of which the first output is a table, wherever it lies.
fn table(outputs: Vec<Datum>) -> Table {
    match outputs.into_iter().next() {
        Some(Datum::Table(table)) => table,
        Some(Datum::Written(written)) => written.table().clone(),
        other => panic!("not a table: {other:?}"),
    }
}

fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Bytes of this process that were in memory at most, since the last reset.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

fn reset_peak() -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    peak()
}

/// One test, since the peak is that of the process.
#[test]
fn operators_look_whether_they_are_cancelled_and_keep_to_their_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    let (size, memory) = if cfg!(debug_assertions) { (32 * MIB, 24 * MIB) } else { (300 * MIB, 128 * MIB) };
    write_csv(&path, size);

    let mut failures = Vec::new();
    let mut watched = |call: &Call, memory: u64, limit: Option<u64>| {
        let before = reset_peak();
        let context = Surroundings::new(folder.path(), memory);
        let begun = Instant::now();
        let outputs = run(call, &context).unwrap();
        context.look();
        let grown = peak() - before;
        let looks = context.looks.into_inner().unwrap();
        println!(
            "{:28} {:6.2} s, {:6} looks, {:4} ms between them, {:4} MiB",
            call.op,
            begun.elapsed().as_secs_f64(),
            looks.count,
            looks.longest.as_millis(),
            grown / MIB
        );
        if looks.longest > STOPS_WITHIN {
            failures.push(format!("`{}` looked away for {:?}", call.op, looks.longest));
        }
        if limit.is_some_and(|limit| grown > limit) {
            failures.push(format!("`{}` took {} MiB", call.op, grown / MIB));
        }
        let stopped = Surroundings { cancelled: true, ..Surroundings::new(folder.path(), memory) };
        assert_eq!(run(call, &stopped).unwrap_err(), OperatorError::Cancelled, "{}", call.op);
        outputs
    };

    let rows = table(watched(&csv(&path), memory, Some(memory)));
    let small = Table { schema: rows.schema.clone(), batches: rows.batches[..1].to_vec() };
    let model = run(&gbdt(&small, 20), &Surroundings::new(folder.path(), 512 * MIB)).unwrap();
    let model = model.into_iter().next().unwrap();
    for call in calls(&rows, &model) {
        // Measures rank all rows; strata draw from all of a class.
        let is_drawn = call.inputs.iter().any(|(name, of)| {
            name == "stratify" && matches!(of, Argument::Datum(Datum::Value(Value::Column(_))))
        });
        let streams = call.op != "std.metrics.classification" && !is_drawn;
        watched(&call, if streams { memory } else { 1024 * MIB }, streams.then_some(memory));
    }
    watched(&gbdt(&rows, 3), 4096 * MIB, None);
    assert!(failures.is_empty(), "{failures:#?}");

    let refused = run(&gbdt(&rows, 3), &Surroundings::new(folder.path(), 16 * MIB)).unwrap_err();
    let OperatorError::Failed { message, help } = refused else { panic!("cancelled") };
    assert!(
        message.starts_with("`std.tree.gbdt` needs ") && message.contains(" of memory for "),
        "{message}"
    );
    assert!(message.ends_with(" and 16 MiB are set aside for it"), "{message}");
    assert!(help.unwrap().starts_with("write `with (memory: "));
}
