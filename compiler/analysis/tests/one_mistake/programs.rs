//! The sound programs that mistakes are planted in.

use std::{
    fs,
    path::{Path, PathBuf},
};

use flow_analysis::Analysis;
use flow_syntax::diagnostic::{Diagnostic, catalogue};

/// A program without a mistake: its modules, by name.
#[derive(Clone, Debug)]
pub struct Program {
    pub name: String,
    pub modules: Vec<(String, String)>,
}

/// The examples, the mended examples of the catalogue, every section of `tests/golden/check` less the lines that
/// are wrong, and those of this test's own folder.
pub fn programs() -> Vec<Program> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut programs = Vec::new();
    for folder in ["../../examples", "tests/one_mistake/programs"] {
        for path in files(&root.join(folder), "flow") {
            programs.push(single(&path, fs::read_to_string(&path).unwrap()));
        }
    }
    for code in catalogue::codes() {
        let files = catalogue::page(code).unwrap().mended.files.clone();
        let modules = files
            .iter()
            .map(|(file, text)| (file.trim_end_matches(".flow").replace('/', "."), (*text).to_owned()));
        programs.push(Program { name: format!("page {code}"), modules: modules.collect() });
    }
    for path in files(&root.join("../../tests/golden/check"), "md") {
        programs.extend(sections(&path));
    }
    programs.retain(|program| errors(&mut Analysis::new(), &program.modules).is_empty());
    programs
}

/// The errors of a program's modules, with the module they are in.
pub fn errors(analysis: &mut Analysis, modules: &[(String, String)]) -> Vec<(usize, Diagnostic)> {
    for (module, text) in modules {
        analysis.set_file(module, &format!("{module}.flow"), text.as_str());
    }
    let found = modules
        .iter()
        .enumerate()
        .flat_map(|(index, (module, _))| analysis.check(module).into_iter().map(move |found| (index, found)));
    found.filter(|(_, found)| found.is_error()).collect()
}

fn single(path: &Path, text: String) -> Program {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    Program { modules: vec![("main".to_owned(), text)], name }
}

/// The sections of a golden file, each without the lines on which an error is expected.
fn sections(path: &Path) -> Vec<Program> {
    let file = path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut programs: Vec<Program> = Vec::new();
    let mut inside = false;
    for line in fs::read_to_string(path).unwrap().lines() {
        if line.starts_with("```") {
            inside = !inside && line.starts_with("```flow");
            if let (true, Some(info)) = (inside, line.strip_prefix("```flow")) {
                let module = if info.trim().is_empty() { "main" } else { info.trim() };
                let modules = &mut programs.last_mut().unwrap().modules;
                modules.push((module.to_owned(), String::new()));
            }
        } else if inside {
            let (_, text) = programs.last_mut().unwrap().modules.last_mut().unwrap();
            let code = line.split(" // ").next().unwrap_or_default();
            if !line.contains("// error[") {
                text.push_str(code.trim_end());
                text.push('\n');
            }
        } else if let Some(title) = line.strip_prefix('#') {
            let name = format!("{file}: {}", title.trim_start_matches('#').trim());
            programs.push(Program { name, modules: Vec::new() });
        }
    }
    programs.retain(|program| !program.modules.is_empty());
    programs
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
