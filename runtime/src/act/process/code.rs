//! The code of an external operator: whether it is there, and a hash of it. Nothing of it is run to know that.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use flow_ir::{
    hash::Hash,
    node::{CommandWord, OperatorPlace},
};

use super::{
    environment::{Environment, NoPython, is_executable},
    python,
};

/// Why an external operator cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error(transparent)]
    Python(#[from] NoPython),
    #[error("`{text}` is not written as `module:function`")]
    NotModule { text: String },
    #[error("there is no Python module `{module}` in {}", places(folders))]
    Module { module: String, folders: Vec<PathBuf> },
    #[error("`{}` has no function `{function}`", file.display())]
    Function { file: PathBuf, function: String, known: Vec<String> },
    #[error("there is no program `{program}`, neither in the project nor on the PATH")]
    Program { program: String },
    #[error("a command needs a first word, the program")]
    NoProgram,
    #[error("`{}` cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
}

impl Missing {
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Python(_) => Some(
                "install Python 3, make a virtual environment with `python3 -m venv .venv`, or name one in \
                 flow.toml: python = \"path/to/python\""
                    .to_owned(),
            ),
            Self::Module { module, .. } => {
                let file = module.replace('.', "/");
                Some(format!("it would be `{file}.py` in the project, or a package that is installed"))
            }
            Self::Program { .. } => {
                Some("install it, or write its path from the project's folder".to_owned())
            }
            Self::Function { known, .. } if !known.is_empty() => Some(format!("it has {}", known.join(", "))),
            _ => None,
        }
    }
}

impl Environment {
    /// Whether the code of an external operator is there, as far as that can be seen without running it.
    pub fn check(&self, place: &OperatorPlace) -> Result<(), Missing> {
        match place {
            OperatorPlace::Native => Ok(()),
            OperatorPlace::Python(text) => {
                let (module, function) = module_and_function(text)?;
                let python = self.python()?;
                match self.find_module(module) {
                    Some(file) => has_function(&file, function),
                    None if is_installed(&python, module) => Ok(()),
                    None => Err(Missing::Module { module: module.to_owned(), folders: self.sources.clone() }),
                }
            }
            OperatorPlace::Command(words) => self.find_program(words).map(|_| ()),
        }
    }

    /// A hash of all that decides what an external operator does with its inputs, as far as files tell: its code,
    /// the interpreter and what is installed for it, the variables that the project sets.
    pub fn hash(&self, place: &OperatorPlace) -> Result<Hash, Missing> {
        let mut hasher = Hasher(blake3::Hasher::new());
        hasher.text(b"flow-environment/1");
        for (name, value) in &self.variables {
            hasher.text(name.as_bytes());
            hasher.text(value.as_bytes());
        }
        match place {
            OperatorPlace::Native => {}
            OperatorPlace::Python(text) => {
                let (module, _) = module_and_function(text)?;
                let interpreter = self.python()?;
                hasher.text(&python::hash().0);
                hasher.interpreter(&interpreter)?;
                hasher.lock_files(&self.root)?;
                if let Some(file) = self.find_module(module) {
                    hasher.package(&file, module)?;
                }
            }
            OperatorPlace::Command(words) => {
                let program = self.find_program(words)?;
                hasher.lock_files(&self.root)?;
                hasher.interpreter(&program)?;
                let mut folders = BTreeSet::new();
                if program.starts_with(&self.root) {
                    hasher.content(&program)?;
                    folders.extend(program.parent().map(Path::to_owned));
                }
                for word in words.iter().skip(1) {
                    let CommandWord::Text(word) = word else { continue };
                    let own = self.word(word);
                    if own != *word {
                        let own = PathBuf::from(own);
                        hasher.content(&own)?;
                        folders.extend(own.parent().filter(|_| is_script(&own)).map(Path::to_owned));
                    } else if word.contains("FLOW_PROJECT") {
                        folders.insert(self.root.clone());
                    }
                }
                for folder in folders.iter().filter(|folder| !is_skipped(folder, &self.root)) {
                    let is_own = *folder != self.root && !self.sources.contains(folder);
                    hasher.scripts(folder, is_own)?;
                }
            }
        }
        Ok(Hash(*hasher.0.finalize().as_bytes()))
    }

