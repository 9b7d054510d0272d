//! The golden files of tests: the text of a DAG as it was when somebody last looked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use flow_ir::{dag::Dag, diff::diff};
use flow_plan::testing::{Golden, Refused};

use crate::golden::{difference, read};

pub struct GoldenFiles {
    root: PathBuf,
    bless: bool,
    /// What this run's tests have written, or would have.
    blessed: Mutex<BTreeMap<PathBuf, Blessed>>,
}

struct Blessed {
    text: String,
    is_new: bool,
}

impl GoldenFiles {
    pub fn new(root: &Path, bless: bool) -> Self {
        Self { root: root.to_owned(), bless, blessed: Mutex::new(BTreeMap::new()) }
    }

    /// The files that were not as they are now.
    pub fn written(&self) -> Vec<PathBuf> {
        let blessed = self.blessed.lock().unwrap_or_else(PoisonError::into_inner);
        blessed.iter().filter(|(_, file)| file.is_new).map(|(path, _)| path.clone()).collect()
    }

    pub fn compare(&self, path: &str, dag: &Dag) -> Result<Golden, Refused> {
        let file = self.file(path)?;
        let text = dag.to_text();
        let golden = read(&file, path).map_err(Refused::new)?;
        if self.bless {
            return self.write(path, file, text, golden.as_deref());
        }
        match golden {
            None => Err(Refused::new(format!("the golden file `{path}` does not exist"))
                .help("`flowc test --bless` writes it")),
            Some(golden) if golden == text => Ok(Golden::Equal),
            Some(golden) => Ok(Golden::Differs(differences(&golden, dag, &text))),
        }
    }

    fn write(
        &self,
        path: &str,
        file: PathBuf,
        text: String,
        golden: Option<&str>,
    ) -> Result<Golden, Refused> {
        let mut blessed = self.blessed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = blessed.get(&file) {
            if earlier.text == text {
                return Ok(Golden::Equal);
            }
            return Err(Refused::new(format!("another test writes another DAG to `{path}`"))
                .help("give each its own file"));
        }
        let is_new = golden != Some(text.as_str());
        if is_new {
            let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
            folder
                .and_then(|()| fs::write(&file, &text))
                .map_err(|error| Refused::new(format!("cannot write `{path}`: {error}")))?;
        }
        blessed.insert(file, Blessed { text, is_new });
        Ok(Golden::Equal)
    }

    /// Where the file lies: below the project's root, however links lead. A stranger's test writes nowhere else.
    fn file(&self, path: &str) -> Result<PathBuf, Refused> {
        let leads_out = || {
            Refused::new(format!("`{path}` leads out of the project"))
                .help("golden files lie in the project, beside the tests")
        };
        let absolute = crate::project::absolute(&self.root.join(path)).map_err(|_| leads_out())?;
        let root = fs::canonicalize(&self.root).map_err(|_| leads_out())?;
        let real = absolute.ancestors().find_map(|path| fs::canonicalize(path).ok());
        if absolute.starts_with(&self.root) && real.is_some_and(|real| real.starts_with(root)) {
            Ok(absolute)
        } else {
            Err(leads_out())
        }
    }
}

/// What differs, node by node; line by line where the file holds no DAG, or one that only looks different.
fn differences(golden: &str, dag: &Dag, text: &str) -> String {
    let found = Dag::from_text(golden).ok().map(|golden| diff(&golden, dag));
    match found.filter(|found| !found.is_empty()) {
        Some(found) => found.to_text(),
        None => difference(golden, text, |line, _| line.to_owned()),
    }
}
