//! The examples on the diagnostics' pages: each failing one raises its code, each mended one raises nothing.
#![allow(clippy::unwrap_used, reason = "a test")]

use flow_analysis::Analysis;
use flow_syntax::diagnostic::{
    Diagnostic,
    catalogue::{self, Example, Stage},
};

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

fn check(example: &Example) -> Vec<Diagnostic> {
    let mut analysis = Analysis::new();
    for (file, text) in &example.files {
        let module = file.trim_end_matches(".flow").replace('/', ".");
        analysis.set_file(&module, file, *text);
    }
    analysis.check_all().into_iter().flat_map(|(_, found)| found).collect()
}

fn list(found: &[Diagnostic]) -> String {
    let lines: Vec<String> = found.iter().map(|found| format!("{}: {}", found.code, found.message)).collect();
    lines.join("; ")
}
