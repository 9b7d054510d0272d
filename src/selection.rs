//! The files that a command is about, by the projects they belong to: each file's is the nearest one upwards, so that
//! a folder of several projects can be checked and tested as a whole.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use crate::{
    exit::Failure,
    project::{Folders, Project, absolute, flow_files},
};

/// A project, and those of its modules that a command is about.
pub struct Selected {
    pub project: Project,
    /// Their names, each once.
    pub modules: Vec<String>,
}

/// Loads what files and folders name, or the project that `.` belongs to where there are none.
pub fn load(paths: &[PathBuf], root: Option<&Path>) -> Result<Vec<Selected>, Failure> {
    let load = |(folders, files): (Folders, Vec<PathBuf>)| {
        let mut project = Project::new(folders);
        let modules = files.iter().map(|file| project.load(file)).collect::<Result<_, _>>()?;
        Ok(Selected { project, modules })
    };
    by_project(paths, root)?.into_iter().map(load).collect()
}

/// The files themselves, as they would be loaded.
pub fn files(paths: &[PathBuf], root: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    Ok(by_project(paths, root)?.into_iter().flat_map(|(_, files)| files).collect())
}

fn by_project(paths: &[PathBuf], root: Option<&Path>) -> Result<Vec<(Folders, Vec<PathBuf>)>, Failure> {
    let mut found: Vec<(Folders, Vec<PathBuf>)> = Vec::new();
    let mut seen = HashSet::new();
    let whole = [PathBuf::from(".")];
    for path in if paths.is_empty() { &whole } else { paths } {
        let start = start(path, root, &found)?;
        let files = flow_files(if paths.is_empty() { &start.source } else { path })?;
        if find(&mut found, &start.root).is_none() {
            found.push((start.clone(), Vec::new()));
        }
        for file in files {
            let absolute = absolute(&file)?;
            let below = if root.is_none() { start.nested_root(&absolute) } else { None };
            if let Some(below) = below
                && find(&mut found, below).is_none()
            {
                found.push((Folders::find(below, None)?, Vec::new()));
            }
            let own = below.unwrap_or(&start.root);
            let Some((folders, files)) = find(&mut found, own) else { continue };
            // What lies in a project below and is none of its sources is left out, as it is by a command there.
            let is_module = below.is_none() || absolute.starts_with(&folders.source);
            if is_module && seen.insert(absolute.clone()) {
                files.push(file);
            }
        }
    }
    found.retain(|(folders, files)| !files.is_empty() || folders.has_manifest());
    Ok(found)
}

/// The project that a path belongs to; what no manifest stands above belongs to the folder named before it, if to any.
fn start(path: &Path, root: Option<&Path>, found: &[(Folders, Vec<PathBuf>)]) -> Result<Folders, Failure> {
    let start = Folders::find(path, root)?;
    let mut earlier = found.iter().map(|(folders, _)| folders).filter(|folders| !folders.has_manifest());
    match earlier.find(|folders| start.root.starts_with(&folders.root)) {
        Some(folders) if !start.has_manifest() => Ok(folders.clone()),
        _ => Ok(start),
    }
}

fn find<'f>(
    found: &'f mut [(Folders, Vec<PathBuf>)],
    root: &Path,
) -> Option<&'f mut (Folders, Vec<PathBuf>)> {
    found.iter_mut().find(|(folders, _)| folders.root == root)
}
