//! The evaluator on bodies made by hand; programs in text are golden cases under `tests/golden/dag`.

use flow_analysis::body::{Builtin, ExprKind, Part, Pattern};
use flow_ir::{expr::Function, node::Input, value::Value};

use crate::tests::support::*;

const NOOP: &str = "std.debug.noop";

fn noop(value: flow_analysis::body::Expr, ty: &str) -> flow_analysis::body::Expr {
    operator(NOOP, vec![("value", value)], ty)
}

#[test]
fn chains_take_the_let_name_at_their_end() {
    let filtered = operator(
        "std.table.where",
        vec![
            ("data", operator("std.table.drop", vec![("data", get(0, TABLE))], TABLE)),
            ("predicate", scalar(Function::Greater, vec![column("a", "Int"), get(1, "Int")], "Bool")),
        ],
        TABLE,
    );
    let program = TestProgram::default()
        .param("rides", TABLE, Some(csv("../data/rides.csv")))
        .param("least", "Int", Some(value("3", "Int")))
        .output("clean", TABLE)
        .body(block(vec![(5, "clean", filtered)], get(5, TABLE)));
    assert_eq!(
        program.shown(),
        [
            "rides = data.csv(path: $rides)",
            "drop = table.drop(data: rides.value)",
            "clean = table.where(data: drop.value, predicate: {greater(.a, 3); })",
            "-> clean: clean.value",
        ]
    );
    let dag = program.plan().unwrap();
    assert_eq!(dag.parameters[0].value, Value::File("data/rides.csv".to_owned()));
    assert_eq!(dag.nodes[0].policy.cpu, 2);
    let spans = dag.origin.unwrap().spans;
    assert_eq!(spans, [(1010, 1020); 3]);
}

#[test]
fn parts_of_a_split_keep_the_operators_name() {
    let split = ExprKind::CallOperator(Box::new(operator_call(
        "std.table.split",
        vec![("data", get(0, TABLE)), ("share", get(1, "Fraction"))],
        vec![("train", TABLE), ("test", TABLE)],
        true,
    )));
    let ty = format!("(train: {TABLE}, test: {TABLE})");
    let mut body = block(vec![(5, "unused", expr(split, &ty))], get(6, TABLE));
    if let ExprKind::Block { bindings, .. } = &mut body.kind {
        let local = |id, name: &str| flow_analysis::body::Local {
            id: flow_analysis::body::LocalId(id),
            name: name.to_owned(),
            ty: get(0, TABLE).ty,
        };
        bindings[0].pattern = Pattern::Record(vec![
            ("train".to_owned(), local(5, "fit_rows")),
            ("test".to_owned(), local(6, "test")),
        ]);
    }
    let program = TestProgram::default()
        .param("rides", TABLE, Some(csv("rides.csv")))
        .param("share", "Fraction", Some(value("0.8", "Fraction")))
        .output("test", TABLE)
        .body(body);
    assert_eq!(
        program.shown(),
        [
            "rides = data.csv(path: $rides)",
            "split = table.split(data: rides.value, share: $share)",
            "-> test: split.test",
        ]
    );
}

#[test]
fn rounds_of_a_for_stand_before_their_nodes() {
    let ints = "List<Int>";
    let body = block(
        vec![
            (5, "candidates", each(6, "depth", get(0, ints), noop(get(6, "Int"), "Int"), ints)),
            (
                7,
                "doubled",
                each(
                    8,
                    "one",
                    get(5, ints),
                    block(
                        vec![(9, "twice", scalar(Function::Add, vec![get(8, "Int"), get(8, "Int")], "Int"))],
                        get(9, "Int"),
                    ),
                    ints,
                ),
            ),
        ],
        record(
            vec![
                ("models", get(5, ints)),
                (
                    "count",
                    expr(
                        ExprKind::Builtin { builtin: Builtin::Len, args: vec![get(7, ints)], policy: vec![] },
                        "Int",
                    ),
                ),
                (
                    "total",
                    expr(
                        ExprKind::Builtin { builtin: Builtin::Sum, args: vec![get(7, ints)], policy: vec![] },
                        "Int",
                    ),
                ),
            ],
            "(models: List<Int>, count: Int, total: Int)",
        ),
    );
    let program = TestProgram::default()
        .param("depths", ints, Some(value("[4, 6]", ints)))
        .output("models", ints)
        .output("count", "Int")
        .output("total", "Int")
        .body(body);
    assert_eq!(
        program.shown(),
        [
            "candidates[0].noop = debug.noop(value: 4)",
            "candidates[1].noop = debug.noop(value: 6)",
            "doubled[0].twice = add(a, a)(a: candidates[0].noop.value)",
            "doubled[1].twice = add(a, a)(a: candidates[1].noop.value)",
            "total = add(a, b)(a: doubled[0].twice.value, b: doubled[1].twice.value)",
            "-> models: [candidates[0].noop.value, candidates[1].noop.value]",
            "-> count: 2",
            "-> total: total.value",
        ]
    );
}

