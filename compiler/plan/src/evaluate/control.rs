//! Nodes that steer others: `run if`, `run for`, `run while`, calls of workflows, `wait`, `wait_for` and `pass`.

use flow_analysis::{
    body::{Expr, Instance, Local, Pattern},
    signature::Param,
    ty::Ty,
};
use flow_ir::{
    dag::Output,
    node::{Input, Node, NodeIndex, NodeKind, Port, VALUE_PORT},
    policy::Policy,
    types::{Field, Type},
    value::Value,
};
use flow_syntax::span::Span;

use super::{
    evaluator::{Evaluator, Frame, Result, unbound},
    names::Name,
    region::Owner,
    value::Planned,
};
use crate::{error::Problem, parameters::Given};

/// What a call of a workflow says.
#[derive(Clone, Copy)]
pub(super) struct WorkflowCall<'a> {
    pub(super) workflow: &'a Instance,
    pub(super) args: &'a [(String, Expr)],
    /// The parameters whose argument is their default.
    pub(super) defaults: &'a [String],
    pub(super) policy: &'a [(String, Expr)],
    pub(super) after: &'a [Expr],
}

enum Argument<'a> {
    Given(&'a str, Planned),
    /// It is made within the workflow's region.
    Default(&'a Param),
}

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn run_if(
        &mut self,
        frame: &mut Frame,
        condition: &Expr,
        then: &Expr,
        otherwise: Option<&Expr>,
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let condition = self.argument(frame, condition, "condition")?;
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let mut owner = Owner::new(vec![("condition", condition)]);
        let then = self
            .region(frame, &mut owner, Vec::new(), then.span, |this, frame, _| this.arm(frame, then, &ty))?;
        let span = otherwise.map_or(expr.span, |otherwise| otherwise.span);
        let otherwise =
            self.region(frame, &mut owner, Vec::new(), span, |this, frame, _| match otherwise {
                Some(otherwise) => this.arm(frame, otherwise, &ty),
                None => this.parts(frame, Planned::known(Value::None), &ty, span),
            })?;
        let kind = NodeKind::Conditional { then, otherwise };
        let name = named(name, "if");
        let policy = Policy::default();
        let outputs = ports(&ty);
        let node = self.region_node(frame, kind, owner, Vec::new(), outputs, policy, name, expr.span)?;
        Ok(self.value_of(node, &ty))
    }

    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "a loop has that many parts")]
    pub(super) fn run_for(
        &mut self,
        frame: &mut Frame,
        pattern: &Pattern,
        list: &Expr,
        max: Option<&Expr>,
        body: &Expr,
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let over = self.expr(frame, list, None)?;
        let over = self.settle(frame, over, list.span, Some(&unbound("over")))?;
        let max = self.max(frame, max, expr)?;
        if let Some(length) = known_length(&over).filter(|length| *length > max) {
            return Err(self.at(frame, list.span, Problem::TooLong { length, max }));
        }
        let over = self.input(frame, over, list.span)?;
        let element = match self.ground(frame, &list.ty, list.span)?.present() {
            Type::List(element) => (**element).clone(),
            other => {
                let fact = format!("`{other}` stands for a list");
                return Err(self.at(frame, list.span, Problem::Disagreement { fact }));
            }
        };
        let mut owner = Owner::new(vec![("over", over)]);
        let parameter = match pattern {
            Pattern::Local(local) => owner.fresh_name(&local.name),
            Pattern::Record(_) => owner.fresh_name("element"),
        };
        let parameters = vec![Port { name: parameter, ty: element }];
        let body = self.region(frame, &mut owner, parameters, body.span, |this, frame, given| {
            for element in given {
                this.bind(frame, pattern, element.clone(), list.span)?;
            }
            let value = this.expr(frame, body, None)?;
            this.whole(frame, value, body, VALUE_PORT)
        })?;
        let outputs = vec![value_port(self.ground(frame, &expr.ty, expr.span)?)];
        let (kind, name) = (NodeKind::Map { max, body }, named(name, "for"));
        let policy = Policy::default();
        let node = self.region_node(frame, kind, owner, Vec::new(), outputs, policy, name, expr.span)?;
        Ok(self.port(node, 0))
    }

    #[inline(never)]
    #[expect(clippy::too_many_arguments, reason = "a loop has that many parts")]
    pub(super) fn run_while(
        &mut self,
        frame: &mut Frame,
        condition: &Expr,
        state: &Local,
        start: &Expr,
        max: Option<&Expr>,
        body: &Expr,
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let from = self.argument(frame, start, "from")?;
        let max = self.max(frame, max, expr)?;
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let mut owner = Owner::new(vec![("from", from)]);
        let parameter = Port { name: owner.fresh_name(&state.name), ty: ty.clone() };
        let mut part = |this: &mut Self, frame: &mut Frame, expr: &Expr, name: &str| {
            this.region(frame, &mut owner, vec![parameter.clone()], expr.span, |this, frame, given| {
                for state_now in given {
                    this.bind(frame, &Pattern::Local(state.clone()), state_now.clone(), start.span)?;
                }
                let value = this.expr(frame, expr, None)?;
                this.whole(frame, value, expr, name)
            })
        };
        let condition = part(self, frame, condition, "condition")?;
        let body = part(self, frame, body, &state.name)?;
        let (kind, name) = (NodeKind::Loop { max, condition, body }, named(name, "while"));
        let (outputs, policy) = (ports(&ty), Policy::default());
        let node = self.region_node(frame, kind, owner, Vec::new(), outputs, policy, name, expr.span)?;
        Ok(self.value_of(node, &ty))
    }

    #[inline(never)]
    pub(super) fn call_workflow(
        &mut self,
        frame: &mut Frame,
        call: WorkflowCall<'_>,
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let item = &call.workflow.item;
        let missing = || {
            let fact = format!("the workflow `{}.{}` has no body", item.module, item.name);
            self.at(frame, expr.span, Problem::Disagreement { fact })
        };
        let signature = self.program.signature(&item.module, &item.name).ok_or_else(missing)?;
        let body = self.program.body(call.workflow).ok_or_else(missing)?;
        self.fuel.steps(u64::from(body.locals)).map_err(|problem| self.at(frame, expr.span, problem))?;
        let mut args = Vec::with_capacity(call.args.len());
        for (index, (param, arg)) in call.args.iter().enumerate() {
            let declared = signature.params.get(index).filter(|declared| declared.name == *param);
            if let Some(declared) = declared.filter(|_| call.defaults.contains(param)) {
                args.push(Argument::Default(declared));
                continue;
            }
            let value = self.expr(frame, arg, None)?;
            let value = self.settle(frame, value, arg.span, Some(&unbound(param)))?;
            self.count_copy(frame, &value, arg.span)?;
            let limited = declared.and_then(|declared| declared.ty.ground());
            if let (Some(ty), Some(value)) = (limited, value.as_known())
                && let Err(misfit) = value.fits(&ty)
            {
                let (operator, misfit) = (signature.name.clone(), misfit.to_string());
                let problem = Problem::Limit { operator, param: param.clone(), misfit };
                return Err(self.at(frame, arg.span, problem));
            }
            args.push(Argument::Given(param, value));
        }
        let mut after = Vec::new();
        self.waits(frame, call.after, &mut after)?;
        let mut policy = Policy::default();
        self.set_policy(frame, &mut policy, call.policy)?;

        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let mut inner = self.frame(item, body.locals, false);
        let outer_site = self.call_site;
        if inner.module != self.module {
            self.call_site = Some(self.span_in_file(frame, expr.span));
        }
        let mut owner = Owner::default();
        let region = self.region(frame, &mut owner, Vec::new(), expr.span, |this, _, _| {
            for (arg, local) in args.into_iter().zip(&body.params) {
                let value = match arg {
                    Argument::Given(param, value) => this.hand_in(value, param),
                    Argument::Default(param) => {
                        // Of a generic workflow the instance knows the type.
                        let param = Param { ty: local.ty.clone(), ..param.clone() };
                        this.parameter(&mut inner, &param, &Given::default())?.1
                    }
                };
                this.bind(&mut inner, &Pattern::Local(local.clone()), value, expr.span)?;
            }
            let value = this.expr(&mut inner, &body.value, None)?;
            if fields(&ty).is_empty() {
                return this.parts(&inner, Planned::known(Value::None), &Type::Nothing, expr.span);
            }
            let output = |field: &Field| (field.name.clone(), Ty::Ground(field.ty.clone()));
            let outputs: Vec<(String, Ty)> = fields(&ty).iter().map(output).collect();
            this.outputs(&inner, &outputs, &body.value, value)
        });
        self.call_site = outer_site;
        let kind = NodeKind::Workflow { name: signature.name.clone(), body: region? };
        let outputs = ports(&ty);
        let name = named(name, &item.name);
        let node = self.region_node(frame, kind, owner, after, outputs, policy, name, expr.span)?;
        Ok(self.value_of(node, &ty))
    }

    /// `wait` or `wait_for`: what is waited for, the value, and for a signal how long.
    #[inline(never)]
    pub(super) fn wait(
        &mut self,
        frame: &mut Frame,
        kind: NodeKind,
        args: &[Expr],
        policy: &[(String, Expr)],
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let (first, short_name) =
            if kind == NodeKind::Wait { ("duration", "wait") } else { ("name", "wait_for") };
        let mut inputs = Vec::with_capacity(args.len());
        for (arg, input) in args.iter().zip([first, "value", "timeout"]) {
            inputs.push((input.to_owned(), self.argument(frame, arg, input)?));
        }
        inputs.retain(|(name, input)| name != "timeout" || *input != Input::Constant(Value::None));
        // What is given on comes first.
        inputs.sort_by_key(|(name, _)| name != VALUE_PORT);
        let outputs = vec![value_port(self.ground(frame, &expr.ty, expr.span)?)];
        let name = named(name, short_name);
        let mut entries = Policy::default();
        self.set_policy(frame, &mut entries, policy)?;
        let node = self.steering_node(frame, kind, inputs, outputs, entries, name, expr.span)?;
        Ok(self.port(node, 0))
    }

    #[inline(never)]
    pub(super) fn pass(
        &mut self,
        frame: &mut Frame,
        args: &[Expr],
        expr: &Expr,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let Some(record) = args.first() else {
            let fact = "`pass` has no values".to_owned();
            return Err(self.at(frame, expr.span, Problem::Disagreement { fact }));
        };
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let value = self.expr(frame, record, None)?;
        let inputs = self.parts(frame, value, &ty, record.span)?.into_iter();
        let inputs = inputs.map(|output| (output.name, output.input)).collect();
        let name = named(name, "pass");
        let (outputs, policy) = (ports(&ty), Policy::default());
        let node = self.steering_node(frame, NodeKind::Pass, inputs, outputs, policy, name, expr.span)?;
        Ok(self.value_of(node, &ty))
    }

    /// The nodes that `after:` names.
    pub(super) fn waits(
        &mut self,
        frame: &mut Frame,
        after: &[Expr],
        nodes: &mut Vec<NodeIndex>,
    ) -> Result<()> {
        for expr in after {
            let value = self.expr(frame, expr, None)?;
            let value = self.settle(frame, value, expr.span, None)?;
            self.nodes_of(frame, &value, expr.span, nodes)?;
        }
        nodes.sort_unstable();
        nodes.dedup();
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "a node has that many parts")]
    fn steering_node(
        &mut self,
        frame: &Frame,
        kind: NodeKind,
        inputs: Vec<(String, Input)>,
        outputs: Vec<Port>,
        policy: Policy,
        name: Name,
        span: Span,
    ) -> Result<NodeIndex> {
        let deterministic = kind == NodeKind::Pass;
        let (id, after) = (String::new(), Vec::new());
        let node = Node { id, kind, inputs, after, outputs, policy, effect: false, deterministic };
        self.push(frame, node, name, span)
    }

    fn argument(&mut self, frame: &mut Frame, expr: &Expr, name: &str) -> Result<Input> {
        let value = self.expr(frame, expr, None)?;
        let value = self.settle(frame, value, expr.span, Some(&unbound(name)))?;
        self.input(frame, value, expr.span)
    }

    fn arm(&mut self, frame: &mut Frame, arm: &Expr, ty: &Type) -> Result<Vec<Output>> {
        let value = self.expr(frame, arm, None)?;
        // An arm alone is for its effects.
        let value = if *ty == Type::Nothing { Planned::known(Value::None) } else { value };
        self.parts(frame, value, ty, arm.span)
    }

    /// The value as the outputs of a region, or the inputs of a node, whose ports are those of `ty`.
    fn parts(&mut self, frame: &Frame, value: Planned, ty: &Type, span: Span) -> Result<Vec<Output>> {
        let fields = fields(ty);
        if fields.is_empty() {
            return Ok(vec![self.output(frame, VALUE_PORT, value, ty, span)?]);
        }
        let mut outputs = Vec::with_capacity(fields.len());
        for field in fields {
            let of = Ty::Ground(field.ty.clone());
            let part = self.field_of(frame, value.clone(), &field.name, &of, span)?;
            outputs.push(self.output(frame, &field.name, part, &field.ty, span)?);
        }
        Ok(outputs)
    }

    /// The value as the one output of a region; `name` is that of a node which computes it here.
    fn whole(&mut self, frame: &Frame, value: Planned, expr: &Expr, name: &str) -> Result<Vec<Output>> {
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        let value = self.settle(frame, value, expr.span, Some(&unbound(name)))?;
        Ok(vec![self.output(frame, VALUE_PORT, value, &ty, expr.span)?])
    }

    fn output(&mut self, frame: &Frame, name: &str, value: Planned, ty: &Type, span: Span) -> Result<Output> {
        let value = self.settle(frame, value, span, Some(&unbound(name)))?;
        let input = self.input(frame, value, span)?;
        Ok(Output { name: name.to_owned(), ty: ty.clone(), input })
    }

    /// What a node whose ports are those of `ty` gives.
    fn value_of(&self, node: NodeIndex, ty: &Type) -> Planned {
        match fields(ty) {
            [] => self.port(node, 0),
            fields => {
                let field = |(place, field): (usize, &Field)| (field.name.clone(), self.port(node, place));
                Planned::Record(fields.iter().enumerate().map(field).collect())
            }
        }
    }

    fn max(&mut self, frame: &mut Frame, max: Option<&Expr>, expr: &Expr) -> Result<u64> {
        let Some(max) = max else {
            let fact = "a loop that nothing bounds".to_owned();
            return Err(self.at(frame, expr.span, Problem::Disagreement { fact }));
        };
        let count = self.known_int(frame, max)?;
        u64::try_from(count).map_err(|_| self.at(frame, max.span, Problem::NegativeMax { max: count }))
    }
}

/// The ports of a node: a record's fields, or the value as a whole.
fn ports(ty: &Type) -> Vec<Port> {
    match fields(ty) {
        [] if matches!(ty, Type::Record(_)) => vec![value_port(Type::Nothing)],
        [] => vec![value_port(ty.clone())],
        fields => {
            fields.iter().map(|field| Port { name: field.name.clone(), ty: field.ty.clone() }).collect()
        }
    }
}

fn value_port(ty: Type) -> Port {
    Port { name: VALUE_PORT.to_owned(), ty }
}

fn fields(ty: &Type) -> &[Field] {
    match ty {
        Type::Record(record) => &record.fields,
        _ => &[],
    }
}

fn named(name: Option<&Name>, short_name: &str) -> Name {
    name.cloned().unwrap_or_else(|| unbound(short_name))
}

fn known_length(list: &Planned) -> Option<u64> {
    let length = match list {
        Planned::List(items) => items.len(),
        Planned::Known(known) => match &*known.value {
            Value::List(items) => items.len(),
            _ => return None,
        },
        _ => return None,
    };
    u64::try_from(length).ok()
}
