//! `flowc lsp`: the language server, with the disk that it may see.

use std::{
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use flow_lsp::{
    disk::{Disk, Folder},
    server::{self, Ending},
};

use crate::{
    exit::{Exit, Failure},
    project::{Folders, absolute},
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Accepted, since many editors pass it: there is no other way to talk
    #[arg(long)]
    stdio: bool,
}

pub fn execute(_: &Options, root: Option<&Path>) -> Result<Exit, Failure> {
    let disk = Projects { root: root.map(Path::to_path_buf) };
    match server::serve(Box::new(disk), BufReader::new(io::stdin()), io::stdout()) {
        Ok(Ending::Orderly) => Ok(Exit::Worked),
        Ok(Ending::Abrupt) => Ok(Exit::Failed),
        Err(error) => Err(Failure::environment(format!("cannot start the language server: {error}"))),
    }
}

/// The projects of this machine.
#[derive(Debug)]
struct Projects {
    /// The one that the command line names.
    root: Option<PathBuf>,
}

impl Disk for Projects {
    fn project(&self, file: &Path) -> Result<Box<dyn Folder>, String> {
        let folders = Folders::find(file, self.root.as_deref()).map_err(|failure| failure.message)?;
        Ok(Box::new(folders))
    }
}

impl Folder for Folders {
    fn root(&self) -> &Path {
        &self.root
    }

    fn module(&self, file: &Path) -> Result<String, String> {
        absolute(file).and_then(|file| self.module_name(&file)).map_err(|failure| failure.message)
    }

    fn modules(&self) -> Vec<String> {
        if !self.has_manifest() {
            return Vec::new();
        }
        let files = self.files().unwrap_or_default();
        files.iter().filter_map(|file| self.module_name(file).ok()).collect()
    }
}
