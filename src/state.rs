//! A project's state: its runs and their artifacts.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use flow_runtime::engine::{Engine, RunError, RunView};
use flow_stdlib::StandardLibrary;

use crate::{
    exit::Failure,
    project::{self, Folders},
    terminal::Terminal,
};

/// Opens a project's state; makes it where there is none.
pub fn open(folders: &Folders) -> Result<Engine, Failure> {
    let engine = Engine::open(&folders.state, Arc::new(StandardLibrary)).map_err(RunError::from)?;
    let engine = engine.with_pools(folders.pools.clone()).with_ledger(ledger());
    Ok(engine.with_environment(folders.environment()))
}

/// Where this user's runs say what they use of the machine: `FLOW_LEDGER`, which may be `off`, else a folder that lives
/// as long as the user is logged in, else one that lives as long as the machine runs.
pub fn ledger() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("FLOW_LEDGER").filter(|folder| !folder.is_empty()) {
        return (folder != "off").then(|| folder.into());
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| Path::new(folder).is_dir());
    Some(runtime.map_or_else(
        || {
            let user = std::fs::metadata("/proc/self").map_or(0, |file| file.uid());
            std::env::temp_dir().join(format!("flow-{user}"))
        },
        |runtime| Path::new(&runtime).join("flow"),
    ))
}

/// Opens the state of the project that the current folder is in; there must be some.
pub fn open_existing(root: Option<&Path>, terminal: &Terminal) -> Result<Engine, Failure> {
    let folders = Folders::find(Path::new("."), root)?;
    folders.remark(terminal);
    if !folders.state.exists() {
        return Err(Failure::environment(format!("no runs yet in `{}`", project::show(&folders.state)))
            .help("`--project DIR` names another project"));
    }
    open(&folders)
}

/// That the store is not the one that knew of past runs, if so it is.
pub fn lost(engine: &Engine) -> Result<Option<String>, Failure> {
    let folder = engine.strays()?;
    Ok(folder.map(|folder| {
        format!("the store is empty, although `{}` holds what past runs left", project::show(&folder))
    }))
}

/// What to do about it.
pub const LOST_HELP: &str = "if it was moved or emptied, put `store.sqlite` and `store.sqlite-wal` back; `flowc gc` removes what is left";

/// The run of an id, of a part of it that no other has, or the `last`.
pub fn find(engine: &Engine, id: &str) -> Result<RunView, Failure> {
    if id == "last" {
        let runs = engine.runs()?;
        if let Some(run) = runs.into_iter().next() {
            return Ok(run);
        }
        return Err(match lost(engine)? {
            Some(lost) => Failure::environment(lost).help(LOST_HELP),
            None => Failure::usage("there are no runs yet"),
        });
    }
    Ok(engine.find_run(id)?)
}
