//! What is wrong with the imports of a module, and names defined twice in it.

use flow_syntax::{
    ast::{self, ItemKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
    suggest::suggest,
};
use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    case::check_case,
    did_you_mean, import_cycles, module_named, references,
    scopes::{joined, own_item},
};
use crate::db::{Db, File, Item, Keyword, ModuleName, all_modules, items, module_file, parse_item};

/// What is wrong with a module. The spans count from the start of the item, where there is one, so that one
/// that only moves is not asked again; else from that of the file.
#[derive(Clone, Debug, PartialEq, Eq, salsa::SalsaValue)]
pub struct Mistake<'db> {
    pub item: Option<Item<'db>>,
    pub diagnostic: Diagnostic,
}

/// Imports that find nothing, go in circles or are not used, and names that are defined twice or written in
/// the other case.
#[salsa::tracked]
pub fn check_uses<'db>(db: &'db dyn Db, file: File) -> Vec<Mistake<'db>> {
    let mut found = Vec::new();
    let mut first: FxHashMap<&str, (Item<'db>, Span)> = FxHashMap::default();
    let mut tests: FxHashMap<&str, (Item<'db>, Span)> = FxHashMap::default();
    let mut reported_cycle = false;
    let mentioned = mentioned(db, file);
    for &item in items(db, file) {
        let kind = &parse_item(db, item).item.kind;
        let report = |diagnostic| found.push(Mistake { item: Some(item), diagnostic });
        if let ItemKind::Use(import) = kind
            && parse_item(db, item).broken_at().is_none()
        {
            check_use(db, item, import, &mentioned, &mut reported_cycle, report);
        }
        found.extend(check_case(db, item).map(|diagnostic| Mistake { item: None, diagnostic }));
        if let ItemKind::Test(test) = kind
            && let Some((other, span)) = tests.insert(&test.name.value, (item, test.name.span))
        {
            let first = span.shift(other.start(db));
            tests.insert(&test.name.value, (other, span));
            let message = format!("two tests of this module are called `{}`", test.name.value);
            let diagnostic = Diagnostic::error(code::DEFINED_TWICE, test.name.span, message)
                .shift(item.start(db))
                .label(first, "the first is here")
                .help("reports tell tests apart by their names: give this one another");
            found.push(Mistake { item: None, diagnostic });
        }
        let names = match kind {
            ItemKind::Use(import) => match &import.names {
                Some(names) => names.iter().collect(),
                None => import.path.names.last().into_iter().collect(),
            },
            other => other.name().into_iter().collect::<Vec<_>>(),
        };
        for name in names {
            match first.entry(&name.text) {
                Entry::Vacant(entry) => drop(entry.insert((item, name.span))),
                Entry::Occupied(entry) => {
                    // Spans count from the item's start, and the first stands in another one.
                    let (other, span) = *entry.get();
                    let first = span.shift(other.start(db));
                    let diagnostic =
                        defined_twice(name).shift(item.start(db)).label(first, "the first is here");
                    found.push(Mistake { item: None, diagnostic });
                }
            }
        }
    }
    found
}

fn check_use<'db>(
    db: &'db dyn Db,
    item: Item<'db>,
    import: &ast::Use,
    mentioned: &Mentioned<'_>,
    reported_cycle: &mut bool,
    mut report: impl FnMut(Diagnostic),
) {
    let file = item.file(db);
    let Some(module) = module_named(db, joined(&import.path)) else {
        report(unknown_module(db, import));
        return;
    };
    if let Some(cycle) = import_cycles(db).get(&file)
        && cycle.way_round.get(1) == Some(&module)
        && !std::mem::replace(reported_cycle, true)
        && cycle.way_round.iter().all(|other| other.module(db) >= file.module(db))
    {
        let path: Vec<String> = cycle.way_round.iter().map(|file| format!("`{}`", file.module(db))).collect();
        let message = format!("`{}` imports itself: {}", file.module(db), path.join(" → "));
        report(
            Diagnostic::error(code::IMPORT_CYCLE, import.path.span, message)
                .help("move what both need into a module that imports neither"),
        );
    }
    for name in import.names.iter().flatten() {
        if own_item(db, module, &name.text).is_none() {
            let message = format!("`{}` has no item `{}`", module.module(db), name.text);
            let known = items(db, module).iter().filter(|item| item.keyword(db) != Keyword::Use);
            report(did_you_mean(
                Diagnostic::error(code::UNKNOWN_NAME, name.span, message),
                &name.text,
                name.span,
                known.map(|item| item.name(db).as_str()),
            ));
        } else if !mentioned.names.contains(name.text.as_str())
            && !mentioned.dot_calls.contains(name.text.as_str())
        {
            report(unused(&name.text, name.span, None));
        }
    }
    if import.names.is_none()
        && let Some(name) = import.path.names.last()
        && !mentioned.names.contains(name.text.as_str())
        && !mentioned.dot_calls.iter().any(|call| own_item(db, module, call).is_some())
    {
        let whole = parse_item(db, item).item.span;
        report(unused(&name.text, import.path.span, Some(whole)));
    }
}

