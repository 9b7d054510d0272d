//! The names of a module: its own items, and what it imports.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flow_syntax::{
    ast::{self, ItemKind},
    suggest::suggest,
};
use rustc_hash::FxHashMap;

use super::prelude;
use crate::db::{Db, File, Item, Keyword, ModuleName, all_modules, items, module_file, parse_item};

/// The names of one module, without places: editing a body leaves it equal.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub struct Scope<'db> {
    pub items: Arc<Definitions<'db>>,
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

/// The items of a file by name, the first of each; imports are none of them.
pub type Definitions<'db> = FxHashMap<String, Item<'db>>;

#[salsa::tracked(returns(clone))]
pub fn definitions<'db>(db: &'db dyn Db, file: File) -> Arc<Definitions<'db>> {
    let mut definitions = Definitions::default();
    for &item in items(db, file) {
        let is_named = !matches!(item.keyword(db), Keyword::Use | Keyword::Test | Keyword::Unknown);
        if is_named && !item.name(db).is_empty() {
            definitions.entry(item.name(db).clone()).or_insert(item);
        }
    }
    Arc::new(definitions)
}

#[salsa::tracked]
pub fn scope<'db>(db: &'db dyn Db, file: File) -> Scope<'db> {
    let mut scope =
        Scope { items: definitions(db, file), imports: BTreeMap::new(), lost: lost_words(db, file).clone() };
    for &item in items(db, file).iter().filter(|item| item.keyword(db) == Keyword::Use) {
        import(db, item, &mut scope);
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

/// The module with this path.
pub fn module_named(db: &dyn Db, path: String) -> Option<File> {
    module_file(db, ModuleName::new(db, path))
}

/// The module with this path; where there is none, the one that it most likely means.
pub(super) fn module_or_nearest(db: &dyn Db, path: &str) -> Option<File> {
    module_named(db, path.to_owned()).or_else(|| {
        let nearest = suggest(path, all_modules(db).map(|(module, _)| module.as_str()))?;
        module_named(db, nearest.to_owned())
    })
}

/// The paths of the modules that a file imports, as written.
#[salsa::tracked(returns(deref))]
pub fn imports(db: &dyn Db, file: File) -> Vec<String> {
    let uses = items(db, file).iter().filter(|item| item.keyword(db) == Keyword::Use);
    uses.filter_map(|item| match &parse_item(db, *item).item.kind {
        ItemKind::Use(import) => Some(joined(&import.path)),
        _ => None,
    })
    .collect()
}

/// `std.tree`
pub(super) fn joined(path: &ast::Path) -> String {
    path.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}

fn import<'db>(db: &'db dyn Db, item: Item<'db>, scope: &mut Scope<'db>) {
    let ItemKind::Use(import) = &parse_item(db, item).item.kind else { return };
    // A misspelled module is reported; its uses are no mistakes of their own.
    let module = module_or_nearest(db, &joined(&import.path));
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

/// The words from where items stop being readable.
#[salsa::tracked]
fn lost_words(db: &dyn Db, file: File) -> BTreeSet<String> {
    let lost = items(db, file).iter().filter_map(|item| {
        let at = parse_item(db, *item).broken_at()?;
        let is_whole = matches!(item.keyword(db), Keyword::Use | Keyword::Unknown);
        item.text(db).get(if is_whole { 0 } else { at as usize }..)
    });
    let words = lost.flat_map(|text| text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// An item of a module, by name; imports of that module are not its items.
pub(super) fn own_item<'db>(db: &'db dyn Db, file: File, name: &str) -> Option<Item<'db>> {
    definitions(db, file).get(name).copied()
}
