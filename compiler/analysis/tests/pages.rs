//! The examples on the diagnostics' pages: each failing one raises its code, each mended one raises nothing, and a fix
//! makes of a failing one a program without that code.
#![allow(clippy::unwrap_used, reason = "a test")]

use flow_analysis::Analysis;
use flow_syntax::diagnostic::{
    Diagnostic, apply_fixes,
    catalogue::{self, Example, Stage},
};

/// The codes whose failing example no fix mends: what is meant there, only its writer knows.
const WITHOUT_FIX: &[&str] = &[
    "F0101", "F0102", "F0103", "F0203", "F0204", "F0301", "F0302", "F0303", "F0304", "F0305", "F0306",
    "F0402", "F0404", "F0405", "F0406", "F0407", "F0502", "F0503", "F0602", "F0603", "F0606", "F0702",
    "F0703",
];

#[test]
fn pages() {
    let mut failures = Vec::new();
    for code in catalogue::codes() {
        let page = catalogue::page(code).unwrap();
        if page.stage == Stage::Check {
            let found = check(&page.failing);
            if found.is_empty() || found.iter().any(|diagnostic| diagnostic.code != code) {
                failures.push(format!("{code} fail: {}", list(&found)));
            }
        }
        let found = check(&page.mended);
        if !found.is_empty() {
            failures.push(format!("{code} mended: {}", list(&found)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn fixes_mend_the_failing_examples() {
    let mut without = Vec::new();
    for code in catalogue::codes() {
        let mut analysis = load(&catalogue::page(code).unwrap().failing);
        let applied = fix(&mut analysis);
        if applied == 0 {
            without.push(code.to_string());
            continue;
        }
        let found = all(&analysis);
        assert!(found.iter().all(|diagnostic| diagnostic.code != code), "{code} fixed: {}", list(&found));
        // What a mended import brings in may have been misspelled with it.
        fix(&mut analysis);
        let found = all(&analysis);
        assert!(!found.iter().any(Diagnostic::is_error), "{code} fixed: {}", list(&found));
    }
    assert_eq!(without, WITHOUT_FIX, "the codes whose mend is a decision");
}

/// Applies all fixes once, as `flowc check --fix` does; gives how many there were.
fn fix(analysis: &mut Analysis) -> usize {
    let mut applied = 0;
    for (module, found) in analysis.check_all() {
        let fixes = found.iter().filter_map(|found| found.fix.as_ref());
        let (text, count) = apply_fixes(analysis.text(&module).unwrap(), fixes);
        let path = analysis.path(&module).unwrap().to_owned();
        analysis.set_file(&module, &path, text);
        applied += count;
    }
    applied
}

fn check(example: &Example) -> Vec<Diagnostic> {
    all(&load(example))
}

fn load(example: &Example) -> Analysis {
    let mut analysis = Analysis::new();
    for (file, text) in &example.files {
        let module = file.trim_end_matches(".flow").replace('/', ".");
        analysis.set_file(&module, file, *text);
    }
    analysis
}

fn all(analysis: &Analysis) -> Vec<Diagnostic> {
    analysis.check_all().into_iter().flat_map(|(_, found)| found).collect()
}

fn list(found: &[Diagnostic]) -> String {
    let lines: Vec<String> = found.iter().map(|found| format!("{}: {}", found.code, found.message)).collect();
    lines.join("; ")
}
