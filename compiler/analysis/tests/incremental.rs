//! What is remembered: an edit runs the queries that it must, and no others.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../../tests/perf/project/generate.rs"]
mod generate;

use flow_analysis::{Analysis, Interrupt, Interrupted};

const CLEAN: &str = "\
schema Ride { distance: Float, minutes: Float, tipped: Label<Bool> }

fn speed(distance: Float, minutes: Float) -> Float { distance / minutes }

fn hours(minutes: Float) { minutes / 60.0 }

fn slow(speed: Float) -> Bool { speed < 10.0 }
";

const TRAIN: &str = "\
use clean.{Ride, hours, speed}
use std.tree

workflow train(rides: Dataset<Ride>) -> (model: Classifier) {
    let rides = rides.derive(speed: speed(.distance, .minutes), hours: hours(.minutes))
    tree.gbdt(rides)
}

workflow count(rides: Dataset<Ride>, least: Float = 1.0) -> (rides: Dataset<Ride>) {
    // Short rides are not counted.
    rides.where(.distance > least)
}

workflow twice(rides: Dataset<Ride>) -> (rides: Dataset<Ride>) {
    count(count(rides).rides, least: 2.0).rides
}
";

/// What the first check runs; a query that is renamed must not pass for one that did not run.
const QUERIES: &[&str] = &[
    "body_type",
    "checked_body",
    "defaults",
    "definitions",
    "header",
    "import_cycles",
    "items",
    "module_diagnostics",
    "needs",
    "parse_item",
    "provenance",
    "recursion_among",
    "references",
    "scope",
    "summary",
    "type_item",
    "workflow_outputs",
];

fn project() -> Analysis {
    let mut analysis = Analysis::recording();
    analysis.set_file("clean", "clean.flow", CLEAN);
    analysis.set_file("train", "train.flow", TRAIN);
    let (found, ran) = analysis.executed(Analysis::check_all);
    assert!(found.iter().all(|(_, found)| found.is_empty()), "{found:?}");
    let ran = Ran(ran.unwrap());
    assert!(QUERIES.iter().all(|query| ran.count(query) > 0), "{ran:?}");
    analysis
}

/// The queries that a check runs after `from` in a module has become `to`, and how many mistakes it finds.
fn after_edit(module: &str, from: &str, to: &str) -> (Ran, usize) {
    let mut analysis = project();
    let before = analysis.text(module).unwrap().to_owned();
    let after = before.replace(from, to);
    assert_ne!(before, after);
    analysis.set_file(module, "", after);
    let (found, ran) = analysis.executed(Analysis::check_all);
    (Ran(ran.unwrap()), found.iter().map(|(_, found)| found.len()).sum())
}

/// The queries that ran.
#[derive(Debug)]
struct Ran(Vec<String>);

impl Ran {
    /// How often a query ran.
    fn count(&self, query: &str) -> usize {
        self.0.iter().filter(|name| name.starts_with(&format!("{query}("))).count()
    }

    #[track_caller]
    fn assert(&self, expected: &[(&str, usize)]) {
        for (query, times) in expected {
            assert!(QUERIES.contains(query), "`{query}` is no query of the first check");
            assert_eq!(self.count(query), *times, "{query}: {self:?}");
        }
    }
}

#[test]
fn nothing_runs_again_without_an_edit() {
    let (_, ran) = project().executed(Analysis::check_all);
    assert_eq!(ran, Some(Vec::new()));
}

#[test]
fn an_edited_test_is_checked_alone() {
    const TESTS: &str = "\
use train.{count, twice}

test \"one node\" { assert plan(count()).depth == 2 }

test \"of two\" { assert simulate(twice()).attempts(\"rides\") == 1 }
";
    let mut analysis = project();
    analysis.set_file("tests", "tests.flow", TESTS);
    assert_eq!(analysis.check("tests"), []);
    analysis.set_file("tests", "tests.flow", TESTS.replace("depth == 2", "width == 1"));
    let (found, ran) = analysis.executed(|analysis| analysis.check("tests"));
    assert_eq!(found, []);
    let ran = Ran(ran.unwrap());
    ran.assert(&[("parse_item", 1), ("checked_body", 1), ("references", 1), ("module_diagnostics", 1)]);
    ran.assert(&[("provenance", 0), ("definitions", 0), ("scope", 0), ("recursion_among", 0)]);
}

