//! The queries of checking: each item's body, defaults and declaration, on its own.

use std::sync::Arc;

use flow_ir::{
    hash::Hash,
    node::{CommandWord, OperatorPlace},
    types::{Field, RecordType, Row, Type},
};
use flow_syntax::{
    ast::{self, ExprKind, ItemKind, OperatorBody},
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{Binding, Checker, Context, EntryKind, Typed};
use crate::{
    body::{self, Body, Local, OperatorInfo},
    db::{Db, Item, Keyword, parse_item},
    header::{Callable, callable, header, is_circular},
    names::recursion,
    stages::Stage,
    ty::Ty,
    types::{Bindings, Bound, RowPart, RowScheme, Scheme, Unknown, type_item},
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

/// The defaults of an item's parameters, with how many locals each has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Defaults {
    pub values: Vec<Option<(body::Expr, u32)>>,
    pub diagnostics: Vec<Diagnostic>,
}

/// The typed body of a fn, workflow or constant.
#[salsa::tracked(cycle_result = circular_body)]
pub fn checked_body<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> CheckedBody {
    let item = key.item(db);
    let is_broken_const = item.keyword(db) == Keyword::Const && parse_item(db, item).broken_at().is_some();
    if is_circular(db, item) || is_broken_const {
        return CheckedBody::error();
    }
    match &parse_item(db, item).item.kind {
        ItemKind::Const(constant) => check_const(db, item, constant),
        ItemKind::Fn(function) => match &function.body {
            Some(body) => check_callable(db, key, Context::Function, &function.params, body, Span::default()),
            None => CheckedBody::error(),
        },
        ItemKind::Workflow(workflow) => {
            check_callable(db, key, Context::Workflow, &workflow.params, &workflow.body, workflow.name.span)
        }
        _ => CheckedBody::error(),
    }
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
#[salsa::tracked(cycle_result = circular_result)]
pub fn fn_result<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Ty {
    let Some(callable) = callable(db, key.item(db)) else { return Ty::Error };
    match callable.outputs.first() {
        Some(output) => {
            output.scheme.substitute(&generics(&callable, key.type_args(db))).map_or(Ty::Error, Ty::Ground)
        }
        None => checked_body(db, key).result.clone(),
    }
}

/// What is typed at the parameters themselves: their defaults.
#[salsa::tracked(cycle_result = circular_defaults)]
pub fn defaults<'db>(db: &'db dyn Db, item: Item<'db>) -> Defaults {
    let params = match &parse_item(db, item).item.kind {
        ItemKind::Fn(function) => &function.params,
        ItemKind::Operator(operator) => &operator.params,
        ItemKind::Workflow(workflow) => &workflow.params,
        _ => return Defaults { values: Vec::new(), diagnostics: Vec::new() },
    };
    let Some(callable) = callable(db, item) else {
        return Defaults { values: Vec::new(), diagnostics: Vec::new() };
    };
    let bindings = generics(&callable, &[]);
    let mut diagnostics = Vec::new();
    let mut values = Vec::with_capacity(params.len());
    for (param, header) in params.iter().zip(&callable.params) {
        let Some(default) = &param.default else {
            values.push(None);
            continue;
        };
        let mut checker = Checker::new(db, item.file(db), Context::Constant);
        let typed = match header.scheme.substitute(&bindings) {
            Ok(wanted) => checker.expr_as(default, &wanted),
            // `none`, `[]` and the like, where the type waits for the call.
            Err(unknown) => {
                checker.is_wanted_hidden = unknown == Unknown::Error;
                checker.expr(default, None)
            }
        };
        // A reader takes its columns from the parameter, which takes them from the table of each call.
        if checker.diagnostics.is_empty() && waits_for_row(&header.scheme) && is_reader(&default.kind) {
            let message = format!("nothing says which columns to read: the row of `{}` is open", header.name);
            checker.report(
                Diagnostic::error(code::TYPE_MISMATCH, default.span, message)
                    .help("give the parameter a schema, `Dataset<Ride>`, or leave the default out"),
            );
        }
        values.push(typed.ty().is_some().then(|| (typed.expr.clone(), checker.local_count())));
        diagnostics.append(&mut checker.diagnostics);
    }
    Defaults { values, diagnostics }
}

fn waits_for_row(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Dataset(row) => matches!(row, RowScheme::Var(_) | RowScheme::Parts { is_open: true, .. }),
        Scheme::Optional(inner) => waits_for_row(inner),
        _ => false,
    }
}

