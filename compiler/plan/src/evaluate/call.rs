//! Calls of operators: each makes a node.

use std::{rc::Rc, sync::Arc};

use flow_analysis::body::{Expr, ItemRef, OperatorCall, OperatorInfo};
use flow_ir::{
    node::{CommandWord, Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, VALUE_PORT},
    policy::{Device, Policy},
    types::Type,
};
use flow_syntax::span::Span;
use rustc_hash::FxHashMap;

use super::{
    evaluator::{Evaluator, Frame, Result},
    names::Name,
    path::{folder, from_folder},
    value::Planned,
};
use crate::{error::Problem, program::NoCode};

/// What is known of each operator, from its first call on.
#[derive(Debug, Default)]
pub(super) struct Operators {
    /// By the address of their declaration, which `_info` keeps from being another's.
    known: FxHashMap<*const OperatorInfo, Rc<KnownOperator>>,
}

#[derive(Debug)]
pub(super) struct KnownOperator {
    reference: OperatorRef,
    /// The declaration's.
    policy: Policy,
    short_name: Rc<str>,
    /// The parameters with limits, by name.
    limits: Vec<(String, Type)>,
    _info: Arc<OperatorInfo>,
}

/// The arguments that stand in the scope of a row: always expressions, even where they are constant.
const ROW_SCOPE: &[(&str, &str)] = &[("std.table.where", "predicate"), ("std.table.derive", "columns")];

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn call_operator(
        &mut self,
        frame: &mut Frame,
        call: &OperatorCall,
        span: Span,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let operator = self.operator(frame, &call.operator, span)?;
        let mut inputs = Vec::with_capacity(call.inputs.len());
        for (param, expr) in &call.inputs {
            let value = self.expr(frame, expr, None)?;
            self.check_limits(frame, &operator, param, &value, expr.span)?;
            let info = &call.operator;
            let is_row_scope = ROW_SCOPE.iter().any(|(op, of)| *op == info.name && of == param);
            let input = if is_row_scope {
                self.row_input(frame, value, expr)?
            } else {
                self.input(frame, value, expr.span)?
            };
            inputs.push((param.clone(), input));
        }
        self.operator_node(frame, call, inputs, span, name)
    }

    /// The node of a call whose inputs are evaluated, and the call's value.
    pub(super) fn operator_node(
        &mut self,
        frame: &mut Frame,
        call: &OperatorCall,
        inputs: Vec<(String, Input)>,
        span: Span,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let operator = self.operator(frame, &call.operator, span)?;
        let mut after = Vec::new();
        self.waits(frame, &call.after, &mut after)?;
        let mut policy = operator.policy.clone();
        self.set_policy(frame, &mut policy, &call.policy)?;
        self.check_device(frame, call, &policy)?;
        let mut outputs = Vec::with_capacity(call.outputs.len().max(1));
        for (port, ty) in &call.outputs {
            outputs.push(Port { name: port.clone(), ty: self.ground(frame, ty, span)? });
        }
        if outputs.is_empty() {
            // What has no result can still be waited for.
            outputs.push(Port { name: VALUE_PORT.to_owned(), ty: Type::Nothing });
        }
        let unbound = || Name { text: Rc::clone(&operator.short_name), is_bound: false };
        // A name that is bound to the record of outputs names none of them alone, but the call.
        let name = name.cloned().unwrap_or_else(unbound);
        let node = Node {
            id: String::new(),
            kind: NodeKind::Task(operator.reference.clone()),
            inputs,
            after,
            outputs,
            policy,
            effect: call.operator.effect,
            deterministic: call.operator.deterministic,
        };
        let index = self.push(frame, node, name, span)?;
        if call.is_record {
            let field = |(place, (name, _)): (usize, &(String, _))| (name.clone(), self.port(index, place));
            Ok(Planned::Record(call.outputs.iter().enumerate().map(field).collect()))
        } else {
            Ok(self.port(index, 0))
        }
    }

    fn operator(&mut self, frame: &Frame, info: &Arc<OperatorInfo>, span: Span) -> Result<Rc<KnownOperator>> {
        if let Some(known) = self.operators.known.get(&Arc::as_ptr(info)) {
            return Ok(Rc::clone(known));
        }
        let operator = info.name.clone();
        let place = self.place(info, module_of(&info.name));
        let version = match &place {
            OperatorPlace::Native => {
                let version = self.facts.operator_version(&info.name);
                version.ok_or_else(|| self.at(frame, span, Problem::NoImplementation { operator }))?
            }
            external => self.facts.external_version(external).map_err(|NoCode { reason, help }| {
                self.at(frame, span, Problem::NoCode { operator, reason, help })
            })?,
        };
        let (module, short_name) = info.name.rsplit_once('.').unwrap_or(("", &info.name));
        let item = ItemRef { module: module.to_owned(), name: short_name.to_owned() };
        let mut policy = Policy::default();
        let mut declaration = self.frame(&item, 0, true);
        self.set_policy(&mut declaration, &mut policy, &info.policy)?;
        let known = Rc::new(KnownOperator {
            reference: OperatorRef { name: info.name.clone(), version, signature: info.signature, place },
            policy,
            short_name: short_name.into(),
            limits: self.limits(&item),
            _info: Arc::clone(info),
        });
        self.operators.known.insert(Arc::as_ptr(info), Rc::clone(&known));
        Ok(known)
    }

    /// Paths in the text count from its file: a command's word that names a file there is its path from the root.
    fn place(&self, info: &OperatorInfo, module: &str) -> OperatorPlace {
        let (OperatorPlace::Command(words), Some(file)) = (&info.place, self.program.file(module)) else {
            return info.place.clone();
        };
        let resolve = |word: &CommandWord| match word {
            CommandWord::Text(text) if !text.is_empty() && !text.starts_with(['-', '/']) => {
                let path = from_folder(folder(&file), text);
                CommandWord::Text(if self.facts.is_code(&path) { path } else { text.clone() })
            }
            word => word.clone(),
        };
        OperatorPlace::Command(words.iter().map(resolve).collect())
    }

    fn limits(&self, item: &ItemRef) -> Vec<(String, Type)> {
        let Some(declaration) = self.program.operator(item) else { return Vec::new() };
        let limited = declaration.params.iter().filter_map(|param| {
            let ty = param.ty.ground().filter(has_limits)?;
            Some((param.name.clone(), ty))
        });
        limited.collect()
    }

    /// The checker holds literals against the limits of parameters; this, whatever else is known.
    fn check_limits(
        &self,
        frame: &Frame,
        operator: &KnownOperator,
        param: &str,
        value: &Planned,
        span: Span,
    ) -> Result<()> {
        let Some(value) = value.as_known() else { return Ok(()) };
        let Some((_, ty)) = operator.limits.iter().find(|(name, _)| name == param) else { return Ok(()) };
        value.fits(ty).map_err(|misfit| {
            let operator = operator.reference.name.clone();
            let problem = Problem::Limit { operator, param: param.to_owned(), misfit: misfit.to_string() };
            self.at(frame, span, problem)
        })
    }

    pub(super) fn set_policy(
        &mut self,
        frame: &mut Frame,
        policy: &mut Policy,
        entries: &[(String, Expr)],
    ) -> Result<()> {
        for (key, expr) in entries {
            let value = self.expr(frame, expr, None)?;
            let Some(value) = value.as_known() else {
                return Err(self.at(frame, expr.span, Problem::NotKnown { what: "a policy" }));
            };
            policy
                .set(key, value)
                .map_err(|error| self.at(frame, expr.span, Problem::Policy { message: error.to_string() }))?;
        }
        Ok(())
    }

    /// A GPU is only for those who can use it: it would be held back from others for nothing.
    fn check_device(&self, frame: &Frame, call: &OperatorCall, policy: &Policy) -> Result<()> {
        let info = &call.operator;
        if info.place != OperatorPlace::Native || self.facts.can_use_gpu(&info.name) {
            return Ok(());
        }
        for (asked, expr) in &call.policy {
            let (key, without) = match asked.as_str() {
                "gpu" if policy.gpu > 0 => ("gpu", Some("0")),
                "gpu_memory" if policy.gpu_memory.is_some() => ("gpu_memory", None),
                "device" if policy.device == Device::Gpu => ("device", Some("auto")),
                _ => continue,
            };
            let operator = info.name.clone();
            return Err(self.at(frame, expr.span, Problem::Device { operator, key, without }));
        }
        Ok(())
    }

    /// The nodes that give a part of `value`.
    pub(super) fn nodes_of(
        &mut self,
        frame: &Frame,
        value: &Planned,
        span: Span,
        nodes: &mut Vec<NodeIndex>,
    ) -> Result<()> {
        self.fuel.steps(1).map_err(|problem| self.at(frame, span, problem))?;
        match value {
            Planned::Future(source) => self.wait_for_source(*source, nodes),
            Planned::List(items) => {
                for item in items.iter() {
                    self.nodes_of(frame, item, span, nodes)?;
                }
            }
            Planned::Record(fields) => {
                for (_, field) in fields.iter() {
                    self.nodes_of(frame, field, span, nodes)?;
                }
            }
            Planned::Term(term) => {
                let source = self.expression_node(frame, term, span, None)?;
                self.wait_for_source(source, nodes);
            }
            Planned::Known(_) => {}
        }
        Ok(())
    }
}

fn module_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(module, _)| module)
}

fn has_limits(ty: &Type) -> bool {
    match ty {
        Type::Refined { .. } => true,
        Type::Optional(of) | Type::List(of) => has_limits(of),
        Type::Record(record) => record.fields.iter().any(|field| has_limits(&field.ty)),
        _ => false,
    }
}