#[test]
fn futures_become_expression_nodes_and_bindings() {
    let report = "(auc: Float, rows: Int)";
    let program = TestProgram::default()
        .param("rides", TABLE, Some(csv("rides.csv")))
        .param("base", "Float", Some(value("0.5", "Float")))
        .output("result", TABLE)
        .body(block(
            vec![
                (4, "report", operator("std.metrics.report", vec![("data", get(0, TABLE))], report)),
                (
                    5,
                    "gain",
                    scalar(
                        Function::Subtract,
                        vec![field(get(4, report), "auc", "Float"), get(1, "Float")],
                        "Float",
                    ),
                ),
            ],
            operator(
                "std.table.derive",
                vec![
                    ("data", get(0, TABLE)),
                    (
                        "columns",
                        record(
                            vec![
                                (
                                    "score",
                                    scalar(
                                        Function::Multiply,
                                        vec![
                                            column("a", "Int"),
                                            scalar(
                                                Function::Add,
                                                vec![get(5, "Float"), value("1.0", "Float")],
                                                "Float",
                                            ),
                                        ],
                                        "Float",
                                    ),
                                ),
                                ("one", value("1", "Int")),
                            ],
                            "(score: Float, one: Int)",
                        ),
                    ),
                ],
                TABLE,
            ),
        ));
    assert_eq!(
        program.shown(),
        [
            "rides = data.csv(path: $rides)",
            "report = metrics.report(data: rides.value)",
            "gain = subtract(field(a, \"auc\"), 0.5)(a: report.value)",
            "expression = add(a, 1.0)(a: gain.value)",
            "derive = table.derive(data: rides.value, columns: (score: {multiply(.a, a); a: expression.value}, one: {1; }))",
            "-> result: derive.value",
        ]
    );
}

#[test]
fn fns_are_inlined_for_known_columns_and_futures() {
    let twice = scalar(Function::Add, vec![get(0, "Int"), get(0, "Int")], "Int");
    let program = TestProgram::default()
        .function("twice", &["x"], twice)
        .param("rides", TABLE, Some(csv("rides.csv")))
        .output("result", "Int")
        .body(block(
            vec![
                (3, "known", call_fn("twice", vec![value("4", "Int")], "Int")),
                (4, "run", noop(get(3, "Int"), "Int")),
                (5, "later", call_fn("twice", vec![call_fn("twice", vec![get(4, "Int")], "Int")], "Int")),
                (
                    6,
                    "rows",
                    operator(
                        "std.table.where",
                        vec![
                            ("data", get(0, TABLE)),
                            (
                                "predicate",
                                scalar(
                                    Function::Equal,
                                    vec![call_fn("twice", vec![column("a", "Int")], "Int"), get(5, "Int")],
                                    "Bool",
                                ),
                            ),
                        ],
                        TABLE,
                    ),
                ),
            ],
            get(5, "Int"),
        ));
    assert_eq!(
        program.shown(),
        [
            "rides = data.csv(path: $rides)",
            "run = debug.noop(value: 8)",
            "later = add(add(a, a), add(a, a))(a: run.value)",
            "rows = table.where(data: rides.value, predicate: {equal(add(.a, .a), a); a: later.value})",
            "-> result: later.value",
        ]
    );
}

