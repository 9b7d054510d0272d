//! The language's rules as programs: every section of the Markdown files in `tests/golden/check/` is one project.
//!
//! In a fenced block marked `flow`, or `flow NAME` for a module of that name, `// error[F0401]: words` at a
//! line's end says which diagnostic begins there, by its code and words of its message or by its code alone, and
//! `// type: T` behind a `let` says what it binds, `// rows: …` which rows are behind it. Nothing else may be found. `BLESS=1` writes what is found into the
//! files, and `CASE=words` looks only at those whose path holds the words.
//!
//! A fenced block marked `diff` makes the innocent twin of the program before it, in which nothing may be found:
//! its lines ` ` and `-` are lines of the program, and those with ` ` and `+` come in their place. `@@` stands
//! between two places.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test, which reads its cases"
)]

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use flow_analysis::{
    Analysis,
    body::{Expr, ExprKind, Pattern},
    types::show,
};
use flow_syntax::diagnostic::{Diagnostic, Severity, apply_fixes};

#[test]
fn golden() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/check");
    let bless = std::env::var_os("BLESS").is_some();
    let filter = std::env::var("CASE").unwrap_or_default();
    let files = cases(&folder);
    assert!(!files.is_empty());
    let mut failures = String::new();
    for path in &files {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy();
        if !name.contains(&filter) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let found = annotate(&text, bless, &mut failures, &name);
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

/// Every program that leaks has an innocent twin; whatever else stands there is innocent itself.
#[test]
fn leaks_have_twins() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/check/leakage");
    let mut pairs = 0;
    for path in cases(&folder) {
        for section in read(&fs::read_to_string(&path).unwrap()) {
            let leaks = section.iter().any(|block| block.text.contains("// error[F06"));
            let has_twin = section.iter().any(|block| block.twin.is_some());
            assert_eq!(
                leaks,
                has_twin,
                "{}: {:?}",
                path.display(),
                section.first().map(|block| block.first_line)
            );
            pairs += usize::from(has_twin);
        }
    }
    assert!(pairs >= 148, "{pairs} pairs");
}

/// One fenced program: its module, the line its text begins at, its text, and what makes its twin.
struct Block {
    module: String,
    first_line: usize,
    text: String,
    twin: Option<Twin>,
}

/// The line that a `diff` begins at, and its lines.
struct Twin {
    first_line: usize,
    diff: Vec<String>,
}

/// What a line of Markdown stands in.
#[derive(PartialEq)]
enum Fence {
    None,
    Flow,
    Diff,
}

