//! Verbs that need no expression.

use flow_ir::types::{Row, Type};
use flow_runtime::operator::{OperatorError, Table};
use proptest::prelude::*;

use crate::support::{call, into_table, read_csv, render, row, ty};

fn rides() -> (Row, Table) {
    let row = row(&[("id", ty("Id<Int>")), ("city", Type::Category), ("fare", ty("Float?"))]);
    (row.clone(), read_csv("id,city,fare\n1,SF,3.5\n2,NY,\n3,SF,8\n", &row))
}

fn split(table: &Table, row: &Row, share: f64, seed: i64) -> Result<(Table, Table), OperatorError> {
    let mut outputs = call("std.table.split")
        .table("data", table)
        .value("share", share)
        .value("seed", flow_ir::value::Value::Int(seed))
        .gives("train", Type::Dataset(row.clone()))
        .gives("test", Type::Dataset(row.clone()))
        .run()?
        .into_iter()
        .map(into_table);
    Ok((outputs.next().unwrap(), outputs.next().unwrap()))
}

fn numbers(count: usize) -> String {
    (0..count).fold("id\n".to_owned(), |text, number| text + &number.to_string() + "\n")
}

#[test]
fn select_keeps_columns_in_the_order_asked_for() {
    let (_, table) = rides();
    let result = row(&[("fare", ty("Float?")), ("id", ty("Id<Int>"))]);
    let select = call("std.table.select").table("data", &table).columns("columns", &["fare", "id"]);
    let selected = select.gives_table(&result).table_out().unwrap();
    assert_eq!(render(&selected), "fare, id\n3.5, 1\n–, 2\n8.0, 3\n");
}

#[test]
fn drop_leaves_columns_out() {
    let (_, table) = rides();
    let result = row(&[("id", ty("Id<Int>")), ("fare", ty("Float?"))]);
    let drop = call("std.table.drop").table("data", &table).columns("columns", &["city"]);
    let left = drop.gives_table(&result).table_out().unwrap();
    assert_eq!(render(&left), "id, fare\n1, 3.5\n2, –\n3, 8.0\n");
}

#[test]
fn a_column_that_is_not_there_is_an_error() {
    let (_, table) = rides();
    let drop = call("std.table.drop").table("data", &table).columns("columns", &["fair"]);
    let error = drop.gives_table(&row(&[])).run().unwrap_err();
    assert_eq!(error.to_string(), "the table has no column `fair`; it has `id`, `city`, `fare`");
}

#[test]
fn all_columns_can_go_and_the_rows_stay() {
    let (_, table) = rides();
    let drop = call("std.table.drop").table("data", &table).columns("columns", &["id", "city", "fare"]);
    assert_eq!(drop.gives_table(&row(&[])).table_out().unwrap().rows(), 3);
}

/// Pins the hash (the rows are those that Python's `blake3` package chooses): another result here means
/// that everyone's splits change.
#[test]
fn split_gives_these_rows() {
    let row = row(&[("id", Type::Int)]);
    let (train, test) = split(&read_csv(&numbers(8), &row), &row, 0.5, 7).unwrap();
    assert_eq!(render(&train), "id\n1\n2\n3\n4\n5\n6\n");
    assert_eq!(render(&test), "id\n0\n7\n");
}

#[test]
fn split_by_id_follows_the_id_and_not_the_place() {
    let row = row(&[("id", ty("Id<Int>"))]);
    let forwards = read_csv(&numbers(100), &row);
    let backwards =
        "id\n".to_owned() + &(0..100).rev().map(|number| format!("{number}\n")).collect::<String>();
    let sorted = |table: &Table| {
        let text = render(table);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (train, _) = split(&forwards, &row, 0.3, 1).unwrap();
    let (same, _) = split(&read_csv(&backwards, &row), &row, 0.3, 1).unwrap();
    assert_eq!(sorted(&train), sorted(&same));
    assert_ne!(render(&train), render(&same));
}

#[test]
fn split_refuses_a_share_that_is_none() {
    let (row, table) = rides();
    for share in [-0.1, 1.5, f64::NAN] {
        let error = split(&table, &row, share, 0).unwrap_err();
        assert_eq!(error.to_string(), format!("`share` is {share}, but it must lie in 0 to 1"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_row_is_on_one_side_and_shares_hold(share in 0.0..=1.0_f64, seed: i64) {
        let row = row(&[("id", Type::Int)]);
        let (train, test) = split(&read_csv(&numbers(1_000), &row), &row, share, seed).unwrap();
        prop_assert_eq!(train.rows() + test.rows(), 1_000);
        let found = train.rows() as f64 / 1_000.0;
        prop_assert!((found - share).abs() < 0.1, "{} of {}", found, share);
        let of = |table: &Table| -> Vec<i64> { render(table).lines().skip(1).map(|line| line.parse().unwrap()).collect() };
        let (train, test) = (of(&train), of(&test));
        prop_assert!(train.is_sorted() && test.is_sorted());
        prop_assert!(train.iter().all(|id| !test.contains(id)));
    }
}
