//! The names of a module: its own items, and what it imports.

use std::collections::{BTreeMap, BTreeSet};

use flow_syntax::{
    ast::{self, ItemKind},
    suggest::suggest,
};
use rustc_hash::FxHashMap;

use super::prelude;
use crate::db::{Db, File, Item, Keyword, ModuleName, Project, items, module_file, parse_item};

/// The names of one module, without places: editing a body leaves it equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, salsa::SalsaValue)]
pub struct Scope<'db> {
    /// The first of each name.
    pub items: FxHashMap<String, Item<'db>>,
    pub imports: BTreeMap<String, Import<'db>>,
    /// The words of what could not be read: a name among them may well be defined there.
    pub lost: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub enum Import<'db> {
    Module(File),
    Item(Item<'db>),
    /// It does not exist, which is reported where it is imported.
    Broken,
}

#[salsa::tracked]
pub fn scope<'db>(db: &'db dyn Db, file: File) -> Scope<'db> {
    let mut scope = Scope::default();
    for &item in items(db, file) {
        scope.lost.extend(lost_words(db, item).iter().cloned());
        match item.keyword(db) {
            Keyword::Use => import(db, item, &mut scope),
            Keyword::Test | Keyword::Unknown => {}
            _ if item.name(db).is_empty() => {}
            _ => {
                scope.items.entry(item.name(db).clone()).or_insert(item);
            }
        }
    }
    scope
}

/// What a name means in a module: its own item, an import, or a type of `std`.
pub fn resolve<'db>(db: &'db dyn Db, file: File, name: &str) -> Option<Import<'db>> {
    let scope = scope(db, file);
    let own = scope.items.get(name).map(|item| Import::Item(*item));
    own.or_else(|| scope.imports.get(name).copied())
        .or_else(|| prelude(db).get(name).map(|item| Import::Item(*item)))
        .or_else(|| scope.lost.contains(name).then_some(Import::Broken))
}

/// The modules that a module imports as a whole, by the names it has for them.
pub fn imported_modules(db: &dyn Db, file: File) -> impl Iterator<Item = (&str, File)> {
    scope(db, file).imports.iter().filter_map(|(name, import)| match import {
        Import::Module(file) => Some((name.as_str(), *file)),
        _ => None,
    })
}

/// The file of the module with this name.
pub fn module_named(db: &dyn Db, names: &[ast::Name]) -> Option<File> {
    let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
    module_file(db, ModuleName::new(db, names.join(".")))
}

fn import<'db>(db: &'db dyn Db, item: Item<'db>, scope: &mut Scope<'db>) {
    let ItemKind::Use(import) = &parse_item(db, item).item.kind else { return };
    // A misspelled module is reported; its uses are no mistakes of their own.
    let module = module_named(db, &import.path.names).or_else(|| nearest_module(db, &import.path.names));
    match &import.names {
        None => {
            if let Some(name) = import.path.names.last() {
                scope.imports.insert(name.text.clone(), module.map_or(Import::Broken, Import::Module));
            }
            if let Some(module) = module
                && let Some(name) = module.module(db).rsplit('.').next()
            {
                scope.imports.insert(name.to_owned(), Import::Module(module));
            }
        }
        Some(names) => {
            for name in names {
                let found = module.and_then(|module| own_item(db, module, &name.text));
                scope.imports.insert(name.text.clone(), found.map_or(Import::Broken, Import::Item));
            }
        }
    }
}

/// The words from where an item stops being readable.
#[salsa::tracked]
fn lost_words<'db>(db: &'db dyn Db, item: Item<'db>) -> BTreeSet<String> {
    let at = match item.keyword(db) {
        Keyword::Use | Keyword::Unknown => parse_item(db, item).broken_at().map(|_| 0),
        _ => parse_item(db, item).broken_at(),
    };
    let lost = at.and_then(|at| item.text(db).get(at as usize..)).unwrap_or_default();
    let words = lost.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The module that a misspelled path most likely means.
fn nearest_module(db: &dyn Db, names: &[ast::Name]) -> Option<File> {
    let path = names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
    let modules = Project::try_get(db)?.modules(db);
    let meant = suggest(&path, modules.keys().map(String::as_str))?;
    modules.get(meant).copied()
}

/// An item of a module, by name; imports of that module are not its items.
pub(super) fn own_item<'db>(db: &'db dyn Db, file: File, name: &str) -> Option<Item<'db>> {
    items(db, file).iter().copied().find(|item| {
        item.name(db) == name && !matches!(item.keyword(db), Keyword::Use | Keyword::Test | Keyword::Unknown)
    })
}