fn is_reader(default: &ExprKind) -> bool {
    match default {
        ExprKind::Call { .. } => true,
        ExprKind::Paren(inner) => is_reader(&inner.kind),
        _ => false,
    }
}

/// What the planner needs of an operator's declaration.
#[salsa::tracked]
pub fn operator_info<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Arc<OperatorInfo>> {
    declaration(db, item).info.clone()
}

/// The type of a constant.
#[salsa::tracked(cycle_result = circular_type)]
pub fn const_type<'db>(db: &'db dyn Db, item: Item<'db>) -> Ty {
    checked_body(db, InstanceKey::new(db, item, Vec::new())).result.clone()
}

/// The first mistake that a generic body has for these rows alone.
pub(super) fn instance_mistake<'db>(db: &'db dyn Db, key: InstanceKey<'db>) -> Option<&'db Diagnostic> {
    let declared = &checked_body(db, InstanceKey::new(db, key.item(db), Vec::new())).diagnostics;
    checked_body(db, key).diagnostics.iter().find(|diagnostic| {
        diagnostic.is_error() && !declared.iter().any(|other| other.span == diagnostic.span)
    })
}

/// Everything that is wrong with one item, but for what concerns its module: imports and repeated names.
#[salsa::tracked(returns(deref))]
pub fn item_diagnostics<'db>(db: &'db dyn Db, item: Item<'db>) -> Vec<Diagnostic> {
    let parsed = parse_item(db, item);
    let mut diagnostics = Vec::new();
    match item.keyword(db) {
        Keyword::Type | Keyword::Enum | Keyword::Schema => {
            diagnostics.extend(type_item(db, item).diagnostics.iter().cloned());
        }
        Keyword::Const => {
            let key = InstanceKey::new(db, item, Vec::new());
            diagnostics.extend(checked_body(db, key).diagnostics.iter().cloned());
        }
        Keyword::Fn | Keyword::Operator | Keyword::Workflow => {
            diagnostics.extend(header(db, item).diagnostics.iter().cloned());
            diagnostics.extend(defaults(db, item).diagnostics.iter().cloned());
            diagnostics.extend(declaration(db, item).diagnostics.iter().cloned());
            let key = InstanceKey::new(db, item, Vec::new());
            diagnostics.extend(checked_body(db, key).diagnostics.iter().cloned());
        }
        Keyword::Use | Keyword::Test | Keyword::Unknown => {}
    }
    diagnostics.extend(recursion_of(db, item));
    if let Some(at) = parsed.broken_at() {
        let before = item.text(db).get(..at as usize).unwrap_or_default();
        let line = before.rfind('\n').unwrap_or(0);
        diagnostics.retain(|diagnostic: &Diagnostic| diagnostic.span.end as usize <= line);
    }
    diagnostics.extend(parsed.diagnostics.iter().cloned());
    diagnostics
}

/// An operator's declaration, less its types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Declaration {
    info: Option<Arc<OperatorInfo>>,
    diagnostics: Vec<Diagnostic>,
}

