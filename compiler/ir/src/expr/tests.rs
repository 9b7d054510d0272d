//! The table of meanings as cases: an expression's text, and what it evaluates to.

use proptest::prelude::*;

use super::*;
use crate::{
    arbitrary,
    text::TypeScope,
    types::Row,
    value::{Float64, Value},
};

struct Columns(Vec<(&'static str, Value)>);

impl Scope for Columns {
    fn column(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(column, _)| *column == name).map(|(_, value)| value)
    }

    fn parameter(&self, _: &str) -> Option<&Value> {
        None
    }
}

fn value_of(text: &str) -> String {
    let row =
        Row::parse("{ m: Float?, b: Bool?, city: Category, at: EventTime, day: Date, x: Float32 }").unwrap();
    let expr = Expr::parse(text, &TypeScope { row: Some(&row), parameters: Vec::new() })
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let columns = Columns(vec![
        ("m", Value::None),
        ("b", Value::None),
        ("city", Value::from("SF")),
        ("at", Value::parse("time\"2026-11-20T09:30:00Z\"").unwrap()),
        ("day", Value::parse("date\"2026-11-20\"").unwrap()),
        ("x", Value::from(0.1)),
    ]);
    match evaluate(&expr, &columns) {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_table_of_meanings() {
    for (text, expected) in [
        // Ints are checked, their quotient is a Float.
        ("7 / 2", "3.5"),
        ("7 % -2", "1"),
        ("-7 % 2", "-1"),
        ("7 % 0", "`remainder` divides by zero: 7, 0"),
        ("9223372036854775807 + 1", "`add` overflows: 9223372036854775807, 1"),
        ("abs(-9223372036854775807 - 1)", "`abs` overflows: -9223372036854775808"),
        ("(-9223372036854775807 - 1) % -1", "0"),
        ("2 ** 62", "4611686018427387904"),
        ("2 ** 63", "`pow` overflows: 2, 63"),
        ("(-1) ** 9223372036854775807", "-1"),
        ("2 ** -1", "an Int has no power of -1: write the base as a Float"),
        ("2.0 ** -1", "0.5"),
        ("1 + 0.5", "1.5"),
        // Floats follow IEEE 754.
        ("1.0 / 0.0", "inf"),
        ("0.0 / 0.0", "nan"),
        ("log(-1.0)", "nan"),
        ("nan == nan", "false"),
        ("nan != nan", "true"),
        ("nan < 1.0", "false"),
        ("0.0 == -0.0", "true"),
        ("min(-0.0, 0.0)", "-0.0"),
        ("max(1.0, nan, 3.0)", "nan"),
        ("min(3, 2.5)", "2.5"),
        ("clip(7, 0, 5)", "5"),
        ("round(2.5)", "2.0"),
        ("round(3.5)", "4.0"),
        ("floor(-1.5)", "-2.0"),
        ("sign(-0.0)", "-0.0"),
        ("sqrt(2)", "1.4142135623730951"),
        ("-7 ** 2", "-49"),
        // The bounds of a bucket: the lower is in it, the upper is not.
        ("bucket(5, [0, 10, 100])", "\"0..10\""),
        ("bucket(10, [0, 10, 100])", "\"10..100\""),
        ("bucket(-0.5, [0, 10])", "\"..0\""),
        ("bucket(100, [0.5, 100.0])", "\"100.0..\""),
        ("bucket(nan, [0, 10])", "\"nan\""),
        ("bucket(.m, [0, 10])", "none"),
        ("bucket(1, [10, 0])", "`bucket` does not take 1, [10, 0]"),
        ("split_text(\"a, b\", \", \")", "[\"a\", \"b\"]"),
        ("split_text(\"\", \",\")", "[\"\"]"),
        ("split_text(\"aé\", \"\")", "[\"a\", \"é\"]"),
        // Equal values have equal hashes.
        ("hash(\"a\")", "-5334453865710831265"),
        ("hash(1) == hash(2)", "false"),
        ("hash(0.0) == hash(-0.0)", "true"),
        ("hash(.city) == hash(\"SF\")", "true"),
        // Missing is not a value.
        (".m + 1.0", "none"),
        (".m == none", "true"),
        (".m == 1.0", "none"),
        ("is_missing(.m)", "true"),
        (".m ?? 2", "2.0"),
        (".b and false", "false"),
        (".b or true", "true"),
        (".b and true", "none"),
        ("if .b { 1 } else { 2 }", "2"),
        (".m in [1.0]", "none"),
        // What decides is enough: the other side is not computed.
        ("false and 1 % 0 == 1", "false"),
        ("1 ?? 1 % 0", "1"),
        ("if true { 1 } else { 1 % 0 }", "1"),
        ("if true { 1 } else { 2.0 }", "1.0"),
        // Dates and times.
        ("date\"2026-11-20\" - date\"2026-11-13\"", "7d"),
        ("date\"2026-11-20\" + 36h", "date\"2026-11-21\""),
        ("date\"2026-11-20\" - 1h", "date\"2026-11-19\""),
        (".at - .day", "570min"),
        (".at > .day", "true"),
        ("date\"2026-11-20\" == time\"2026-11-20T00:00:00Z\"", "true"),
        ("2h / 4", "30min"),
        ("2h / 30min", "4.0"),
        ("2h / 0", "`divide` divides by zero: 2h, 0"),
        ("1s * 0.5", "500ms"),
        ("year(.at) * 100 + month(.day)", "202611"),
        ("weekday(.day)", "5"),
        ("hour(.at)", "9"),
        ("minutes_between(.day, .at)", "570.0"),
        ("days_between(date\"2026-11-21\", .day)", "-1.0"),
        ("date\"+5881580-07-11\" - 30d == date\"+5881580-06-11\"", "true"),
        (
            "time\"2026-11-20T00:00:00Z\" - date\"+5881580-07-11\"",
            "`subtract` overflows: time\"2026-11-20T00:00:00Z\", date\"+5881580-07-11\"",
        ),
        ("1GiB / 512MiB", "2.0"),
        ("512MiB - 1GiB", "`subtract` overflows: 512MiB, 1GiB"),
        // Texts and categories.
        (".city == \"SF\"", "true"),
        (".city in [\"NY\", \"SF\"]", "true"),
        ("2 in [[1, 2]]", "true"),
        ("upper(.city)", "\"SF\""),
        ("lower(\"ÄB\")", "\"äb\""),
        ("length(\"äb\")", "2"),
        ("trim(\" a \")", "\"a\""),
        ("contains(.city, \"F\")", "true"),
        ("starts_with(.city, \"F\")", "false"),
        ("replace(\"a.b.c\", \".\", \"-\")", "\"a-b-c\""),
        ("matches(\"abc\", \"^a.c$\")", "true"),
        ("matches(\"abc\", \"(\")", "`(` is not a regular expression"),
        ("concat(\"a\", .city)", "\"aSF\""),
        // Conversions.
        ("cast(2.9, Int)", "2"),
        ("cast(-2.9, Int)", "-2"),
        ("cast(nan, Int)", "nan is no Int"),
        ("cast(1e19, Int)", "1e19 is no Int"),
        ("cast(\" 7 \", Int)", "7"),
        ("cast(\"7x\", Int)", "\"7x\" is no Int"),
        ("cast(\"0.5\", Float)", "0.5"),
        ("cast(true, Int)", "1"),
        ("cast(7, Text)", "\"7\""),
        ("cast(7.0, Text)", "\"7.0\""),
        ("cast(true, Category)", "\"true\""),
        ("cast(0.1, Float32)", "0.10000000149011612"),
        ("cast(.day, EventTime)", "time\"2026-11-20T00:00:00Z\""),
        ("cast(.at, Date)", "date\"2026-11-20\""),
        ("cast(none, Int?)", "none"),
        ("cast(\"2026-11-20\", Date)", "date\"2026-11-20\""),
        ("cast([1, 2], Embedding<2>)", "[1.0, 2.0]"),
        // Records and lists.
        ("(x: 1, y: 2).y", "2"),
        ("[1, 2][2]", "there is no element 2 in a list of 2"),
    ] {
        assert_eq!(value_of(text), expected, "{text}");
    }
}

proptest! {
    /// What the table of types promises is what comes out.
    #[test]
    fn values_fit_their_types(expr in arbitrary::numeric_expr(), a in arbitrary::float(), b: i64, is_missing: bool) {
        let c = if is_missing { Value::None } else { Value::Float(Float64(0.5)) };
        let columns = Columns(vec![("a", Value::Float(a)), ("b", Value::Int(b)), ("c", c)]);
        if let Ok(value) = evaluate(&expr, &columns) {
            prop_assert_eq!(value.fits(&expr.ty), Ok(()), "{} is no {}: {}", value, expr.ty, expr);
        }
    }

    #[test]
    fn nonsense_is_an_error_and_no_panic(expr in arbitrary::expr(), a in arbitrary::value(), b in arbitrary::value()) {
        let _ = evaluate(&expr, &Columns(Vec::new()));
        for function in Function::ALL {
            let _ = function.apply(&[a.clone(), b.clone()]);
            let _ = function.apply(std::slice::from_ref(&a));
        }
        let _ = convert(&a, &expr.ty);
    }
}
