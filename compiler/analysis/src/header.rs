//! What a call needs to know of an operator, fn or workflow: its types, without places and bodies.

use std::sync::Arc;

use flow_syntax::{
    ast::{self, ItemKind, OperatorBody, Outputs, ProvenanceKind},
    diagnostic::{Diagnostic, code},
};

use crate::{
    body::ItemRef,
    db::{Db, Item, parse_item},
    names::{recursion, repeats},
    types::{Resolver, RowScheme, Scheme},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Callable {
    pub kind: CallableKind,
    pub item: ItemRef,
    pub generics: Vec<Generic>,
    pub params: Vec<Param>,
    pub outputs: Vec<Output>,
    /// Whether the value is the record of the outputs, rather than the only one.
    pub is_record: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallableKind {
    Operator,
    /// An operator whose rows the checker computes.
    Verb,
    Fn,
    Workflow,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Generic {
    pub name: String,
    /// What a row must have at least.
    pub bound: Option<RowScheme>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Param {
    pub name: String,
    pub scheme: Scheme,
    pub has_default: bool,
    /// The parameters of `unseen by`.
    pub unseen_by: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    pub name: String,
    pub scheme: Scheme,
    /// `rows of data`, `fitted on data`: what it is, of which parameters.
    pub provenance: Vec<(ProvenanceKind, Vec<String>)>,
}

/// A callable's types, and what is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    pub callable: Option<Arc<Callable>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The types of an operator, fn or workflow; `None` for other items, and for one that could not be read.
pub fn callable<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Arc<Callable>> {
    header(db, item).callable.clone()
}

/// Editing a body leaves it equal.
#[salsa::tracked]
pub fn header<'db>(db: &'db dyn Db, item: Item<'db>) -> Header {
    let mut reader = HeaderReader { resolver: Resolver::new(db, item.file(db)), generics: Vec::new() };
    let parsed = parse_item(db, item);
    let body = match &parsed.item.kind {
        ItemKind::Fn(function) => function.body.as_ref(),
        ItemKind::Workflow(workflow) => Some(&workflow.body),
        _ => None,
    };
    let is_readable = match (parsed.broken_at(), body) {
        (Some(at), Some(body)) => at > body.span.start && !body.span.is_empty(),
        (at, _) => at.is_none(),
    };
    let callable = match &parsed.item.kind {
        _ if !is_readable => None,
        ItemKind::Operator(operator) => {
            let kind = match operator.body {
                OperatorBody::Verb => CallableKind::Verb,
                _ => CallableKind::Operator,
            };
            Some(reader.read(kind, &operator.generics, &operator.params, &operator.result))
        }
        ItemKind::Workflow(workflow) => {
            Some(reader.read(CallableKind::Workflow, &workflow.generics, &workflow.params, &workflow.result))
        }
        ItemKind::Fn(function) => {
            let mut callable =
                reader.read(CallableKind::Fn, &function.generics, &function.params, &Outputs::None);
            if let Some(result) = &function.result {
                let scheme = reader.resolver.ty(result);
                callable.outputs.push(Output { name: VALUE.to_owned(), scheme, provenance: Vec::new() });
            }
            callable.is_record = false;
            Some(callable)
        }
        _ => None,
    };
    let callable = callable.map(|callable| Arc::new(Callable { item: item_ref(db, item), ..callable }));
    Header { callable, diagnostics: reader.resolver.diagnostics }
}

/// An item by its names.
pub fn item_ref<'db>(db: &'db dyn Db, item: Item<'db>) -> ItemRef {
    ItemRef { module: item.file(db).module(db).clone(), name: item.name(db).clone() }
}

/// Whether an item needs itself, which is reported with it: what it computes is not known then.
pub fn is_circular<'db>(db: &'db dyn Db, item: Item<'db>) -> bool {
    recursion(db, item).is_some()
}

/// The name of the only output that has none.
pub const VALUE: &str = flow_ir::node::VALUE_PORT;

impl Callable {
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }
}

struct HeaderReader<'db> {
    resolver: Resolver<'db>,
    generics: Vec<Generic>,
}

impl HeaderReader<'_> {
    fn read(
        &mut self,
        kind: CallableKind,
        generics: &[ast::Generic],
        params: &[ast::Param],
        outputs: &Outputs,
    ) -> Callable {
        self.resolver.diagnostics.extend(repeats(generics.iter().map(|generic| &generic.name)));
        self.resolver.diagnostics.extend(repeats(params.iter().map(|param| &param.name)));
        self.resolver.generics = generics.iter().map(|generic| generic.name.text.clone()).collect();
        self.resolver.params = params.iter().map(|param| param.name.text.clone()).collect();
        for generic in generics {
            let bound = generic.bound.as_ref().map(|bound| self.resolver.row(bound));
            self.generics.push(Generic { name: generic.name.text.clone(), bound });
        }
        let params: Vec<Param> = params.iter().map(|param| self.param(param, params)).collect();
        for (name, bound) in std::mem::take(&mut self.resolver.implicit) {
            self.generics.push(Generic { name, bound: Some(bound) });
        }
        self.resolver.may_elide = kind == CallableKind::Workflow;
        let (outputs, is_record) = match outputs {
            Outputs::None => (Vec::new(), true),
            Outputs::One(output) => (vec![self.output(output)], kind == CallableKind::Workflow),
            Outputs::Named(outputs) => {
                self.resolver
                    .diagnostics
                    .extend(repeats(outputs.iter().filter_map(|output| output.name.as_ref())));
                (outputs.iter().map(|output| self.output(output)).collect(), true)
            }
        };
        self.resolver.may_elide = false;
        let item = ItemRef { module: String::new(), name: String::new() };
        Callable { kind, item, generics: std::mem::take(&mut self.generics), params, outputs, is_record }
    }

    fn param(&mut self, param: &ast::Param, all: &[ast::Param]) -> Param {
        for name in &param.unseen_by {
            if !all.iter().any(|other| other.name.text == name.text) {
                let message = format!("there is no parameter `{}` here", name.text);
                self.resolver.diagnostics.push(crate::names::did_you_mean(
                    Diagnostic::error(code::UNKNOWN_NAME, name.span, message),
                    &name.text,
                    name.span,
                    all.iter().map(|param| param.name.text.as_str()),
                ));
            }
        }
        self.resolver.parameter = Some(param.name.text.clone());
        let scheme = self.resolver.ty(&param.ty);
        self.resolver.parameter = None;
        Param {
            name: param.name.text.clone(),
            scheme,
            has_default: param.default.is_some(),
            unseen_by: param.unseen_by.iter().map(|name| name.text.clone()).collect(),
        }
    }

    fn output(&mut self, output: &ast::Output) -> Output {
        Output {
            name: output.name.as_ref().map_or_else(|| VALUE.to_owned(), |name| name.text.clone()),
            scheme: self.resolver.ty(&output.ty),
            provenance: output
                .provenance
                .iter()
                .map(|phrase| (phrase.kind, phrase.params.iter().map(|name| name.text.clone()).collect()))
                .collect(),
        }
    }
}
