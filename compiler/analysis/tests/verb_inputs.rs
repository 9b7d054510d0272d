//! What the planner and the tracing of provenance read of a verb's call: its inputs, in the order of its parameters.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use flow_analysis::{
    Analysis,
    body::{Expr, ExprKind, OperatorCall},
};
use flow_ir::value::Value;

const TABLES: &str = "
schema Ride { user: Id<Int>, at: EventTime, fare: Float }
schema User { id: Id<Int>, since: EventTime, age: Int }
";

/// The call that a workflow's value is.
fn call(text: &str) -> OperatorCall {
    let mut analysis = Analysis::new();
    let workflow = format!(
        "{TABLES}workflow main(rides: Dataset<Ride>, users: Dataset<User>) -> (rows: Dataset) {{ {text} }}"
    );
    analysis.set_file("main", "main.flow", workflow.as_str());
    assert_eq!(analysis.check("main"), [], "{text}");
    let body = analysis.workflow_body("main", "main").unwrap();
    let mut value = &body.value;
    loop {
        value = match &value.kind {
            ExprKind::CallOperator(call) => return (**call).clone(),
            ExprKind::Block { value, .. } => value,
            ExprKind::Record(fields) => &fields.first().unwrap().1,
            other => panic!("{text}: {other:?}"),
        };
    }
}

/// An expression in short.
fn short(expr: &Expr) -> String {
    let all = |values: &[Expr]| values.iter().map(short).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Value(Value::Column(name)) => format!(".{name}"),
        ExprKind::Value(Value::Enum { variant, .. }) => variant.clone(),
        ExprKind::Value(value) => value.to_string(),
        ExprKind::Column(name) => format!("row.{name}"),
        ExprKind::Local(_) => "table".to_owned(),
        ExprKind::List(values) => format!("[{}]", all(values)),
        ExprKind::Record(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", short(value))).collect();
            format!("({})", fields.join(", "))
        }
        ExprKind::Aggregate { function, args } => format!("{}({})", function.name(), all(args)),
        ExprKind::Scalar { function, args } => format!("{}({})", function.name(), all(args)),
        ExprKind::Cast(value) => short(value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn inputs_stand_in_the_order_of_parameters() {
    for (text, expected) in [
        ("rides.sort(.user, .at)", "data: table; columns: [.user, .at]; descending: false"),
        ("rides.limit(3)", "data: table; n: 3"),
        ("rides.sample(10%)", "data: table; share: 0.1; seed: 0"),
        ("rides.distinct()", "data: table; columns: []"),
        ("rides.distinct(.user)", "data: table; columns: [.user]"),
        ("rides.rename(b: .fare, a: .at)", "data: table; columns: (b: .fare, a: .at)"),
        ("rides.union(rides)", "data: table; other: table"),
        (
            "rides.group(.user, n: count(), m: sum(.fare) / count(), q: quantile(.fare, 90%))",
            "data: table; by: [.user]; aggregates: (n: count(), m: divide(sum(row.fare), count()), \
             q: quantile(row.fare, 0.9))",
        ),
        ("rides.group(n: count())", "data: table; by: []; aggregates: (n: count())"),
        (
            "rides.window(last: 7d, n: count(), gap: days_between(last(.at) ?? .at, .at), order: .at, by: .user)",
            "data: table; by: [.user]; order: .at; last: 7d; \
             aggregates: (n: count(), gap: days_between(or_else(last(row.at), row.at), row.at))",
        ),
        (
            "rides.window(order: .fare, n: count())",
            "data: table; by: []; order: .fare; last: none; aggregates: (n: count())",
        ),
        (
            "rides.join(users, on: (left: .user, right: .id), timeless: \"ages stay\")",
            "data: table; other: table; on: (left: [.user], right: [.id]); kind: inner; timeless: \"ages stay\"",
        ),
        (
            "rides.join(users.rename(user: .id), on: .user, kind: Join.semi, timeless: \"x\")",
            "data: table; other: rename; on: (left: [.user], right: [.user]); kind: semi; timeless: \"x\"",
        ),
        (
            "rides.join_asof(users, on: (left: .user, right: .id), at: .at, within: 1h)",
            "data: table; facts: table; on: (left: [.user], right: [.id]); at: .at; within: 1h",
        ),
        (
            "rides.join_asof(users, at: .at)",
            "data: table; facts: table; on: (left: [], right: []); at: .at; within: none",
        ),
    ] {
        let call = call(text);
        let inputs: Vec<String> = call
            .inputs
            .iter()
            .map(|(name, value)| match &value.kind {
                ExprKind::CallOperator(inner) => {
                    format!("{name}: {}", inner.operator.name.rsplit('.').next().unwrap())
                }
                _ => format!("{name}: {}", short(value)),
            })
            .collect();
        assert_eq!(inputs.join("; "), expected, "{text}");
    }
}
