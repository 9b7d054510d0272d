//! The queries of bodies: what a fn, workflow or constant computes, each on its own.

use std::sync::Arc;

use flow_ir::types::{Row, Type};
use flow_syntax::{
    ast::{self, ItemKind},
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{
    Binding, Checker, Context, EntryKind, Typed,
    fold::fold,
    outputs::{tail, workflow_value},
    testing::check_test,
};
use crate::{
    body::{self, Body, Local},
    db::{Db, Item, Keyword, parse_item},
    header::{Callable, callable, is_circular},
    stack::with_stack,
    stages::Stage,
    ty::Ty,
    types::{Bindings, Bound, RowPart, RowScheme, Unknown},
};

/// An item with its generic parameters decided; a row stands as `Dataset<row>`. Without any, a generic item is
/// checked as declared: each row has what its bound says.
#[salsa::interned(debug)]
pub struct InstanceKey<'db> {
    #[returns(copy)]
    pub item: Item<'db>,
    pub type_args: Vec<Ty>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckedBody {
    pub body: Option<Arc<Body>>,
    /// Of its value: for a workflow the record of its outputs.
    pub result: Ty,
    pub diagnostics: Vec<Diagnostic>,
}

/// The typed body of a fn, workflow, constant or test.
#[salsa::tracked(cycle_result = circular_body)]
pub fn checked_body<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> CheckedBody {
    let item = key.item(db);
    let is_broken_const = item.keyword(db) == Keyword::Const && parse_item(db, item).broken_at().is_some();
    if is_circular(db, item) || is_broken_const {
        return CheckedBody::error();
    }
    with_stack(|| match &parse_item(db, item).item.kind {
        ItemKind::Const(constant) => check_const(db, item, constant),
        ItemKind::Fn(function) => match &function.body {
            Some(body) => check_callable(db, key, Context::Function, &function.params, body, Span::default()),
            None => CheckedBody::error(),
        },
        ItemKind::Workflow(workflow) => {
            check_callable(db, key, Context::Workflow, &workflow.params, &workflow.body, workflow.name.span)
        }
        ItemKind::Test(test) => check_test(db, item, test),
        _ => CheckedBody::error(),
    })
}

/// The outputs of a workflow; rows that its header leaves out are its body's.
#[salsa::tracked(returns(deref), cycle_result = circular_outputs)]
pub fn workflow_outputs<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Vec<(String, Ty)> {
    let item = key.item(db);
    let Some(callable) = callable(db, item) else { return Vec::new() };
    let bindings = generics(&callable, key.type_args(db));
    let written: Vec<(String, Result<Type, Unknown>)> = callable
        .outputs
        .iter()
        .map(|output| (output.name.clone(), output.scheme.substitute(&bindings)))
        .collect();
    if written.iter().all(|(_, ty)| ty.is_ok()) {
        return written.into_iter().map(|(name, ty)| (name, ty.map_or(Ty::Error, Ty::Ground))).collect();
    }
    let result = &checked_body(db, key).result;
    let from_body = |name: &str| match result {
        Ty::Ground(Type::Record(record)) => {
            record.field(name).map_or(Ty::Error, |field| Ty::Ground(field.ty.clone()))
        }
        _ => Ty::Error,
    };
    written
        .into_iter()
        .map(|(name, ty)| {
            let ty = ty.map_or_else(|_| from_body(&name), Ty::Ground);
            (name, ty)
        })
        .collect()
}

/// The type of a fn's value; that of its body where none is written.
pub fn fn_result<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Ty {
    let Some(callable) = callable(db, key.item(db)) else { return Ty::Error };
    match callable.outputs.first() {
        Some(output) => {
            output.scheme.substitute(&generics(&callable, key.type_args(db))).map_or(Ty::Error, Ty::Ground)
        }
        None => body_type(db, key).clone(),
    }
}

/// The type that a body has. Callers depend on it alone, whatever else changes in the body.
#[salsa::tracked(cycle_result = circular_result)]
fn body_type<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Ty {
    checked_body(db, key).result.clone()
}

/// The type of a constant.
pub fn const_type<'db>(db: &'db dyn Db, item: Item<'db>) -> &'db Ty {
    body_type(db, InstanceKey::new(db, item, Vec::new()))
}

/// The first mistake that a generic body has for these rows alone.
pub(super) fn instance_mistake<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Option<&'db Diagnostic> {
    let declared = &checked_body(db, InstanceKey::new(db, key.item(db), Vec::new())).diagnostics;
    checked_body(db, key).diagnostics.iter().find(|diagnostic| {
        diagnostic.is_error() && !declared.iter().any(|other| other.span == diagnostic.span)
    })
}