    /// The file of a command's program.
    pub(super) fn find_program(&self, words: &[CommandWord]) -> Result<PathBuf, Missing> {
        let Some(CommandWord::Text(program)) = words.first() else { return Err(Missing::NoProgram) };
        self.program(program).ok_or_else(|| Missing::Program { program: program.clone() })
    }

    /// The file of a module that lies in the project.
    fn find_module(&self, module: &str) -> Option<PathBuf> {
        let path = module.replace('.', "/");
        self.sources.iter().find_map(|source| find_in(source, &path))
    }
}

/// Folders below which there is no code of the project's, besides hidden ones.
const SKIPPED: [&str; 4] = ["__pycache__", "node_modules", "site-packages", "target"];
/// Endings of what a command's script may run, load or source.
const CODE: [&str; 34] = [
    "awk", "bash", "c", "cc", "cjs", "cpp", "cu", "go", "h", "hpp", "java", "jl", "js", "ksh", "lua", "m",
    "mjs", "php", "pl", "pm", "py", "pyi", "pyx", "r", "rb", "rs", "scala", "sed", "sh", "sql", "ts", "zig",
    "zsh", "R",
];
/// Endings of what a script reads that is neither code nor data, where the folder is the script's own.
const SETTINGS: [&str; 10] = ["cfg", "conf", "ini", "j2", "json", "tmpl", "toml", "txt", "yaml", "yml"];
/// What says which packages a project uses, exactly or nearly.
const LOCK_FILES: [&str; 8] = [
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "requirements.txt",
    "environment.yml",
    "conda-lock.yml",
    "renv.lock",
];
/// Modules that are part of the interpreter itself, so that no file tells of them.
const BUILT_IN: [&str; 14] = [
    "builtins",
    "sys",
    "time",
    "math",
    "cmath",
    "array",
    "itertools",
    "functools",
    "operator",
    "json",
    "random",
    "statistics",
    "gc",
    "marshal",
];

fn module_and_function(text: &str) -> Result<(&str, &str), Missing> {
    let is_name = |name: &str| {
        name.split('.').all(|part| {
            !part.is_empty()
                && !part.starts_with(|first: char| first.is_ascii_digit())
                && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        })
    };
    let parts = text.split_once(':').filter(|(module, function)| is_name(module) && is_name(function));
    parts.ok_or_else(|| Missing::NotModule { text: text.to_owned() })
}

fn find_in(folder: &Path, path: &str) -> Option<PathBuf> {
    let candidates = [folder.join(format!("{path}.py")), folder.join(path).join("__init__.py")];
    candidates.into_iter().find(|file| file.is_file())
}

/// Whether the module may be one that is installed: only a clear no is a no.
fn is_installed(python: &Path, module: &str) -> bool {
    let top = module.split('.').next().unwrap_or(module);
    if BUILT_IN.contains(&top) {
        return true;
    }
    let Some(prefix) = python.parent().and_then(Path::parent) else { return true };
    let mut libraries = library_folders(prefix);
    if let Ok(settings) = fs::read_to_string(prefix.join("pyvenv.cfg")) {
        // The standard library is that of the interpreter it was made from.
        let home =
            settings.lines().find_map(|line| line.strip_prefix("home")?.trim_start().strip_prefix('='));
        if let Some(base) = home.map(|home| Path::new(home.trim())).and_then(Path::parent) {
            libraries.extend(library_folders(base));
        }
    } else {
        // Distributions spread their packages over more folders than can be known.
        return true;
    }
    libraries.iter().any(|library| {
        let entries = fs::read_dir(library).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).any(|name| {
            let is_elsewhere = name.ends_with(".pth") && name != "distutils-precedence.pth";
            let of_module =
                name.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            is_elsewhere || of_module
        })
    })
}

