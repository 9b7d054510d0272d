//! Which texts count, and what is checked again after an edit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/disk.rs"]
mod disk;

use std::path::Path;

use disk::MemoryDisk;
use flow_lsp::{
    features::diagnostics,
    workspace::{Project, Workspace},
};

const RIDES: &str = "schema Ride { distance: Float, minutes: Float }\n";
const CLEAN: &str = "\
use rides.{Ride}

workflow clean(rides: Dataset<Ride>) -> (rides: Dataset<Ride>) {
    rides.where(.distance > 1.0)
}
";

#[test]
fn an_open_file_counts_until_it_is_closed() {
    let disk = MemoryDisk::with(&[("/project/rides.flow", RIDES), ("/project/clean.flow", CLEAN)]);
    let mut workspace = Workspace::new(Box::new(disk));
    let file = Path::new("/project/rides.flow");
    workspace.open(file, RIDES.replace("distance", "length")).unwrap();
    assert_eq!(wrong(&workspace), ["clean F0401"]);
    workspace.edit(file, RIDES.to_owned());
    assert_eq!(wrong(&workspace), [""; 0]);
    workspace.open(Path::new("/project/clean.flow"), CLEAN.to_owned()).unwrap();
    workspace.edit(file, String::new());
    assert_eq!(wrong(&workspace), ["clean F0201"]);
    workspace.close(file);
    assert_eq!(wrong(&workspace), [""; 0]);
}

#[test]
fn without_a_manifest_only_what_is_open_and_its_imports_are_checked() {
    let disk = MemoryDisk::with(&[
        ("/loose/rides.flow", RIDES),
        ("/loose/clean.flow", CLEAN),
        ("/loose/other.flow", "wrong"),
    ]);
    let mut workspace = Workspace::new(Box::new(disk));
    workspace.open(Path::new("/loose/clean.flow"), CLEAN.to_owned()).unwrap();
    assert_eq!(modules(&workspace), ["clean", "rides"]);
    workspace.edit(Path::new("/loose/clean.flow"), format!("use other\n{CLEAN}"));
    assert_eq!(modules(&workspace), ["clean", "other", "rides"]);
    workspace.edit(Path::new("/loose/clean.flow"), CLEAN.to_owned());
    workspace.synchronise();
    assert_eq!(modules(&workspace), ["clean", "rides"]);
    workspace.close(Path::new("/loose/clean.flow"));
    assert_eq!(workspace.projects().count(), 0);
}

#[test]
fn the_disk_may_change() {
    let disk = MemoryDisk::with(&[("/project/clean.flow", CLEAN)]);
    let mut workspace = Workspace::new(Box::new(disk.clone()));
    workspace.open(Path::new("/project/clean.flow"), CLEAN.to_owned()).unwrap();
    assert_eq!(wrong(&workspace), ["clean F0202"]);
    disk.write("/project/rides.flow", RIDES);
    workspace.synchronise();
    assert_eq!(wrong(&workspace), [""; 0]);
    disk.write("/project/clean.flow", "what the editor has counts");
    disk.write("/project/rides.flow", &RIDES.replace("distance", "length"));
    workspace.synchronise();
    assert_eq!(wrong(&workspace), ["clean F0401"]);
    disk.remove("/project/rides.flow");
    workspace.find_projects();
    assert_eq!(wrong(&workspace), ["clean F0202"]);
}

#[test]
fn a_file_without_a_project_is_kept_and_not_checked() {
    let mut workspace = Workspace::new(Box::new(MemoryDisk::default()));
    let file = Path::new("/nowhere/a.flow");
    assert_eq!(workspace.open(file, "wrong".to_owned()), Err("nobody can know that file".to_owned()));
    workspace.edit(file, "still wrong".to_owned());
    assert_eq!(workspace.text(file), Some("still wrong"));
    assert!(workspace.home(file).is_none());
    workspace.synchronise();
    workspace.close(file);
    assert_eq!(workspace.text(file), None);
}

#[test]
fn those_modules_come_first_that_somebody_looks_at() {
    let disk = MemoryDisk::with(&[("/project/a.flow", ""), ("/project/b.flow", ""), ("/project/c.flow", "")]);
    let mut workspace = Workspace::new(Box::new(disk));
    workspace.open(Path::new("/project/b.flow"), String::new()).unwrap();
    workspace.open(Path::new("/project/c.flow"), String::new()).unwrap();
    let project = project(&workspace);
    assert_eq!(project.modules(Some("c")), ["c", "b", "a"]);
    assert_eq!(project.modules(None), ["b", "c", "a"]);
}

#[test]
fn an_edit_checks_one_body_of_a_large_project_again() {
    const MODULES: usize = 60;
    let disk = MemoryDisk::default();
    for n in 0..MODULES {
        disk.write(&format!("/project/m{n}.flow"), &chained(n));
    }
    let mut workspace = Workspace::recording(Box::new(disk));
    let file = Path::new("/project/m7.flow");
    workspace.open(file, chained(7)).unwrap();
    assert_eq!(wrong(&workspace), [""; 0]);

    workspace.edit(file, chained(7).replace("* 2.0", "* 3.0"));
    let ran = check(&workspace);
    assert_eq!(count(&ran, "parse_item"), 1, "{ran:?}");
    assert_eq!(count(&ran, "checked_body"), 1, "{ran:?}");
    assert!(ran.len() < 20, "{ran:?}");

    workspace.edit(file, format!("// A line above.\n{}", chained(7)));
    let ran = check(&workspace);
    assert_eq!(count(&ran, "checked_body"), 1, "the edit before is undone: {ran:?}");

    workspace.edit(file, format!("// Two lines\n// above.\n{}", chained(7)));
    let ran = check(&workspace);
    assert_eq!(count(&ran, "parse_item") + count(&ran, "checked_body"), 0, "{ran:?}");

    // A signature that changes reaches those that call it, and nobody else.
    workspace.edit(file, chained(7).replace("(x: Float)", "(x: Float?)"));
    let ran = check(&workspace);
    assert!((2..=3).contains(&count(&ran, "checked_body")), "{ran:?}");
}

/// A module with a fn that calls that of the module before.
fn chained(n: usize) -> String {
    match n.checked_sub(1) {
        None => "fn speed0(x: Float) -> Float { x * 2.0 }\n".to_owned(),
        Some(before) => format!(
            "use m{before}.{{speed{before}}}\n\nfn speed{n}(x: Float) -> Float {{ speed{before}(x) * 2.0 }}\n"
        ),
    }
}

/// Checks the whole project; gives the queries that ran.
fn check(workspace: &Workspace) -> Vec<String> {
    let project = project(workspace);
    let check = |analysis: &_| {
        for module in project.modules(None) {
            diagnostics(analysis, &module);
        }
    };
    project.analysis().executed(check).1.unwrap()
}

fn count(ran: &[String], query: &str) -> usize {
    ran.iter().filter(|name| name.starts_with(&format!("{query}("))).count()
}

fn project(workspace: &Workspace) -> &Project {
    workspace.projects().next().unwrap()
}

fn modules(workspace: &Workspace) -> Vec<String> {
    let mut modules = project(workspace).modules(None);
    modules.sort();
    modules
}

/// Each module with the codes of what is wrong with it.
fn wrong(workspace: &Workspace) -> Vec<String> {
    let project = project(workspace);
    let mut found = Vec::new();
    for module in modules(workspace) {
        let of_module = diagnostics(project.analysis(), &module);
        found.extend(of_module.iter().map(|diagnostic| format!("{module} {}", diagnostic.code)));
    }
    found
}
