//! What comes from outside: the files, and which modules there are.

use std::collections::BTreeMap;

use super::Db;

/// A file's text.
#[salsa::input(debug)]
pub struct File {
    /// `pipelines.train`
    pub module: String,
    /// For people; nothing is opened by it.
    pub path: String,
    pub text: String,
}

/// All files, by module.
#[salsa::input(singleton, debug)]
pub struct Project {
    /// The modules of `std`. They never change: what is known of them alone is remembered without its reasons, and
    /// does not count among those of other answers.
    pub standard: BTreeMap<String, File>,
    /// All others.
    pub modules: BTreeMap<String, File>,
}

/// All modules, `std` last.
pub fn all_modules(db: &dyn Db) -> impl Iterator<Item = (&String, &File)> {
    let project = Project::try_get(db);
    project.into_iter().flat_map(|project| project.modules(db).iter().chain(project.standard(db)))
}

#[salsa::interned(debug)]
pub struct ModuleName<'db> {
    pub text: String,
}

/// The file of a module. Other files that come or go do not change the answer.
#[salsa::tracked(returns(copy))]
pub fn module_file<'db>(db: &'db dyn Db, module: ModuleName<'db>) -> Option<File> {
    let project = Project::try_get(db)?;
    let name = module.text(db);
    project.standard(db).get(name).or_else(|| project.modules(db).get(name)).copied()
}
