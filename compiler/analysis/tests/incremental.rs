//! What is remembered: an edit runs the queries that it must, and no others.
#![allow(clippy::unwrap_used, reason = "a test")]

use flow_analysis::Analysis;

const CLEAN: &str = "\
schema Ride { distance: Float, minutes: Float, tipped: Label<Bool> }

fn speed(distance: Float, minutes: Float) -> Float { distance / minutes }

fn slow(speed: Float) -> Bool { speed < 10.0 }
";

const TRAIN: &str = "\
use clean.{Ride, speed}
use std.tree

workflow train(rides: Dataset<Ride>) -> (model: Classifier) {
    let rides = rides.derive(speed: speed(.distance, .minutes))
    tree.gbdt(rides)
}

workflow count(rides: Dataset<Ride>, least: Float = 1.0) -> (rides: Dataset<Ride>) {
    rides.where(.distance > least)
}
";

fn project() -> Analysis {
    let mut analysis = Analysis::new();
    analysis.set_file("clean", "clean.flow", CLEAN);
    analysis.set_file("train", "train.flow", TRAIN);
    let found = analysis.check_all();
    assert!(found.iter().all(|(_, found)| found.is_empty()), "{found:?}");
    analysis
}

/// How often a query ran.
fn count(ran: &[String], query: &str) -> usize {
    ran.iter().filter(|name| name.starts_with(&format!("{query}("))).count()
}

#[test]
fn nothing_runs_again_without_an_edit() {
    let analysis = project();
    let (_, ran) = analysis.executed(Analysis::check_all);
    assert_eq!(ran, Vec::<String>::new());
}

#[test]
fn an_edited_body_is_checked_alone() {
    let mut analysis = project();
    let edited = TRAIN.replace(".distance > least", ".minutes > least");
    analysis.set_file("train", "train.flow", edited);
    let (_, ran) = analysis.executed(Analysis::check_all);
    assert_eq!(count(&ran, "parse_item"), 1, "{ran:?}");
    assert_eq!(count(&ran, "checked_body"), 1, "{ran:?}");
    assert_eq!(count(&ran, "scope"), 0, "{ran:?}");
    assert_eq!(count(&ran, "callable"), 0, "{ran:?}");
    assert_eq!(count(&ran, "type_item"), 0, "{ran:?}");
    assert_eq!(count(&ran, "recursion"), 0, "{ran:?}");
}

#[test]
fn items_that_only_move_are_not_read_again() {
    let mut analysis = project();
    analysis.set_file("train", "train.flow", format!("// A comment above.\n\n{TRAIN}"));
    let (_, ran) = analysis.executed(Analysis::check_all);
    assert_eq!(count(&ran, "parse_item"), 0, "{ran:?}");
    assert_eq!(count(&ran, "checked_body"), 0, "{ran:?}");
}

#[test]
fn the_body_of_a_fn_is_nothing_to_its_callers() {
    let mut analysis = project();
    analysis.set_file(
        "clean",
        "clean.flow",
        CLEAN.replace("distance / minutes", "distance / minutes * 60.0"),
    );
    let (_, ran) = analysis.executed(Analysis::check_all);
    assert_eq!(count(&ran, "checked_body"), 1, "{ran:?}");
}

#[test]
fn a_changed_schema_reaches_all_that_read_it() {
    let mut analysis = project();
    analysis.set_file(
        "clean",
        "clean.flow",
        CLEAN.replace("minutes: Float, tipped", "seconds: Float, tipped"),
    );
    let (found, ran) = analysis.executed(|analysis| analysis.check("train"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found.first().unwrap().code.0, 401);
    assert!(count(&ran, "checked_body") >= 2, "{ran:?}");
}

#[test]
fn a_removed_module_is_missed() {
    let mut analysis = project();
    analysis.remove_file("clean");
    let codes: Vec<u16> = analysis.check("train").iter().map(|found| found.code.0).collect();
    assert_eq!(codes, [202]);
}
