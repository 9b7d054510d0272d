//! Training, predicting and measuring.

use std::fs;

use flow_ir::{
    types::{Column, ModelType, Row, Task, Type},
    value::Value,
};
use flow_runtime::operator::{Blob, Datum, OperatorError, Table};
use proptest::prelude::*;

use crate::support::{Calling, Surroundings, call, read_csv, read_file, render, row, ty};

/// A trainer's call with the defaults of `std.tree.gbdt`.
fn gbdt(data: &Table, row: &Row, task: Task, changed: &[(&str, Value)]) -> Calling {
    let variant = |ty: &str, variant: &str| Value::Enum { ty: ty.into(), variant: variant.into() };
    let defaults = [
        ("validation", Value::None),
        ("trees", Value::Int(20)),
        ("leaves", Value::Int(31)),
        ("depth", Value::Int(0)),
        ("learning_rate", 0.1.into()),
        ("min_rows", Value::Int(5)),
        ("bins", Value::Int(255)),
        ("l1", 0.0.into()),
        ("l2", 0.0.into()),
        ("row_share", 1.0.into()),
        ("feature_share", 1.0.into()),
        ("loss", variant("std.tree.Loss", "auto")),
        ("early_stop", Value::None),
        ("class_weight", variant("std.tree.ClassWeight", "none")),
        ("seed", Value::Int(0)),
    ];
    let mut calling = call("std.tree.gbdt").table("data", data);
    for (name, default) in defaults {
        let value =
            changed.iter().find(|(changed, _)| *changed == name).map_or(default, |(_, value)| value.clone());
        calling = calling.value(name, value);
    }
    calling.gives("value", Type::Model(ModelType { task, row: row.clone(), result: None }))
}

fn train(data: &Table, row: &Row, task: Task) -> Blob {
    into_blob(gbdt(data, row, task, &[]).run().unwrap())
}

fn into_blob(outputs: Vec<Datum>) -> Blob {
    match outputs.into_iter().next() {
        Some(Datum::Blob(blob)) => blob,
        other => panic!("no model: {other:?}"),
    }
}

fn predict(data: &Table, model: &Blob, row: &Row, added: &[(&str, Type)]) -> Result<Table, OperatorError> {
    let columns =
        added.iter().map(|(name, ty)| Column { name: (*name).into(), ty: ty.clone(), source: None });
    let row = Row { columns: row.columns.iter().cloned().chain(columns).collect() };
    call("std.table.predict")
        .table("data", data)
        .datum("model", Datum::Blob(model.clone()))
        .value("prefix", "")
        .gives_table(&row)
        .table_out()
}

fn measure(op: &str, data: &Table, model: &Blob) -> Result<Value, OperatorError> {
    let outputs = call(op).table("data", data).datum("model", Datum::Blob(model.clone())).run()?;
    match outputs.into_iter().next() {
        Some(Datum::Value(report)) => Ok(report),
        other => panic!("no report: {other:?}"),
    }
}

fn float(report: &Value, field: &str) -> f64 {
    match report.field(field) {
        Some(Value::Float(value)) => value.0,
        other => panic!("`{field}` is {other:?}"),
    }
}

fn iris() -> (Row, Table) {
    let mut row = row(&[
        ("sepal_length", Type::Float),
        ("sepal_width", Type::Float),
        ("petal_length", Type::Float),
        ("petal_width", Type::Float),
        ("species", ty("Label<Category>")),
    ]);
    let sources =
        ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)", "target"];
    for (column, source) in row.columns.iter_mut().zip(sources) {
        column.source = Some(source.to_owned());
    }
    (row.clone(), read_file("examples/iris/iris.csv", &row).unwrap())
}

/// Two classes that a category and a number with gaps tell apart.
fn tips() -> (Row, Table) {
    let row = row(&[
        ("city", ty("Category?")),
        ("fare", ty("Float?")),
        ("night", Type::Bool),
        ("tipped", ty("Label<Bool>")),
    ]);
    let mut text = "city,fare,night,tipped\n".to_owned();
    for number in 0..60 {
        let city = ["SF", "NY", "", "LA"][number % 4];
        let fare = if number % 7 == 0 { String::new() } else { (number % 10).to_string() };
        text += &format!("{city},{fare},{},{}\n", number % 3 == 0, number % 4 == 0 || number % 10 > 7);
    }
    (row.clone(), read_csv(&text, &row))
}

