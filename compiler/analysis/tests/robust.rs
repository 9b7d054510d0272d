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
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&String::from_utf8_lossy(&bytes));
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
    let params: Vec<String> = (0..10_000).map(|index| format!("p{index}: Int = {index}")).collect();
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
fn lambdas_in_a_chain_are_refused_past_a_depth() {
    let chain = |count: usize, body: &dyn Fn(usize) -> String| {
        let lets: String = (1..count).map(|n| format!("    let f{n} = (x) => {}\n", body(n - 1))).collect();
        let last = count - 1;
        format!("workflow w(x: Int = 1) -> (y: Int) {{\n    let f0 = (x) => x\n{lets}    f{last}(x)\n}}\n")
    };
    let deep = |n: usize| format!("{}f{n}(x){}", "-(".repeat(90), ")".repeat(90));
    assert_eq!(check(&chain(60, &|n| format!("f{n}(x)"))), 0);
    assert_eq!(check(&chain(60, &deep)), 0);
    assert_eq!(check(&chain(3_000, &|n| format!("f{n}(x)"))), 1);
    assert_eq!(check(&chain(3_000, &deep)), 1);
}

#[test]
fn generic_fns_do_not_grow_without_end() {
    // Each would need itself for another row; recursion is refused before rows are looked at.
    check(
        "fn f<R>(d: Dataset<R>) -> Int { g(d.derive(a: 1)) }\nfn g<R>(d: Dataset<R>) -> Int { f(d.derive(b: 1)) }\n\
         schema S { x: Int }\nworkflow w(d: Dataset<S>) -> (n: Int) { f(d) }\n",
    );
}

/// Each calls the next twice: what callers need of the first would double with each.
#[test]
fn workflows_that_double_are_checked_in_time() {
    const HOUSE: &str = "schema House { id: Id<Int>, year: Int, price: Label<Float> }\n";
    let chain = |first: &str, each: &str, last: &str| {
        let calls =
            (0..24).map(|n| each.replace("NEXT", &format!("f{}", n + 1)).replace('N', &n.to_string()));
        format!("{first}{HOUSE}{}{}\n", calls.collect::<String>(), last.replace("fN", "f24"))
    };
    let rows = chain(
        "",
        "workflow fN(x: Dataset<House>) -> (d: Dataset<House>) { NEXT(x).d.union(NEXT(x.where(.year > N)).d) }\n",
        "workflow fN(x: Dataset<House>) -> (d: Dataset<House>) { x }",
    );
    let generic = chain(
        "",
        "workflow fN<R>(x: Dataset<R>) -> (d: Dataset) { NEXT(x.derive(cN: 1)).d.union(NEXT(x.derive(cN: 2)).d) }\n",
        "workflow fN<R>(x: Dataset<R>) -> (d: Dataset) { x }",
    );
    let files = chain(
        "use std.data\n",
        "workflow fN(p: Text) -> (d: Dataset<House>) { NEXT(\"{p}a\").d.union(NEXT(\"{p}b\").d) }\n",
        "workflow fN(p: Text) -> (d: Dataset<House>) { data.csv(p) }",
    );
    let reports = chain(
        "use std.metrics\nuse std.tree\n",
        "workflow fN(x: Dataset<House>, y: Dataset<House>) -> (d: RegressionReport, e: RegressionReport) {\n    \
         (d: NEXT(x.where(.year > N), y).d, e: NEXT(x, y.where(.year < N)).e)\n}\n",
        "workflow fN(x: Dataset<House>, y: Dataset<House>) -> (d: RegressionReport, e: RegressionReport) {\n    \
         let r = metrics.regression(tree.gbdt(x), y)\n    (d: r, e: r)\n}",
    );
    for text in [&rows, &generic, &files, &reports] {
        assert_eq!(check(text), 0);
    }
    // What is bounded still finds rows that are used twice.
    let leak = "workflow main(x: Dataset<House>) -> (r: RegressionReport) { f0(x, x.where(.year > 3)).d }\n";
    assert_eq!(check(&(reports + leak)), 1);
}

