//! However deep a text nests, parsing and walking its tree take bounded stack.

use flow_syntax::ast::{Item, ItemKind};
use flow_syntax::lex::{MAX_CHAIN, MAX_NESTING};
use flow_syntax::parse::{parse, parse_expression, parse_item};

/// Less than any thread has.
const STACK: usize = 1 << 20;

fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(test).unwrap().join().unwrap();
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}x{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    on_small_stack(|| {
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("a[", "]"), ("\"{", "}\"")] {
            let (_, diagnostics) = parse_expression(&nested(open, close, MAX_NESTING));
            assert_eq!(diagnostics, [], "{open}");
        }
        for (open, close) in [("if a { ", " }"), ("for a in b { ", " }"), ("match a { b => ", " }")] {
            let (_, diagnostics) = parse_expression(&nested(open, close, MAX_NESTING / 2));
            assert_eq!(diagnostics, [], "{open}");
        }
        let item = format!("type T = {}", nested("List<", ">", MAX_NESTING).replace('x', "{ a: Int }"));
        assert_eq!(parse_item(&item).diagnostics, []);
    });
}

#[test]
fn nesting_beyond_it_is_one_error() {
    on_small_stack(|| {
        let depths = [MAX_NESTING + 1, 100_000];
        for depth in depths {
            for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("\"{", "}\""), ("(", "")]
            {
                let (_, diagnostics) = parse_expression(&nested(open, close, depth));
                assert_eq!(diagnostics.len(), 1, "{open} {depth}: {:?}", diagnostics.first());
                assert!(diagnostics[0].message.contains("nested more than 200 deep"), "{diagnostics:?}");
            }
        }
    });
}

#[test]
fn chains_beyond_the_limit_are_one_error() {
    on_small_stack(|| {
        for link in ["- ", "not ", "a + ", "a ** ", "a.", "a ?? ", "if a { } else ", "() => "] {
            for count in [MAX_CHAIN + 1, 50_000] {
                let (_, diagnostics) = parse_expression(&format!("{}x", link.repeat(count)));
                assert_eq!(diagnostics.len(), 1, "{link}");
                assert!(diagnostics[0].message.contains("more than 500"), "{diagnostics:?}");
            }
        }
        for link in ["()", "[0]", ".a", ".a()"] {
            let (_, diagnostics) = parse_expression(&format!("x{}", link.repeat(MAX_CHAIN + 1)));
            assert_eq!(diagnostics.len(), 1, "{link}");
        }
        let optional = format!("type T = A{}", " ?".repeat(MAX_CHAIN + 1));
        assert_eq!(parse_item(&optional).diagnostics.len(), 1);
        let types = format!("type T = {}", nested("List<", ">", MAX_CHAIN + 1));
        assert_eq!(parse_item(&types).diagnostics.len(), 1);
    });
}

#[test]
fn long_lists_and_blocks_are_no_deep_ones() {
    on_small_stack(|| {
        let (_, diagnostics) = parse_expression(&format!("[{}]", "a + b, ".repeat(10_000)));
        assert_eq!(diagnostics, []);
        let item = format!("fn f() {{\n{}}}", "    let a = b.c(d) + if e { f } else { g }\n".repeat(10_000));
        assert_eq!(parse_item(&item).diagnostics, []);
    });
}

#[test]
fn an_item_too_deep_leaves_the_others() {
    let text = format!("const A = {}\nconst B = 1\n", nested("(", ")", 1000));
    let (file, diagnostics) = parse(&text);
    assert_eq!(diagnostics.len(), 1);
    let kinds: Vec<bool> =
        file.items.iter().map(|(_, Item { kind, .. })| matches!(kind, ItemKind::Error)).collect();
    assert_eq!(kinds, [true, false]);
}

/// Texts on which a careless look-ahead takes quadratic time.
#[test]
fn time_grows_with_the_text_alone() {
    let seconds = |text: &str| {
        let began = std::time::Instant::now();
        parse(text);
        began.elapsed().as_secs_f64()
    };
    for (start, part) in [
        ("const A = \"", "\\u"),
        ("", "é "),
        ("fn f() { ", ")"),
        ("", "("),
        ("", "}"),
        ("", "/// a\n"),
        ("const A = (", "a, "),
        ("fn f() {\n", "1 2\n"),
        ("fn f() {\n", "let a = f(\n"),
        ("", "\"\n"),
        ("", "' "),
    ] {
        let short = seconds(&format!("{start}{}", part.repeat(5_000)));
        let long = seconds(&format!("{start}{}", part.repeat(40_000)));
        // Eight times the text; quadratic time would be 64 times as much.
        assert!(long < 32.0 * short + 0.1, "{start:?} {part:?}: {short} s, {long} s");
    }
}
