//! A project on disk: where its root is, which modules it has, and their text.
//!
//! A stranger's project is safe to load: nothing outside its root is opened, and no link is followed
//! out of it.

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs,
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

use flow_analysis::{Analysis, Source};
use flow_runtime::act::process::Environment;
use flow_syntax::diagnostic::Sources;

use crate::{exit::Failure, terminal::Terminal};

/// The file that marks a project's root.
const MANIFEST: &str = "flow.toml";
/// Folders that hold no modules, besides hidden ones.
const SKIPPED_FOLDERS: [&str; 2] = ["target", "node_modules"];

#[derive(Debug)]
pub struct Project {
    folders: Folders,
    /// The modules that are loaded. Their paths are relative to the root, with `/` between the parts.
    pub analysis: Analysis,
}

/// Where a project is.
#[derive(Clone, Debug)]
pub struct Folders {
    /// As the manifest has it.
    name: Option<String>,
    /// Where the manifest is; without one, the folder of the file that was named.
    pub root: PathBuf,
    /// Where modules are found.
    pub source: PathBuf,
    /// Where the state is kept.
    pub state: PathBuf,
    /// How many nodes may be in each pool at once.
    pub pools: BTreeMap<String, u32>,
    /// The interpreter that the manifest names.
    python: Option<PathBuf>,
    /// What the manifest adds to the environment of external operators.
    variables: BTreeMap<String, String>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// What people call the project.
    name: Option<String>,
    source: Option<PathBuf>,
    store: Option<PathBuf>,
    /// How many nodes may be in each pool at once.
    #[serde(default)]
    pools: BTreeMap<String, u32>,
    /// The interpreter that runs operators in Python.
    python: Option<PathBuf>,
    /// Variables that external operators get, besides those that all get.
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

impl Folders {
    /// The project that `start` (a file or folder) belongs to.
    pub fn find(start: &Path, explicit_root: Option<&Path>) -> Result<Self, Failure> {
        let start = absolute(start)?;
        let folder = if start.is_dir() { start.as_path() } else { start.parent().unwrap_or(&start) };
        let root = match explicit_root {
            Some(root) if root.is_dir() => absolute(root)?,
            Some(root) => {
                let message = format!("the project folder `{}` does not exist", root.display());
                return Err(Failure::environment(message));
            }
            None => folder
                .ancestors()
                .find(|folder| folder.join(MANIFEST).is_file())
                .unwrap_or(folder)
                .to_path_buf(),
        };
        let manifest = read_manifest(&root.join(MANIFEST))?;
        Ok(Self {
            name: manifest.name,
            source: below(&root, "source", manifest.source.as_deref().unwrap_or(Path::new(".")))?,
            state: below(&root, "store", manifest.store.as_deref().unwrap_or(Path::new(".flow")))?,
            pools: manifest.pools,
            python: manifest.python,
            variables: manifest.environment,
            root,
        })
    }

    /// Whether the root was found by its manifest, rather than taken for one.
    pub fn has_manifest(&self) -> bool {
        self.root.join(MANIFEST).is_file()
    }

    /// The root of the project below this one that a file of this folder belongs to, if it does.
    pub fn nested_root<'f>(&self, file: &'f Path) -> Option<&'f Path> {
        let mut folders = file.ancestors().skip(1).take_while(|folder| *folder != self.root);
        folders.find(|folder| folder.join(MANIFEST).is_file())
    }

    /// The `.flow` files of the project, sorted: those of projects below it are none.
    pub fn files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut files = flow_files(&self.source)?;
        files.retain(|file| self.nested_root(file).is_none());
        Ok(files)
    }

    /// Says, to whom wants to know more, which project it is and where its parts are.
    pub fn remark(&self, terminal: &Terminal) {
        if terminal.verbose {
            let name = self.name.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default();
            let [root, source, state] = [&self.root, &self.source, &self.state].map(|path| path.display());
            terminal.remark(&format!(
                "project{name} in `{root}`, its sources in `{source}`, its state in `{state}`"
            ));
        }
    }

    /// `pipelines/train.flow` is `pipelines.train`.
    pub fn module_name(&self, path: &Path) -> Result<String, Failure> {
        let relative = path.strip_prefix(&self.source).map_err(|_| {
            let source = show(&self.source);
            Failure::usage(format!("`{}` is outside the project's source folder `{source}`", show(path)))
        })?;
        let names: Vec<_> = relative
            .with_extension("")
            .components()
            .map(|component| component.as_os_str().to_string_lossy().into_owned())
            .collect();
        if names.first().is_some_and(|name| name == "std") {
            let message = format!("`{}` would hide a part of the standard library", show(path));
            return Err(Failure::input(message).help("give the file or its folder another name than `std`"));
        }
        Ok(names.join("."))
    }

    /// What external operators find around them.
    pub fn environment(&self) -> Environment {
        let named = std::env::var_os("FLOW_PYTHON").filter(|path| !path.is_empty()).map(PathBuf::from);
        let mut sources = vec![self.source.clone()];
        if self.source != self.root {
            sources.push(self.root.clone());
        }
        Environment {
            root: self.root.clone(),
            sources,
            python: named.or_else(|| self.python.clone()),
            variables: self.variables.clone().into_iter().collect(),
        }
    }

    /// The root as text, with `/` between its parts.
    pub fn root_text(&self) -> String {
        slashes(&self.root)
    }
}

