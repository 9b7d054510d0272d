//! Whatever the text, checking ends, gives places within it, and does not fail.
#![allow(clippy::unwrap_used, reason = "a test")]

use flow_analysis::Analysis;
use proptest::prelude::*;

const PROGRAM: &str = include_str!("../../../examples/iris/iris.flow");
const OTHER: &str = include_str!("../../../examples/diabetes/diabetes.flow");

fn check(text: &str) -> usize {
    let mut analysis = Analysis::new();
    analysis.set_file("main", "main.flow", text);
    let found = analysis.check("main");
    for diagnostic in &found {
        assert!(diagnostic.span.start <= diagnostic.span.end, "{diagnostic:?}");
        assert!(diagnostic.span.end as usize <= text.len(), "{diagnostic:?}");
        assert!(!diagnostic.message.contains('\n'), "{diagnostic:?}");
    }
    for workflow in analysis.workflows("main") {
        analysis.signature("main", &workflow);
        analysis.workflow_body("main", &workflow);
    }
    found.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check(&text);
    }

    #[test]
    fn a_program_with_a_stretch_taken_out(start in 0usize..2000, length in 1usize..40, other in any::<bool>()) {
        let program = if other { OTHER } else { PROGRAM };
        let start = start % program.len();
        let end = (start + length).min(program.len());
        if let (Some(before), Some(after)) = (program.get(..start), program.get(end..)) {
            check(&format!("{before}{after}"));
        }
    }

    #[test]
    fn words_in_any_order(words in proptest::collection::vec(
        prop::sample::select(vec![
            "workflow", "w", "(", ")", "{", "}", "->", "x", ":", "Int", "Dataset<R>", "=", ",", ".", "let", "if", "for",
            "in", "fn", "f", "schema", "R", "type", "const", "use", "std.tree", "tree", "gbdt", "1", "\"a\"", "[", "]",
            "run", "while", "from", "match", "=>", "with", "none", "\n", "..", "<", ">", "?", "split", "select",
        ]),
        0..60,
    )) {
        check(&words.join(" "));
    }

    #[test]
    fn verbs_of_any_arguments(
        verb in prop::sample::select(vec![
            "derive", "distinct", "group", "join", "join_asof", "limit", "rename", "sample", "sort", "union", "where", "window",
        ]),
        words in proptest::collection::vec(
            prop::sample::select(vec![
                ".user", ".at", ".fare", ".gone", ",", ",", ",", "n:", "by:", "order:", "last:", "on:", "at:", "kind:", "within:",
                "count()", "mean(.fare)", "first(.at)", "quantile(.fare, 0.9)", "max(", "sum(", ")", "(", "[", "]", "left:",
                "right:", "rides", "users", "Join.left", "Join.semi", "7d", "0.5", "\"user\"", "+", "??", "==", "none", "if",
                "true", "{", "}", "else",
            ]),
            0..12,
        ),
    ) {
        let schemas = "schema Ride { user: Id<Int>, at: EventTime, fare: Float? }\n\
                       schema User { user: Id<Int>, at: EventTime, age: Int }";
        let tables = "rides: Dataset<Ride>, users: Dataset<User>";
        let value = format!("rides.{verb}({})", words.join(" "));
        check(&format!("{schemas}\nworkflow w({tables}) -> (rows: Dataset) {{ {value} }}"));
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let workflow = |value: &str| format!("workflow w(x: Int = 1) -> (y: Int) {{ {value} }}");
    check(&workflow(&vec!["x"; 400].join(" + ")));
    check(&workflow(&vec!["x"; 5_000].join(" + ")));
    check(&workflow(&format!("{}x{}", "(".repeat(180), ")".repeat(180))));
    check(&workflow(&format!("{}x{}", "[".repeat(180), "]".repeat(180))));
    check(&workflow(&format!("x{}", ".abs()".repeat(200))));
    check(&workflow(&format!("{}x{}", "if true { ".repeat(90), " } else { x }".repeat(90))));
    check(&format!("type T = {}Int{}", "List<".repeat(180), ">".repeat(180)));
    let params: Vec<String> = (0..5_000).map(|index| format!("p{index}: Int = {index}")).collect();
    check(&format!("workflow w({}) -> (y: Int) {{ p0 }}", params.join(", ")));
}

#[test]
fn types_that_double_are_refused() {
    let mut text = String::from("type T0 = (a: Int, b: Int)\n");
    for index in 1..40 {
        text += &format!("type T{index} = (a: T{}, b: T{})\n", index - 1, index - 1);
    }
    assert_eq!(check(&text), 1);
}

#[test]
fn lambdas_that_double_are_refused() {
    let mut text = String::from("workflow w(x: Int = 1) -> (y: Int) {\n    let f0 = (x) => x + 1\n");
    for index in 1..30 {
        text += &format!("    let f{index} = (x) => f{}(f{}(x))\n", index - 1, index - 1);
    }
    text += "    f29(x)\n}\n";
    assert_eq!(check(&text), 1);
}

#[test]
fn generic_fns_do_not_grow_without_end() {
    // Each would need itself for another row; recursion is refused before rows are looked at.
    check(
        "fn f<R>(d: Dataset<R>) -> Int { g(d.derive(a: 1)) }\nfn g<R>(d: Dataset<R>) -> Int { f(d.derive(b: 1)) }\n\
         schema S { x: Int }\nworkflow w(d: Dataset<S>) -> (n: Int) { f(d) }\n",
    );
}
