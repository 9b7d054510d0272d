//! A query gives what its verbs give one by one, byte for byte, and fails in the same words.

use std::sync::Arc;

use arrow::array::RecordBatch;
use flow_ir::{
    expr::{Expr, ExprKind},
    node::{Port, QUERY},
    types::{Column, Row, Type},
    value::Value,
};
use flow_runtime::{
    artifact::table::{canonical, write},
    operator::{Argument, Call, Context, Datum, OperatorError, Registry as _, Step, Table},
};
use proptest::prelude::*;

use crate::{
    StandardLibrary,
    query::tests::{Choices, TYPES, bindings, row},
};

struct Quiet;

impl Context for Quiet {
    fn is_cancelled(&self) -> bool {
        false
    }

    fn attempt(&self) -> u32 {
        1
    }

    fn threads(&self) -> usize {
        1
    }

    fn memory(&self) -> u64 {
        1 << 30
    }

    fn gpus(&self) -> &[u32] {
        &[]
    }

    fn progress(&self, _: u64, _: u64) {}

    fn log(&self, _: &str) {}
}

fn call(op: &str, row: &Row, name: &str, argument: Argument) -> Call {
    Call {
        op: format!("std.table.{op}"),
        inputs: vec![(name.to_owned(), argument)],
        outputs: vec![Port { name: "value".to_owned(), ty: Type::Dataset(row.clone()) }],
        steps: Vec::new(),
    }
}

fn columns(names: Vec<String>) -> Argument {
    Argument::Datum(Datum::Value(Value::List(names.into_iter().map(Value::Column).collect())))
}

/// A verb on a table of that row, which becomes that of its result. Most fit the table, some fail on a row, and a
/// few read what an earlier one has dropped.
fn verb(choices: &mut Choices<'_>, row: &mut Row, place: usize) -> Call {
    let expression = |expr: Expr| Argument::Expression { expr, bindings: bindings() };
    match choices.below(8) {
        0..3 => call("where", row, "predicate", expression(choices.expr(&Type::Bool, 3))),
        3..6 => {
            let mut computed = Vec::new();
            for number in 0..=choices.below(2) {
                let wanted = TYPES[choices.below(8)].clone();
                let expr = choices.expr(&wanted, 3);
                let replaced = row.columns.iter().find(|column| column.ty == expr.ty);
                let name = match replaced.filter(|_| choices.below(2) == 0) {
                    Some(column) => column.name.clone(),
                    None => format!("c{place}_{number}"),
                };
                if computed.iter().any(|(other, _)| *other == name) {
                    continue;
                }
                if row.columns.iter().all(|column| column.name != name) {
                    row.columns.push(Column { name: name.clone(), ty: expr.ty.clone(), source: None });
                }
                computed.push((name, expression(expr)));
            }
            call("derive", row, "columns", Argument::Record(computed))
        }
        6 => {
            let of = choices.below(row.columns.len());
            let dropped = row.columns.remove(of).name;
            call("drop", row, "columns", columns(vec![dropped]))
        }
        _ => {
            let from = choices.below(row.columns.len());
            row.columns.rotate_left(from);
            let names = row.columns.iter().map(|column| column.name.clone()).collect();
            call("select", row, "columns", columns(names))
        }
    }
}

fn run(call: &Call) -> Result<Table, OperatorError> {
    let mut outputs = StandardLibrary.find(&call.op).unwrap().body.run(call, &Quiet)?;
    match outputs.remove(0) {
        // What others read of it.
        Datum::Table(table) => canonical(&table).map_err(|error| OperatorError::failed(error.to_string())),
        other => panic!("not a table: {other:?}"),
    }
}

fn one_by_one(steps: &[Step], table: &Table) -> Result<Table, String> {
    let mut table = table.clone();
    for (place, Step { id, call }) in steps.iter().enumerate() {
        let mut call = call.clone();
        call.inputs.insert(0, ("data".to_owned(), Argument::Datum(Datum::Table(table))));
        table = run(&call).map_err(|error| match place + 1 == steps.len() {
            true => error.to_string(),
            false => format!("in `{id}`: {error}"),
        })?;
    }
    Ok(table)
}