#[test]
fn several_classes_are_learned() {
    let (row, table) = iris();
    let model = train(&table, &row, Task::Classifier);
    let report = measure("std.metrics.classification", &table, &model).unwrap();
    assert!(float(&report, "accuracy") > 0.97);
    assert!(float(&report, "auc") > 0.99);
    assert_eq!(report.field("classes"), Some(&Value::List(vec!["0".into(), "1".into(), "2".into()])));

    let added = [("prediction", Type::Category), ("probability", Type::Probability)];
    let predicted = predict(&table, &model, &row, &added).unwrap();
    let text = render(&predicted);
    let first: Vec<&str> = text.lines().nth(1).unwrap().split(", ").collect();
    assert_eq!(first[5], "0");
    assert!(first[6].parse::<f64>().unwrap() > 0.8);
}

#[test]
fn two_classes_are_learned_from_gaps_and_categories() {
    let (row, table) = tips();
    let model = train(&table, &row, Task::Classifier);
    let report = measure("std.metrics.classification", &table, &model).unwrap();
    assert!(float(&report, "accuracy") > 0.9, "{report:?}");

    let added = [("prediction", Type::Bool), ("probability", Type::Probability)];
    let text = render(&predict(&table, &model, &row, &added).unwrap());
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(", ").collect();
        let probability: f64 = cells[5].parse().unwrap();
        assert_eq!(cells[4] == "true", probability > 0.5, "`probability` is that of `true`: {line}");
    }
}

#[test]
fn groups_are_measured_alone() {
    let (row, table) = tips();
    let model = train(&table, &row, Task::Classifier);
    let measure = |by: &str| {
        let call = call("std.metrics.classification").table("data", &table);
        let call = call.datum("model", Datum::Blob(model.clone()));
        call.datum("by", Datum::Value(Value::Column(by.to_owned()))).run()
    };
    let Some(Datum::Value(report)) = measure("city").unwrap().into_iter().next() else { panic!("no report") };
    let Some(Value::List(groups)) = report.field("groups") else { panic!("no groups") };
    let values: Vec<&Value> = groups.iter().filter_map(|group| group.field("value")).collect();
    let expected = ["SF", "NY", "", "LA"].map(|city| if city.is_empty() { Value::None } else { city.into() });
    assert_eq!(values, expected.iter().collect::<Vec<_>>(), "in the order in which they appear");
    assert!(groups.iter().all(|group| group.field("rows") == Some(&Value::Int(15))));
    let mean = groups.iter().map(|group| float(group, "accuracy")).sum::<f64>() / 4.0;
    assert!((mean - float(&report, "accuracy")).abs() < 1e-12, "groups of one size share the accuracy");
    assert!(measure("town").is_err());
}

#[test]
fn the_positive_class_may_be_named() {
    let label = Type::Label { of: Box::new(Type::Category), positive: Some("a".into()) };
    let row = row(&[("x", Type::Float), ("y", label)]);
    let text = (0..40)
        .fold("x,y\n".to_owned(), |text, x| text + &format!("{x},{}\n", if x < 20 { "a" } else { "b" }));
    let table = read_csv(&text, &row);
    let model = train(&table, &row, Task::Classifier);
    let added = [("prediction", Type::Category), ("probability", Type::Probability)];
    let text = render(&predict(&table, &model, &row, &added).unwrap());
    let first: Vec<&str> = text.lines().nth(1).unwrap().split(", ").collect();
    assert_eq!(first[2], "a");
    assert!(first[3].parse::<f64>().unwrap() > 0.5);
}

