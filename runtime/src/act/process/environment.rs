//! What external operators find around them: a short, declared list, whatever the shell of the user holds.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The project's folder: paths of commands count from there.
    pub root: PathBuf,
    /// Where modules of Python are found, besides those installed: the folder of the `.flow` files, and the root.
    pub sources: Vec<PathBuf>,
    /// The interpreter that the user or the project names; else see [`Environment::python`].
    pub python: Option<PathBuf>,
    /// Variables that the project sets, by name; part of cache keys.
    pub variables: Vec<(String, String)>,
}

/// No Python was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no Python was found: {}", tried.join(", "))]
pub struct NoPython {
    /// Where it was looked for.
    pub tried: Vec<String>,
}

/// Those of flowc's own variables that operators get. All else stays: a result must not hang on what happens to
/// be set in a shell.
pub const PASSED_ON: [&str; 24] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
    "CUDA_PATH",
    "NVIDIA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "XDG_CACHE_HOME",
];

/// What libraries read to learn how many threads they may start.
const THREADS: [&str; 7] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
];

impl Environment {
    /// A project without a manifest.
    pub fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), sources: vec![root.to_owned()], python: None, variables: Vec::new() }
    }

    /// The interpreter: the one that is named, else that of the active virtual environment, else of one within the project, else `python3` on the PATH.
    ///
    /// # Errors
    /// Names all the places.
    pub fn python(&self) -> Result<PathBuf, NoPython> {
        let mut tried = Vec::new();
        let mut look = |path: PathBuf, why: &str| {
            if path.is_file() {
                return Some(path);
            }
            tried.push(format!("{} ({why})", path.display()));
            None
        };
        if let Some(path) = &self.python {
            // Who names one means that one.
            return look(self.root.join(path), "named by FLOW_PYTHON or flow.toml").ok_or(NoPython { tried });
        }
        if let Some(folder) = env::var_os("VIRTUAL_ENV").filter(|folder| !folder.is_empty())
            && let Some(found) = look(Path::new(&folder).join("bin/python"), "VIRTUAL_ENV")
        {
            return Ok(found);
        }
        for folder in self.sources.iter().flat_map(|source| source.ancestors()) {
            if folder.starts_with(&self.root)
                && let Some(found) = look(folder.join(".venv/bin/python"), "of the project")
            {
                return Ok(found);
            }
        }
        if let Some(found) = find_program("python3", &self.path()) {
            return Ok(found);
        }
        tried.push("python3 (on the PATH)".to_owned());
        tried.dedup();
        Err(NoPython { tried })
    }

    /// The file of a command's first word: as it is where it has a folder, else of the project, else on the PATH.
    pub fn program(&self, word: &str) -> Option<PathBuf> {
        let own = self.root.join(word);
        if own.is_file() && (word.contains('/') || is_executable(&own)) {
            return Some(own);
        }
        if word.contains('/') { None } else { find_program(word, &self.path()) }
    }

    /// A word of a command as the process gets it: what names a file of the project is its path from the disk's
    /// root, since the process has a folder of its own.
    pub fn word(&self, word: &str) -> String {
        let own = self.root.join(word);
        let is_name = !word.is_empty() && !word.starts_with('-');
        if is_name && own.is_file() { own.to_string_lossy().into_owned() } else { word.to_owned() }
    }

    /// All the variables of a process that may keep `cores` cores busy.
    pub fn variables(&self, cores: usize) -> Vec<(OsString, OsString)> {
        let mut variables: Vec<(OsString, OsString)> =
            PASSED_ON.iter().filter_map(|name| Some((OsString::from(name), env::var_os(name)?))).collect();
        let mut set = |name: &str, value: OsString| {
            variables.retain(|(known, _)| known != name);
            variables.push((name.into(), value));
        };
        for name in THREADS {
            set(name, cores.max(1).to_string().into());
        }
        // The order of sets and dicts of texts must not differ from one run to the next.
        set("PYTHONHASHSEED", "0".into());
        set("PYTHONUNBUFFERED", "1".into());
        set("FLOW_PROJECT", self.root.clone().into());
        for (name, value) in &self.variables {
            set(name, value.into());
        }
        variables
    }

    fn path(&self) -> OsString {
        let own = self.variables.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.into());
        own.or_else(|| env::var_os("PATH")).unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
    }
}

fn find_program(name: &str, path: &OsString) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(name)).find(|path| is_executable(path))
}

pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
