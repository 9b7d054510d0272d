//! The DAG of a workflow's call, as a test has it.

use flow_analysis::{
    body::{Expr, ExprKind, Instance},
    signature::Param,
    ty::Ty,
};
use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Node, NodeKind, OperatorPlace, OperatorRef, Port, VALUE_PORT},
    policy::Policy,
    types::Type,
};
use flow_syntax::span::Span;

use super::super::{
    evaluator::{Evaluator, Frame, Result},
    names::Name,
    value::Planned,
};
use crate::{error::Problem, parameters::Given};

/// What stands in for a table or model that a test leaves out. No operator is called so.
pub(super) const GIVEN: &str = "given";

impl Evaluator<'_> {
    /// Plans a workflow as if it were called by itself. What its arguments need comes along.
    pub(super) fn planned(&mut self, frame: &mut Frame, call: &Expr) -> Result<Dag> {
        match &call.kind {
            ExprKind::Block { bindings, value } => {
                for binding in bindings {
                    let value = self.expr(frame, &binding.value, None)?;
                    self.bind(frame, &binding.pattern, value, binding.span)?;
                }
                self.planned(frame, value)
            }
            ExprKind::CallWorkflow { workflow, args, defaults, .. } => {
                self.called(frame, workflow, args, defaults, (&call.ty, call.span))
            }
            _ => Err(self.at(frame, call.span, Problem::Unchecked)),
        }
    }

    fn called(
        &mut self,
        frame: &mut Frame,
        workflow: &Instance,
        args: &[(String, Expr)],
        defaults: &[String],
        (ty, span): (&Ty, Span),
    ) -> Result<Dag> {
        if self.depth() > 0 {
            let construct = "a test within `run if`, `run for` or `run while`";
            return Err(self.at(frame, span, Problem::NotYet { construct }));
        }
        let item = &workflow.item;
        let missing = || {
            let (module, name) = (item.module.clone(), item.name.clone());
            self.at(frame, span, Problem::NoWorkflow { module, name })
        };
        let signature = self.program.signature(&item.module, &item.name).ok_or_else(missing)?;
        let body = self.program.body(workflow).ok_or_else(missing)?;
        let mut given = Vec::with_capacity(args.len());
        for (param, arg) in args.iter().filter(|(param, _)| !defaults.contains(param)) {
            let name = Name { text: param.as_str().into(), is_bound: true };
            let value = self.expr(frame, arg, Some(&name))?;
            let value = self.settle(frame, value, arg.span, Some(&name))?;
            let declared = signature.params.iter().find(|declared| declared.name == *param);
            if let Some(ty) = declared.and_then(|declared| declared.ty.ground())
                && let Some(value) = value.as_known()
                && let Err(misfit) = value.fits(&ty)
            {
                let (operator, misfit) = (signature.name.clone(), misfit.to_string());
                let problem = Problem::Limit { operator, param: param.clone(), misfit };
                return Err(self.at(frame, arg.span, problem));
            }
            given.push((param.as_str(), value));
        }

        let declared = outputs_of(ty);
        let apart = self.begin_apart(&item.module, given.iter_mut().map(|(_, value)| value));
        let mut inner = self.frame(item, body.locals, false);
        let mut plan = |this: &mut Self| {
            let mut parameters = Vec::with_capacity(signature.params.len());
            for (declared, local) in signature.params.iter().zip(&body.params) {
                let param = Param { ty: local.ty.clone(), ..declared.clone() };
                let value = match given.iter().find(|(name, _)| *name == param.name) {
                    Some((_, Planned::Known(known))) => {
                        let given = Given::one(&param.name, (*known.value).clone());
                        let (parameter, value) = this.parameter(&mut inner, &param, &given)?;
                        parameters.push(parameter);
                        value
                    }
                    Some((_, future)) => future.clone(),
                    None if defaults.contains(&param.name) => {
                        let (parameter, value) = this.parameter(&mut inner, &param, &Given::default())?;
                        parameters.push(parameter);
                        value
                    }
                    None => this.stand_in(&inner, &param)?,
                };
                this.bind(&mut inner, &flow_analysis::body::Pattern::Local(local.clone()), value, span)?;
            }
            let value = this.expr(&mut inner, &body.value, None)?;
            let outputs = this.outputs(&inner, &declared, &body.value, value)?;
            Ok((parameters, outputs))
        };
        let planned: Result<_> = plan(self);
        let (nodes, spans) = self.end_apart(apart);
        let (parameters, outputs) = planned?;
        let origin = Some(self.origin(item, &signature, spans));
        Ok(Dag { workflow: signature.name.clone(), parameters, nodes, outputs, origin })
    }

    /// A node in the place of what is left out: simulated it works at once, and it never really runs.
    fn stand_in(&mut self, frame: &Frame, param: &Param) -> Result<Planned> {
        let ty = self.ground(frame, &param.ty, Span::default())?;
        let operator = OperatorRef {
            name: GIVEN.to_owned(),
            version: 1,
            signature: Hash::of(GIVEN.as_bytes()),
            place: OperatorPlace::Native,
        };
        let node = Node {
            id: String::new(),
            kind: NodeKind::Task(operator),
            inputs: Vec::new(),
            after: Vec::new(),
            outputs: vec![Port { name: VALUE_PORT.to_owned(), ty }],
            policy: Policy::default(),
            effect: false,
            deterministic: true,
        };
        let name = Name { text: param.name.as_str().into(), is_bound: true };
        let index = self.push(frame, node, name, Span::default())?;
        Ok(self.port(index, 0))
    }
}

/// The value of a call is the record of the workflow's outputs.
fn outputs_of(ty: &Ty) -> Vec<(String, Ty)> {
    match ty {
        Ty::Ground(Type::Record(record)) => {
            record.fields.iter().map(|field| (field.name.clone(), Ty::Ground(field.ty.clone()))).collect()
        }
        _ => Vec::new(),
    }
}