#[test]
fn an_edited_body_is_checked_alone() {
    let (ran, _) = after_edit("train", ".distance > least", ".minutes > least");
    ran.assert(&[
        ("items", 1),
        ("parse_item", 1),
        ("header", 1),
        ("checked_body", 1),
        ("module_diagnostics", 1),
        ("references", 1),
    ]);
    // It mentions the same names as before.
    ran.assert(&[("definitions", 0), ("scope", 0), ("type_item", 0), ("needs", 0), ("recursion_among", 0)]);
}

#[test]
fn a_body_that_mentions_other_names_is_no_news_to_other_modules() {
    let (ran, _) = after_edit("clean", "{ speed < 10.0 }", "{ hours(speed) < 10.0 }");
    ran.assert(&[("checked_body", 1), ("needs", 1), ("recursion_among", 1), ("import_cycles", 0)]);
    ran.assert(&[("definitions", 0), ("scope", 0), ("type_item", 0), ("module_diagnostics", 1)]);
}

#[test]
fn an_edited_comment_changes_no_type() {
    let (ran, _) = after_edit("train", "Short rides", "Rides that are short");
    ran.assert(&[("parse_item", 1), ("checked_body", 1), ("module_diagnostics", 1)]);
    ran.assert(&[
        ("scope", 0),
        ("type_item", 0),
        ("needs", 0),
        ("recursion_among", 0),
        ("workflow_outputs", 0),
    ]);
}

#[test]
fn where_rows_come_from_reaches_callers_only_when_it_is_elsewhere() {
    let (ran, _) = after_edit("train", "Short rides", "Rides that are short");
    ran.assert(&[("provenance", 1), ("summary", 0)]);
    // Other rows are counted, twice.
    let (ran, _) = after_edit("train", ".distance > least", ".minutes > least");
    ran.assert(&[("provenance", 2), ("summary", 1)]);
    // No table is in it.
    let (ran, _) = after_edit("clean", "distance / minutes", "distance / minutes * 60.0");
    ran.assert(&[("provenance", 0), ("summary", 0)]);
}

#[test]
fn items_that_only_move_are_not_read_again() {
    let (ran, _) = after_edit("train", "use clean", "// A comment above.\n\nuse clean");
    ran.assert(&[("items", 1), ("parse_item", 0), ("checked_body", 0), ("module_diagnostics", 0)]);
}

#[test]
fn the_body_of_a_fn_that_says_its_type_is_nothing_to_its_callers() {
    let (ran, _) = after_edit("clean", "distance / minutes", "distance / minutes * 60.0");
    ran.assert(&[("checked_body", 1), ("body_type", 0), ("module_diagnostics", 1)]);
}

#[test]
fn the_body_of_a_fn_that_does_not_reaches_its_callers_only_with_another_type() {
    let (ran, mistakes) = after_edit("clean", "minutes / 60.0", "minutes / 3600.0");
    ran.assert(&[("checked_body", 1), ("body_type", 1), ("module_diagnostics", 1)]);
    assert_eq!(mistakes, 0);

    let (ran, mistakes) = after_edit("clean", "minutes / 60.0", "minutes > 60.0");
    // The fn and `train`.
    ran.assert(&[("checked_body", 2), ("body_type", 1)]);
    assert_eq!(mistakes, 0);
}

#[test]
fn a_changed_schema_reaches_all_that_read_it_and_no_others() {
    let (ran, mistakes) = after_edit("clean", "minutes: Float, tipped", "seconds: Float, tipped");
    // The schema; the three workflows, with those that they call.
    ran.assert(&[("parse_item", 1), ("type_item", 1), ("header", 3), ("checked_body", 3)]);
    ran.assert(&[("scope", 0), ("needs", 0), ("recursion_among", 0)]);
    assert_eq!(mistakes, 2, "each place that reads the column");
}

#[test]
fn a_new_item_leaves_the_others_as_they_are() {
    let (ran, _) =
        after_edit("clean", "fn slow", "fn fast(speed: Float) -> Bool { speed > 50.0 }\n\nfn slow");
    ran.assert(&[("parse_item", 1), ("checked_body", 1), ("definitions", 1)]);
    // The module's own headers are read again, since its names are others; what `train` imports is as it was.
    ran.assert(&[("header", 4), ("type_item", 1), ("scope", 2), ("module_diagnostics", 1)]);
}

#[test]
fn a_renamed_parameter_reaches_the_callers() {
    let (ran, mistakes) = after_edit("train", "least", "shortest");
    // `count`, and `twice`, which is edited as well since it names the parameter.
    ran.assert(&[("parse_item", 2), ("header", 2), ("checked_body", 2), ("defaults", 1)]);
    assert_eq!(mistakes, 0);

    let (ran, mistakes) = after_edit("clean", "speed: Float", "value: Float");
    ran.assert(&[("parse_item", 1), ("header", 1), ("checked_body", 1)]);
    assert_eq!(mistakes, 1);
}

