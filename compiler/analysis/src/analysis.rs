//! The door to all questions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flow_ir::hash::Hash;
use flow_syntax::{
    ast::{self, ItemKind, Outputs},
    diagnostic::Diagnostic,
    span::Span,
};
use salsa::{Durability, Setter};

use crate::{
    body::{Body, Instance, ItemRef},
    check::{InstanceKey, checked_body, defaults, module_diagnostics, operator_info, workflow_outputs},
    db::{
        Database, File, Item, Keyword, ModuleName, Project, all_modules, items, module_doc, module_file,
        parse_item,
    },
    header::callable,
    interrupt::{Interrupt, Interrupted},
    names::{imports, scope},
    parallel::in_parallel,
    provenance::{diagnostics_where_same, rows_of_lets},
    signature::{Declaration, Output, Param, Signature},
    told_once::told_once,
    ty::Ty,
};

/// Where modules come from when a program imports them: a disk, an editor's buffers, memory.
pub trait Source {
    /// The path, for people, and the text of a module; `None` where there is none.
    fn read(&self, module: &str) -> Option<(String, String)>;
}

/// A project, and everything that is known of it.
///
/// `std` is there from the start. Files are given with [`Self::set_file`]; questions are answered about the
/// files as they are then, and what did not change since the last question is not computed again.
#[derive(Debug)]
pub struct Analysis {
    db: Database,
    project: Project,
    /// The modules that [`Self::edit_file`] was called for.
    edited: BTreeSet<String>,
}

/// So many modules are checked sooner than a thread has started.
const LEAST_WORK: usize = 16;

/// An operator of `std` or of the project, for catalogues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// With its module: `std.tree.gbdt`.
    pub name: String,
    pub doc: Option<String>,
    pub params: Vec<OperatorParam>,
    /// As written.
    pub result: String,
    /// The whole declaration, without its documentation.
    pub signature: Hash,
}