#[test]
fn if_and_match_decide_when_planned_or_per_row() {
    let choose = |condition, then, otherwise, ty| {
        let (condition, then, otherwise) = (Box::new(condition), Box::new(then), Box::new(otherwise));
        expr(ExprKind::If { condition, then, otherwise }, ty)
    };
    let loss = "std.tree.Loss { auto, squared }";
    let by_loss = ExprKind::Match {
        subject: Box::new(get(0, loss)),
        arms: vec![
            (Some(Value::parse("std.tree.Loss.auto").unwrap()), noop(value("1", "Int"), "Int")),
            (None, noop(value("2", "Int"), "Int")),
        ],
    };
    let per_row = choose(
        scalar(Function::Greater, vec![column("a", "Int"), value("0", "Int")], "Bool"),
        value("\"up\"", "Text"),
        value("\"down\"", "Text"),
        "Text",
    );
    let program = TestProgram::default()
        .param("loss", loss, Some(value("std.tree.Loss.squared", loss)))
        .output("chosen", "Int")
        .output("table", TABLE)
        .body(block(
            vec![
                (1, "chosen", expr(by_loss, "Int")),
                (
                    2,
                    "table",
                    operator(
                        "std.table.derive",
                        vec![
                            ("data", csv("a.csv")),
                            ("columns", record(vec![("way", per_row)], "(way: Text)")),
                        ],
                        TABLE,
                    ),
                ),
            ],
            record(vec![("chosen", get(1, "Int")), ("table", get(2, TABLE))], "(chosen: Int, table: Bool)"),
        ));
    assert_eq!(
        program.shown(),
        [
            "chosen = debug.noop(value: 2)",
            "csv = data.csv(path: file\"flows/a.csv\")",
            "table = table.derive(data: csv.value, columns: (way: {case(greater(.a, 0) => \"up\", \"down\"); }))",
            "-> chosen: chosen.value",
            "-> table: table.value",
        ]
    );
}

#[test]
fn interpolation_folds_what_is_known() {
    let text = |value| {
        expr(
            ExprKind::Interpolate(vec![
                Part::Text("n".to_owned()),
                Part::Expr(get(0, "Int")),
                Part::Text("-".to_owned()),
                Part::Expr(value),
            ]),
            "Text",
        )
    };
    let program = TestProgram::default()
        .param("n", "Int", Some(value("7", "Int")))
        .output("known", "Text")
        .output("later", "Text")
        .body(record(
            vec![("known", text(value("true", "Bool"))), ("later", text(noop(value("1", "Int"), "Int")))],
            "(known: Text, later: Text)",
        ));
    assert_eq!(
        program.shown(),
        [
            "noop = debug.noop(value: 1)",
            "later = concat(\"n7-\", a as Text)(a: noop.value)",
            "-> known: \"n7-true\"",
            "-> later: later.value",
        ]
    );
}

#[test]
fn after_waits_for_every_node_of_a_value() {
    let mut call = operator_call(NOOP, vec![("value", value("3", "Int"))], vec![("value", "Int")], false);
    call.after = vec![get(1, "List<Int>")];
    call.policy = vec![("retry".to_owned(), value("2", "Int")), ("cpu".to_owned(), value("4", "Int"))];
    let program = TestProgram::default().output("last", "Int").body(block(
        vec![(
            1,
            "first",
            list(vec![noop(value("1", "Int"), "Int"), noop(value("2", "Int"), "Int")], "List<Int>"),
        )],
        expr(ExprKind::CallOperator(Box::new(call)), "Int"),
    ));
    assert_eq!(
        program.shown(),
        [
            "noop = debug.noop(value: 1)",
            "noop#2 = debug.noop(value: 2)",
            "noop#3 = debug.noop(value: 3) after noop, noop#2",
            "-> last: noop#3.value",
        ]
    );
    let dag = program.plan().unwrap();
    assert_eq!((dag.nodes[2].policy.cpu, dag.nodes[2].policy.retry, dag.nodes[1].policy.cpu), (4, 2, 2));
}

#[test]
fn a_lambdas_parameters_and_plain_statements_name_nothing_that_is_bound() {
    // `prepare(noop(1))`, where prepare is a lambda with the parameter d and a `let` of its own.
    let prepared = |text| {
        let mut call = block(
            vec![(2, "d", noop(value(text, "Int"), "Int"))],
            block(vec![(3, "once", noop(get(2, "Int"), "Int"))], noop(get(3, "Int"), "Int")),
        );
        if let ExprKind::Block { bindings, .. } = &mut call.kind {
            call.span = bindings[0].span;
        }
        call
    };
    let program = TestProgram::default().output("x", "Int").body(block(
        vec![(4, "_", noop(value("0", "Int"), "Int")), (5, "first", prepared("1")), (6, "d", prepared("2"))],
        get(6, "Int"),
    ));
    assert_eq!(
        program.shown(),
        [
            "noop = debug.noop(value: 0)",
            "d#2 = debug.noop(value: 1)",
            "once = debug.noop(value: d#2.value)",
            "first = debug.noop(value: once.value)",
            "d#3 = debug.noop(value: 2)",
            "once#2 = debug.noop(value: d#3.value)",
            "d = debug.noop(value: once#2.value)",
            "-> x: d.value",
        ]
    );
}