#[test]
fn numbers_are_learned() {
    let row = row(&[("x", Type::Int), ("y", ty("Label<Float>"))]);
    let text = (0..200).fold("x,y\n".to_owned(), |text, x| text + &format!("{x},{}\n", x / 50 * 10));
    let table = read_csv(&text, &row);
    let model = train(&table, &row, Task::Regressor);
    let report = measure("std.metrics.regression", &table, &model).unwrap();
    assert!(float(&report, "r2") > 0.9, "{report:?}");
    let predicted = predict(&table, &model, &row, &[("prediction", Type::Float)]).unwrap();
    assert_eq!(predicted.schema.field(2).name(), "prediction");
}

#[test]
fn weights_count() {
    let row = row(&[("x", Type::Float), ("w", Type::Weight), ("y", ty("Label<Float>"))]);
    let text = (0..40).fold("x,w,y\n".to_owned(), |text, x| text + &format!("0,{},{}\n", x % 2, x % 2 * 10));
    let table = read_csv(&text, &row);
    let model = train(&table, &row, Task::Regressor);
    let report = measure("std.metrics.regression", &table, &model).unwrap();
    assert!(float(&report, "rmse") < 1e-9, "rows of weight 0 count for nothing: {report:?}");
}

#[test]
fn the_model_is_the_same_for_any_number_of_threads() {
    let (row, table) = iris();
    let changed = [("row_share", 0.7.into()), ("feature_share", 0.6.into())];
    let calling = gbdt(&table, &row, Task::Classifier, &changed);
    let models = [1, 2, 5].map(|threads| {
        into_blob(calling.run_in(&Surroundings { threads, ..Surroundings::default() }).unwrap())
    });
    assert_eq!(models[0], models[1]);
    assert_eq!(models[0], models[2]);
}

#[test]
fn categories_never_seen_are_missing() {
    let (row, table) = tips();
    let model = train(&table, &row, Task::Classifier);
    let unlabelled =
        crate::support::row(&[("city", ty("Category?")), ("fare", ty("Float?")), ("night", Type::Bool)]);
    let added = [("prediction", Type::Bool), ("probability", Type::Probability)];
    let probability = |city: &str| {
        let table = read_csv(&format!("city,fare,night\n{city},3,true\n"), &unlabelled);
        render(&predict(&table, &model, &unlabelled, &added).unwrap()).rsplit(", ").next().unwrap().to_owned()
    };
    assert_eq!(probability("Paris"), probability(""));
    assert_ne!(probability("Paris"), probability("SF"));
}

#[test]
fn an_empty_table_is_predicted_but_not_measured() {
    let (row, table) = tips();
    let model = train(&table, &row, Task::Classifier);
    let empty = read_csv("city,fare,night,tipped\n", &row);
    let added = [("prediction", Type::Bool), ("probability", Type::Probability)];
    assert_eq!(predict(&empty, &model, &row, &added).unwrap().rows(), 0);
    let error = measure("std.metrics.classification", &empty, &model).unwrap_err();
    assert_eq!(error.to_string(), "there are no rows to measure the model on");
}

