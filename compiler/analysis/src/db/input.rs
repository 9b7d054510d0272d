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

/// All files, by module; those of `std` too.
#[salsa::input(singleton, debug)]
pub struct Project {
    pub modules: BTreeMap<String, File>,
}

#[salsa::interned(debug)]
pub struct ModuleName<'db> {
    pub text: String,
}

/// The file of a module. Other files that come or go do not change the answer.
#[salsa::tracked(returns(copy))]
pub fn module_file<'db>(db: &'db dyn Db, module: ModuleName<'db>) -> Option<File> {
    Project::try_get(db)?.modules(db).get(module.text(db)).copied()
}