/// `lib/python3.11`, with `site-packages` and `lib-dynload` in it.
fn library_folders(prefix: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(prefix.join("lib")).into_iter().flatten().flatten();
    let versions = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("python3"));
    versions
        .flat_map(|entry| {
            let folder = entry.path();
            [folder.join("site-packages"), folder.join("lib-dynload"), folder]
        })
        .collect()
}

/// Whether the file has the function's name as a word of its own, or may get it from elsewhere.
fn has_function(file: &Path, function: &str) -> Result<(), Missing> {
    let unreadable =
        |error: io::Error| Missing::Unreadable { path: file.to_owned(), reason: error.to_string() };
    let text = String::from_utf8_lossy(&fs::read(file).map_err(unreadable)?).into_owned();
    let first = function.split('.').next().unwrap_or(function);
    let code = || text.lines().map(|line| line.split_once('#').map_or(line, |(code, _)| code));
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_there = code().any(|line| line.split(|letter| !is_word(letter)).any(|word| word == first));
    let may_be_there = code().any(|line| line.contains("import *") || line.contains("__getattr__"));
    if is_there || may_be_there {
        return Ok(());
    }
    let known = code().filter_map(|line| {
        let name = line.strip_prefix("def ")?.split('(').next()?.trim();
        (!name.starts_with('_')).then(|| format!("`{name}`"))
    });
    Err(Missing::Function { file: file.to_owned(), function: function.to_owned(), known: known.collect() })
}

fn places(folders: &[PathBuf]) -> String {
    let folders: Vec<String> = folders.iter().map(|folder| format!("`{}`", folder.display())).collect();
    folders.join(" or ")
}

struct Hasher(blake3::Hasher);

impl Hasher {
    fn text(&mut self, text: &[u8]) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    fn content(&mut self, file: &Path) -> Result<(), Missing> {
        let unreadable =
            |error: io::Error| Missing::Unreadable { path: file.to_owned(), reason: error.to_string() };
        let bytes = fs::read(file).map_err(unreadable)?;
        self.text(Hash::of(&bytes).0.as_slice());
        Ok(())
    }

    /// What changes when a program is installed anew.
    fn stamp(&mut self, file: &Path) {
        let path = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        self.text(path.as_os_str().as_encoded_bytes());
        if let Ok(file) = path.metadata() {
            let modified = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            self.text(&file.len().to_le_bytes());
            self.text(&modified.unwrap_or_default().as_nanos().to_le_bytes());
        }
    }

    /// The interpreter, its version, and the names and versions of what is installed in its environment.
    fn interpreter(&mut self, python: &Path) -> Result<(), Missing> {
        self.stamp(python);
        let Some(prefix) = python.parent().and_then(Path::parent) else { return Ok(()) };
        let settings = prefix.join("pyvenv.cfg");
        if settings.is_file() {
            self.content(&settings)?;
            let mut installed: Vec<String> = library_folders(prefix)
                .iter()
                .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten())
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .filter(|name| name.ends_with(".dist-info"))
                .collect();
            installed.sort();
            for name in installed {
                self.text(name.as_bytes());
            }
        }
        Ok(())
    }

    fn lock_files(&mut self, root: &Path) -> Result<(), Missing> {
        for name in LOCK_FILES {
            let file = root.join(name);
            if file.is_file() {
                self.text(name.as_bytes());
                self.content(&file)?;
            }
        }
        Ok(())
    }

    /// Of a module in a package: all files of the outermost package. Of one that lies in no package: all code of
    /// Python in its folder and below, since it may import any of that.
    fn package(&mut self, file: &Path, module: &str) -> Result<(), Missing> {
        let is_package_file = file.ends_with("__init__.py");
        let depth = module.split('.').count() + usize::from(is_package_file);
        let folder = file.ancestors().nth(depth.saturating_sub(1).max(1)).unwrap_or(file);
        let is_package = depth > 1;
        let mut files = Vec::new();
        collect(folder, &mut files);
        files.sort();
        for file in files {
            let is_code = file.extension().is_some_and(|extension| extension == "py");
            if is_code || is_package {
                let name = file.strip_prefix(folder).unwrap_or(&file);
                self.text(name.as_os_str().as_encoded_bytes());
                self.content(&file)?;
            }
        }
        Ok(())
    }

    /// All code in a script's folder and below, since it may load any of that; where the folder `is_own`, and not
    /// the one of the `.flow` files too, settings as well.
    fn scripts(&mut self, folder: &Path, is_own: bool) -> Result<(), Missing> {
        let mut files = Vec::new();
        collect(folder, &mut files);
        files.retain(|file| {
            let is_program = || file.extension().is_none() && is_executable(file);
            let is_setting = || is_own && has_ending(file, &SETTINGS) && !file.ends_with("flow.toml");
            has_ending(file, &CODE) || is_setting() || is_program()
        });
        files.sort();
        for file in files {
            let name = file.strip_prefix(folder).unwrap_or(&file);
            self.text(name.as_os_str().as_encoded_bytes());
            self.content(&file)?;
        }
        Ok(())
    }
}