#[test]
fn what_cannot_be_learned_from_is_named() {
    type Case = (&'static [(&'static str, &'static str)], &'static str, Task, &'static str);
    let cases: [Case; 9] = [
        (
            &[("x", "Float"), ("y", "Label<Bool>?")],
            "x,y\n1,true\n2,\n3,\n",
            Task::Classifier,
            "2 of 3 rows have no label `y`",
        ),
        (
            &[("x", "Float"), ("y", "Label<Bool>")],
            "x,y\n1,true\n2,1\n",
            Task::Classifier,
            "every row's label `y` is `true`: there is nothing to tell apart",
        ),
        (
            &[("x", "Float"), ("y", "Label<Bool>")],
            "x,y\n",
            Task::Classifier,
            "there are no rows to learn from",
        ),
        (&[("x", "Float"), ("y", "Label<Float>")], "x,y\n", Task::Regressor, "there are no rows"),
        (
            &[("x", "Float"), ("y", "Label<Float>")],
            "x,y\ninf,1\n2,2\n",
            Task::Regressor,
            "the feature `x` is inf in row 1",
        ),
        (
            &[("x", "Float"), ("y", "Label<Float>")],
            "x,y\n1,1\n2,inf\n",
            Task::Regressor,
            "`y` is inf in row 2",
        ),
        (&[("t", "Text"), ("y", "Label<Float>")], "t,y\na,1\n", Task::Regressor, "the table has no features"),
        (&[("x", "Float")], "x\n1\n", Task::Regressor, "a trainer needs exactly one column that is a Label"),
        (
            &[("x", "Float"), ("w", "Weight"), ("y", "Label<Float>")],
            "x,w,y\n1,-1,2\n",
            Task::Regressor,
            "the weight `w` is -1 in row 1; weights are 0 or more",
        ),
    ];
    for (columns, text, task, message) in cases {
        let columns: Vec<(&str, Type)> = columns.iter().map(|(name, written)| (*name, ty(written))).collect();
        let row = row(&columns);
        let error = gbdt(&read_csv(text, &row), &row, task, &[]).run().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn arguments_outside_their_range_are_named() {
    let (row, table) = iris();
    let loss = Value::Enum { ty: "std.tree.Loss".into(), variant: "logistic".into() };
    let cases = [
        (("trees", Value::Int(0)), "`trees` is 0, but it must lie in 1 to 100000"),
        (("learning_rate", 2.0.into()), "`learning_rate` is 2, but it must lie in 0 to 1"),
        (("early_stop", Value::Int(5)), "`early_stop` needs validation data"),
        (("loss", loss), "`Loss.logistic` does not fit the label `species`, which is one of 3 classes"),
    ];
    for (changed, message) in cases {
        let error = gbdt(&table, &row, Task::Classifier, &[changed]).run().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_table_that_lacks_a_feature_is_refused() {
    let (full, table) = tips();
    let model = train(&table, &full, Task::Classifier);
    let narrow = row(&[("city", ty("Category?")), ("night", Type::Bool)]);
    let table = read_csv("city,night\nSF,true\n", &narrow);
    let error = predict(&table, &model, &narrow, &[("prediction", Type::Bool)]).unwrap_err();
    assert_eq!(error.to_string(), "the model needs the feature `fare`, which the table lacks");

    let other = row(&[("city", ty("Category?")), ("fare", Type::Text), ("night", Type::Bool)]);
    let table = read_csv("city,fare,night\nSF,3,true\n", &other);
    let error = predict(&table, &model, &other, &[("prediction", Type::Bool)]).unwrap_err();
    assert_eq!(error.to_string(), "column `fare` holds Utf8, where Float is expected");
}

/// A model written by an earlier version must be read by every later one. `BLESS=1` writes it, which
/// only a new format may ask for.
#[test]
fn a_model_of_an_earlier_version_is_read() {
    let (row, table) = tips();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model/tips.flow-model-1");
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, &train(&table, &row, Task::Classifier).bytes).unwrap();
    }
    let model = Blob { format: "flow-model/1".into(), bytes: fs::read(path).unwrap().into() };
    let report = measure("std.metrics.classification", &table, &model).unwrap();
    assert!(float(&report, "accuracy") > 0.9, "{report:?}");
}

#[test]
fn another_format_is_refused() {
    let (row, table) = tips();
    let model = Blob { format: "flow-model/2".into(), ..train(&table, &row, Task::Classifier) };
    let error = measure("std.metrics.classification", &table, &model).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model has the format `flow-model/2`, where `flow-model/1` is expected"
    );
}

proptest! {
    #[test]
    fn damaged_models_are_errors(at: prop::sample::Index, change in 1_u8.., cut: prop::sample::Index) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model/tips.flow-model-1");
        let (_, table) = tips();
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let cut = bytes[..cut.index(bytes.len())].to_vec();
        for bytes in [bytes, cut] {
            let model = Blob { format: "flow-model/1".into(), bytes: bytes.into() };
            let error = measure("std.metrics.classification", &table, &model).unwrap_err();
            prop_assert!(error.to_string().starts_with("the model is damaged: "), "{}", error);
        }
    }
}