impl Project {
    /// The project that `start` (a file or folder) belongs to, with no modules loaded yet.
    pub fn find(start: &Path, explicit_root: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self::new(Folders::find(start, explicit_root)?))
    }

    /// The project that is there, with no modules loaded yet.
    pub fn new(folders: Folders) -> Self {
        Self { folders, analysis: Analysis::new() }
    }

    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Loads a file and every module it imports; gives its module's name.
    pub fn load(&mut self, path: &Path) -> Result<String, Failure> {
        let name = self.folders.module_name(&absolute(path)?)?;
        self.load_as(path, &name)?;
        Ok(name)
    }

    /// Loads a file as if it were the module of that name, and every module it imports.
    pub fn load_as(&mut self, path: &Path, name: &str) -> Result<(), Failure> {
        let absolute = absolute(path)?;
        let text = read_source(&absolute, path)?;
        self.analysis.set_file(name, &self.folders.relative(&absolute), text);
        self.analysis.load(name, &self.folders);
        Ok(())
    }

    /// Loads every module of the project.
    pub fn load_all(&mut self) -> Result<(), Failure> {
        for path in self.folders.files()? {
            self.load(&path)?;
        }
        Ok(())
    }

    /// Where a module's file is.
    pub fn path(&self, module: &str) -> Option<PathBuf> {
        Some(self.folders.root.join(self.analysis.path(module)?))
    }

    /// The files of the modules that are loaded.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.analysis.modules().iter().filter_map(|module| self.path(module)).collect()
    }

    /// Says, to whom wants to know more, which files are read.
    pub fn remark(&self, terminal: &Terminal) {
        self.folders.remark(terminal);
        if terminal.verbose {
            for path in self.paths() {
                terminal.remark(&format!("reading {}", show(&path)));
            }
        }
    }

    /// The texts that diagnostics are shown in, under the paths that a person would type.
    pub fn sources(&self) -> Sources<'_> {
        let mut sources = Sources::new();
        for module in self.analysis.modules() {
            if let (Some(path), Some(text)) = (self.path(&module), self.analysis.text(&module)) {
                sources.add(module, show(&path), text);
            }
        }
        for (name, text) in flow_stdlib_text::MODULES {
            sources.add(*name, format!("<{name}>"), text);
        }
        sources
    }
}

impl Folders {
    /// A path as the DAG has it: relative to the root where it is below it.
    fn relative(&self, path: &Path) -> String {
        slashes(path.strip_prefix(&self.root).unwrap_or(path))
    }
}

/// Modules that a program imports: files below the root that no link leads out of.
impl Source for Folders {
    fn read(&self, module: &str) -> Option<(String, String)> {
        let mut path = self.source.clone();
        path.extend(module.split('.'));
        path.set_extension("flow");
        let real = fs::canonicalize(&path).ok()?;
        // Nor is anything opened that could block or never end, such as a pipe.
        if !real.is_file() || !real.starts_with(fs::canonicalize(&self.root).ok()?) {
            return None;
        }
        let text = read_source(&path, &path).ok()?;
        Some((self.relative(&path), text))
    }
}

/// A folder that a manifest names, which must lie below the root however links lead.
fn below(root: &Path, key: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let path = normalise(&root.join(folder));
    let real = path.ancestors().find_map(|path| fs::canonicalize(path).ok());
    let is_below = fs::canonicalize(root).ok().zip(real).is_some_and(|(root, real)| real.starts_with(root));
    if is_below && path.starts_with(root) {
        return Ok(path);
    }
    let manifest = show(&root.join(MANIFEST));
    Err(Failure::input(format!(
        "`{key} = \"{}\"` in `{manifest}` leads out of the project",
        folder.display()
    ))
    .help("name a folder below the one that the file lies in"))
}

/// The `.flow` files of a path: itself, or those below a folder, sorted. No link is followed.
pub fn flow_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .map_err(|error| Failure::environment(format!("cannot read `{}`: {error}", show(&folder))))?;
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_hidden = name.starts_with('.');
            if kind.is_dir() && !is_hidden && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                folders.push(entry.path());
            } else if kind.is_file() && name.ends_with(".flow") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read_manifest(path: &Path) -> Result<Manifest, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| Failure::input(format!("`{}`: {}", show(path), error.to_string().trim_end()))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Manifest::default())
        }
        Err(error) => Err(Failure::environment(format!("cannot read `{}`: {error}", show(path)))),
    }
}

/// Why a file that somebody named cannot be read. `shown` is how it was named.
pub fn unreadable(shown: &dyn Display, error: &std::io::Error) -> Failure {
    Failure::environment(match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => format!("`{shown}` does not exist"),
        _ => format!("cannot read `{shown}`: {error}"),
    })
}

/// The text of a `.flow` file. `shown` is how the user named it.
pub fn read_source(path: &Path, shown: &Path) -> Result<String, Failure> {
    let shown = shown.display();
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::IsADirectory => Failure::environment(format!("`{shown}` is a folder, not a `.flow` file")),
        _ => unreadable(&shown, &error),
    })?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(Failure::input(format!("`{shown}` is larger than 4 GiB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
        Failure::input(format!("`{shown}` is not UTF-8: byte {offset}, in line {line}, fits no character"))
            .help("save the file as UTF-8")
    })
}

/// A path as a person names it: relative to the current folder where it is below it.
pub fn show(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

/// The path from the disk's root, less `.` and `..`.
pub fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map(|path| normalise(&path))
        .map_err(|error| Failure::environment(format!("cannot find `{}`: {error}", path.display())))
}

/// `a/./b/../c` is `a/c`, without asking the disk.
fn normalise(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}

fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .filter(|component| !matches!(component, Component::RootDir))
        .map(|component| component.as_os_str().to_string_lossy())
        .collect();
    let root = if path.has_root() { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}