#[salsa::tracked]
fn declaration<'db>(db: &'db dyn Db, item: Item<'db>) -> Declaration {
    let ItemKind::Operator(operator) = &parse_item(db, item).item.kind else {
        return Declaration { info: None, diagnostics: Vec::new() };
    };
    let mut checker = Checker::new(db, item.file(db), Context::Constant);
    let policy = checker.policy(&operator.policy);
    let has = |mark: ast::Mark| operator.marks.iter().any(|(other, _)| *other == mark);
    let effect = has(ast::Mark::Effect);
    let (place, is_native) = match &operator.body {
        OperatorBody::Native | OperatorBody::Verb | OperatorBody::Error => (OperatorPlace::Native, true),
        OperatorBody::Python { entry, .. } => {
            if !entry
                .value
                .split_once(':')
                .is_some_and(|(module, function)| !module.is_empty() && !function.is_empty())
            {
                checker.fail(
                    code::MALFORMED_LITERAL,
                    entry.span,
                    "this names a function as `module:function`",
                );
            }
            (OperatorPlace::Python(entry.value.clone()), false)
        }
        OperatorBody::Command { words, .. } => (
            OperatorPlace::Command(
                words.iter().map(|word| command_word(&mut checker, word, operator)).collect(),
            ),
            false,
        ),
    };
    let info = OperatorInfo {
        name: format!("{}.{}", item.file(db).module(db), item.name(db)),
        signature: signature_hash(item.text(db)),
        place,
        effect,
        deterministic: if is_native { !effect } else { has(ast::Mark::Deterministic) },
        policy,
    };
    Declaration { info: Some(Arc::new(info)), diagnostics: checker.diagnostics }
}

fn command_word(checker: &mut Checker<'_>, word: &ast::Expr, operator: &ast::Operator) -> CommandWord {
    match &word.kind {
        ExprKind::Literal(ast::Literal::Text(text) | ast::Literal::RawText(text)) => {
            CommandWord::Text(text.clone())
        }
        ExprKind::Name(name) => {
            if !operator.params.iter().any(|param| param.name.text == name.text) {
                let diagnostic = Diagnostic::error(
                    code::UNKNOWN_NAME,
                    name.span,
                    format!("there is no parameter `{}` here", name.text),
                );
                let known = operator.params.iter().map(|param| param.name.text.as_str());
                checker.report(crate::names::did_you_mean(diagnostic, &name.text, name.span, known));
            }
            CommandWord::Input(name.text.clone())
        }
        ExprKind::Field { base, name } if matches!(&base.kind, ExprKind::Name(base) if base.text == "out") => {
            let known: Vec<&str> = match &operator.result {
                ast::Outputs::Named(outputs) => {
                    outputs.iter().filter_map(|output| Some(output.name.as_ref()?.text.as_str())).collect()
                }
                _ => vec![crate::header::VALUE],
            };
            if !known.contains(&name.text.as_str()) {
                let message = format!("there is no output `{}` here", name.text);
                let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
                checker.report(crate::names::did_you_mean(diagnostic, &name.text, name.span, known));
            }
            CommandWord::Output(name.text.clone())
        }
        _ => {
            let message = "a command's words are texts, parameters, and `out.name` for its outputs";
            checker.fail(code::TYPE_MISMATCH, word.span, message);
            CommandWord::Text(String::new())
        }
    }
}

