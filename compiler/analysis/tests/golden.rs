//! The language's rules as programs: every section of the Markdown files in `tests/golden/check/` is one project.
//!
//! In a fenced block marked `flow`, or `flow NAME` for a module of that name, `// error[F0401]: words` at a
//! line's end says which diagnostic begins there, by its code and words of its message, and `// type: T` behind a
//! `let` says what it binds. Nothing else may be found. `BLESS=1` writes what is found into the files.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test, which reads its cases"
)]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use flow_analysis::{
    Analysis,
    body::{Expr, ExprKind, Pattern},
    types::show,
};
use flow_syntax::diagnostic::{Diagnostic, Severity};

#[test]
fn golden() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/check");
    let bless = std::env::var_os("BLESS").is_some();
    let filter = std::env::var("CASE").unwrap_or_default();
    let files = cases(&folder);
    assert!(!files.is_empty());
    let mut failures = String::new();
    for path in files.iter().filter(|path| path.to_string_lossy().contains(&filter)) {
        let text = fs::read_to_string(path).unwrap();
        let found =
            annotate(&text, bless, &mut failures, &path.strip_prefix(&folder).unwrap().to_string_lossy());
        if bless && found != text {
            fs::write(path, found).unwrap();
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// The Markdown files of a folder and of those in it, in order.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let is_case = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let files = |path: PathBuf| if path.is_dir() { cases(&path) } else { vec![path] };
    entries.into_iter().flat_map(files).filter(is_case).collect()
}

/// One fenced block: its module, the line its text begins at, and its text.
struct Block {
    module: String,
    first_line: usize,
    text: String,
}

/// The file with what was found; where that is not what it says, `failures` tells.
fn annotate(text: &str, bless: bool, failures: &mut String, file: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut sections: Vec<Vec<Block>> = vec![Vec::new()];
    let mut open: Option<Block> = None;
    for (number, line) in lines.iter().enumerate() {
        match &mut open {
            None if line.starts_with('#') => sections.push(Vec::new()),
            None => {
                if let Some(info) = line.strip_prefix("```flow") {
                    let module = info.trim();
                    let module = if module.is_empty() { "main" } else { module };
                    open = Some(Block {
                        module: module.to_owned(),
                        first_line: number + 1,
                        text: String::new(),
                    });
                }
            }
            Some(_) if line.starts_with("```") => sections.last_mut().unwrap().extend(open.take()),
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
    }
    for section in sections.iter().filter(|section| !section.is_empty()) {
        let mut analysis = Analysis::new();
        for block in section {
            analysis.set_file(&block.module, &format!("{}.flow", block.module), block.text.as_str());
        }
        for block in section {
            let found = findings(&analysis, block);
            for (index, line) in block.text.lines().enumerate() {
                let (code, expected) = split(line);
                let found: Vec<&str> = found
                    .iter()
                    .filter(|(at, _)| *at == index)
                    .map(|(_, finding)| finding.as_str())
                    .collect();
                let wants_type = expected.iter().any(|comment| comment.starts_with("type: "));
                let found: Vec<&str> = found
                    .into_iter()
                    .filter(|finding| wants_type || !finding.starts_with("type: "))
                    .collect();
                let number = block.first_line + index;
                if bless {
                    let comments: String = found.iter().map(|finding| format!(" // {finding}")).collect();
                    lines[number] = format!("{}{comments}", code.trim_end());
                } else if !agree(&expected, &found) {
                    writeln!(failures, "{file}:{}: expected {expected:?}, found {found:?}", number + 1)
                        .unwrap();
                }
            }
        }
    }
    lines.join("\n") + "\n"
}

/// What is found in a module, by line.
fn findings(analysis: &Analysis, block: &Block) -> Vec<(usize, String)> {
    let line_of = |offset: u32| block.text[..offset as usize].matches('\n').count();
    let mut found: Vec<(usize, String)> = Vec::new();
    for diagnostic in analysis.check(&block.module) {
        let word = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        found.push((
            line_of(diagnostic.span.start),
            format!("{word}[{}]: {}", diagnostic.code, diagnostic.message),
        ));
        check_fix(&diagnostic, block);
    }
    for workflow in analysis.workflows(&block.module) {
        let item = flow_analysis::body::ItemRef { module: block.module.clone(), name: workflow.clone() };
        let offset = analysis.item_offset(&item).unwrap();
        if let Some(body) = analysis.workflow_body(&block.module, &workflow) {
            let mut value = body.value.clone();
            // The first of a line is its `let`; what follows are the parameters of lambdas called there.
            let mut lines = Vec::new();
            bindings(&mut value, &mut |span, ty| {
                let line = line_of(span + offset);
                if !lines.contains(&line) {
                    lines.push(line);
                    found.push((line, format!("type: {ty}")));
                }
            });
        }
    }
    found
}

/// A fix takes its diagnostic away, and adds none.
fn check_fix(diagnostic: &Diagnostic, block: &Block) {
    let Some(fix) = &diagnostic.fix else { return };
    let mut text = block.text.clone();
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    for edit in edits {
        text.replace_range(edit.span.range(), &edit.text);
    }
    let count = |text: &str| {
        let mut analysis = Analysis::new();
        analysis.set_file("main", "main.flow", text);
        let found = analysis.check("main");
        let same = found
            .iter()
            .filter(|found| (found.code, &found.message) == (diagnostic.code, &diagnostic.message));
        (same.count(), found.iter().filter(|found| found.is_error()).count())
    };
    let ((before, errors_before), (after, errors_after)) = (count(&block.text), count(&text));
    assert!(after < before || before == 0, "the fix of {diagnostic:?} leaves it in\n{text}");
    assert!(errors_after <= errors_before, "the fix of {diagnostic:?} adds errors in\n{text}");
}

fn bindings(expr: &mut Expr, visit: &mut dyn FnMut(u32, String)) {
    if let ExprKind::Block { bindings, .. } = &expr.kind {
        for binding in bindings {
            if let Pattern::Local(local) = &binding.pattern {
                let ty = local.ty.ground().map_or_else(|| "error".to_owned(), |ty| show(&ty));
                visit(binding.span.start, ty);
            }
        }
    }
    expr.for_each_child_mut(&mut |child| bindings(child, visit));
}

/// A line's code, and the comments that expect something.
fn split(line: &str) -> (&str, Vec<&str>) {
    let is_ours =
        |comment: &str| ["error[", "warning[", "type: "].iter().any(|start| comment.starts_with(start));
    let Some(start) = line.match_indices("// ").map(|(at, _)| at).find(|at| is_ours(&line[at + 3..])) else {
        return (line, Vec::new());
    };
    let comments = line[start + 3..].split(" // ").collect();
    (&line[..start], comments)
}

fn agree(expected: &[&str], found: &[&str]) -> bool {
    expected.len() == found.len()
        && expected.iter().zip(found).all(|(expected, found)| {
            match (expected.split_once(": "), found.split_once(": ")) {
                (Some((code, words)), Some((found_code, message))) => {
                    code == found_code
                        && if code == "type" { words == message } else { message.contains(words) }
                }
                _ => false,
            }
        })
}
