//! The database of queries: what is read is remembered, and read again only when it changed.

mod database;
mod input;
mod item;

pub use database::{Database, Db};
pub use input::{File, ModuleName, Project, all_modules, module_file};
pub use item::{Item, Keyword, Parsed, items, module_doc, parse_item};
