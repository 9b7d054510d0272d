//! Calls of operators, fns, workflows and verbs.

use std::sync::Arc;

use flow_ir::{
    types::{Field, RecordType, Type},
    value::Value,
};
use flow_syntax::{
    ast::{self, ExprKind},
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{Checker, Given, InstanceKey, Typed, defaults, operator_info, query, workflow_outputs};
use crate::{
    body::{self, Instance, OperatorCall},
    db::{Item, Keyword},
    header::{Callable, CallableKind, callable, is_circular},
    names::{Import, quoted, resolve, scope, verbs},
    rows,
    stages::Stage,
    ty::Ty,
    types::{Bindings, Bound, RowScheme, Scheme, Unknown, fits, show, unsourced},
};

impl<'db> Checker<'db> {
    pub fn call(
        &mut self,
        callee: &'db ast::Expr,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        match &callee.kind {
            ExprKind::Name(name) => {
                if let Some(index) = self.look_up(&name.text) {
                    self.forbid_policy(policy);
                    if matches!(
                        self.env.get(index).map(|entry| &entry.binding),
                        Some(super::Binding::Lambda { .. })
                    ) {
                        return self.call_lambda(index, None, args, expected, span);
                    }
                    self.check_loose(Vec::new(), args);
                    let message = format!("`{}` is a value, and cannot be called", name.text);
                    return self.fail(code::TYPE_MISMATCH, name.span, message);
                }
                match resolve(self.db, self.file, &name.text) {
                    Some(Import::Item(item)) => {
                        self.call_item(item, name, None, args, policy, expected, span)
                    }
                    Some(Import::Broken) => {
                        self.check_loose(Vec::new(), args);
                        Typed::error(span)
                    }
                    Some(Import::Module(_)) => {
                        self.check_loose(Vec::new(), args);
                        self.fail(code::TYPE_MISMATCH, name.span, format!("`{}` is a module", name.text))
                    }
                    None if super::functions::is_builtin(&name.text) => {
                        self.forbid_policy(policy);
                        self.call_builtin(name, None, args, span)
                    }
                    None => {
                        self.check_loose(Vec::new(), args);
                        self.unknown_function(name);
                        Typed::error(span)
                    }
                }
            }
            ExprKind::Field { base, name } => {
                if let Some(module) = self.module(base) {
                    return match scope(self.db, module).items.get(&name.text) {
                        Some(item) => self.call_item(*item, name, None, args, policy, expected, span),
                        None => {
                            self.check_loose(Vec::new(), args);
                            self.no_such_item(module, name);
                            Typed::error(span)
                        }
                    };
                }
                self.call_behind_dot(base, name, args, policy, expected, span)
            }
            _ => {
                self.check_loose(Vec::new(), args);
                self.fail(code::TYPE_MISMATCH, callee.span, "this cannot be called")
            }
        }
    }

    /// `call(…) with (cpu: 2)`
    pub fn with(
        &mut self,
        call: &'db ast::Expr,
        policy: &'db [ast::PolicyEntry],
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let mut typed = match &call.kind {
            ExprKind::Call { callee, args } => self.call(callee, args, Some(policy), expected, call.span),
            _ => {
                let typed = self.expr(call, expected);
                self.forbid_policy(Some(policy));
                typed
            }
        };
        typed.expr.span = span;
        typed
    }

    #[expect(clippy::too_many_arguments, reason = "a call has that many parts")]
    pub fn call_item(
        &mut self,
        item: Item<'db>,
        name: &'db ast::Name,
        receiver: Option<Typed>,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let Some(callable) = callable(self.db, item) else {
            self.check_loose(Vec::new(), args);
            if matches!(item.keyword(self.db), Keyword::Fn | Keyword::Operator | Keyword::Workflow) {
                return Typed::error(span);
            }
            let message = format!("`{}` cannot be called", name.text);
            return self.fail(code::TYPE_MISMATCH, name.span, message);
        };
        let is_circular = is_circular(self.db, item);
        let params: Vec<(&str, bool)> =
            callable.params.iter().map(|param| (param.name.as_str(), param.has_default)).collect();
        let Some(slots) = self.distribute(&format!("`{}`", name.text), &params, receiver, args, span) else {
            return Typed::error(span);
        };
        let call = self.bind_arguments(item, &callable, slots.slots, expected, span);
        let after: Vec<body::Expr> =
            slots.after.into_iter().map(|after| self.expr(after, None).expr).collect();
        let policy = self.call_policy(policy, &callable);
        let Some(call) = call else { return Typed::error(span) };
        if is_circular {
            return Typed::error(span);
        }
        match callable.kind {
            CallableKind::Fn => self.finish_fn(item, &callable, call, &after, span),
            CallableKind::Workflow => self.finish_workflow(item, &callable, call, after, span),
            CallableKind::Operator | CallableKind::Verb => {
                self.finish_operator(item, &callable, call, policy, after, span)
            }
        }
    }

    /// Types the arguments of a call and decides its variables.
    fn bind_arguments(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        slots: Vec<Option<Given<'db>>>,
        expected: Option<&Type>,
        span: Span,
    ) -> Option<Call> {
        let mut hints = Bindings::default();
        if let (Some(expected), [output], false) = (expected, callable.outputs.as_slice(), callable.is_record)
        {
            output.scheme.infer(expected, &mut hints);
        }
        let mut bindings = Bindings::default();
        let mut given: Vec<Option<Typed>> = Vec::with_capacity(slots.len());
        let mut is_sound = true;
        for (param, slot) in callable.params.iter().zip(slots) {
            let Some(slot) = slot else {
                given.push(None);
                continue;
            };
            let typed = match &param.scheme {
                Scheme::Column { .. } => self.column_argument(&param.scheme, slot, &bindings),
                Scheme::List(inner) if matches!(**inner, Scheme::Column { .. }) => {
                    self.columns_argument(inner, slot, &param.name, &mut bindings)
                }
                Scheme::Optional(inner) => self.optional_argument(param, inner, slot, &mut bindings, &hints),
                scheme => self.plain_argument(scheme, slot, &mut bindings, &hints),
            };
            is_sound &= typed.ty().is_some();
            given.push(Some(typed));
        }
        if !is_sound {
            return None;
        }
        self.check_bounds(callable, &given, &bindings)?;
        let mut args = Vec::with_capacity(given.len());
        for (index, (param, typed)) in callable.params.iter().zip(given).enumerate() {
            let typed = match typed {
                Some(typed) => self.fit_argument(param.scheme.clone(), typed, &param.name, &bindings),
                None => self.default_argument(item, index, span),
            };
            is_sound &= typed.ty().is_some();
            args.push((param.name.clone(), typed));
        }
        is_sound.then_some(Call { args, bindings, hints })
    }

    fn plain_argument(
        &mut self,
        scheme: &Scheme,
        slot: Given<'db>,
        bindings: &mut Bindings,
        hints: &Bindings,
    ) -> Typed {
        let hint = scheme.substitute(bindings).or_else(|_| scheme.substitute(&merged(bindings, hints)));
        let outer = self.is_wanted_hidden;
        self.is_wanted_hidden |= hint == Err(Unknown::Error);
        let typed = self.given(slot, hint.ok().as_ref());
        self.is_wanted_hidden = outer;
        if let Some(ty) = typed.ty() {
            scheme.infer(&unsourced(ty), bindings);
        }
        typed
    }

    fn optional_argument(
        &mut self,
        param: &crate::header::Param,
        inner: &Scheme,
        slot: Given<'db>,
        bindings: &mut Bindings,
        hints: &Bindings,
    ) -> Typed {
        let is_none =
            matches!(&slot, Given::Expr(ast::Expr { kind: ExprKind::Literal(ast::Literal::None), .. }));
        match inner {
            _ if is_none => self.given(slot, None),
            Scheme::Column { .. } => self.column_argument(inner, slot, bindings),
            Scheme::List(element) if matches!(**element, Scheme::Column { .. }) => {
                self.columns_argument(element, slot, &param.name, bindings)
            }
            _ => self.plain_argument(&param.scheme, slot, bindings, hints),
        }
    }

    /// `.minutes` where a parameter is a `Column<R>`.
    fn column_argument(&mut self, scheme: &Scheme, slot: Given<'db>, bindings: &Bindings) -> Typed {
        let Scheme::Column { row, of } = scheme else { return self.given(slot, None) };
        let span = slot.span();
        let Given::Expr(ast::Expr { kind: ExprKind::Column(name), .. }) = slot else {
            let typed = self.given(slot, None);
            if typed.ty().is_none() || typed.ty() == Some(&Type::Column) {
                return typed;
            }
            return self.fail(code::TYPE_MISMATCH, span, "a column is wanted here, as `.name`");
        };
        let row = match row.substitute(bindings) {
            Ok(row) => row,
            Err(_) => return Typed::error(span),
        };
        let Some(column) = row.column(&name.text) else {
            self.no_such_column(&name.text, name.span, &row);
            return Typed::error(span);
        };
        if let Some(Ok(wanted)) = of.as_ref().map(|of| of.substitute(bindings))
            && fits(column.ty.present(), &wanted).is_err()
        {
            let message = format!(
                "the column `{}` is `{}`, and `{}` is wanted",
                name.text,
                show(&column.ty),
                show(&wanted)
            );
            return self.fail(code::COLUMN_TYPE, span, message);
        }
        let value = Value::Column(name.text.clone());
        Typed::new(body::ExprKind::Value(value), Type::Column, span, Stage::Planned)
    }

    /// `[.a, .b]` where a parameter is a `List<Column<R>>`.
    fn columns_argument(
        &mut self,
        scheme: &Scheme,
        slot: Given<'db>,
        param: &str,
        bindings: &mut Bindings,
    ) -> Typed {
        let span = slot.span();
        let Given::Expr(ast::Expr { kind: ExprKind::List(columns), .. }) = slot else {
            let typed = self.given(slot, None);
            if typed.ty().is_none() || typed.ty() == Some(&Type::List(Box::new(Type::Column))) {
                return typed;
            }
            return self.fail(code::TYPE_MISMATCH, span, "a list of columns is wanted here, as `[.a, .b]`");
        };
        let mut values = Vec::with_capacity(columns.len());
        let mut names = Vec::with_capacity(columns.len());
        let mut is_sound = true;
        for column in columns {
            let typed = self.column_argument(scheme, Given::Expr(column), bindings);
            is_sound &= typed.ty().is_some();
            if let body::ExprKind::Value(Value::Column(name)) = &typed.expr.kind {
                names.push(name.clone());
            }
            values.push(typed.expr);
        }
        if !is_sound {
            return Typed::error(span);
        }
        bindings.columns.insert(param.to_owned(), names);
        Typed::new(body::ExprKind::List(values), Type::List(Box::new(Type::Column)), span, Stage::Planned)
    }

    /// `<R: { a: Float, .. }>`: what a row has at least.
    fn check_bounds(
        &mut self,
        callable: &Callable,
        given: &[Option<Typed>],
        bindings: &Bindings,
    ) -> Option<()> {
        let mut holds = Some(());
        for generic in &callable.generics {
            let Some(RowScheme::Parts { parts, .. }) = &generic.bound else { continue };
            let Some(Bound::Row(row)) = bindings.vars.get(&generic.name) else { continue };
            let place = callable.params.iter().zip(given).find_map(|(param, typed)| {
                let is_it =
                    matches!(&param.scheme, Scheme::Dataset(RowScheme::Var(name)) if *name == generic.name);
                typed.as_ref().filter(|_| is_it).map(Typed::span)
            });
            let Some(span) = place else { continue };
            for part in parts {
                let crate::types::RowPart::Column(name, scheme) = part else { continue };
                let Ok(wanted) = scheme.substitute(bindings) else { continue };
                match row.column(name) {
                    None => {
                        let message = format!(
                            "this table has no column `{name}: {}`, which `{}` needs",
                            show(&wanted),
                            callable.item.name
                        );
                        self.report(
                            Diagnostic::error(code::COLUMNS_DIFFER, span, message)
                                .help(format!("add it: `.derive({}: …)`", quoted(name))),
                        );
                        holds = None;
                    }
                    Some(column) if !crate::types::column_fits(&column.ty, &wanted) => {
                        let message = format!(
                            "the column `{name}` is `{}`, and `{}` needs `{}`",
                            show(&column.ty),
                            callable.item.name,
                            show(&wanted)
                        );
                        self.report(
                            Diagnostic::error(code::COLUMN_TYPE, span, message)
                                .help(format!("convert it first: `.derive({}: …)`", quoted(name))),
                        );
                        holds = None;
                    }
                    Some(_) => {}
                }
            }
        }
        holds
    }

    fn fit_argument(&mut self, scheme: Scheme, typed: Typed, param: &str, bindings: &Bindings) -> Typed {
        let Some(ty) = typed.ty() else { return typed };
        if is_column(&scheme) {
            return typed;
        }
        let scheme = with_task_of(scheme, ty);
        match scheme.substitute(bindings) {
            Ok(wanted) => self.coerce(typed, &wanted, &format!("for `{param}`")),
            Err(Unknown::Error) => Typed::error(typed.span()),
            Err(_) => {
                let message =
                    format!("{} is wanted for `{param}`, and this is `{}`", kind_of(&scheme), show(ty));
                let code = if matches!((&scheme, ty), (Scheme::Model { .. }, Type::Model(_))) {
                    code::WRONG_TASK
                } else {
                    code::TYPE_MISMATCH
                };
                self.fail(code, typed.span(), message)
            }
        }
    }

    /// The default of a parameter that a call leaves out, as if it stood in the call.
    fn default_argument(&mut self, item: Item<'db>, index: usize, span: Span) -> Typed {
        let found = defaults(self.db, item).values.get(index).cloned().flatten();
        let Some((mut value, locals)) = found else { return Typed::error(span) };
        let first = self.reserve_locals(locals);
        value.relocate(span, first);
        // A default is made of literals, constants and readers; the latter are there when run.
        let stage =
            if matches!(value.kind, body::ExprKind::CallOperator(_)) { Stage::Run } else { Stage::Planned };
        Typed { expr: value, stage }
    }

    fn finish_fn(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        call: Call,
        after: &[body::Expr],
        span: Span,
    ) -> Typed {
        if let Some(after) = after.first() {
            self.fail(code::UNKNOWN_ARGUMENT, after.span, "a fn is no node: nothing can come `after:` it");
        }
        let type_args = call.type_args(callable);
        let key = InstanceKey::new(self.db, item, type_args.clone());
        let result = query::fn_result(self.db, key).clone();
        self.report_instance(callable, key, span);
        let mut stage = call.stage();
        if matches!(&result, Ty::Ground(ty) if is_made_by_nodes(ty)) {
            stage = Stage::Run;
        }
        let args = call.args.into_iter().map(|(_, typed)| typed.expr).collect();
        let function = Instance { item: callable.item.clone(), type_args };
        let kind = body::ExprKind::CallFn { function, args };
        Typed { expr: body::Expr { kind, ty: result, span }, stage }
    }

    fn finish_workflow(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        call: Call,
        after: Vec<body::Expr>,
        span: Span,
    ) -> Typed {
        let type_args = call.type_args(callable);
        let key = InstanceKey::new(self.db, item, type_args.clone());
        let outputs = workflow_outputs(self.db, key);
        self.report_instance(callable, key, span);
        let fields: Option<Vec<Field>> =
            outputs.iter().map(|(name, ty)| Some(Field { name: name.clone(), ty: ty.ground()? })).collect();
        let Some(fields) = fields else { return Typed::error(span) };
        let args = call.args.into_iter().map(|(name, typed)| (name, typed.expr)).collect();
        let workflow = Instance { item: callable.item.clone(), type_args };
        let kind = body::ExprKind::CallWorkflow { workflow, args, after };
        Typed::new(kind, Type::Record(RecordType { name: None, fields }), span, Stage::Run)
    }

    /// What is wrong with the body of a generic item for these rows alone is the call's mistake.
    fn report_instance(&mut self, callable: &Callable, key: InstanceKey<'db>, span: Span) {
        if callable.generics.is_empty() {
            return;
        }
        if let Some(diagnostic) = query::instance_mistake(self.db, key) {
            let message =
                format!("`{}` does not work for this row: {}", callable.item.name, diagnostic.message);
            self.fail(diagnostic.code, span, message);
        }
    }

    fn finish_operator(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        call: Call,
        policy: Vec<(String, body::Expr)>,
        after: Vec<body::Expr>,
        span: Span,
    ) -> Typed {
        if self.check_training(callable, &call.args, span).is_none() {
            return Typed::error(span);
        }
        let bindings = merged(&call.bindings, &call.hints);
        let mut outputs = Vec::with_capacity(callable.outputs.len());
        for output in &callable.outputs {
            match output.scheme.substitute(&bindings) {
                Ok(ty) => outputs.push((output.name.clone(), ty)),
                Err(unknown) => {
                    self.undecided(&unknown, callable, &call, span);
                    return Typed::error(span);
                }
            }
        }
        if self.check_measuring(callable, &call.args).is_none() {
            return Typed::error(span);
        }
        let inputs = call.args.into_iter().map(|(name, typed)| (name, typed.expr)).collect();
        self.operator_call(item, inputs, outputs, callable.is_record, policy, after, span)
    }

    /// The expression of a call that makes a node.
    #[expect(clippy::too_many_arguments, reason = "a node has that many parts")]
    pub fn operator_call(
        &mut self,
        item: Item<'db>,
        inputs: Vec<(String, body::Expr)>,
        outputs: Vec<(String, Type)>,
        is_record: bool,
        policy: Vec<(String, body::Expr)>,
        after: Vec<body::Expr>,
        span: Span,
    ) -> Typed {
        let Some(operator) = operator_info(self.db, item).clone() else { return Typed::error(span) };
        if !matches!(self.row, super::RowInScope::None) {
            return self.fail(
                code::TYPE_MISMATCH,
                span,
                "an operator makes a node: it cannot be called for each row",
            );
        }
        let ty = match outputs.as_slice() {
            [(_, ty)] if !is_record => ty.clone(),
            [] if !is_record => Type::Nothing,
            several => {
                let field = |(name, ty): &(String, Type)| Field { name: name.clone(), ty: ty.clone() };
                Type::Record(RecordType { name: None, fields: several.iter().map(field).collect() })
            }
        };
        let outputs = outputs.into_iter().map(|(name, ty)| (name, Ty::Ground(ty))).collect();
        let call =
            OperatorCall { operator: Arc::clone(&operator), inputs, outputs, is_record, policy, after };
        Typed::new(body::ExprKind::CallOperator(Box::new(call)), ty, span, Stage::Run)
    }

    /// A result whose type nothing decides.
    fn undecided(&mut self, unknown: &Unknown, callable: &Callable, call: &Call, span: Span) {
        match unknown {
            Unknown::Error => {}
            Unknown::Var(_) if self.is_wanted_hidden => {}
            Unknown::Label(problem, row) => self.report_label(problem, row, callable, &call.args, span),
            Unknown::Var(_) | Unknown::Elided | Unknown::Open => {
                let message = format!("nothing says which columns `{}` gives", callable.item.name);
                let diagnostic = Diagnostic::error(code::TYPE_MISMATCH, span, message);
                let schemas = self.schemas();
                let help = "say it with a type: `let table: Dataset<Ride> = …`, or in a parameter";
                self.report(match (self.annotation, schemas.as_slice()) {
                    (Some(at), [schema]) => {
                        diagnostic.help(format!("say it with a type: `: Dataset<{schema}>`")).fix(
                            format!("write `: Dataset<{schema}>`"),
                            vec![Edit { span: at, text: format!(": Dataset<{schema}>") }],
                        )
                    }
                    _ => diagnostic.help(help),
                });
            }
        }
    }

    fn schemas(&self) -> Vec<String> {
        let items = scope(self.db, self.file).items.iter();
        let mut names: Vec<String> = items
            .filter(|(_, item)| item.keyword(self.db) == Keyword::Schema)
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names
    }

    fn unknown_function(&mut self, name: &ast::Name) {
        if self.is_told(&name.text) {
            return;
        }
        let message = format!("there is no `{}` here", name.text);
        let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
        if verbs(self.db).contains_key(&name.text) {
            self.report(diagnostic.help(format!("it is a verb of tables: `table.{}(…)`", name.text)));
            return;
        }
        let own = scope(self.db, self.file);
        let mut known: Vec<&str> = super::functions::builtin_names().collect();
        known.extend(own.items.keys().map(String::as_str));
        known.extend(own.imports.keys().map(String::as_str));
        known.extend(self.env.iter().map(|entry| entry.name));
        known.sort_unstable();
        known.dedup();
        let diagnostic = match flow_syntax::suggest::suggest(&name.text, known.iter().copied()) {
            Some(_) => crate::names::did_you_mean(diagnostic, &name.text, name.span, known),
            None => diagnostic,
        };
        self.report(diagnostic);
    }

    /// A verb behind a dot.
    #[expect(clippy::too_many_arguments, reason = "a call has that many parts")]
    pub fn call_verb(
        &mut self,
        item: Item<'db>,
        name: &'db ast::Name,
        data: Typed,
        args: &'db [ast::Arg],
        policy: Option<&'db [ast::PolicyEntry]>,
        expected: Option<&Type>,
        span: Span,
    ) -> Typed {
        let Some(rule) = rows::rule(&name.text) else {
            return self.call_item(item, name, Some(data), args, policy, expected, span);
        };
        let Some(Type::Dataset(row)) = data.ty().map(unsourced) else { return Typed::error(span) };
        let (args, after): (Vec<&ast::Arg>, Vec<&ast::Arg>) =
            args.iter().partition(|arg| arg.name.as_ref().is_none_or(|name| name.text != "after"));
        let call = rows::VerbCall { row, data, args, name, span };
        let result = rule(self, call);
        let after = after.into_iter().map(|arg| self.expr(&arg.value, None).expr).collect();
        let policy = policy.map(|policy| self.policy(policy)).unwrap_or_default();
        match result {
            Some(rows::VerbResult { inputs, row }) => {
                let outputs = vec![(crate::header::VALUE.to_owned(), Type::Dataset(row))];
                self.operator_call(item, inputs, outputs, false, policy, after, span)
            }
            None => Typed::error(span),
        }
    }

    fn call_policy(
        &mut self,
        policy: Option<&'db [ast::PolicyEntry]>,
        callable: &Callable,
    ) -> Vec<(String, body::Expr)> {
        if matches!(callable.kind, CallableKind::Fn | CallableKind::Workflow) {
            self.forbid_policy(policy);
            return Vec::new();
        }
        policy.map(|policy| self.policy(policy)).unwrap_or_default()
    }
}

