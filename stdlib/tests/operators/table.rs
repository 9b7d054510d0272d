//! Verbs that need no expression.

use std::collections::BTreeSet;

use flow_ir::{
    types::{Row, Type},
    value::Value,
};
use flow_runtime::operator::{OperatorError, Table};
use proptest::prelude::*;

use crate::support::{call, into_table, read_csv, render, row, ty};

fn rides() -> (Row, Table) {
    let row = row(&[("id", ty("Id<Int>")), ("city", Type::Category), ("fare", ty("Float?"))]);
    (row.clone(), read_csv("id,city,fare\n1,SF,3.5\n2,NY,\n3,SF,8\n", &row))
}

fn split(table: &Table, row: &Row, share: f64, seed: i64) -> Result<(Table, Table), OperatorError> {
    split_by(table, row, share, seed, &[])
}

/// `by` names columns: `stratify`, `group`.
fn split_by(
    table: &Table,
    row: &Row,
    share: f64,
    seed: i64,
    by: &[(&str, &str)],
) -> Result<(Table, Table), OperatorError> {
    let mut calling = call("std.table.split")
        .table("data", table)
        .value("share", share)
        .value("seed", Value::Int(seed))
        .gives("train", Type::Dataset(row.clone()))
        .gives("test", Type::Dataset(row.clone()));
    for name in ["stratify", "group"] {
        let column = by.iter().find(|(param, _)| *param == name);
        let column = column.map_or(Value::None, |(_, column)| Value::Column((*column).to_owned()));
        calling = calling.value(name, column);
    }
    let mut outputs = calling.run()?.into_iter().map(into_table);
    Ok((outputs.next().unwrap(), outputs.next().unwrap()))
}

