//! Holds the dependency table of ARCHITECTURE.md.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

#[test]
fn crates_depend_only_on_those_the_table_allows() {
    let allowed = table();
    for (name, folder) in crates() {
        let found = our_dependencies(&folder);
        let allowed = allowed.get(&name).unwrap_or_else(|| panic!("ARCHITECTURE.md does not list `{name}`"));
        let excess: Vec<_> = found.difference(allowed).collect();
        assert!(excess.is_empty(), "`{name}` may not depend on {excess:?}");
        let unused: Vec<_> = allowed.difference(&found).collect();
        assert!(unused.is_empty(), "the table lets `{name}` depend on {unused:?}, which it does not");
    }
}

#[test]
fn heavy_dependencies_stay_behind_the_standard_library() {
    for (name, folder) in crates() {
        let dependencies = dependencies(&folder);
        assert!(
            name == "flow-stdlib" || !dependencies.contains("datafusion"),
            "`{name}` depends on DataFusion"
        );
        let may_use_arrow = ["flow-stdlib", "flow-runtime"].contains(&name.as_str());
        assert!(may_use_arrow || !dependencies.contains("arrow"), "`{name}` depends on Arrow");
    }
}

/// The rows of "Who may depend on whom".
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("## Who may depend on whom").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut table = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split('|').collect();
        let names = quoted(cells[1]);
        let allowed: BTreeSet<String> = quoted(cells[2]).into_iter().collect();
        for name in names {
            table.insert(name, allowed.clone());
        }
    }
    let all: BTreeSet<String> = table.keys().cloned().collect();
    for allowed in table.iter_mut().filter(|(name, _)| *name == "flowc").map(|(_, allowed)| allowed) {
        *allowed = all.iter().filter(|name| *name != "flowc").cloned().collect();
    }
    table
}

fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every package of the workspace: its name and folder.
fn crates() -> Vec<(String, std::path::PathBuf)> {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let mut folders: Vec<_> = members.iter().map(|member| root().join(member.as_str().unwrap())).collect();
    folders.push(root().to_path_buf());
    folders
        .into_iter()
        .map(|folder| {
            let manifest: toml::Table =
                fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
            (manifest["package"]["name"].as_str().unwrap().to_owned(), folder)
        })
        .collect()
}

fn our_dependencies(folder: &Path) -> BTreeSet<String> {
    dependencies(folder).into_iter().filter(|name| name.starts_with("flow-")).collect()
}

fn dependencies(folder: &Path) -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
    let dependencies =
        manifest.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    dependencies.keys().cloned().collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