fn has_ending(file: &Path, endings: &[&str]) -> bool {
    file.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known))
}

/// Whether a word of a command names what is run, rather than what that reads.
fn is_script(file: &Path) -> bool {
    let mut start = [0; 2];
    let begun = fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
    has_ending(file, &CODE) || (begun.is_ok() && start == *b"#!")
}

/// Whether a folder of the project is no place for code of its own: hidden, or a virtual environment's.
fn is_skipped(folder: &Path, root: &Path) -> bool {
    folder.ancestors().take_while(|folder| *folder != root).any(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with('.') || SKIPPED.contains(&&*name) || folder.join("pyvenv.cfg").exists()
    })
}

/// Follows no links, and leaves hidden files and virtual environments out.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    if folder.join("pyvenv.cfg").exists() {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with('.') || name.ends_with(".pyc") || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Environment) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("embedding/inner")).unwrap();
        fs::create_dir_all(root.join(".venv/bin")).unwrap();
        fs::create_dir_all(root.join(".venv/lib/python3.11/site-packages/numpy")).unwrap();
        fs::write(root.join(".venv/bin/python"), "").unwrap();
        fs::write(root.join(".venv/pyvenv.cfg"), "home = /nowhere/bin\nversion = 3.11.7\n").unwrap();
        fs::write(root.join("train.py"), "def fit(data):\n    pass  # rest\n").unwrap();
        fs::write(root.join("helpers.py"), "").unwrap();
        fs::write(root.join("embedding/__init__.py"), "from .encode import *\n").unwrap();
        fs::write(root.join("embedding/encode.py"), "def main(): pass\n").unwrap();
        fs::write(root.join("embedding/words.txt"), "a\n").unwrap();
        fs::write(root.join("fit.sh"), "true\n").unwrap();
        fs::write(root.join("notes.txt"), "x").unwrap();
        fs::create_dir_all(root.join("tools/lib")).unwrap();
        fs::write(root.join("tools/fit.sh"), ". lib/parts.sh\n").unwrap();
        fs::write(root.join("tools/lib/parts.sh"), "true\n").unwrap();
        let mut environment = Environment::of(root);
        environment.python = Some(".venv/bin/python".into());
        (folder, environment)
    }

    fn python(text: &str) -> OperatorPlace {
        OperatorPlace::Python(text.to_owned())
    }

    fn command(words: &[&str]) -> OperatorPlace {
        OperatorPlace::Command(words.iter().map(|word| CommandWord::Text((*word).to_owned())).collect())
    }

    #[test]
    fn what_is_not_there_is_said() {
        let (folder, mut environment) = project();
        for there in
            ["train:fit", "embedding.encode:main", "embedding:anything", "numpy.linalg:norm", "math:sqrt"]
        {
            assert_eq!(environment.check(&python(there)), Ok(()), "{there}");
        }
        let root = folder.path().display();
        let told = |place: OperatorPlace| {
            let missing = environment.check(&place).unwrap_err();
            format!("{missing}; {}", missing.help().unwrap_or_default()).replace(&root.to_string(), "ROOT")
        };
        assert_eq!(told(python("train:rest")), "`ROOT/train.py` has no function `rest`; it has `fit`");
        assert_eq!(
            told(python("trian:fit")),
            "there is no Python module `trian` in `ROOT`; \
             it would be `trian.py` in the project, or a package that is installed"
        );
        assert_eq!(told(python("train")), "`train` is not written as `module:function`; ");
        assert_eq!(
            told(command(&["no-such-program"])),
            "there is no program `no-such-program`, neither in the project nor on the PATH; \
             install it, or write its path from the project's folder"
        );
        assert_eq!(environment.check(&command(&["sh", "fit.sh"])), Ok(()));
        environment.python = Some("nowhere/python".into());
        let missing = environment.check(&python("train:fit")).unwrap_err().to_string();
        assert!(
            missing.starts_with("no Python was found: ") && missing.contains("nowhere/python"),
            "{missing}"
        );
    }

    #[test]
    fn the_hash_changes_with_what_counts_and_with_nothing_else() {
        let (folder, mut environment) = project();
        let root = folder.path();
        let places = [
            python("train:fit"),
            python("embedding.encode:main"),
            command(&["sh", "fit.sh"]),
            command(&["sh", "tools/fit.sh"]),
            command(&["sort", "notes.txt"]),
            command(&["sh", "-c", "sh $FLOW_PROJECT/fit.sh"]),
            command(&["true"]),
        ];
        let hashes = |environment: &Environment| -> Vec<Hash> {
            places.iter().map(|place| environment.hash(place).unwrap()).collect()
        };
        // Each change, and which of the places it changes.
        let mut before = hashes(&environment);
        let mut changed = |environment: &Environment| -> Vec<bool> {
            let now = hashes(environment);
            let changed = now.iter().zip(&before).map(|(now, before)| now != before).collect();
            before = now;
            changed
        };
        let none = [false; 7];
        fs::write(root.join("table.csv"), "x").unwrap();
        fs::write(root.join("tools/table.csv"), "x").unwrap();
        fs::write(root.join("main.flow"), "x").unwrap();
        fs::write(root.join("flow.toml"), "x").unwrap();
        fs::write(root.join(".hidden.py"), "x").unwrap();
        assert_eq!(changed(&environment), none);
        fs::write(root.join("notes.txt"), "y").unwrap();
        assert_eq!(changed(&environment), [false, false, false, false, true, false, false]);
        fs::write(root.join("helpers.py"), "x = 1\n").unwrap();
        assert_eq!(changed(&environment), [true, false, true, false, false, true, false]);
        fs::write(root.join("embedding/words.txt"), "b\n").unwrap();
        assert_eq!(changed(&environment), [false, true, false, false, false, false, false]);
        fs::write(root.join("fit.sh"), "false\n").unwrap();
        assert_eq!(changed(&environment), [false, false, true, false, false, true, false]);
        fs::write(root.join("tools/lib/parts.sh"), "false\n").unwrap();
        assert_eq!(changed(&environment), [false, false, true, true, false, true, false]);
        fs::write(root.join("tools/rates.yaml"), "a: 1\n").unwrap();
        assert_eq!(changed(&environment), [false, false, false, true, false, false, false]);
        fs::write(root.join("uv.lock"), "").unwrap();
        assert_eq!(changed(&environment), [true; 7]);
        fs::create_dir(root.join(".venv/lib/python3.11/site-packages/numpy-2.0.dist-info")).unwrap();
        assert_eq!(changed(&environment), [true, true, false, false, false, false, false]);
        environment.variables.push(("MODE".to_owned(), "fast".to_owned()));
        assert_eq!(changed(&environment), [true; 7]);
    }
}
