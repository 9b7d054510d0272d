//! A disk in memory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use flow_analysis::Source;
use flow_lsp::disk::{Disk, Folder};

/// Files by path. `/project` is a project; every other folder is one without a manifest. `/nowhere` has none.
#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<BTreeMap<PathBuf, String>>>);

impl MemoryDisk {
    pub fn with(files: &[(&str, &str)]) -> Self {
        let disk = Self::default();
        for (path, text) in files {
            disk.write(path, text);
        }
        disk
    }

    pub fn write(&self, path: &str, text: &str) {
        self.0.lock().unwrap().insert(PathBuf::from(path), text.to_owned());
    }

    pub fn remove(&self, path: &str) {
        self.0.lock().unwrap().remove(Path::new(path));
    }
}

impl Disk for MemoryDisk {
    fn project(&self, file: &Path) -> Result<Box<dyn Folder>, String> {
        if file.starts_with("/nowhere") {
            return Err("nobody can know that file".to_owned());
        }
        let is_project = file.starts_with("/project");
        let root = if is_project { Path::new("/project") } else { file.parent().unwrap() };
        Ok(Box::new(MemoryFolder { disk: self.clone(), root: root.to_path_buf(), is_project }))
    }
}

struct MemoryFolder {
    disk: MemoryDisk,
    root: PathBuf,
    is_project: bool,
}

impl Source for MemoryFolder {
    fn read(&self, module: &str) -> Option<(String, String)> {
        let path = format!("{}.flow", module.replace('.', "/"));
        let text = self.disk.0.lock().unwrap().get(&self.root.join(&path))?.clone();
        Some((path, text))
    }
}

impl Folder for MemoryFolder {
    fn root(&self) -> &Path {
        &self.root
    }

    fn module(&self, file: &Path) -> Result<String, String> {
        let relative = file.strip_prefix(&self.root).unwrap().with_extension("");
        Ok(relative.to_str().unwrap().replace('/', "."))
    }

    fn modules(&self) -> Vec<String> {
        let files = self.disk.0.lock().unwrap();
        let inside = files.keys().filter(|file| self.is_project && file.starts_with(&self.root));
        inside.map(|file| self.module(file).unwrap()).collect()
    }
}