fn check_const<'db>(db: &'db dyn Db, item: Item<'db>, constant: &'db ast::Const) -> CheckedBody {
    let mut checker = Checker::new(db, item.file(db), Context::Constant);
    let wanted = constant.ty.as_ref().map(|ty| checker.written_type(ty));
    let typed = match &wanted {
        Some(Some(wanted)) => checker.expr_as(&constant.value, wanted),
        Some(None) => {
            checker.is_wanted_hidden = true;
            checker.expr(&constant.value, None);
            Typed::error(constant.value.span)
        }
        None => checker.expr(&constant.value, None),
    };
    if !typed.stage.is_planned() {
        checker.report(
            Diagnostic::error(
                code::KNOWN_TOO_LATE,
                typed.span(),
                "a constant is known when planned, and this is known only when run",
            )
            .help("call operators in a workflow"),
        );
    }
    if let Err((span, error)) = fold(&typed.expr) {
        checker.report(Diagnostic::error(code::OUT_OF_RANGE, span, error.to_string()));
    }
    let result = match wanted {
        Some(Some(wanted)) if typed.ty().is_some() => Ty::Ground(wanted),
        _ => typed.expr.ty.clone(),
    };
    let body = Body { params: Vec::new(), value: typed.expr, locals: checker.local_count() };
    CheckedBody { body: Some(Arc::new(body)), result, diagnostics: checker.diagnostics }
}

fn check_callable<'db>(
    db: &'db dyn Db,
    key: InstanceKey<'db>,
    context: Context,
    params: &'db [ast::Param],
    block: &'db ast::Block,
    name: Span,
) -> CheckedBody {
    let item = key.item(db);
    let Some(callable) = callable(db, item) else { return CheckedBody::error() };
    let is_declared = key.type_args(db).is_empty() && !callable.generics.is_empty();
    let mut checker = Checker::new(db, item.file(db), context);
    checker.generics = generics(&callable, key.type_args(db));
    let locals: Vec<Local> = params
        .iter()
        .zip(&callable.params)
        .map(|(param, header)| {
            let ty = header.scheme.substitute(&checker.generics).map_or(Ty::Error, Ty::Ground);
            let stage = if context == Context::Workflow { parameter_stage(&ty) } else { Stage::Planned };
            let local = checker.new_local(&param.name.text, ty.clone());
            checker.bind(&param.name, Binding::Local { id: local.id, ty, stage }, EntryKind::Param);
            local
        })
        .collect();
    let (value, result) = match context {
        Context::Workflow => workflow_value(&mut checker, &callable, block, name),
        _ => fn_value(&mut checker, &callable, block),
    };
    checker.leave_scope(0);
    let mut diagnostics = checker.diagnostics.clone();
    if is_declared {
        // What a row lacks beyond its bound is for each call to say; but a name that is nearly one of the
        // bound's is a misspelling of it.
        diagnostics.retain(|diagnostic| {
            !(401..=408).contains(&diagnostic.code.0)
                || diagnostic.code == code::NO_SUCH_COLUMN && diagnostic.fix.is_some()
        });
    }
    let result = if parse_item(db, item).broken_at().is_some() { Ty::Error } else { result };
    let body = Body { params: locals, value, locals: checker.local_count() };
    CheckedBody { body: Some(Arc::new(body)), result, diagnostics }
}