/// Of the declaration's tokens: documentation, comments and layout do not matter.
fn signature_hash(text: &str) -> Hash {
    let mut bytes = Vec::with_capacity(text.len());
    for token in flow_syntax::lex::lex(text).tokens {
        if !matches!(token.kind, flow_syntax::lex::Kind::Doc | flow_syntax::lex::Kind::ModuleDoc) {
            bytes.extend_from_slice(text.get(token.span.range()).unwrap_or_default().as_bytes());
            bytes.push(0);
        }
    }
    Hash::of(&bytes)
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
        // What a row lacks beyond its bound is for each call to say.
        diagnostics.retain(|diagnostic| !(401..=408).contains(&diagnostic.code.0));
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

/// The record of a workflow's outputs.
fn workflow_value<'db>(
    checker: &mut Checker<'db>,
    callable: &Callable,
    block: &'db ast::Block,
    name: Span,
) -> (body::Expr, Ty) {
    let wanted: Vec<(String, Result<Type, Unknown>)> = callable
        .outputs
        .iter()
        .map(|output| (output.name.clone(), output.scheme.substitute(&checker.generics)))
        .collect();
    if wanted.iter().any(|(_, ty)| *ty == Err(Unknown::Error)) {
        checker.is_wanted_hidden = true;
        return (checker.block(block, None).expr, Ty::Error);
    }
    let ground: Option<Vec<Field>> = wanted
        .iter()
        .map(|(name, ty)| Some(Field { name: name.clone(), ty: ty.as_ref().ok()?.clone() }))
        .collect();
    let hint = match (wanted.as_slice(), ground) {
        ([(_, ty)], _) => ty.as_ref().ok().cloned(),
        (_, Some(fields)) => Some(Type::Record(RecordType { name: None, fields })),
        _ => None,
    };
    let value = checker.block(block, hint.as_ref());
    let Some(ty) = value.ty().cloned() else { return (value.expr, Ty::Error) };
    let span = tail(block);
    let [(only, _)] = wanted.as_slice() else {
        return several_outputs(checker, callable, value, &ty, span);
    };
    let is_wanted = matches!(&hint, Some(wanted) if crate::types::fits(&ty, wanted).is_ok());
    if !is_wanted && matches!(&ty, Type::Record(record) if record.field(only).is_some()) {
        return several_outputs(checker, callable, value, &ty, span);
    }
    if callable.outputs.is_empty() {
        checker.fail(code::TYPE_MISMATCH, name, "a workflow says what it gives: `-> (model: Classifier)`");
    }
    let Some(output) = callable.outputs.first() else { return (value.expr, Ty::Error) };
    let value = Typed { expr: body::Expr { span, ..value.expr }, stage: value.stage };
    let value = fit_output(checker, output, value);
    let fields: Option<Vec<Field>> = value.ty.ground().map(|ty| vec![Field { name: only.clone(), ty }]);
    let result =
        fields.map_or(Ty::Error, |fields| Ty::Ground(Type::Record(RecordType { name: None, fields })));
    let expr = body::Expr {
        kind: body::ExprKind::Record(vec![(only.clone(), value)]),
        ty: result.clone(),
        span: block.span,
    };
    (expr, result)
}

/// A workflow's value that is the record of its outputs.
fn several_outputs(
    checker: &mut Checker<'_>,
    callable: &Callable,
    value: Typed,
    ty: &Type,
    span: Span,
) -> (body::Expr, Ty) {
    let names: Vec<&str> = callable.outputs.iter().map(|output| output.name.as_str()).collect();
    let Type::Record(record) = ty else {
        if callable.outputs.is_empty() {
            // For its effects alone.
            return (value.expr, Ty::Ground(Type::Record(RecordType { name: None, fields: Vec::new() })));
        }
        let message =
            format!("the record of the outputs is wanted, and this is `{}`", crate::types::show(ty));
        checker.report(Diagnostic::error(code::TYPE_MISMATCH, span, message).help(format!(
            "end with `({})`",
            names.iter().map(|name| format!("{name}: …")).collect::<Vec<_>>().join(", ")
        )));
        return (value.expr, Ty::Error);
    };
    let missing: Vec<&str> = names.iter().copied().filter(|name| record.field(name).is_none()).collect();
    if !missing.is_empty() {
        let names = crate::types::show_columns(missing.iter().copied());
        let message = match missing.len() {
            1 => format!("the output {names} is not given"),
            _ => format!("the outputs {names} are not given"),
        };
        checker.fail(code::MISSING_ARGUMENT, span, message);
        return (value.expr, Ty::Error);
    }
    if let Some(extra) = record.fields.iter().find(|field| !names.contains(&field.name.as_str())) {
        let message = format!("the workflow has no output `{}`", extra.name);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, span, message);
        checker.report(
            crate::names::did_you_mean(diagnostic, &extra.name, span, [])
                .help(format!("its outputs are {}", crate::types::show_columns(names.iter().copied()))),
        );
        return (value.expr, Ty::Error);
    }
    let value = give_outputs(checker, callable, value.expr, value.stage);
    let result = value.ty.clone();
    (value, result)
}

