//! What is in scope everywhere: the types and enums of `std`, and the dataset verbs.

use rustc_hash::FxHashMap;

use crate::db::{Db, Item, Keyword, ModuleName, Project, items, module_file};

/// The module whose operators are the dataset verbs.
const VERBS: &str = "std.table";

/// The types and enums of `std`, by name.
#[salsa::tracked]
pub fn prelude<'db>(db: &'db dyn Db) -> FxHashMap<String, Item<'db>> {
    let Some(project) = Project::try_get(db) else { return FxHashMap::default() };
    let items = project.standard(db).values().flat_map(|file| items(db, *file));
    items.filter(|item| item.keyword(db).is_type()).map(|item| (item.name(db).clone(), *item)).collect()
}

/// The dataset verbs, by name.
#[salsa::tracked]
pub fn verbs<'db>(db: &'db dyn Db) -> FxHashMap<String, Item<'db>> {
    let Some(file) = module_file(db, ModuleName::new(db, VERBS.to_owned())) else {
        return FxHashMap::default();
    };
    items(db, file)
        .iter()
        .filter(|item| item.keyword(db) == Keyword::Operator)
        .map(|item| (item.name(db).clone(), *item))
        .collect()
}
