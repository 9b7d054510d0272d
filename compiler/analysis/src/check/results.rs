//! What a call gives, and the expression that stands for it.

use std::sync::Arc;

use flow_ir::types::{Field, RecordType, Type};
use flow_syntax::{
    diagnostic::{Diagnostic, Edit, code},
    span::Span,
};

use super::{
    Checker, InstanceKey, Typed, bodies, operator_info,
    parameters::{Call, merged},
    workflow_outputs,
};
use crate::{
    body::{self, Instance, OperatorCall},
    db::{Item, Keyword},
    header::Callable,
    names::scope,
    stages::Stage,
    ty::Ty,
    types::{Unknown, show},
};

impl<'db> Checker<'db> {
    pub(super) fn finish_fn(
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
        let result = bodies::fn_result(self.db, key);
        if matches!(&result, Ty::Ground(ty) if !self.has_bearable_size(ty, span)) {
            return Typed::error(span);
        }
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

    pub(super) fn finish_workflow(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        call: Call,
        policy: Vec<(String, body::Expr)>,
        after: Vec<body::Expr>,
        span: Span,
    ) -> Typed {
        let mut type_args = call.type_args(callable);
        if call.args.len() < callable.params.len() && type_args.contains(&Ty::Error) {
            // A table that a test leaves out has the row that the workflow declares.
            type_args.clear();
        }
        let key = InstanceKey::new(self.db, item, type_args.clone());
        let outputs = workflow_outputs(self.db, key);
        self.report_instance(callable, key, span);
        let fields: Option<Vec<Field>> =
            outputs.iter().map(|(name, ty)| Some(Field { name: name.clone(), ty: ty.ground()? })).collect();
        let Some(fields) = fields else { return Typed::error(span) };
        let ty = Type::Record(RecordType { name: None, fields });
        if !self.has_bearable_size(&ty, span) {
            return Typed::error(span);
        }
        let args = call.args.into_iter().map(|(name, typed)| (name, typed.expr)).collect();
        let workflow = Instance { item: callable.item.clone(), type_args };
        let (defaults, policy) = (call.defaults, policy.into());
        let kind = body::ExprKind::CallWorkflow { workflow, args, defaults, policy, after };
        Typed::new(kind, ty, span, Stage::Run)
    }

    /// What is wrong with the body of a generic item for these rows alone is the call's mistake.
    fn report_instance(&mut self, callable: &Callable, key: InstanceKey<'db>, span: Span) {
        if callable.generics.is_empty() {
            return;
        }
        if let Some(diagnostic) = bodies::instance_mistake(self.db, key) {
            let message =
                format!("`{}` does not work for this row: {}", callable.item.name, diagnostic.message);
            self.fail(diagnostic.code, span, message);
        }
    }

    pub(super) fn finish_operator(
        &mut self,
        item: Item<'db>,
        callable: &Callable,
        call: Call,
        policy: Vec<(String, body::Expr)>,
        after: Vec<body::Expr>,
        span: Span,
    ) -> Typed {
        if self.check_training(callable, &call.args).is_none() {
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
        if self.check_measuring(callable, &call.args).is_none() || self.check_metric(&call.args).is_none() {
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
            let message = "an operator makes a node: it cannot be called for each row";
            self.report(
                Diagnostic::error(code::TYPE_MISMATCH, span, message)
                    .help("bind it before, `let value = …`, and use the name in the row's expression"),
            );
            return Typed::error(span);
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
            Unknown::Label(problem, row) => {
                let is_it =
                    |typed: &&super::Typed| matches!(typed.ty(), Some(Type::Dataset(other)) if other == row);
                let at =
                    call.args.iter().map(|(_, typed)| typed).find(is_it).map_or(span, super::Typed::span);
                self.report_label(problem, &callable.item.name, at);
            }
            Unknown::NoRow(ty) => {
                let message = match ty {
                    Type::List(_) | Type::Record(_) | Type::Dataset(_) | Type::Model(_) => {
                        format!(
                            "`{}` makes rows of records, whose fields are what columns hold: not `{}`",
                            callable.item.name,
                            show(ty)
                        )
                    }
                    _ => {
                        format!("`{}` makes rows of records, and this is `{}`", callable.item.name, show(ty))
                    }
                };
                self.report(
                    Diagnostic::error(code::TYPE_MISMATCH, span, message)
                        .help("a row is written as a record: `(city: \"SF\", distance: 1.5)`"),
                );
            }
            Unknown::Argument(param) => {
                let at =
                    call.args.iter().find(|(name, _)| name == param).map_or(span, |(_, typed)| typed.span());
                let message =
                    format!("the row of the result follows from `{param}`, which only a run would know");
                self.report(Diagnostic::error(code::TYPE_MISMATCH, at, message).help(
                    "write it here: columns as `[.a, .b]`, a number or a text as a literal or constant",
                ));
            }
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
}

fn is_made_by_nodes(ty: &Type) -> bool {
    matches!(ty.present(), Type::Dataset(_) | Type::Model(_) | Type::Opaque(_))
}
