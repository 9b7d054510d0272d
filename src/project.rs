//! A project on disk: where its root is, which modules it has, and their text.
//!
//! A stranger's project is safe to load: nothing outside its root is opened, and no link is followed
//! out of it.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

use flow_analysis::Analysis;
use flow_syntax::{ast::ItemKind, diagnostic::Sources};

use crate::exit::Failure;

/// The file that marks a project's root.
const MANIFEST: &str = "flow.toml";
/// Folders that hold no modules, besides hidden ones.
const SKIPPED_FOLDERS: [&str; 2] = ["target", "node_modules"];

#[derive(Debug)]
pub struct Project {
    /// Where the manifest is; without one, the folder of the file that was named.
    root: PathBuf,
    /// Where modules are found.
    source: PathBuf,
    /// Where the state is kept.
    pub state: PathBuf,
    modules: BTreeMap<String, Module>,
    pub analysis: Analysis,
}

#[derive(Debug)]
pub struct Module {
    /// As a person names it: relative to the current folder where it is below it.
    pub shown: String,
    pub path: PathBuf,
    pub text: String,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[expect(dead_code, reason = "accepted, and shown by commands that are to come")]
    name: Option<String>,
    source: Option<PathBuf>,
    store: Option<PathBuf>,
}

impl Project {
    /// The project that `start` (a file or folder) belongs to, with no modules loaded yet.
    pub fn find(start: &Path, explicit_root: Option<&Path>) -> Result<Self, Failure> {
        let absolute = std::path::absolute(start)
            .map_err(|error| Failure::environment(format!("cannot find the current folder: {error}")))?;
        let folder = if absolute.is_dir() { absolute.as_path() } else { absolute.parent().unwrap_or(&absolute) };
        let root = match explicit_root {
            Some(root) if root.is_dir() => std::path::absolute(root)
                .map_err(|error| Failure::environment(format!("cannot open `{}`: {error}", root.display())))?,
            Some(root) => {
                return Err(Failure::environment(format!("the project folder `{}` does not exist", root.display())));
            }
            None => folder
                .ancestors()
                .find(|folder| folder.join(MANIFEST).is_file())
                .unwrap_or(folder)
                .to_path_buf(),
        };
        let manifest = read_manifest(&root.join(MANIFEST))?;
        Ok(Self {
            source: manifest.source.map_or_else(|| root.clone(), |source| root.join(source)),
            state: root.join(manifest.store.unwrap_or_else(|| PathBuf::from(".flow"))),
            root,
            modules: BTreeMap::new(),
            analysis: Analysis::new(),
        })
    }

    /// The folder that relative paths in the DAG count from.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn modules(&self) -> &BTreeMap<String, Module> {
        &self.modules
    }

    /// Loads a file and every module it imports; gives its module's name.
    pub fn load(&mut self, path: &Path) -> Result<String, Failure> {
        let absolute = std::path::absolute(path)
            .map_err(|error| Failure::environment(format!("cannot find `{}`: {error}", path.display())))?;
        let absolute = normalise(&absolute);
        let name = self.module_name(&absolute)?;
        let text = read_source(&absolute, path)?;
        self.insert(name.clone(), absolute, text);
        self.load_imports(&name);
        Ok(name)
    }

    /// Loads every module of the project.
    pub fn load_all(&mut self) -> Result<(), Failure> {
        let mut folders = vec![self.source.clone()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder)
                .map_err(|error| Failure::environment(format!("cannot read `{}`: {error}", show(&folder))))?;
            for entry in entries.flatten() {
                let Ok(kind) = entry.file_type() else { continue };
                let path = entry.path();
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if kind.is_dir() && is_source_folder(&name) {
                    folders.push(path);
                } else if kind.is_file() && name.ends_with(".flow") {
                    let module = self.module_name(&path)?;
                    if !self.modules.contains_key(&module) {
                        let text = read_source(&path, Path::new(&show(&path)))?;
                        self.insert(module, path, text);
                    }
                }
            }
        }
        Ok(())
    }

    /// The texts that diagnostics are shown in.
    pub fn sources(&self) -> Sources<'_> {
        let mut sources = Sources::new();
        for (name, module) in &self.modules {
            sources.add(name.clone(), module.shown.clone(), &module.text);
        }
        for (name, text) in flow_stdlib_text::MODULES {
            sources.add(*name, format!("<{name}>"), text);
        }
        sources
    }

    fn insert(&mut self, name: String, path: PathBuf, text: String) {
        self.analysis.set_file(&name, &text);
        self.modules.insert(name, Module { shown: show(&path), path, text });
    }

    /// Follows `use` through the project's own modules. What is not there is the checker's to say.
    fn load_imports(&mut self, name: &str) {
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            let Some(module) = self.modules.get(&name) else { continue };
            for import in imports(&module.text) {
                if !self.modules.contains_key(&import)
                    && let Some(path) = self.module_path(&import)
                    && let Ok(text) = read_source(&path, &path)
                {
                    self.insert(import.clone(), path, text);
                    open.push(import);
                }
            }
        }
    }

    /// `pipelines/train.flow` is `pipelines.train`.
    fn module_name(&self, path: &Path) -> Result<String, Failure> {
        let relative = path.strip_prefix(&self.source).map_err(|_| {
            Failure::usage(format!(
                "`{}` is outside the project's source folder `{}`",
                show(path),
                show(&self.source)
            ))
        })?;
        let names: Vec<_> = relative
            .with_extension("")
            .components()
            .map(|component| component.as_os_str().to_string_lossy().into_owned())
            .collect();
        Ok(names.join("."))
    }

    /// The file of a module, if it is there and no link leads out of the project.
    fn module_path(&self, name: &str) -> Option<PathBuf> {
        let mut path = self.source.clone();
        path.extend(name.split('.'));
        path.set_extension("flow");
        let inside = fs::canonicalize(&path).ok()?.starts_with(fs::canonicalize(&self.root).ok()?);
        (inside && path.is_file()).then_some(path)
    }
}

/// Whether a folder of that name may hold modules.
pub fn is_source_folder(name: &str) -> bool {
    !name.starts_with('.') && !SKIPPED_FOLDERS.contains(&name)
}

/// The modules that a text imports, but those of `std`.
fn imports(text: &str) -> Vec<String> {
    let (file, _) = flow_syntax::parse::parse(text);
    let paths = file.items.iter().filter_map(|(_, item)| match &item.kind {
        ItemKind::Use(import) => Some(&import.path),
        _ => None,
    });
    paths
        .map(|path| path.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("."))
        .filter(|path| path != "std" && !path.starts_with("std."))
        .collect()
}

fn read_manifest(path: &Path) -> Result<Manifest, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| Failure::input(format!("`{}`: {}", show(path), error.to_string().trim_end()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Manifest::default()),
        Err(error) => Err(Failure::environment(format!("cannot read `{}`: {error}", show(path)))),
    }
}

/// The text of a `.flow` file. `shown` is how the user named it.
pub fn read_source(path: &Path, shown: &Path) -> Result<String, Failure> {
    let shown = shown.display();
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::environment(format!("`{shown}` does not exist")),
        ErrorKind::IsADirectory => Failure::environment(format!("`{shown}` is a folder, not a `.flow` file")),
        _ => Failure::environment(format!("cannot read `{shown}`: {error}")),
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