#[test]
fn whether_a_table_is_there_is_known_when_planned() {
    let is_there = |id| {
        scalar(Function::NotEqual, vec![get(id, &format!("{TABLE}?")), value("none", "Nothing")], "Bool")
    };
    let program = TestProgram::default()
        .param("a", &format!("{TABLE}?"), Some(value("none", "Nothing")))
        .param("b", TABLE, Some(csv("b.csv")))
        .output("there", "List<Bool>")
        .body(list(vec![is_there(0), is_there(1)], "List<Bool>"));
    assert_eq!(program.shown(), ["b = data.csv(path: $b)", "-> there: [false, true]"]);
}

#[test]
fn bound_paths_are_read_by_the_defaults_call() {
    let program = TestProgram::default()
        .param("a", TABLE, Some(csv("a.csv")))
        .param("b", TABLE, None)
        .output("a", TABLE);
    let program = program.body(get(0, TABLE));
    let mut given = crate::parameters::Given::default();
    given.set("a", Value::File("x/other.csv".to_owned()));
    given.set("b", Value::File("b.CSV".to_owned()));
    let dag = crate::evaluate::evaluate(&program, &Facts, "m", "w", &given).unwrap();
    assert_eq!(show(&dag), ["a = data.csv(path: $a)", "b = data.csv(path: $b)", "-> a: a.value"]);
    assert_eq!(dag.nodes[0].inputs, [("path".to_owned(), Input::Parameter("a".to_owned()))]);
    assert_eq!(dag.parameters[0].default, Some(Value::File("flows/a.csv".to_owned())));
    given.set("b", Value::File("b.parquet".to_owned()));
    let error = crate::evaluate::evaluate(&program, &Facts, "m", "w", &given).unwrap_err();
    assert_eq!(
        error.to_string(),
        "parameter `b` is read from `b.parquet`, but only CSV files (`.csv`) are read yet"
    );
}

#[test]
fn what_cannot_be_planned_says_so() {
    let later = || noop(value("1", "Int"), "Int");
    let error = |body| TestProgram::default().output("x", "Int").body(body).error();
    let is_one = scalar(Function::Equal, vec![later(), value("1", "Int")], "Bool");
    let decided =
        ExprKind::If { condition: Box::new(is_one), then: Box::new(later()), otherwise: Box::new(later()) };
    assert_eq!(
        error(expr(decided, "Int")),
        "what decides here is needed when the workflow is planned, but it is known only when it runs"
    );
    let overflow = scalar(Function::Add, vec![value("9223372036854775807", "Int"), value("1", "Int")], "Int");
    assert_eq!(error(overflow), "`add` overflows: 9223372036854775807, 1");
    assert_eq!(
        error(operator("std.debug.unwritten", vec![], "Int")),
        "no implementation of the operator `std.debug.unwritten` was found"
    );
    let doubled = scalar(Function::Add, vec![value("10", "Int"), value("10", "Int")], "Int");
    assert_eq!(
        error(operator(NOOP, vec![("limited", doubled)], "Int")),
        "`limited` of `std.debug.noop`: 20 is not in 1..=16"
    );
    assert_eq!(error(expr(ExprKind::Error, "Int")), "this has errors: `flowc check` shows them");
    let range = |high: &str| ExprKind::Range {
        low: Box::new(value("0", "Int")),
        high: Box::new(value(high, "Int")),
        inclusive: true,
    };
    assert_eq!(
        error(expr(range("9223372036854775807"), "List<Int>")),
        "planning this workflow takes more than 64 MiB of values: it was stopped"
    );
    let thousand = || expr(range("999"), "List<Int>");
    let nested = each(1, "i", thousand(), each(2, "j", thousand(), thousand(), "List<Int>"), "List<Int>");
    assert!(error(nested).starts_with("planning this workflow takes more than"));
}

#[test]
fn deep_expressions_are_errors_not_crashes() {
    let mut deep = value("1", "Int");
    for _ in 0..1_200 {
        deep = scalar(Function::Negate, vec![deep], "Int");
    }
    assert_eq!(
        TestProgram::default().output("x", "Int").body(deep).error(),
        "planning this workflow takes more than 1,000 expressions in each other: it was stopped"
    );
    // Each fn doubles its argument's expression: 2^40 parts.
    let mut doubled = column("a", "Int");
    for _ in 0..40 {
        doubled = call_fn("twice", vec![doubled], "Int");
    }
    let program = TestProgram::default()
        .function("twice", &["x"], scalar(Function::Add, vec![get(0, "Int"), get(0, "Int")], "Int"))
        .output("x", TABLE)
        .body(operator("std.table.where", vec![("predicate", doubled)], TABLE));
    assert_eq!(
        program.error(),
        "planning this workflow takes more than 100,000 parts in one expression: it was stopped"
    );
}