/// What the items of a file mention: an import is used by its name, a module also by calling one of its items
/// behind a dot.
#[derive(Default)]
struct Mentioned<'db> {
    names: FxHashSet<&'db str>,
    dot_calls: FxHashSet<&'db str>,
}

fn mentioned<'db>(db: &'db dyn Db, file: File) -> Mentioned<'db> {
    let mut mentioned = Mentioned::default();
    for item in items(db, file).iter().filter(|item| item.keyword(db) != Keyword::Use) {
        let references = references(db, *item);
        mentioned.names.extend(references.names.iter().map(String::as_str));
        let qualified = references.qualified.iter().map(|(_, name)| name);
        mentioned.dot_calls.extend(references.dot_calls.iter().chain(qualified).map(String::as_str));
    }
    mentioned
}

fn unused(name: &str, span: Span, whole: Option<Span>) -> Diagnostic {
    let diagnostic = Diagnostic::warning(code::UNUSED, span, format!("`{name}` is imported and never used"));
    match whole {
        Some(whole) => diagnostic
            .help("remove the import")
            .fix("remove the import", vec![Edit { span: whole, text: String::new() }]),
        None => diagnostic.help("remove the name from the import"),
    }
}

fn unknown_module(db: &dyn Db, import: &ast::Use) -> Diagnostic {
    let names: Vec<&str> = import.path.names.iter().map(|name| name.text.as_str()).collect();
    let path = names.join(".");
    let diagnostic =
        Diagnostic::error(code::UNKNOWN_MODULE, import.path.span, format!("there is no module `{path}`"));
    // `use std.tree.gbdt` is meant as `use std.tree.{gbdt}`.
    if let Some((item, parent)) = names.split_last()
        && let Some(module) = module_file(db, ModuleName::new(db, parent.join(".")))
        && own_item(db, module, item).is_some()
        && import.names.is_none()
    {
        let mended = format!("{}.{{{item}}}", parent.join("."));
        return diagnostic
            .help(format!("`{item}` is an item of `{}`: `use {mended}`", parent.join(".")))
            .fix(format!("write `{mended}`"), vec![Edit { span: import.path.span, text: mended }]);
    }
    let known: Vec<&str> = all_modules(db).map(|(module, _)| module.as_str()).collect();
    match suggest(&path, known.iter().copied()) {
        Some(meant) => diagnostic
            .help(format!("did you mean `{meant}`?"))
            .fix(format!("write `{meant}`"), vec![Edit { span: import.path.span, text: meant.to_owned() }]),
        None => did_you_mean(diagnostic, &path, import.path.span, known),
    }
}

fn defined_twice(name: &ast::Name) -> Diagnostic {
    Diagnostic::error(
        code::DEFINED_TWICE,
        name.span,
        format!("`{}` is defined twice in this module", name.text),
    )
    .help("rename one of the two")
}
