//! The parameters of a workflow: what they are bound to, and the readers of Datasets.

use std::{rc::Rc, sync::Arc};

use flow_analysis::{
    body::{Expr, ExprKind, ItemRef, OperatorCall},
    signature::Param,
    ty::Ty,
};
use flow_ir::{dag::Parameter, node::VALUE_PORT, types::Type, value::Value};
use flow_syntax::span::Span;

use super::{
    evaluator::{Evaluator, Frame, Result},
    names::Name,
    value::{Known, Planned},
};
use crate::{
    error::{PlanError, Problem},
    parameters::{Given, ParameterError},
};

/// The input of a reader that is its file.
const PATH: &str = "path";

impl Evaluator<'_> {
    pub(super) fn parameter(
        &mut self,
        frame: &mut Frame,
        param: &Param,
        given: &Given,
    ) -> Result<(Parameter, Planned)> {
        let span = param.default.as_ref().map_or(Span::default(), |default| default.span);
        let ty = self.ground(frame, &param.ty, span)?;
        match ty.present() {
            Type::Dataset(_) => self.dataset(frame, param, ty, given, span),
            Type::Model(_) | Type::Opaque(_) if given.get(&param.name).is_some() => {
                let construct = "a model given as a parameter";
                Err(Problem::NotYet { construct }.into())
            }
            _ => {
                let default = match &param.default {
                    Some(default) => Some(self.known_default(frame, default)?),
                    None => None,
                };
                let value = given.get(&param.name).or(default.as_ref()).ok_or_else(|| missing(param, &ty))?;
                let parameter = Parameter {
                    name: param.name.clone(),
                    ty,
                    default: default.clone(),
                    value: value.clone(),
                };
                let planned =
                    Known { value: Rc::new(value.clone()), parameter: Some(param.name.as_str().into()) };
                Ok((parameter, Planned::Known(planned)))
            }
        }
    }

    /// A Dataset is read by the call that is its default, or by what reads files of its kind.
    fn dataset(
        &mut self,
        frame: &mut Frame,
        param: &Param,
        ty: Type,
        given: &Given,
        span: Span,
    ) -> Result<(Parameter, Planned)> {
        let reader = match param.default.as_ref().map(|default| (&default.kind, default)) {
            Some((ExprKind::CallOperator(call), _)) if call.inputs.iter().any(|(name, _)| name == PATH) => {
                Some(call)
            }
            Some((ExprKind::Value(Value::None), _)) | None => None,
            Some((_, default)) => {
                let construct = "a Dataset's default that is no reader, such as `data.csv(\"rides.csv\")`,";
                return Err(self.at(frame, default.span, Problem::NotYet { construct }));
            }
        };
        let default = match reader {
            Some(call) => Some(self.path(frame, call)?),
            None => param.default.as_ref().map(|_| Value::None),
        };
        let value = given.get(&param.name).or(default.as_ref()).ok_or_else(|| missing(param, &ty))?.clone();
        let planned = match (&value, reader) {
            (Value::File(path), _) => {
                let declared;
                let call = match (reader, reader_of(path)) {
                    (Some(call), Some(reader)) if call.operator.name == reader => call,
                    // The default's own file may be called what it likes.
                    (Some(call), _) if Some(&value) == default.as_ref() => call,
                    (_, Some(reader)) => {
                        declared = self.declared_reader(frame, reader, &ty, span)?;
                        &declared
                    }
                    (_, None) => return Err(Problem::from(unread(param, path)).into()),
                };
                self.read(frame, call, param, &value, span)?
            }
            _ => Planned::known(Value::None),
        };
        Ok((Parameter { name: param.name.clone(), ty, default, value }, planned))
    }

    fn path(&mut self, frame: &mut Frame, call: &OperatorCall) -> Result<Value> {
        let Some((_, path)) = call.inputs.iter().find(|(name, _)| name == PATH) else {
            return Ok(Value::None);
        };
        self.known_default(frame, path)
    }

    fn read(
        &mut self,
        frame: &mut Frame,
        call: &OperatorCall,
        param: &Param,
        path: &Value,
        span: Span,
    ) -> Result<Planned> {
        let mut inputs = Vec::with_capacity(call.inputs.len());
        for (name, expr) in &call.inputs {
            let value = if name == PATH {
                let parameter = Some(param.name.as_str().into());
                Planned::Known(Known { value: Rc::new(path.clone()), parameter })
            } else {
                self.expr(frame, expr, None)?
            };
            inputs.push((name.clone(), self.input(frame, value, expr.span)?));
        }
        let name = Name { text: param.name.as_str().into(), is_bound: true };
        self.operator_node(frame, call, inputs, span, Some(&name))
    }

    fn declared_reader(
        &mut self,
        frame: &Frame,
        reader: &str,
        ty: &Type,
        span: Span,
    ) -> Result<OperatorCall> {
        let (module, name) = reader.rsplit_once('.').unwrap_or(("", reader));
        let item = ItemRef { module: module.to_owned(), name: name.to_owned() };
        let declaration = self.program.operator(&item).ok_or_else(|| {
            let operator = reader.to_owned();
            self.at(frame, span, Problem::NoImplementation { operator })
        })?;
        let path = || Expr { kind: ExprKind::Value(Value::None), ty: Ty::Ground(Type::File), span };
        let inputs = declaration
            .params
            .iter()
            .map(|param| (param.name.clone(), param.default.clone().unwrap_or_else(path)));
        Ok(OperatorCall {
            inputs: inputs.collect(),
            operator: Arc::clone(&declaration.operator),
            outputs: vec![(VALUE_PORT.to_owned(), Ty::Ground(ty.present().clone()))],
            is_record: false,
            policy: Vec::new(),
            after: Vec::new(),
        })
    }

    fn known_default(&mut self, frame: &mut Frame, default: &Expr) -> Result<Value> {
        match self.expr(frame, default, None)? {
            Planned::Known(known) => Ok(Rc::unwrap_or_clone(known.value)),
            _ => Err(self.at(frame, default.span, Problem::NotKnown { what: "a default" })),
        }
    }
}

/// The operator that reads files of this name's kind.
fn reader_of(path: &str) -> Option<&'static str> {
    path.to_ascii_lowercase().ends_with(".csv").then_some("std.data.csv")
}

fn missing(param: &Param, ty: &Type) -> PlanError {
    let error = ParameterError::Missing { name: param.name.clone(), ty: ty.to_string() };
    Problem::from(error).into()
}

fn unread(param: &Param, path: &str) -> ParameterError {
    ParameterError::UnreadFile { name: param.name.clone(), path: path.to_owned() }
}