/// A call whose arguments are typed and whose variables are decided as far as the arguments go.
struct Call {
    args: Vec<(String, Typed)>,
    bindings: Bindings,
    /// What the place of the call would like.
    hints: Bindings,
}

impl Call {
    fn type_args(&self, callable: &Callable) -> Vec<Ty> {
        let arg = |generic: &crate::header::Generic| match self.bindings.vars.get(&generic.name) {
            Some(Bound::Type(ty)) => Ty::Ground(ty.clone()),
            Some(Bound::Row(row)) => Ty::Ground(Type::Dataset(row.clone())),
            Some(Bound::Error) | None => Ty::Error,
        };
        callable.generics.iter().map(arg).collect()
    }

    fn stage(&self) -> Stage {
        self.args.iter().fold(Stage::Planned, |stage, (_, typed)| stage.and(&typed.stage))
    }
}

fn merged(bindings: &Bindings, hints: &Bindings) -> Bindings {
    let mut all = bindings.clone();
    for (name, bound) in &hints.vars {
        all.vars.entry(name.clone()).or_insert_with(|| bound.clone());
    }
    all
}

fn is_column(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Column { .. } => true,
        Scheme::List(inner) | Scheme::Optional(inner) => is_column(inner),
        _ => false,
    }
}

/// `Predictor<R>` takes a model of each task that predicts.
fn with_task_of(scheme: Scheme, actual: &Type) -> Scheme {
    use flow_ir::types::Task;
    match (scheme, actual) {
        (Scheme::Model { task: None, row, result }, Type::Model(model))
            if matches!(model.task, Task::Classifier | Task::Regressor | Task::Ranker) =>
        {
            Scheme::Model { task: Some(model.task), row, result }
        }
        (Scheme::List(inner), Type::List(actual)) => Scheme::List(Box::new(with_task_of(*inner, actual))),
        (Scheme::Optional(inner), actual) => {
            Scheme::Optional(Box::new(with_task_of(*inner, actual.present())))
        }
        (scheme, _) => scheme,
    }
}

fn kind_of(scheme: &Scheme) -> String {
    match scheme {
        Scheme::Dataset(_) => "a Dataset".to_owned(),
        Scheme::Model { task: Some(task), .. } => format!("a {}", task.name()),
        Scheme::Model { task: None, .. } => "a model that predicts".to_owned(),
        Scheme::List(inner) => format!("a list, each {},", kind_of(inner)),
        Scheme::Optional(inner) => kind_of(inner),
        Scheme::Ground(ty) => format!("`{}`", show(ty)),
        _ => "another type".to_owned(),
    }
}

fn is_made_by_nodes(ty: &Type) -> bool {
    matches!(ty.present(), Type::Dataset(_) | Type::Model(_) | Type::Opaque(_))
}