/// The rendered rows of a table, without the names.
fn lines(table: &Table) -> Vec<String> {
    render(table).lines().skip(1).map(str::to_owned).collect()
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

/// By Ids the same seed gives the same hashes: all that are left lie on one side of the share.
#[test]
fn a_part_is_not_split_again_with_its_seed() {
    let row = row(&[("id", ty("Id<Int>"))]);
    let (train, test) = split(&read_csv(&numbers(200), &row), &row, 0.8, 7).unwrap();
    for part in [&train, &test] {
        let error = split(part, &row, 0.5, 7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "these rows are one part of a split with the same seed: it would not part them again by the share"
        );
        let (left, right) = split(part, &row, 0.5, 8).unwrap();
        assert!(left.rows().abs_diff(right.rows()) < part.rows() / 2);
        assert_eq!(split(part, &row, 1.0, 7).unwrap().0.rows(), part.rows());
    }
    // Without an Id a row is known by its place, which is another one in the part.
    let plain = crate::support::row(&[("id", Type::Int)]);
    let (_, test) = split(&read_csv(&numbers(200), &plain), &plain, 0.8, 7).unwrap();
    let (left, right) = split(&test, &plain, 0.5, 7).unwrap();
    assert!(left.rows() > 5 && right.rows() > 5);
}

#[test]
fn a_group_is_on_one_side() {
    let row = row(&[("id", ty("Id<Int>")), ("user", Type::Text)]);
    let text = (0..300).fold("id,user\n".to_owned(), |text, id| text + &format!("{id},u{}\n", id % 20));
    let table = read_csv(&text, &row);
    let (train, test) = split_by(&table, &row, 0.5, 3, &[("group", "user")]).unwrap();
    let users = |table: &Table| -> BTreeSet<String> {
        lines(table).iter().map(|line| line.split_once(", ").unwrap().1.to_owned()).collect()
    };
    let (left, right) = (users(&train), users(&test));
    assert_eq!(left.intersection(&right).next(), None);
    assert_eq!(left.len() + right.len(), 20);
    assert!(left.len() >= 4 && right.len() >= 4, "{} and {}", left.len(), right.len());
    assert_eq!(train.rows() + test.rows(), 300);

    // It stays there when others come.
    let more = read_csv(&(text + "300,new\n301,u3\n302,other\n"), &row);
    let (again, _) = split_by(&more, &row, 0.5, 3, &[("group", "user")]).unwrap();
    let kept: BTreeSet<String> = users(&again).into_iter().filter(|user| user.starts_with('u')).collect();
    assert_eq!(kept, left);
}

#[test]
fn every_class_has_its_share() {
    let row = row(&[("id", Type::Int), ("class", ty("Category?"))]);
    let class = |id: i32| match id {
        _ if id % 10 == 0 => "rare",
        _ if id % 7 == 0 => "",
        _ => "common",
    };
    let text = (0..101).fold("id,class\n".to_owned(), |text, id| text + &format!("{id},{}\n", class(id)));
    let (train, test) = split_by(&read_csv(&text, &row), &row, 0.8, 5, &[("stratify", "class")]).unwrap();
    let count = |table: &Table, class: &str| lines(table).iter().filter(|line| line.ends_with(class)).count();
    // 11 rare, 13 missing and 77 common ones: 8.8, 10.4 and 61.6, rounded.
    assert_eq!((count(&train, "rare"), count(&test, "rare")), (9, 2));
    assert_eq!((count(&train, "–"), count(&test, "–")), (10, 3));
    assert_eq!((count(&train, "common"), count(&test, "common")), (62, 15));
    let ids = |table: &Table| -> Vec<i32> {
        lines(table).iter().map(|line| line.split_once(", ").unwrap().0.parse().unwrap()).collect()
    };
    assert!(ids(&train).is_sorted() && ids(&test).is_sorted(), "the parts are in the order of the table");
    assert!(
        ids(&test)
            != ids(&split_by(&read_csv(&text, &row), &row, 0.8, 6, &[("stratify", "class")]).unwrap().1)
    );
}

#[test]
fn groups_are_drawn_by_their_classes() {
    let row = row(&[("user", Type::Int), ("sick", Type::Bool)]);
    // 40 users of 5 rows each, of whom every fourth is sick.
    let text =
        (0..200).fold("user,sick\n".to_owned(), |text, id| text + &format!("{},{}\n", id % 40, id % 4 == 0));
    let by = [("stratify", "sick"), ("group", "user")];
    let (train, test) = split_by(&read_csv(&text, &row), &row, 0.7, 1, &by).unwrap();
    assert_eq!(lines(&train).iter().collect::<BTreeSet<_>>().len(), 28);
    assert_eq!(lines(&train).iter().filter(|line| line.ends_with("true")).count(), 7 * 5);
    assert_eq!(lines(&test).iter().filter(|line| line.ends_with("true")).count(), 3 * 5);
    assert_eq!(lines(&test).len(), 12 * 5);
}

#[test]
fn rows_are_not_told_apart_by_floats() {
    let row = row(&[("id", Type::Int), ("fare", Type::Float)]);
    let table = read_csv("id,fare\n1,2.5\n", &row);
    for param in ["stratify", "group"] {
        let error = split_by(&table, &row, 0.5, 0, &[(param, "fare")]).unwrap_err();
        assert_eq!(error.to_string(), "rows cannot be split by a column that is stored as Float64");
    }
}

#[test]
fn assume_unseen_changes_nothing() {
    let (row, table) = rides();
    let call = call("std.table.assume_unseen").table("data", &table).value("because", "another city");
    let same = call.gives_table(&row).table_out().unwrap();
    assert_eq!(render(&same), render(&table));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn strata_keep_every_row_and_their_shares(share in 0.0..=1.0_f64, seed: i64, classes in 1..6_usize) {
        let row = row(&[("id", Type::Int), ("class", Type::Int)]);
        let text = (0..200).fold("id,class\n".to_owned(), |text, id| text + &format!("{id},{}\n", id % classes));
        let (train, test) =
            split_by(&read_csv(&text, &row), &row, share, seed, &[("stratify", "class")]).unwrap();
        prop_assert_eq!(train.rows() + test.rows(), 200);
        for class in 0..classes {
            let count = |table: &Table| lines(table).iter().filter(|line| line.ends_with(&format!(", {class}"))).count();
            let (trains, all) = (count(&train) as f64, (count(&train) + count(&test)) as f64);
            prop_assert!((trains - share * all).abs() <= 0.5 + 1e-9, "{} of {}", trains, all);
        }
    }

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
