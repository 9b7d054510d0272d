//! What the passes take out, and what they must leave.

use flow_analysis::body::{Expr, ExprKind};
use flow_ir::value::Value;

use super::*;
use crate::{evaluate::evaluate, parameters::Given, tests::support::*};

fn noop(value: Expr) -> Expr {
    operator("std.debug.noop", vec![("value", value)], "Int")
}

fn int(text: &str) -> Expr {
    value(text, "Int")
}

#[test]
fn what_reaches_no_output_goes_but_effects_stay() {
    let program = TestProgram::default().output("x", "Int").body(block(
        vec![
            (1, "lost", noop(int("1"))),
            (2, "lost_too", noop(get(1, "Int"))),
            (3, "written", operator("std.data.write_csv", vec![("value", noop(int("2")))], "Int")),
            (4, "kept", noop(int("3"))),
        ],
        get(4, "Int"),
    ));
    let dag = program.plan().unwrap();
    let (plan, pruned) = prune(dag);
    assert_eq!(
        show(&plan),
        [
            "noop = debug.noop(value: 2)",
            "written = data.write_csv(value: noop.value)",
            "kept = debug.noop(value: 3)",
            "-> x: kept.value",
        ]
    );
    let told: Vec<_> = pruned.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`lost` (std.debug.noop) reaches no output and has no effect: it is left out",
            "`lost_too` (std.debug.noop) reaches no output and has no effect: it is left out",
        ]
    );
    assert_eq!(pruned[0].span, Some((1010, 1020)));
    assert_eq!(pruned[0].diagnostic().unwrap().code.to_string(), "F0205");
    assert_eq!(plan.origin.as_ref().unwrap().spans.len(), plan.nodes.len());
    assert_eq!(prune(plan.clone()), (plan, vec![]), "nothing is left to take out");
}

#[test]
fn equal_calls_are_made_once() {
    let program = TestProgram::default()
        .param("depth", "Int", Some(int("4")))
        .param("rides", TABLE, Some(csv("rides.csv")))
        .param("again", TABLE, Some(csv("./rides.csv")))
        .output("all", "List<Int>")
        .output("tables", &*format!("List<{TABLE}>").leak())
        .body(record(
            vec![
                (
                    "all",
                    list(
                        vec![
                            noop(noop(get(0, "Int"))),
                            noop(noop(int("4"))),
                            noop(noop(int("5"))),
                            operator("std.data.write_csv", vec![("value", int("4"))], "Int"),
                            operator("std.data.write_csv", vec![("value", int("4"))], "Int"),
                        ],
                        "List<Int>",
                    ),
                ),
                ("tables", list(vec![get(1, TABLE), get(2, TABLE)], "List<Int>")),
            ],
            "(all: List<Int>, tables: Int)",
        ));
    let dag = program.plan().unwrap();
    let merged = merge(dag.clone());
    assert_eq!(
        show(&merged),
        [
            "rides = data.csv(path: $rides)",
            "noop = debug.noop(value: $depth)",
            "noop#2 = debug.noop(value: noop.value)",
            "noop#5 = debug.noop(value: 5)",
            "noop#6 = debug.noop(value: noop#5.value)",
            "write_csv = data.write_csv(value: 4)",
            "write_csv#2 = data.write_csv(value: 4)",
            "-> all: [noop#2.value, noop#2.value, noop#6.value, write_csv.value, write_csv#2.value]",
            "-> tables: [rides.value, rides.value]",
        ]
    );
    assert_eq!(merge(merged.clone()), merged);
    assert_eq!(at_stage(dag.clone(), Stage::Dag, &Facts).0, dag);
}

#[test]
fn policies_and_waiting_keep_calls_apart() {
    let call = |retry: &str, after: Vec<Expr>| {
        let mut call =
            operator_call("std.debug.noop", vec![("value", int("1"))], vec![("value", "Int")], false);
        call.policy = vec![("retry".to_owned(), int(retry))];
        call.after = after;
        expr(ExprKind::CallOperator(Box::new(call)), "Int")
    };
    let program = TestProgram::default().output("all", "List<Int>").body(list(
        vec![
            call("0", vec![]),
            call("1", vec![]),
            call("0", vec![noop(int("2"))]),
            call("0", vec![noop(int("2"))]),
        ],
        "List<Int>",
    ));
    let merged = merge(program.plan().unwrap());
    assert_eq!(
        show(&merged),
        [
            "noop = debug.noop(value: 1)",
            "noop#2 = debug.noop(value: 1)",
            "noop#3 = debug.noop(value: 2)",
            "noop#4 = debug.noop(value: 1) after noop#3",
            "-> all: [noop.value, noop#2.value, noop#4.value, noop#4.value]",
        ]
    );
}

/// Twenty thousand nodes in a fan-out and back. A quadratic step would take minutes here.
#[test]
fn a_wide_fan_out_takes_time_in_proportion() {
    let ints = "List<Int>";
    let program = TestProgram::default()
        .param("of", ints, Some(value("[1]", ints)))
        .output("total", "Int")
        .body(block(
            vec![(1, "all", each(2, "one", get(0, ints), noop(get(2, "Int")), ints))],
            operator("std.debug.gather", vec![("values", get(1, ints))], "Int"),
        ));
    let mut given = Given::default();
    given.set("of", Value::List((0..20_000).map(Value::Int).collect()));
    let start = std::time::Instant::now();
    let dag = evaluate(&program, &Facts, "m", "w", &given).unwrap();
    assert_eq!(dag.nodes.len(), 20_001);
    assert_eq!(dag.nodes[19_999].id, "all[19999].noop");
    let (plan, pruned) = at_stage(dag, Stage::Plan, &Facts);
    assert_eq!((plan.nodes.len(), pruned.len()), (20_001, 0));
    assert!(start.elapsed().as_secs() < 20, "took {:?}", start.elapsed());
}