/// Much of one thing: every case is a diagnostic or success within the time limit, and says so once.
#[test]
fn much_of_one_thing_is_checked_in_time() {
    let list = |count: usize, item: &dyn Fn(usize) -> String| -> String {
        (0..count).map(item).collect::<Vec<_>>().join(", ")
    };
    let columns = list(3_000, &|n| format!("c{n}: Float"));
    let sum = list(3_000, &|n| format!("d{n}: .c{n} + 1.0"));
    let cases = [
        (
            "lets",
            format!(
                "workflow w(x: Int = 1) -> (y: Int) {{\n{}    v9999\n}}\n",
                (0..10_000)
                    .map(|n| match n {
                        0 => "    let v0 = x\n".to_owned(),
                        n => format!("    let v{n} = v{} + 1\n", n - 1),
                    })
                    .collect::<String>()
            ),
        ),
        (
            "one parameter too few in each of many calls",
            format!(
                "fn f(a: Int, b: Int) -> Int {{ a + b }}\n{}",
                (0..3_000).map(|n| format!("const C{n}: Int = f({n})\n")).collect::<String>()
            ),
        ),
        ("items", (0..10_000).map(|n| format!("const C{n}: Int = {n}\n")).collect::<String>()),
        ("the same name", (0..5_000).map(|n| format!("const C: Int = {n}\n")).collect::<String>()),
        (
            "constants in a chain, the last first",
            (1..3_000).rev().map(|n| format!("const C{n} = C{} + 1\n", n - 1)).collect::<String>()
                + "const C0: Int = 1\n",
        ),
        (
            "fns in a chain, the last first",
            (1..3_000).rev().map(|n| format!("fn f{n}(x: Int) {{ f{}(x) }}\n", n - 1)).collect::<String>()
                + "fn f0(x: Int) -> Int { x }\n",
        ),
        (
            "types in a chain, the last first",
            (1..3_000).rev().map(|n| format!("type T{n} = T{}\n", n - 1)).collect::<String>()
                + "type T0 = Int\n",
        ),
        (
            "uses of the first of many names",
            format!(
                "workflow w(x: Int = 1) -> (y: Int) {{\n{}    x\n}}\n",
                (0..10_000).map(|n| format!("    let v{n} = x + {n}\n")).collect::<String>()
            ),
        ),
        (
            "constants in a chain",
            (1..1_500).fold("const C0: Int = 1\n".to_owned(), |text, n| {
                text + &format!("const C{n}: Int = C{} + 1\n", n - 1)
            }),
        ),
        (
            "a circle of constants",
            (0..500).map(|n| format!("const C{n}: Int = C{}\n", (n + 1) % 500)).collect::<String>(),
        ),
        ("a record", format!("const R = ({})\n", list(10_000, &|n| format!("f{n}: {n}")))),
        ("a record of one field", format!("const R = ({})\n", list(5_000, &|n| format!("f: {n}")))),
        ("a list", format!("const L = [{}]\n", list(20_000, &|n| n.to_string()))),
        (
            "a set of texts",
            format!(
                "schema S {{ c: Category }}\nworkflow w(d: Dataset<S>) -> (d: Dataset<S>) {{ d.where(.c in [{}]) }}\n",
                list(5_000, &|n| format!("\"v{n}\""))
            ),
        ),
        (
            "a match",
            format!(
                "fn f(n: Int) -> Int {{ match n {{ {}, _ => 0 }} }}\n",
                list(20_000, &|n| format!("{n} => {n}"))
            ),
        ),
        (
            "an enum",
            format!(
                "enum E {{ {} }}\nfn f(e: E) -> Int {{ match e {{ {} }} }}\n",
                list(2_000, &|n| format!("v{n}")),
                list(2_000, &|n| format!("E.v{n} => {n}"))
            ),
        ),
        (
            "columns",
            format!(
                "schema S {{ {columns} }}\nworkflow w(d: Dataset<S>) -> (d: Dataset) {{ d.derive({sum}) }}\n"
            ),
        ),
        (
            "columns that are not there",
            format!(
                "schema S {{ {} }}\nworkflow w(d: Dataset<S>) -> (d: Dataset) {{ d.select({}) }}\n",
                list(400, &|n| format!("c{n}: Float")),
                list(400, &|n| format!(".k{n}"))
            ),
        ),
        (
            "unknown names",
            format!(
                "workflow w(x: Int = 1) -> (y: Int) {{\n{}    x\n}}\n",
                (0..2_000).map(|n| format!("    let v{n} = unknown_{n}\n")).collect::<String>()
            ),
        ),
        (
            "verbs in a chain",
            format!(
                "schema S {{ a: Float }}\nworkflow w(d: Dataset<S>) -> (d: Dataset) {{\n{}    v199\n}}\n",
                (0..200)
                    .map(|n| match n {
                        0 => "    let v0 = d.derive(b0: .a)\n".to_owned(),
                        n => format!("    let v{n} = v{}.derive(b{n}: .b{} + .a)\n", n - 1, n - 1),
                    })
                    .collect::<String>()
            ),
        ),
        (
            "generic instances in a chain",
            format!(
                "schema S {{ a: Float }}\nfn f0<R: {{ a: Float, .. }}>(d: Dataset<R>) -> Dataset<R> {{ d.where(.a > 0.0) }}\n{}workflow w(d: Dataset<S>) -> (d: Dataset<S>) {{ f99(d) }}\n",
                (1..100)
                    .map(|n| format!(
                        "fn f{n}<R: {{ a: Float, .. }}>(d: Dataset<R>) -> Dataset<R> {{ f{}(d) }}\n",
                        n - 1
                    ))
                    .collect::<String>()
            ),
        ),
        (
            "records of records",
            format!(
                "workflow w() -> (a: Int) {{\n    let x0 = (a: 1, b: 2)\n{}    1\n}}\n",
                (1..60).map(|n| format!("    let x{n} = (a: x{0}, b: x{0})\n", n - 1)).collect::<String>()
            ),
        ),
        (
            "pairs of pairs",
            format!(
                "fn g<T>(x: T) -> (a: T, b: T) {{ (a: x, b: x) }}\nworkflow w() -> (a: Int) {{\n    let a = {}1{}\n    1\n}}\n",
                "g(".repeat(60),
                ")".repeat(60)
            ),
        ),
        ("brackets", "(".repeat(100_000)),
        ("braces", "{".repeat(100_000)),
        ("lists of lists", format!("type A = {}Int{}", "List<".repeat(50_000), ">".repeat(50_000))),
        ("minuses", format!("const A: Int = {}1", "-".repeat(100_000))),
        ("sums", format!("const A: Int = {}1", "1 + ".repeat(50_000))),
        ("optionals", format!("type A = Int{}", "?".repeat(100_000))),
        ("fields", format!("const A: Int = a{}", ".b".repeat(100_000))),
        ("else ifs", format!("fn f() -> Int {{ {} }}", "if true { 1 } else ".repeat(20_000))),
        ("texts in texts", format!("const A: Text = \"{}\"", "{\"".repeat(50_000))),
        ("a comment", format!("// {}", "x".repeat(1 << 20))),
        ("strays", ")".repeat(50_000)),
        ("strays on their lines", ")\n".repeat(20_000)),
        ("openers on their lines", "fn f() {\n".repeat(5_000)),
        ("quotes", "\" ".repeat(50_001)),
        ("interpolations", format!("const T = \"{}\"\n", "{ 1 }".repeat(20_000))),
        ("openers of comments", "/* ".repeat(50_000)),
        ("failures in a line", format!("const L = [{}]\n", "1 2, ".repeat(20_000))),
        (
            "failures in lines",
            format!("workflow w() -> (a: Int) {{\n{}}}\n", "    let a = = 1\n".repeat(10_000)),
        ),
        ("names in a line", format!("const L = {}\n", "a".repeat(1 << 20))),
    ];
    for (name, text) in cases {
        let start = std::time::Instant::now();
        check(&text);
        let taken = start.elapsed();
        println!("{name}: {taken:?} for {} KiB", text.len() / 1024);
        assert!(taken < LIMIT, "{name} took {taken:?}");
    }
}

/// For unoptimised code on a busy machine; optimised, each takes well under a second.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