fn query(steps: Vec<Step>, table: &Table) -> Result<Table, String> {
    let call = Call {
        op: QUERY.to_owned(),
        inputs: vec![("rides".to_owned(), Argument::Datum(Datum::Table(table.clone())))],
        outputs: steps.last().unwrap().call.outputs.clone(),
        steps,
    };
    run(&call).map_err(|error| error.to_string())
}

fn bytes(table: &Table) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(table, &mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_query_gives_what_its_verbs_give(
        decisions in prop::collection::vec(any::<u32>(), 0..200),
        verbs in 1..6_usize,
        seed: u64,
        rows in prop::collection::vec(0..12_usize, 0..4),
    ) {
        let cells: Vec<u32> = (0..1_000).map(|at| (blake3::hash(&[seed, at].map(u64::to_le_bytes).concat()).as_bytes()[0]).into()).collect();
        let mut cells = Choices(cells.iter());
        let batches: Vec<RecordBatch> = rows.iter().map(|rows| cells.batch(*rows)).collect();
        let mut of = row();
        let table = Table { schema: crate::storage::schema(&of).unwrap(), batches };
        let mut choices = Choices(decisions.iter());
        let steps: Vec<Step> = (0..verbs).map(|place| Step { id: format!("s{place}"), call: verb(&mut choices, &mut of, place) }).collect();

        let expected = one_by_one(&steps, &table);
        let found = query(steps, &table);
        match (expected, found) {
            (Ok(expected), Ok(found)) => prop_assert!(bytes(&expected) == bytes(&found), "{:?}, not {:?}", found, expected),
            (expected, found) => prop_assert_eq!(found.map(|_| ()), expected.map(|_| ())),
        }
    }
}

/// Two steps fail, each on a row of its own: the first step has the word, though a later row is its reason.
#[test]
fn the_first_step_that_fails_has_the_word() {
    let int = |name: &str| Expr { kind: ExprKind::Column(name.to_owned()), ty: Type::Int };
    let overflow = |name: &str| Expr {
        kind: ExprKind::Call {
            function: flow_ir::expr::Function::Add,
            args: vec![int(name), Expr { kind: ExprKind::Literal(Value::Int(i64::MAX)), ty: Type::Int }],
        },
        ty: Type::Int,
    };
    let row = |names: &[&str]| Row {
        columns: names
            .iter()
            .map(|name| Column { name: (*name).to_owned(), ty: Type::Int, source: None })
            .collect(),
    };
    let derive = |names: &[&str], reads: &str| {
        let expr = Argument::Expression { expr: overflow(reads), bindings: Vec::new() };
        call(
            "derive",
            &row(names),
            "columns",
            Argument::Record(vec![(names[names.len() - 1].to_owned(), expr)]),
        )
    };
    let steps = vec![
        Step { id: "first".to_owned(), call: derive(&["a", "b", "c"], "a") },
        Step { id: "second".to_owned(), call: derive(&["a", "b", "c", "d"], "b") },
    ];
    let schema = crate::storage::schema(&row(&["a", "b"])).unwrap();
    let batch = |a: Vec<i64>, b: Vec<i64>| {
        let columns: Vec<arrow::array::ArrayRef> =
            vec![Arc::new(arrow::array::Int64Array::from(a)), Arc::new(arrow::array::Int64Array::from(b))];
        RecordBatch::try_new(schema.clone(), columns).unwrap()
    };
    let table = Table {
        schema: schema.clone(),
        batches: vec![batch(vec![0, 0], vec![1, 0]), batch(vec![0, 1], vec![0, 0])],
    };
    let error = query(steps.clone(), &table).unwrap_err();
    assert_eq!(error, one_by_one(&steps, &table).unwrap_err());
    assert!(error.starts_with("in `first`: column `c`, row 4: "), "{error}");
}
