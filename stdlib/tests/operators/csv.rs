//! Every folder in `tests/csv` is a case: `input.csv` is read as `case.json` says, and gives
//! `expected.txt`. `BLESS=1` rewrites what is expected.

use std::{fs, path::Path};

use crate::support::{Calling, Surroundings, call, into_table, render, ty};
use flow_ir::{
    types::{Column, Row},
    value::Value,
};
use flow_runtime::operator::OperatorError;
use proptest::prelude::*;
use serde_json::Value as Json;

#[test]
fn cases_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/csv");
    let mut cases: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 20, "the cases are gone");
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case.is_dir()) {
        let found = outcome(case);
        let expected = case.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_path_that_is_no_file_is_named() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let cases = [
        ("no/such.csv", "there is no file `no/such.csv`".to_owned()),
        (folder, format!("`{folder}` is a directory")),
        ("https://example.org/a.csv", "`https://example.org/a.csv` is not on this machine".to_owned()),
    ];
    for (path, message) in cases {
        let error = reading(path, &Json::Null).gives_table(&Row::default()).run().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn any_file_gives_a_table_or_one_line(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "a,b,c\n([0-9ax\",;\r\n\t -]{0,40}\n){0,4}".prop_map(String::into_bytes),
        ],
        header: bool,
        skip: bool,
    ) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let bad_rows = if skip { "skip" } else { "fail" };
        let options = serde_json::json!({ "header": header, "bad_rows": bad_rows });
        let columns = serde_json::json!({ "a": "Int?", "b": "Text", "c": "Float?" });
        let calling = reading(file.path().to_str().unwrap(), &options).gives_table(&row(&columns));
        if let Err(error) = calling.run() {
            let message = error.to_string();
            prop_assert!(!message.contains('\n') && !message.starts_with("internal"), "{}", message);
        }
    }
}

fn outcome(case: &Path) -> String {
    let settings: Json = serde_json::from_str(&fs::read_to_string(case.join("case.json")).unwrap()).unwrap();
    let path = case.join("input.csv");
    let surroundings = Surroundings::default();
    let calling = reading(path.to_str().unwrap(), &settings["options"]).gives_table(&row(&settings["row"]));
    let outcome = match calling.run_in(&surroundings) {
        Ok(outputs) => render(&into_table(outputs.into_iter().next().unwrap())),
        Err(OperatorError::Failed { message, help }) => {
            assert!(!message.contains('\n'), "more than one line: {message}");
            format!("error: {message}\n{}", help.map(|help| format!("help: {help}\n")).unwrap_or_default())
        }
        Err(OperatorError::Cancelled) => panic!("nobody cancelled"),
    };
    let log: String = surroundings.log.lock().unwrap().iter().map(|line| format!("log: {line}\n")).collect();
    (outcome + &log).replace(case.to_str().unwrap(), "CASE")
}

/// `{"a": "Int?", "b": ["Float", "the name in the file"]}`
fn row(json: &Json) -> Row {
    let column = |(name, written): (&String, &Json)| {
        let (of, source) = match written {
            Json::Array(both) => (both[0].as_str().unwrap(), both[1].as_str().map(str::to_owned)),
            of => (of.as_str().unwrap(), None),
        };
        Column { name: name.clone(), ty: ty(of), source }
    };
    Row { columns: json.as_object().unwrap().iter().map(column).collect() }
}

fn reading(path: &str, options: &Json) -> Calling {
    let text = |name: &str, default: &str| options[name].as_str().unwrap_or(default).to_owned();
    let missing = match &options["missing"] {
        Json::Array(texts) => texts.iter().map(|text| text.as_str().unwrap().into()).collect(),
        _ => ["", "NA", "NaN", "null"].map(Value::from).to_vec(),
    };
    let bad_rows = Value::Enum { ty: "std.data.BadRows".into(), variant: text("bad_rows", "fail") };
    call("std.data.csv")
        .value("path", Value::File(path.to_owned()))
        .value("delimiter", text("delimiter", ",").as_str())
        .value("header", Value::Bool(options["header"].as_bool().unwrap_or(true)))
        .value("missing", Value::List(missing))
        .value("dates", text("dates", "%Y-%m-%d").as_str())
        .value("bad_rows", bad_rows)
}