/// Fits each output of a record expression, where it is built.
fn give_outputs(
    checker: &mut Checker<'_>,
    callable: &Callable,
    value: body::Expr,
    stage: Stage,
) -> body::Expr {
    let span = value.span;
    match value.kind {
        body::ExprKind::Block { bindings, value } => {
            let value = give_outputs(checker, callable, *value, stage);
            let ty = value.ty.clone();
            body::Expr { kind: body::ExprKind::Block { bindings, value: Box::new(value) }, ty, span }
        }
        body::ExprKind::Record(fields) => {
            let mut given = Vec::with_capacity(fields.len());
            let mut types = Vec::with_capacity(fields.len());
            for output in &callable.outputs {
                let Some((_, field)) = fields.iter().find(|(name, _)| *name == output.name) else { continue };
                let typed = Typed { expr: field.clone(), stage: stage.field(&output.name) };
                let expr = fit_output(checker, output, typed);
                types.push(expr.ty.ground().map(|ty| Field { name: output.name.clone(), ty }));
                given.push((output.name.clone(), expr));
            }
            let ty = types.into_iter().collect::<Option<Vec<Field>>>();
            let ty =
                ty.map_or(Ty::Error, |fields| Ty::Ground(Type::Record(RecordType { name: None, fields })));
            body::Expr { kind: body::ExprKind::Record(given), ty, span }
        }
        // A record from elsewhere: another workflow's outputs, a parameter, a literal. It is bound, so that each
        // output can be converted on its own.
        kind => {
            let record = body::Expr { kind, ty: value.ty, span };
            let whole = checker.new_local("_", record.ty.clone());
            let mut fields = Vec::with_capacity(callable.outputs.len());
            for output in &callable.outputs {
                let Ty::Ground(Type::Record(of)) = &record.ty else { continue };
                let Some(field) = of.field(&output.name) else { continue };
                let base = body::Expr { kind: body::ExprKind::Local(whole.id), ty: record.ty.clone(), span };
                let kind = body::ExprKind::Field { base: Box::new(base), name: output.name.clone() };
                fields
                    .push((output.name.clone(), body::Expr { kind, ty: Ty::Ground(field.ty.clone()), span }));
            }
            let fields = body::Expr { kind: body::ExprKind::Record(fields), ty: record.ty.clone(), span };
            let given = give_outputs(checker, callable, fields, stage);
            let ty = given.ty.clone();
            let bindings = vec![body::Binding { pattern: body::Pattern::Local(whole), value: record, span }];
            body::Expr { kind: body::ExprKind::Block { bindings, value: Box::new(given) }, ty, span }
        }
    }
}

/// A value as the output that is written; what the header leaves out is the value's own.
fn fit_output(checker: &mut Checker<'_>, output: &crate::header::Output, value: Typed) -> body::Expr {
    let Some(ty) = value.ty().cloned() else { return value.expr };
    let place = format!("for the output `{}`", output.name);
    let wanted = match output.scheme.substitute(&checker.generics) {
        Ok(wanted) => wanted,
        Err(Unknown::Elided) => match complete(&output.scheme, &ty) {
            Some(wanted) => wanted,
            None => {
                let (message, code) = elided_mismatch(&output.scheme, &ty, &place);
                return checker.fail(code, value.span(), message).expr;
            }
        },
        Err(_) => return body::Expr { ty: Ty::Error, ..value.expr },
    };
    let mut expr = checker.coerce(value, &wanted, &place).expr;
    if expr.ty != Ty::Error {
        expr.ty = Ty::Ground(wanted);
    }
    expr
}