/// A `test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    pub name: String,
    /// Of its name, from the file's start.
    pub span: Span,
    /// Where its spans count from.
    pub start: u32,
    pub body: Arc<Body>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorParam {
    pub name: String,
    pub doc: Option<String>,
    /// As written.
    pub ty: String,
    /// As written.
    pub default: Option<String>,
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

impl Analysis {
    /// An empty project, with `std`.
    pub fn new() -> Self {
        Self::with(Database::default())
    }

    /// An empty project, with `std`, that can tell what was [`executed`](Self::executed).
    pub fn recording() -> Self {
        Self::with(Database::recording())
    }

    fn with(db: Database) -> Self {
        let mut standard = BTreeMap::new();
        for (module, text) in flow_stdlib_text::MODULES {
            let path = format!("{}.flow", module.replace('.', "/"));
            let file = File::builder((*module).to_owned(), path, (*text).to_owned())
                .durability(Durability::NEVER_CHANGE)
                .new(&db);
            standard.insert((*module).to_owned(), file);
        }
        let project = Project::builder(standard, BTreeMap::new())
            .standard_durability(Durability::NEVER_CHANGE)
            .modules_durability(Durability::MEDIUM)
            .new(&db);
        Self { db, project, edited: BTreeSet::new() }
    }

    /// Adds a module, or replaces its text. `path` is for people alone. A module of `std` stays as it is.
    pub fn set_file(&mut self, module: &str, path: &str, text: impl Into<String>) {
        if self.project.standard(&self.db).contains_key(module) {
            return;
        }
        let text = text.into();
        let Some(file) = self.file(module) else {
            let file = File::builder(module.to_owned(), path.to_owned(), text)
                .durability(Durability::MEDIUM)
                .new(&self.db);
            self.change_modules(|modules| modules.insert(module.to_owned(), file));
            return;
        };
        let db = &mut self.db;
        if *file.text(db) != text {
            file.set_text(db).to(text);
        }
        if file.path(db) != path {
            file.set_path(db).to(path.to_owned());
        }
    }

    /// Like [`Self::set_file`], for a text that will change again and again while the others stay: an editor's.
    ///
    /// What reads no such text is then known to hold without a look. The price is paid the first time: what reads
    /// this one is computed anew.
    pub fn edit_file(&mut self, module: &str, path: &str, text: impl Into<String>) {
        let text = text.into();
        self.set_file(module, path, text.clone());
        let file = self.project.modules(&self.db).get(module).copied();
        if let Some(file) = file
            && self.edited.insert(module.to_owned())
        {
            file.set_text(&mut self.db).with_durability(Durability::LOW).to(text);
        }
    }

    pub fn remove_file(&mut self, module: &str) {
        if self.project.modules(&self.db).contains_key(module) {
            self.edited.remove(module);
            self.change_modules(|modules| modules.remove(module));
        }
    }

    /// Takes the modules out of the database and puts them back: a copy for each of many files would cost the
    /// square of their number.
    fn change_modules<T>(&mut self, change: impl FnOnce(&mut BTreeMap<String, File>) -> T) {
        let mut modules = self.project.set_modules(&mut self.db).to(BTreeMap::new());
        change(&mut modules);
        self.project.set_modules(&mut self.db).to(modules);
    }

    /// Adds a module and all that it imports, directly or not, as far as the source has them. Modules that
    /// are there already stay as they are.
    pub fn load(&mut self, module: &str, source: &dyn Source) {
        let mut wanted = vec![module.to_owned()];
        while let Some(module) = wanted.pop() {
            if self.file(&module).is_none() {
                let Some((path, text)) = source.read(&module) else { continue };
                self.set_file(&module, &path, text);
            }
            wanted.extend(self.imports(&module).into_iter().filter(|import| self.file(import).is_none()));
        }
    }

    /// The modules of the project, less `std`.
    pub fn modules(&self) -> Vec<String> {
        self.project.modules(&self.db).keys().cloned().collect()
    }

    /// The modules that a module imports, whether they are there or not.
    pub fn imports(&self, module: &str) -> Vec<String> {
        self.file(module).map_or_else(Vec::new, |file| imports(&self.db, file).to_vec())
    }

    /// The text of a module.
    pub fn text(&self, module: &str) -> Option<&str> {
        Some(self.file(module)?.text(&self.db))
    }

    /// The path that a module was given with.
    pub fn path(&self, module: &str) -> Option<&str> {
        Some(self.file(module)?.path(&self.db))
    }

    /// The `//!` documentation of a module.
    pub fn doc(&self, module: &str) -> Option<&str> {
        module_doc(&self.db, self.file(module)?).as_deref()
    }

    /// Everything that is wrong with a module, in the order of its text. Spans count from the file's start.
    pub fn check(&self, module: &str) -> Vec<Diagnostic> {
        let Some(file) = self.file(module) else { return Vec::new() };
        let db = &self.db;
        let mut found: Vec<Diagnostic> = module_diagnostics(db, file)
            .iter()
            .map(|found| found.diagnostic.clone().shift(found.item.map_or(0, |item| item.start(db))))
            .collect();
        found.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
        found.dedup();
        told_once(found)
    }

    /// Everything that is wrong with each of these modules. Many are checked on all cores.
    pub fn check_each(&self, modules: &[String]) -> Vec<Vec<Diagnostic>> {
        in_parallel(self, modules, LEAST_WORK, |analysis, module| analysis.check(module))
    }

    /// One answer for each subject, in their order; on all cores, where each may take long.
    pub fn ask_each<S: Sync, T: Send>(&self, subjects: &[S], ask: impl Fn(&Self, &S) -> T + Sync) -> Vec<T> {
        in_parallel(self, subjects, 1, ask)
    }

    /// Everything that is wrong with the project, by module.
    pub fn check_all(&self) -> Vec<(String, Vec<Diagnostic>)> {
        let modules = self.modules();
        let found = self.check_each(&modules);
        modules.into_iter().zip(found).collect()
    }

    /// The workflows of a module, in the order of its text.
    pub fn workflows(&self, module: &str) -> Vec<String> {
        let Some(file) = self.file(module) else { return Vec::new() };
        items(&self.db, file)
            .iter()
            .filter(|item| item.keyword(&self.db) == Keyword::Workflow)
            .map(|item| item.name(&self.db).clone())
            .collect()
    }

    /// The tests of a module, in the order of its text.
    pub fn tests(&self, module: &str) -> Vec<Test> {
        let Some(file) = self.file(module) else { return Vec::new() };
        let db = &self.db;
        let items = items(db, file).iter().filter(|item| item.keyword(db) == Keyword::Test);
        items
            .filter_map(|item| match &parse_item(db, *item).item.kind {
                ItemKind::Test(test) => Some(Test {
                    name: test.name.value.clone(),
                    span: test.name.span.shift(item.start(db)),
                    start: item.start(db),
                    body: checked_body(db, InstanceKey::new(db, *item, Vec::new())).body.clone()?,
                }),
                _ => None,
            })
            .collect()
    }

    /// What a workflow asks for and gives; `None` where there is no such workflow.
    pub fn signature(&self, module: &str, workflow: &str) -> Option<Arc<Signature>> {
        let db = &self.db;
        let item = self.item(module, workflow)?;
        let parsed = &parse_item(db, item).item;
        let ItemKind::Workflow(tree) = &parsed.kind else { return None };
        let callable = callable(db, item)?;
        let key = InstanceKey::new(db, item, Vec::new());
        let values = &defaults(db, item).values;
        let params =
            tree.params.iter().zip(&callable.params).enumerate().map(|(index, (param, header))| Param {
                name: header.name.clone(),
                doc: doc(param.doc.as_ref()),
                ty: header
                    .scheme
                    .substitute(&crate::types::Bindings::default())
                    .map_or(Ty::Error, Ty::Ground),
                default: values.get(index).cloned().flatten().map(|(value, _)| value),
            });
        let docs: Vec<Option<String>> = match &tree.result {
            Outputs::Named(outputs) => outputs.iter().map(|output| doc(output.doc.as_ref())).collect(),
            Outputs::One(output) => vec![doc(output.doc.as_ref())],
            Outputs::None => Vec::new(),
        };
        let outputs = workflow_outputs(db, key).iter().enumerate().map(|(index, (name, ty))| Output {
            name: name.clone(),
            doc: docs.get(index).cloned().flatten(),
            ty: ty.clone(),
        });
        Some(Arc::new(Signature {
            name: format!("{module}.{workflow}"),
            doc: doc(parsed.doc.as_ref()),
            params: params.collect(),
            outputs: outputs.collect(),
        }))
    }

    /// An operator's parameters; `None` where there is no such operator.
    pub fn declaration(&self, operator: &ItemRef) -> Option<Declaration> {
        let db = &self.db;
        let item = self.item(&operator.module, &operator.name)?;
        let info = operator_info(db, item).clone()?;
        let callable = callable(db, item)?;
        let values = &defaults(db, item).values;
        let params = callable.params.iter().enumerate().map(|(index, header)| Param {
            name: header.name.clone(),
            doc: None,
            ty: header.scheme.substitute(&crate::types::Bindings::default()).map_or(Ty::Error, Ty::Ground),
            default: values.get(index).cloned().flatten().map(|(value, _)| value),
        });
        Some(Declaration { operator: info, params: params.collect() })
    }

    /// The typed body of a fn or workflow, for its generic parameters as they are in the instance.
    pub fn body(&self, instance: &Instance) -> Option<Arc<Body>> {
        let item = self.item(&instance.item.module, &instance.item.name)?;
        let key = InstanceKey::new(&self.db, item, instance.type_args.clone());
        checked_body(&self.db, key).body.clone()
    }

    pub fn workflow_body(&self, module: &str, workflow: &str) -> Option<Arc<Body>> {
        let item = ItemRef { module: module.to_owned(), name: workflow.to_owned() };
        self.body(&Instance { item, type_args: Vec::new() })
    }

    pub fn const_body(&self, item: &ItemRef) -> Option<Arc<Body>> {
        self.body(&Instance { item: item.clone(), type_args: Vec::new() })
    }

    /// What breaks a rule of provenance in a workflow where parameters of one number in `same` are bound to one
    /// file, and what holds elsewhere does not tell: `[0, 1, 0]` says that the third reads the first's. Spans count
    /// from the file's start.
    pub fn check_where_same(&self, module: &str, workflow: &str, same: &[u32]) -> Vec<Diagnostic> {
        let Some(item) = self.item(module, workflow) else { return Vec::new() };
        let found = diagnostics_where_same(&self.db, item, same).into_iter();
        found.map(|diagnostic| diagnostic.shift(item.start(&self.db))).collect()
    }

    /// The rows behind what each `let` of a workflow or fn binds, in words: `holds rides/train; seen rides/train`. In
    /// the order of evaluation; spans count from the file's start, and a lambda's parameters come once for each call.
    pub fn rows_of_lets(&self, module: &str, item: &str) -> Vec<(Span, String)> {
        let Some(item) = self.item(module, item) else { return Vec::new() };
        let start = item.start(&self.db);
        rows_of_lets(&self.db, item).into_iter().map(|(span, rows)| (span.shift(start), rows)).collect()
    }

    /// Where an item begins in its file: what the spans of its body count from.
    pub fn item_offset(&self, item: &ItemRef) -> Option<u32> {
        Some(self.item(&item.module, &item.name)?.start(&self.db))
    }

    /// Every operator and verb, of `std` and of the project, by name.
    pub fn operators(&self) -> Vec<Operator> {
        let db = &self.db;
        let items = all_modules(db).flat_map(|(_, file)| items(db, *file));
        let mut operators: Vec<Operator> = items.filter_map(|item| self.operator(*item)).collect();
        operators.sort_by(|a, b| a.name.cmp(&b.name));
        operators
    }

    /// The full name of every operator and verb, with the hash of its declaration.
    pub fn operator_signatures(&self) -> Vec<(String, Hash)> {
        let db = &self.db;
        let items = all_modules(db).flat_map(|(_, file)| items(db, *file));
        items
            .filter_map(|item| {
                operator_info(db, *item).as_ref().map(|info| (info.name.clone(), info.signature))
            })
            .collect()
    }

    /// Runs `work` and tells which queries it had to run, for tests of what is remembered; `None` where the
    /// analysis is not a [`recording`](Self::recording) one.
    pub fn executed<T>(&self, work: impl FnOnce(&Self) -> T) -> (T, Option<Vec<String>>) {
        self.db.executed(|| work(self))
    }

    /// The same project, for another thread. It must be gone before the project is changed.
    pub(crate) fn handle(&self) -> Self {
        Self { db: self.db.clone(), project: self.project, edited: BTreeSet::new() }
    }

    /// Runs `work`, which another thread may stop through `interrupt`: a check that nobody waits for any more. The
    /// further threads of [`check_all`](Self::check_all) end with the module that they are at.
    pub fn interruptible<T>(
        &self,
        interrupt: &Interrupt,
        work: impl FnOnce(&Self) -> T,
    ) -> Result<T, Interrupted> {
        interrupt.guard(&self.db, || work(self))
    }

    fn file(&self, module: &str) -> Option<File> {
        module_file(&self.db, ModuleName::new(&self.db, module.to_owned()))
    }

    fn item(&self, module: &str, name: &str) -> Option<Item<'_>> {
        scope(&self.db, self.file(module)?).items.get(name).copied()
    }

    fn operator(&self, item: Item<'_>) -> Option<Operator> {
        let db = &self.db;
        let info = operator_info(db, item).as_ref()?;
        let text = item.text(db);
        let parsed = &parse_item(db, item).item;
        let ItemKind::Operator(tree) = &parsed.kind else { return None };
        let written = |span: flow_syntax::span::Span| one_line(text.get(span.range()).unwrap_or_default());
        let params = tree.params.iter().map(|param| OperatorParam {
            name: param.name.text.clone(),
            doc: doc(param.doc.as_ref()),
            ty: written(param.ty.span),
            default: param.default.as_ref().map(|default| written(default.span)),
        });
        let result = match &tree.result {
            Outputs::None => String::new(),
            Outputs::One(output) => written(output.ty.span),
            Outputs::Named(outputs) => {
                let output = |output: &ast::Output| {
                    let name = output.name.as_ref().map_or("", |name| name.text.as_str());
                    format!("{name}: {}", written(output.ty.span))
                };
                format!("({})", outputs.iter().map(output).collect::<Vec<_>>().join(", "))
            }
        };
        Some(Operator {
            name: info.name.clone(),
            doc: doc(parsed.doc.as_ref()),
            params: params.collect(),
            result,
            signature: info.signature,
        })
    }
}

fn doc(doc: Option<&ast::Doc>) -> Option<String> {
    doc.map(|doc| doc.text.clone())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