fn fn_value<'db>(
    checker: &mut Checker<'db>,
    callable: &Callable,
    block: &'db ast::Block,
) -> (body::Expr, Ty) {
    let wanted = callable.outputs.first().map(|output| output.scheme.substitute(&checker.generics));
    match wanted {
        Some(Ok(wanted)) => {
            let value = checker.block(block, Some(&wanted));
            let value = at_value(checker, value, block, &wanted, "as the result");
            (value.expr, Ty::Ground(wanted))
        }
        Some(Err(_)) => {
            checker.is_wanted_hidden = true;
            (checker.block(block, None).expr, Ty::Error)
        }
        None => {
            let value = checker.block(block, None).expr;
            let ty = value.ty.clone();
            (value, ty)
        }
    }
}

/// Makes a block's value one of the wanted type; a mismatch is shown at its last expression.
fn at_value(
    checker: &mut Checker<'_>,
    value: Typed,
    block: &ast::Block,
    wanted: &Type,
    place: &str,
) -> Typed {
    let whole = value.span();
    let at_tail = Typed { expr: body::Expr { span: tail(block), ..value.expr }, stage: value.stage };
    let mut fitted = checker.coerce(at_tail, wanted, place);
    fitted.expr.span = whole;
    fitted
}

/// What a callable's variables stand for; as declared, a row has what its bound says.
pub(super) fn generics(callable: &Callable, type_args: &[Ty]) -> Bindings {
    let mut bindings = Bindings::default();
    for (index, generic) in callable.generics.iter().enumerate() {
        let bound = match type_args.get(index) {
            Some(Ty::Ground(Type::Dataset(row))) => Bound::Row(row.clone()),
            Some(Ty::Ground(ty)) => Bound::Type(ty.clone()),
            Some(Ty::Error) => Bound::Error,
            None => match &generic.bound {
                Some(bound) => declared_row(bound).map_or(Bound::Error, Bound::Row),
                None => Bound::Error,
            },
        };
        bindings.vars.insert(generic.name.clone(), bound);
    }
    bindings
}

fn declared_row(bound: &RowScheme) -> Option<Row> {
    match bound {
        RowScheme::Ground(row) => Some(row.clone()),
        RowScheme::Parts { parts, .. } => {
            let columns = parts.iter().filter(|part| matches!(part, RowPart::Column(..))).cloned().collect();
            RowScheme::Parts { parts: columns, is_open: false }.substitute(&Bindings::default()).ok()
        }
        _ => None,
    }
}

/// Of a Dataset, model or File only whether it is there is known when planned.
fn parameter_stage(ty: &Ty) -> Stage {
    let Ty::Ground(ty) = ty else { return Stage::Planned };
    match ty.present() {
        Type::Dataset(_) | Type::Model(_) | Type::File | Type::Opaque(_) => Stage::Run,
        Type::List(element) => Stage::list(parameter_stage(&Ty::Ground((**element).clone()))),
        Type::Record(record) => Stage::record(
            record
                .fields
                .iter()
                .map(|field| (field.name.clone(), parameter_stage(&Ty::Ground(field.ty.clone()))))
                .collect(),
        ),
        _ => Stage::Planned,
    }
}

impl CheckedBody {
    fn error() -> Self {
        Self { body: None, result: Ty::Error, diagnostics: Vec::new() }
    }
}

fn circular_body<'db>(_: &'db dyn Db, _: salsa::Id, _: InstanceKey<'db>) -> CheckedBody {
    CheckedBody::error()
}

fn circular_outputs<'db>(_: &'db dyn Db, _: salsa::Id, _: InstanceKey<'db>) -> Vec<(String, Ty)> {
    Vec::new()
}

fn circular_result<'db>(_: &'db dyn Db, _: salsa::Id, _: InstanceKey<'db>) -> Ty {
    Ty::Error
}