/// `Classifier` with the row of the value that is given for it.
fn complete(scheme: &Scheme, actual: &Type) -> Option<Type> {
    use flow_ir::types::Task;
    match (scheme, actual) {
        (Scheme::Dataset(RowScheme::Elided), Type::Dataset(_)) => Some(actual.clone()),
        (Scheme::Model { task, .. }, Type::Model(model)) => match task {
            Some(task) => (*task == model.task).then(|| actual.clone()),
            None => matches!(model.task, Task::Classifier | Task::Regressor | Task::Ranker)
                .then(|| actual.clone()),
        },
        (Scheme::List(inner), Type::List(actual)) => Some(Type::List(Box::new(complete(inner, actual)?))),
        (Scheme::Optional(inner), actual) => Some(complete(inner, actual.present())?.optional()),
        (Scheme::Record { name, fields }, Type::Record(actual)) if fields.len() == actual.fields.len() => {
            let field = |(name, scheme): &(String, Scheme)| {
                let ty = match scheme.substitute(&Bindings::default()) {
                    Ok(ty) => ty,
                    Err(_) => complete(scheme, &actual.field(name)?.ty)?,
                };
                Some(Field { name: name.clone(), ty })
            };
            let fields = fields.iter().map(field).collect::<Option<_>>()?;
            Some(Type::Record(RecordType { name: name.clone(), fields }))
        }
        _ => None,
    }
}

fn elided_mismatch(scheme: &Scheme, actual: &Type, place: &str) -> (String, flow_syntax::diagnostic::Code) {
    let is = crate::types::show(actual);
    match (scheme, actual) {
        (Scheme::Model { task: Some(task), .. }, Type::Model(model)) => (
            format!("a {} is wanted {place}, and this is a {}", task.name(), model.task.name()),
            code::WRONG_TASK,
        ),
        (Scheme::Model { task: Some(task), .. }, _) => {
            (format!("a {} is wanted {place}, and this is `{is}`", task.name()), code::TYPE_MISMATCH)
        }
        (Scheme::Dataset(_), _) => {
            (format!("a Dataset is wanted {place}, and this is `{is}`"), code::TYPE_MISMATCH)
        }
        _ => (format!("another type is wanted {place}, and this is `{is}`"), code::TYPE_MISMATCH),
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

/// Where a block's value stands.
fn tail(block: &ast::Block) -> Span {
    match block.statements.last() {
        Some(ast::Statement::Expr(expr)) => match &expr.kind {
            ExprKind::Block(inner) => tail(inner),
            _ => expr.span,
        },
        _ => Span::new(block.span.end.saturating_sub(1), block.span.end),
    }
}

/// What a callable's variables stand for; as declared, a row has what its bound says.
fn generics(callable: &Callable, type_args: &[Ty]) -> Bindings {
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

/// An item that needs itself, told once for each circle: at the first of its items.
fn recursion_of<'db>(db: &'db dyn Db, item: Item<'db>) -> Option<Diagnostic> {
    let path = recursion(db).get(&item)?;
    let place = |item: &Item<'db>| (item.file(db).module(db).clone(), item.start(db));
    if path.iter().any(|other| place(other) < place(&item)) {
        return None;
    }
    let name = parse_item(db, item).item.kind.name()?;
    let steps: Vec<String> = path.iter().map(|item| format!("`{}`", item.name(db))).collect();
    let (what, help) = match item.keyword(db) {
        Keyword::Fn => {
            ("calls itself", "nothing recurses, so that planning always ends; `for` runs over a list")
        }
        Keyword::Workflow => (
            "calls itself",
            "nothing recurses, so that planning always ends; to repeat until it is good enough, use `run while`",
        ),
        _ => ("needs itself", "break the circle: one of them must stand alone"),
    };
    let message = format!("`{}` {what}: {}", name.text, steps.join(" → "));
    Some(Diagnostic::error(code::RECURSION, name.span, message).help(help))
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

fn circular_defaults<'db>(_: &'db dyn Db, _: salsa::Id, _: Item<'db>) -> Defaults {
    Defaults { values: Vec::new(), diagnostics: Vec::new() }
}

fn circular_type<'db>(_: &'db dyn Db, _: salsa::Id, _: Item<'db>) -> Ty {
    Ty::Error
}