/// The file with what was found; where that is not what it says, `failures` tells.
fn annotate(text: &str, bless: bool, failures: &mut String, file: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let sections = read(text);
    for section in sections.iter().filter(|section| !section.is_empty()) {
        let mut analysis = Analysis::new();
        for block in section {
            analysis.set_file(&block.module, &format!("{}.flow", block.module), block.text.as_str());
        }
        for block in section {
            let found = findings(&analysis, block, failures);
            for (index, line) in block.text.lines().enumerate() {
                let (code, expected) = split(line);
                let found: Vec<&str> = found
                    .iter()
                    .filter(|(at, _)| *at == index)
                    .map(|(_, finding)| finding.as_str())
                    .collect();
                let is_wanted = |finding: &str| {
                    let asked = ["type: ", "rows: "].into_iter().find(|start| finding.starts_with(start));
                    asked.is_none_or(|asked| expected.iter().any(|comment| comment.starts_with(asked)))
                };
                let found: Vec<&str> = found.into_iter().filter(|finding| is_wanted(finding)).collect();
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
        check_twin(section, analysis, failures, file);
    }
    lines.join("\n") + "\n"
}

/// The programs of each section.
fn read(text: &str) -> Vec<Vec<Block>> {
    let mut sections: Vec<Vec<Block>> = vec![Vec::new()];
    let mut fence = Fence::None;
    for (number, line) in text.lines().enumerate() {
        let section = sections.last_mut().unwrap();
        match fence {
            Fence::None if line.starts_with('#') => sections.push(Vec::new()),
            Fence::None if line == "```diff" => {
                let block = section.last_mut().unwrap();
                assert!(block.twin.is_none(), "line {}: a second twin", number + 1);
                block.twin = Some(Twin { first_line: number + 1, diff: Vec::new() });
                fence = Fence::Diff;
            }
            Fence::None => {
                if let Some(info) = line.strip_prefix("```flow") {
                    let module = info.trim();
                    section.push(Block {
                        module: if module.is_empty() { "main" } else { module }.to_owned(),
                        first_line: number + 1,
                        text: String::new(),
                        twin: None,
                    });
                    fence = Fence::Flow;
                }
            }
            _ if line.starts_with("```") => fence = Fence::None,
            Fence::Flow => {
                let block = section.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            Fence::Diff => {
                let twin = section.last_mut().unwrap().twin.as_mut();
                twin.unwrap().diff.push(line.to_owned());
            }
        }
    }
    assert!(fence == Fence::None, "a fence stays open");
    sections
}

/// The twins of a section's programs: something was found in those, and nothing may be found in these.
fn check_twin(section: &[Block], mut analysis: Analysis, failures: &mut String, file: &str) {
    let twins: Vec<(&Block, &Twin)> =
        section.iter().filter_map(|block| Some((block, block.twin.as_ref()?))).collect();
    let Some((_, first)) = twins.first() else { return };
    if !section.iter().any(|block| block.text.lines().any(|line| !split(line).1.is_empty())) {
        writeln!(failures, "{file}:{}: the twin of a program in which nothing is found", first.first_line)
            .unwrap();
    }
    for (block, twin) in &twins {
        match twin.apply(&block.text) {
            Ok(text) => analysis.set_file(&block.module, &format!("{}.flow", block.module), text),
            Err(why) => writeln!(failures, "{file}:{}: {why}", twin.first_line).unwrap(),
        }
    }
    for block in section {
        for found in analysis.check(&block.module) {
            let text = analysis.text(&block.module).unwrap();
            let line = text[found.span.start as usize..].lines().next().unwrap_or_default();
            let Diagnostic { code, message, .. } = &found;
            writeln!(failures, "{file}:{}: the twin has {code}: {message}: {line}", first.first_line)
                .unwrap();
        }
    }
}

impl Twin {
    /// The twin's text.
    fn apply(&self, text: &str) -> Result<String, String> {
        let mut lines: Vec<&str> = text.lines().map(|line| split(line).0.trim_end()).collect();
        for hunk in self.diff.split(|line| line == "@@") {
            let without = |sign: char| -> Vec<&str> {
                hunk.iter()
                    .filter(|line| !line.starts_with(sign))
                    .map(|line| line.get(1..).unwrap_or(""))
                    .collect()
            };
            let (old, new) = (without('+'), without('-'));
            let is_here = |at: &usize| lines[*at..].starts_with(&old);
            let places: Vec<usize> = (0..lines.len()).filter(is_here).collect();
            let [at] = places[..] else {
                return Err(format!("these lines stand at {} places: {}", places.len(), old.join(" / ")));
            };
            lines.splice(at..at + old.len(), new);
        }
        Ok(lines.join("\n") + "\n")
    }
}

/// What is found in a module, by line.
fn findings(analysis: &Analysis, block: &Block, failures: &mut String) -> Vec<(usize, String)> {
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
        check_fix(&diagnostic, block, failures);
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
        // The last of a line is its `let`.
        let rows: BTreeMap<usize, String> = analysis
            .rows_of_lets(&block.module, &workflow)
            .into_iter()
            .map(|(span, rows)| (line_of(span.start), rows))
            .collect();
        found.extend(rows.into_iter().map(|(line, rows)| (line, format!("rows: {rows}"))));
    }
    found
}

/// A fix takes its diagnostic away, and adds none.
fn check_fix(diagnostic: &Diagnostic, block: &Block, failures: &mut String) {
    let Some(fix) = &diagnostic.fix else { return };
    let (text, _) = apply_fixes(&block.text, [fix]);
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
    if after >= before && before > 0 {
        writeln!(failures, "the fix of {diagnostic:?} leaves it in\n{text}").unwrap();
    }
    if errors_after > errors_before {
        writeln!(failures, "the fix of {diagnostic:?} adds errors in\n{text}").unwrap();
    }
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
    let is_ours = |comment: &str| {
        ["error[", "warning[", "type: ", "rows: "].iter().any(|start| comment.starts_with(start))
    };
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
                        && if ["type", "rows"].contains(&code) {
                            words == message
                        } else {
                            message.contains(words)
                        }
                }
                (None, _) => found.starts_with(expected),
                _ => false,
            }
        })
}
