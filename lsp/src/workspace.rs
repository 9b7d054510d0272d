//! The texts that count now: an editor's where a file is open, the disk's elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use flow_analysis::Analysis;

use crate::disk::{Disk, Folder};

/// All projects of which a file is open.
#[derive(Debug)]
pub struct Workspace {
    disk: Box<dyn Disk>,
    /// Makes what a new project starts with.
    analysis: fn() -> Analysis,
    /// By root.
    projects: BTreeMap<PathBuf, Project>,
    /// By path.
    open: BTreeMap<PathBuf, OpenFile>,
}

/// A project, and what is known of it.
#[derive(Debug)]
pub struct Project {
    folder: Box<dyn Folder>,
    analysis: Analysis,
    /// The modules whose text is an editor's.
    open: BTreeSet<String>,
}

#[derive(Debug)]
struct OpenFile {
    text: String,
    home: Result<Home, String>,
}

/// Where a file belongs.
#[derive(Clone, Debug)]
struct Home {
    root: PathBuf,
    module: String,
}

impl Workspace {
    pub fn new(disk: Box<dyn Disk>) -> Self {
        Self { disk, analysis: Analysis::new, projects: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// One whose projects can tell what was executed.
    pub fn recording(disk: Box<dyn Disk>) -> Self {
        Self { analysis: Analysis::recording, ..Self::new(disk) }
    }

    /// Takes a file's text from an editor, until it is closed. An error says why the file belongs to no project;
    /// it is looked for again when something changes on the disk.
    pub fn open(&mut self, file: &Path, text: String) -> Result<(), String> {
        let home = self.find_home(file);
        if let Ok(home) = &home
            && let Some(project) = self.projects.get_mut(&home.root)
        {
            project.edit(&home.module, file, text.clone());
            project.load(&home.module);
        }
        let result = home.as_ref().map(|_| ()).map_err(Clone::clone);
        self.open.insert(file.to_path_buf(), OpenFile { text, home });
        result
    }

    /// Replaces the text of an open file.
    pub fn edit(&mut self, file: &Path, text: String) {
        let Some(open) = self.open.get_mut(file) else { return };
        open.text.clone_from(&text);
        if let Ok(home) = &open.home
            && let Some(project) = self.projects.get_mut(&home.root)
        {
            project.edit(&home.module, file, text);
            project.load(&home.module);
        }
    }

    /// Goes back to the disk's text.
    pub fn close(&mut self, file: &Path) {
        let Some(OpenFile { home: Ok(home), .. }) = self.open.remove(file) else { return };
        if let Some(project) = self.projects.get_mut(&home.root) {
            project.open.remove(&home.module);
            project.synchronise();
            if project.open.is_empty() {
                self.projects.remove(&home.root);
            }
        }
    }

    /// Reads anew what may have changed on the disk, and looks again for the project of each file without one.
    pub fn synchronise(&mut self) {
        self.projects.values_mut().for_each(Project::synchronise);
        let homeless: Vec<PathBuf> =
            self.open.iter().filter(|(_, open)| open.home.is_err()).map(|(file, _)| file.clone()).collect();
        self.open_again(homeless);
    }

    /// Forgets all projects and finds them anew: where they begin may have changed.
    pub fn find_projects(&mut self) {
        self.projects.clear();
        self.open_again(self.open.keys().cloned().collect());
    }

    /// The text of an open file.
    pub fn text(&self, file: &Path) -> Option<&str> {
        self.open.get(file).map(|open| open.text.as_str())
    }

    /// The project of an open file and the module that the file is.
    pub fn home(&self, file: &Path) -> Option<(&Project, &str)> {
        let home = self.open.get(file)?.home.as_ref().ok()?;
        Some((self.projects.get(&home.root)?, &home.module))
    }

    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.values()
    }

    pub fn project(&self, root: &Path) -> Option<&Project> {
        self.projects.get(root)
    }

    fn open_again(&mut self, files: Vec<PathBuf>) {
        for file in files {
            if let Some(open) = self.open.remove(&file) {
                // Why a file has no home was told when it was opened.
                let _ = self.open(&file, open.text);
            }
        }
    }

    /// Finds the project of a file, and reads it where it is a new one.
    fn find_home(&mut self, file: &Path) -> Result<Home, String> {
        let folder = self.disk.project(file)?;
        let home = Home { root: folder.root().to_path_buf(), module: folder.module(file)? };
        self.projects.entry(home.root.clone()).or_insert_with(|| {
            let mut project = Project { folder, analysis: (self.analysis)(), open: BTreeSet::new() };
            project.synchronise();
            project
        });
        Ok(home)
    }
}

impl Project {
    pub fn root(&self) -> &Path {
        self.folder.root()
    }

    pub fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// The file of a module; `None` for one of `std`, and one that is not there.
    pub fn file(&self, module: &str) -> Option<PathBuf> {
        let path = self.analysis.path(module).filter(|_| !module.starts_with("std."))?;
        Some(self.root().join(path))
    }

    /// All modules, those first that somebody looks at: `first`, then what is open.
    pub fn modules(&self, first: Option<&str>) -> Vec<String> {
        let mut modules = self.analysis.modules();
        modules.sort_by_key(|module| (Some(module.as_str()) != first, !self.open.contains(module)));
        modules
    }

    fn edit(&mut self, module: &str, file: &Path, text: String) {
        let path = file.strip_prefix(self.folder.root()).unwrap_or(file);
        self.analysis.edit_file(module, &path.to_string_lossy(), text);
        self.open.insert(module.to_owned());
    }

    /// Reads what a module imports.
    fn load(&mut self, module: &str) {
        self.analysis.load(module, &*self.folder);
    }

    /// Makes every module that is not open what it is on the disk now.
    fn synchronise(&mut self) {
        let listed = self.folder.modules();
        for module in self.analysis.modules() {
            if self.open.contains(&module) {
                continue;
            }
            match self.folder.read(&module) {
                Some((path, text)) => self.analysis.set_file(&module, &path, text),
                None => self.analysis.remove_file(&module),
            }
        }
        let roots: Vec<String> = listed.into_iter().chain(self.open.iter().cloned()).collect();
        for module in &roots {
            self.load(module);
        }
        self.forget_what_nobody_imports(roots);
    }

    fn forget_what_nobody_imports(&mut self, roots: Vec<String>) {
        let mut reached = BTreeSet::new();
        let mut left = roots;
        while let Some(module) = left.pop() {
            if reached.insert(module.clone()) {
                left.extend(self.analysis.imports(&module));
            }
        }
        for module in self.analysis.modules() {
            if !reached.contains(&module) {
                self.analysis.remove_file(&module);
            }
        }
    }
}