#[test]
fn a_removed_module_is_missed() {
    let mut analysis = project();
    analysis.remove_file("clean");
    let codes: Vec<u16> = analysis.check("train").iter().map(|found| found.code.0).collect();
    assert_eq!(codes, [202]);
}

/// A generated project, and how many queries its first check ran.
fn generated(modules: usize) -> (Analysis, usize) {
    let mut analysis = Analysis::recording();
    for (module, text) in generate::project(modules, modules * 200) {
        analysis.set_file(&module, "", text);
    }
    let (found, ran) = analysis.executed(Analysis::check_all);
    assert!(found.iter().all(|(_, found)| found.is_empty()));
    (analysis, ran.unwrap().len())
}

#[test]
fn twice_the_modules_are_twice_the_queries() {
    let [small, middle, large] = [20, 40, 80].map(|modules| generated(modules).1);
    let (first, second) = (middle - small, large - middle);
    assert!(second.abs_diff(2 * first) <= first / 50, "{small}, {middle}, {large}");
}

#[test]
fn an_edit_costs_the_same_in_a_large_project() {
    let ran = [20, 40].map(|modules| {
        let (mut analysis, _) = generated(modules);
        let module = generate::name(10);
        let text = analysis.text(&module).unwrap().replacen("trees: 20", "trees: 21", 1);
        analysis.set_file(&module, "", text);
        let (_, ran) = analysis.executed(Analysis::check_all);
        let mut names: Vec<String> =
            ran.unwrap().iter().map(|name| name.split('(').next().unwrap().to_owned()).collect();
        names.sort();
        names
    });
    assert_eq!(ran[0], ran[1]);
    assert_eq!(ran[0].iter().filter(|name| *name == "checked_body").count(), 1);
}

#[test]
fn the_order_of_what_is_found_does_not_depend_on_threads() {
    let mut texts = generate::project(60, 60 * 50);
    for (_, text) in &mut texts {
        *text = text.replace("trees: 20", "leaf: 20").replace(".distance >", ".distence >");
    }
    let check = || {
        let mut analysis = Analysis::new();
        for (module, text) in &texts {
            analysis.set_file(module, "", text.clone());
        }
        let one_by_one: Vec<_> =
            analysis.modules().into_iter().map(|module| (module.clone(), analysis.check(&module))).collect();
        let mut fresh = Analysis::new();
        for (module, text) in &texts {
            fresh.set_file(module, "", text.clone());
        }
        (one_by_one, fresh.check_all())
    };
    let (one_by_one, at_once) = check();
    assert!(one_by_one.iter().filter(|(_, found)| found.len() > 1).count() >= 60);
    assert_eq!(one_by_one, at_once);
}

#[test]
fn interrupted_work_stops_and_nothing_is_lost() {
    let mut analysis = project();
    let interrupt = Interrupt::default();
    let interrupted = analysis.interruptible(&interrupt, |analysis| {
        interrupt.interrupt();
        analysis.check("train")
    });
    assert_eq!(interrupted, Err(Interrupted));
    // Nobody listened, so that the next work runs to its end.
    interrupt.interrupt();
    analysis.set_file("clean", "clean.flow", CLEAN.replace("distance / minutes", "distance"));
    let (found, ran) = analysis
        .executed(|analysis| analysis.interruptible(&interrupt, |analysis| analysis.check("clean")).unwrap());
    assert_eq!(found, []);
    Ran(ran.unwrap()).assert(&[("checked_body", 1)]);
    // An interruption that came too late to be noticed stops nothing that follows.
    assert_eq!(analysis.interruptible(&interrupt, |_| interrupt.interrupt()), Ok(()));
    assert_eq!(analysis.check_all().len(), 2);
}

#[test]
fn an_edited_text_is_checked_as_any_other() {
    let mut analysis = project();
    for _ in 0..2 {
        analysis.edit_file("clean", "clean.flow", CLEAN.replace("minutes: Float, tipped", "tipped"));
        assert_ne!(analysis.check("train"), []);
        analysis.edit_file("clean", "clean.flow", CLEAN);
        assert_eq!(analysis.check("train"), []);
        analysis.remove_file("clean");
        assert_ne!(analysis.check("train"), []);
        analysis.set_file("clean", "clean.flow", CLEAN);
        assert_eq!(analysis.check("train"), []);
    }
}
