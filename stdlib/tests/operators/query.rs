//! Verbs with expressions.

use flow_ir::{
    expr::{Expr, ExprKind, Function},
    types::{Row, Type},
    value::Value,
};
use flow_runtime::operator::{Argument, OperatorError, Table};

use crate::support::{call, read_csv, render, row, ty};

fn column(name: &str, ty: Type) -> Expr {
    Expr { kind: ExprKind::Column(name.to_owned()), ty }
}

fn literal(value: impl Into<Value>, ty: Type) -> Expr {
    Expr { kind: ExprKind::Literal(value.into()), ty }
}

fn apply(function: Function, args: Vec<Expr>) -> Expr {
    let types: Vec<Type> = args.iter().map(|arg| arg.ty.clone()).collect();
    let ty = function.result(&types).unwrap();
    Expr { kind: ExprKind::Call { function, args }, ty }
}

fn rides() -> (Row, Table) {
    let row = row(&[
        ("id", ty("Id<Int>")),
        ("distance", Type::Float),
        ("minutes", Type::Float),
        ("city", Type::Category),
    ]);
    (row.clone(), read_csv("id,distance,minutes,city\n1,3,12,SF\n2,0,0,NY\n3,8,20,LA\n4,5,10,SF\n", &row))
}

fn filter(table: &Table, row: &Row, predicate: Expr) -> Result<Table, OperatorError> {
    call("std.table.where")
        .table("data", table)
        .expression("predicate", predicate)
        .gives_table(row)
        .table_out()
}

fn derive(table: &Table, row: &Row, columns: Vec<(&str, Expr)>) -> Result<Table, OperatorError> {
    let expression =
        |(name, expr): (&str, Expr)| (name.to_owned(), Argument::Expression { expr, bindings: Vec::new() });
    let columns = columns.into_iter().map(expression).collect();
    call("std.table.derive")
        .table("data", table)
        .argument("columns", Argument::Record(columns))
        .gives_table(row)
        .table_out()
}

#[test]
fn where_keeps_the_rows_that_fit_in_their_order() {
    let (row, table) = rides();
    let far = apply(Function::Greater, vec![column("distance", Type::Float), literal(0.0, Type::Float)]);
    let cities = vec![column("city", Type::Category), literal("SF", Type::Text), literal("NY", Type::Text)];
    let predicate = apply(Function::And, vec![far, apply(Function::In, cities)]);
    let kept = filter(&table, &row, predicate).unwrap();
    assert_eq!(render(&kept), "id, distance, minutes, city\n1, 3.0, 12.0, SF\n4, 5.0, 10.0, SF\n");
}

#[test]
fn where_leaves_out_rows_whose_predicate_is_missing() {
    let row = row(&[("x", ty("Float?"))]);
    let table = read_csv("x\n1\n\n3\n", &row);
    let predicate = apply(Function::Less, vec![column("x", ty("Float?")), literal(2.0, Type::Float)]);
    assert_eq!(render(&filter(&table, &row, predicate).unwrap()), "x\n1.0\n");
}

#[test]
fn where_reads_parameters() {
    let (row, table) = rides();
    let parameter = Expr { kind: ExprKind::Parameter("least".into()), ty: Type::Float };
    let expr = apply(Function::GreaterEqual, vec![column("distance", Type::Float), parameter]);
    let bindings = vec![("least".to_owned(), Value::from(5.0))];
    let argument = Argument::Expression { expr, bindings };
    let kept =
        call("std.table.where").table("data", &table).argument("predicate", argument).gives_table(&row);
    assert_eq!(kept.table_out().unwrap().rows(), 2);
}

#[test]
fn derive_adds_at_the_end_and_replaces_in_place() {
    let (_, table) = rides();
    let result = row(&[
        ("id", ty("Id<Int>")),
        ("distance", Type::Float),
        ("minutes", Type::Float),
        ("city", Type::Text),
        ("speed", Type::Float),
    ]);
    let (distance, minutes) = (column("distance", Type::Float), column("minutes", Type::Float));
    let speed = apply(Function::Divide, vec![distance.clone(), minutes]);
    let city = apply(Function::Lower, vec![column("city", Type::Category)]);
    let doubled = apply(Function::Multiply, vec![distance, literal(2.0, Type::Float)]);
    let derived =
        derive(&table, &result, vec![("speed", speed), ("city", city), ("distance", doubled)]).unwrap();
    assert_eq!(
        render(&derived),
        "id, distance, minutes, city, speed\n1, 6.0, 12.0, sf, 0.25\n2, 0.0, 0.0, ny, NaN\n3, 16.0, 20.0, la, 0.4\n4, 10.0, 10.0, sf, 0.5\n",
        "every expression reads the columns as they were"
    );
}

#[test]
fn what_is_known_for_all_rows_may_come_as_a_value() {
    let (narrow, table) = rides();
    for (predicate, rows) in [(true, 4), (false, 0)] {
        let filter = call("std.table.where").table("data", &table).value("predicate", Value::Bool(predicate));
        assert_eq!(filter.gives_table(&narrow).table_out().unwrap().rows(), rows);
    }
    let wide = row(&[("id", ty("Id<Int>")), ("one", Type::Float), ("none", ty("Category?"))]);
    let record = vec![("one".to_owned(), Value::Int(1)), ("none".to_owned(), Value::None)];
    let derive = call("std.table.derive").table("data", &table).value("columns", Value::Record(record));
    let derived = derive.gives_table(&wide).table_out().unwrap();
    assert_eq!(render(&derived), "id, one, none\n1, 1.0, –\n2, 1.0, –\n3, 1.0, –\n4, 1.0, –\n");
}

#[test]
fn an_overflow_names_the_column_and_the_row() {
    let narrow = row(&[("n", Type::Int)]);
    let table = read_csv("n\n1\n9223372036854775807\n3\n", &narrow);
    let more = apply(Function::Add, vec![column("n", Type::Int), literal(Value::Int(1), Type::Int)]);
    let wide = row(&[("n", Type::Int), ("more", Type::Int)]);
    let error = derive(&table, &wide, vec![("more", more.clone())]).unwrap_err();
    assert_eq!(error.to_string(), "column `more`, row 2: `add` overflows: 9223372036854775807, 1");

    let predicate = apply(Function::Greater, vec![more, literal(Value::Int(0), Type::Int)]);
    let error = filter(&table, &narrow, predicate).unwrap_err();
    assert_eq!(error.to_string(), "row 2: `add` overflows: 9223372036854775807, 1");
}

#[test]
fn missing_values_where_the_column_allows_none_are_an_error() {
    let narrow = row(&[("x", ty("Float?"))]);
    let table = read_csv("x\n1\n\n", &narrow);
    let wide = row(&[("x", Type::Float)]);
    let error = derive(&table, &wide, vec![("x", column("x", ty("Float?")))]).unwrap_err();
    assert_eq!(error.to_string(), "column `x` has missing values, and its type has no `?`");
}

#[test]
fn an_empty_table_stays_one() {
    let (row, _) = rides();
    let table = read_csv("id,distance,minutes,city\n", &row);
    let predicate =
        apply(Function::Greater, vec![column("distance", Type::Float), literal(0.0, Type::Float)]);
    assert_eq!(filter(&table, &row, predicate).unwrap().rows(), 0);
}
