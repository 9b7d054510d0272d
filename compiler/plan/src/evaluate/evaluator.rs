//! Walks a workflow's body.

use std::rc::Rc;

use flow_analysis::{
    body::{Binding, Expr, ExprKind, Instance, ItemRef, Local, LocalId, Pattern},
    signature::Signature,
    ty::Ty,
};
use flow_ir::{
    dag::{Dag, Origin, Output},
    node::{Node, NodeIndex, NodeKind},
    types::Type,
    value::Value,
};
use flow_syntax::span::Span;
use rustc_hash::FxHashMap;

use super::{
    call::Operators,
    control::WorkflowCall,
    fuel::{Fuel, with_stack},
    names::{Name, Names, Scope},
    path,
    region::Level,
    testing::Testing,
    value::{Known, Planned, Term, TermKind},
};
use crate::{
    error::{Place, PlanError, Problem},
    parameters::Given,
    program::{PlanFacts, Program},
};

pub(super) type Result<T> = std::result::Result<T, PlanError>;

/// Evaluates a workflow with its parameters bound.
///
/// The nodes are those of the text, one a call and in its order; [`crate::passes`] make fewer of them.
/// Paths are relative to the project's root, where they lie below it.
pub fn evaluate(
    program: &dyn Program,
    facts: &dyn PlanFacts,
    module: &str,
    workflow: &str,
    given: &Given,
) -> Result<Dag> {
    Evaluator::new(program, facts, module).workflow(workflow, given)
}

/// The value of a parameter's default, for help and forms: a Dataset's is the file that it is read from.
pub fn default_value(
    program: &dyn Program,
    facts: &dyn PlanFacts,
    module: &str,
    workflow: &str,
    default: &Expr,
) -> Result<Value> {
    let item = ItemRef { module: module.to_owned(), name: workflow.to_owned() };
    let mut evaluator = Evaluator::new(program, facts, module);
    let mut frame = evaluator.frame(&item, 0, false);
    let path = match &default.kind {
        ExprKind::CallOperator(call) => call.inputs.iter().find(|(name, _)| name == "path"),
        _ => None,
    };
    let value = path.map_or(default, |(_, path)| path);
    match evaluator.expr(&mut frame, value, None)? {
        Planned::Known(known) => Ok(Rc::unwrap_or_clone(known.value)),
        _ => Err(Problem::NotKnown { what: "a default" }.into()),
    }
}

pub(super) struct Evaluator<'a> {
    pub(super) program: &'a dyn Program,
    pub(super) facts: &'a dyn PlanFacts,
    pub(super) fuel: Fuel,
    /// The region that is being walked, or the workflow's body.
    pub(super) level: Level,
    /// Those around it, from the workflow's body on.
    pub(super) outer: Vec<Level>,
    /// Of the nodes of the regions of one node, or of the workflow's body.
    pub(super) names: Names,
    pub(super) scope: Scope,
    pub(super) operators: Operators,
    constants: FxHashMap<ItemRef, Planned>,
    /// How many choices stand around this expression of which only the run knows whether they need it.
    pub(super) choices: u32,
    pub(super) module: Rc<str>,
    /// The call of another module's fn or workflow that is being walked.
    pub(super) call_site: Option<(u32, u32)>,
    /// Where a test is walked.
    pub(super) testing: Option<Testing<'a>>,
}

/// The locals of the body that is being walked.
pub(super) struct Frame {
    locals: Vec<Option<Planned>>,
    /// Spans count from here.
    pub(super) offset: u32,
    pub(super) module: Rc<str>,
    /// Relative to the project's root; `""` is the root.
    folder: Rc<str>,
    /// Whether this is the body of a fn: it computes, and its names are not the workflow's.
    pub(super) is_fn: bool,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(program: &'a dyn Program, facts: &'a dyn PlanFacts, module: &str) -> Self {
        Self {
            program,
            facts,
            fuel: Fuel::default(),
            level: Level::default(),
            outer: Vec::new(),
            names: Names::default(),
            scope: Names::BODY,
            operators: Operators::default(),
            constants: FxHashMap::default(),
            choices: 0,
            module: module.into(),
            call_site: None,
            testing: None,
        }
    }

    fn workflow(mut self, name: &str, given: &Given) -> Result<Dag> {
        let module = self.module.to_string();
        let missing =
            || PlanError::from(Problem::NoWorkflow { module: module.clone(), name: name.to_owned() });
        let signature = self.program.signature(&module, name).ok_or_else(missing)?;
        let body = self.program.workflow_body(&module, name).ok_or_else(missing)?;
        let item = ItemRef { module, name: name.to_owned() };
        let mut frame = self.frame(&item, body.locals, false);

        let mut parameters = Vec::with_capacity(signature.params.len());
        for (index, param) in signature.params.iter().enumerate() {
            let (parameter, value) = self.parameter(&mut frame, param, given)?;
            parameters.push(parameter);
            if let Some(local) = body.params.get(index) {
                self.bind_local(&mut frame, local, value)?;
            }
        }
        let value = self.expr(&mut frame, &body.value, None)?;
        let declared: Vec<(String, Ty)> =
            signature.outputs.iter().map(|output| (output.name.clone(), output.ty.clone())).collect();
        let outputs = self.outputs(&frame, &declared, &body.value, value)?;

        let spans = std::mem::take(&mut self.level.spans);
        let origin = self.origin(&item, &signature, spans);
        let mut nodes = self.level.nodes;
        for (node, id) in nodes.iter_mut().zip(self.names.ids()) {
            node.id = id;
        }
        Ok(Dag { workflow: signature.name.clone(), parameters, nodes, outputs, origin: Some(origin) })
    }

    /// Where a workflow's DAG comes from.
    pub(super) fn origin(&self, item: &ItemRef, signature: &Signature, spans: Vec<(u32, u32)>) -> Origin {
        let docs = signature.params.iter();
        Origin {
            file: self.program.file(&item.module).unwrap_or_default(),
            source: self.program.source_hash(&item.module),
            doc: signature.doc.clone(),
            parameters: docs.filter_map(|param| Some((param.name.clone(), param.doc.clone()?))).collect(),
            spans,
        }
    }

    /// The value of an expression; `name` is what a node that gives it is called.
    pub(super) fn expr(&mut self, frame: &mut Frame, expr: &Expr, name: Option<&Name>) -> Result<Planned> {
        self.fuel.enter().map_err(|problem| self.at(frame, expr.span, problem))?;
        let value = with_stack(|| self.kind(frame, expr, name));
        self.fuel.leave();
        value
    }

    fn kind(&mut self, frame: &mut Frame, expr: &Expr, name: Option<&Name>) -> Result<Planned> {
        match &expr.kind {
            ExprKind::Local(id) => self.local(frame, *id, expr.span),
            ExprKind::Value(value) => self.literal(frame, value, expr.span),
            ExprKind::Column(column) => self.column(frame, column, expr),
            ExprKind::Const(item) => self.constant(frame, item, expr.span),
            ExprKind::Block { bindings, value } => self.block(frame, bindings, value, expr.span, name),
            ExprKind::Record(fields) => self.record(frame, fields),
            ExprKind::Field { base, name } => self.field(frame, base, name, expr),
            ExprKind::Interpolate(parts) => self.interpolate(frame, parts, expr),
            ExprKind::Scalar { function, args } => self.scalar(frame, *function, args, expr),
            ExprKind::Aggregate { .. } => self.not_yet(frame, expr, "an aggregate"),
            ExprKind::Cast(operand) => self.cast(frame, operand, expr),
            ExprKind::If { condition, then, otherwise } => {
                self.choose(frame, condition, then, otherwise, expr, name)
            }
            ExprKind::Match { subject, arms } => self.matching(frame, subject, arms, expr, name),
            ExprKind::List(items) => self.list(frame, items, expr.span),
            ExprKind::Range { low, high, inclusive } => self.range(frame, low, high, *inclusive, expr.span),
            ExprKind::Index { base, index } => self.index(frame, base, index, expr),
            ExprKind::For { pattern, list, body } => self.each(frame, pattern, list, body, name),
            ExprKind::Builtin { builtin, args, policy } => {
                self.builtin(frame, *builtin, args, policy, expr, name)
            }
            ExprKind::CallFn { function, args } => self.call_fn(frame, function, args, expr.span, name),
            ExprKind::CallOperator(call) => self.call_operator(frame, call, expr.span, name),
            ExprKind::CallWorkflow { workflow, args, defaults, policy, after } => {
                let call = WorkflowCall { workflow, args, defaults, policy, after };
                self.call_workflow(frame, call, expr, name)
            }
            ExprKind::RunIf { condition, then, otherwise } => {
                self.run_if(frame, condition, then, otherwise.as_deref(), expr, name)
            }
            ExprKind::RunFor { pattern, list, max, body } => {
                self.run_for(frame, pattern, list, max.as_deref(), body, expr, name)
            }
            ExprKind::RunWhile { condition, state, start, max, body } => {
                self.run_while(frame, condition, state, start, max.as_deref(), body, expr, name)
            }
            ExprKind::Test { function, args } => self.test(frame, *function, args, expr),
            ExprKind::Error => Err(self.at(frame, expr.span, Problem::Unchecked)),
        }
    }

    /// Evaluates what perhaps is not needed: what fails there is left for the run.
    pub(super) fn perhaps<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        self.choices += 1;
        let value = evaluate(self);
        self.choices -= 1;
        value
    }

    pub(super) fn is_perhaps(&self) -> bool {
        self.choices > 0
    }

    pub(super) fn frame(&self, item: &ItemRef, locals: u32, is_fn: bool) -> Frame {
        self.frame_at(&item.module, self.program.item_offset(item), locals, is_fn)
    }

    /// The frame of what begins at a byte of a module's file.
    pub(super) fn frame_at(&self, module: &str, offset: u32, locals: u32, is_fn: bool) -> Frame {
        let file = self.program.file(module).unwrap_or_default();
        Frame {
            // Those of defaults are not counted beforehand.
            locals: vec![None; locals as usize],
            offset,
            module: module.into(),
            folder: path::folder(&file).into(),
            is_fn,
        }
    }

    pub(super) fn at(&self, frame: &Frame, span: Span, problem: Problem) -> PlanError {
        problem.at(Some(Place {
            module: frame.module.to_string(),
            span: Span::new(span.start.saturating_add(frame.offset), span.end.saturating_add(frame.offset)),
        }))
    }

    pub(super) fn not_yet(&self, frame: &Frame, expr: &Expr, construct: &'static str) -> Result<Planned> {
        Err(self.at(frame, expr.span, Problem::NotYet { construct }))
    }

    /// Counts what making a part of another value of this one copies: nothing where nobody else holds it.
    pub(super) fn count_copy(&mut self, frame: &Frame, value: &Planned, span: Span) -> Result<()> {
        match value {
            Planned::Known(known) if Rc::strong_count(&known.value) > 1 => {
                self.fuel.copy(&known.value).map_err(|problem| self.at(frame, span, problem))
            }
            _ => Ok(()),
        }
    }

    /// The checker gives every expression of a body without errors a ground type.
    pub(super) fn ground(&self, frame: &Frame, ty: &Ty, span: Span) -> Result<Type> {
        ty.ground().ok_or_else(|| self.at(frame, span, Problem::Unchecked))
    }

    pub(super) fn term(&self, frame: &Frame, span: Span, kind: TermKind, ty: Type) -> Result<Rc<Term>> {
        Term::new(kind, ty).map_err(|problem| self.at(frame, span, problem))
    }

    pub(super) fn bind(
        &mut self,
        frame: &mut Frame,
        pattern: &Pattern,
        value: Planned,
        span: Span,
    ) -> Result<()> {
        match pattern {
            Pattern::Local(local) => self.bind_local(frame, local, value),
            Pattern::Record(fields) => {
                for (field, local) in fields {
                    let value = self.field_of(frame, value.clone(), field, &local.ty, span)?;
                    let value = self.settle(frame, value, span, Some(&unbound(&local.name)))?;
                    self.bind_local(frame, local, value)?;
                }
                Ok(())
            }
        }
    }

    /// Makes a node of an expression over futures, which its uses then share. In a fn it stays an
    /// expression, to become a part of whatever the fn is called for.
    pub(super) fn settle(
        &mut self,
        frame: &Frame,
        value: Planned,
        span: Span,
        name: Option<&Name>,
    ) -> Result<Planned> {
        match value {
            // A node always runs, and this part perhaps has to be left alone.
            Planned::Term(term) if self.is_perhaps() && term.can_fail => Ok(Planned::Term(term)),
            Planned::Term(term) if !frame.is_fn && !term.has_columns => {
                Ok(Planned::Future(self.expression_node(frame, &term, span, name)?))
            }
            other => Ok(other),
        }
    }

    /// Adds a node, without its id.
    pub(super) fn push(&mut self, frame: &Frame, node: Node, name: Name, span: Span) -> Result<NodeIndex> {
        self.fuel.node().map_err(|problem| self.at(frame, span, problem))?;
        if !matches!(node.kind, NodeKind::Task(_))
            && node.outputs.iter().any(|port| has_mixed_record(&port.ty))
        {
            let construct =
                "a record with a table or model in it, as one value that is known only when it runs,";
            return Err(self.at(frame, span, Problem::NotYet { construct }));
        }
        let index = u32::try_from(self.level.nodes.len()).unwrap_or(u32::MAX);
        let span = self.span_in_file(frame, span);
        self.level.nodes.push(node);
        self.level.spans.push(span);
        self.hint(&name);
        self.names.node(self.scope, name);
        Ok(NodeIndex(index))
    }

    /// A File as written in the body's module: relative to the folder of its file.
    pub(super) fn file(frame: &Frame, path: &str) -> Value {
        Value::File(path::from_folder(&frame.folder, path))
    }

    /// Where the file of the workflow blames a node: at a call of another module's fn, whatever that does.
    pub(super) fn span_in_file(&self, frame: &Frame, span: Span) -> (u32, u32) {
        let own = || (span.start.saturating_add(frame.offset), span.end.saturating_add(frame.offset));
        self.call_site.unwrap_or_else(own)
    }

    fn bind_local(&mut self, frame: &mut Frame, local: &Local, value: Planned) -> Result<()> {
        let index = local.id.0 as usize;
        if index >= frame.locals.len() {
            self.fuel.steps(index as u64).map_err(PlanError::from)?;
            frame.locals.resize(index + 1, None);
        }
        if let Some(slot) = frame.locals.get_mut(index) {
            *slot = Some(value);
        }
        Ok(())
    }

    fn local(&self, frame: &Frame, id: LocalId, span: Span) -> Result<Planned> {
        let value = frame.locals.get(id.0 as usize).and_then(Clone::clone);
        value.ok_or_else(|| {
            let fact = format!("local {} is used before it is bound", id.0);
            self.at(frame, span, Problem::Disagreement { fact })
        })
    }

    fn literal(&mut self, frame: &Frame, value: &Value, span: Span) -> Result<Planned> {
        self.fuel.copy(value).map_err(|problem| self.at(frame, span, problem))?;
        Ok(Planned::known(match value {
            Value::File(path) => Self::file(frame, path),
            other => other.clone(),
        }))
    }

    fn column(&self, frame: &Frame, column: &str, expr: &Expr) -> Result<Planned> {
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        Ok(Planned::Term(self.term(frame, expr.span, TermKind::Column(column.to_owned()), ty)?))
    }

    fn constant(&mut self, frame: &Frame, item: &ItemRef, span: Span) -> Result<Planned> {
        if let Some(value) = self.constants.get(item) {
            return Ok(value.clone());
        }
        let body = self.program.const_body(item).ok_or_else(|| {
            let fact = format!("the constant `{}.{}` has no value", item.module, item.name);
            self.at(frame, span, Problem::Disagreement { fact })
        })?;
        let mut inner = self.frame(item, body.locals, true);
        // It is the same one everywhere: it fails everywhere, or nowhere.
        let choices = std::mem::take(&mut self.choices);
        let value = self.expr(&mut inner, &body.value, None);
        self.choices = choices;
        let value = value?;
        self.constants.insert(item.clone(), value.clone());
        Ok(value)
    }

    #[inline(never)]
    fn block(
        &mut self,
        frame: &mut Frame,
        bindings: &[Binding],
        value: &Expr,
        whole: Span,
        name: Option<&Name>,
    ) -> Result<Planned> {
        for Binding { pattern, value, span } in bindings {
            let name = match pattern {
                // A statement without `let`.
                Pattern::Local(local) if local.name == "_" => None,
                // A lambda's parameters are bound by the whole of its call: their names are the lambda's.
                Pattern::Local(local) => {
                    Some(Name { text: local.name.as_str().into(), is_bound: !frame.is_fn && *span != whole })
                }
                Pattern::Record(_) => None,
            };
            let value = self.expr(frame, value, name.as_ref())?;
            let value = self.settle(frame, value, *span, name.as_ref())?;
            self.bind(frame, pattern, value, *span)?;
        }
        self.expr(frame, value, name)
    }

    #[inline(never)]
    fn record(&mut self, frame: &mut Frame, fields: &[(String, Expr)]) -> Result<Planned> {
        let mut values = Vec::with_capacity(fields.len());
        for (field, expr) in fields {
            let value = self.expr(frame, expr, None)?;
            let value = self.settle(frame, value, expr.span, Some(&unbound(field)))?;
            self.count_copy(frame, &value, expr.span)?;
            values.push((field.clone(), value));
        }
        Ok(Planned::record(values))
    }

    #[inline(never)]
    fn field(&mut self, frame: &mut Frame, base: &Expr, field: &str, expr: &Expr) -> Result<Planned> {
        let base = self.expr(frame, base, None)?;
        self.field_of(frame, base, field, &expr.ty, expr.span)
    }

    #[inline(never)]
    fn call_fn(
        &mut self,
        frame: &mut Frame,
        function: &Instance,
        args: &[Expr],
        span: Span,
        name: Option<&Name>,
    ) -> Result<Planned> {
        let body = self.program.body(function).ok_or_else(|| {
            let fact = format!("the fn `{}.{}` has no body", function.item.module, function.item.name);
            self.at(frame, span, Problem::Disagreement { fact })
        })?;
        self.fuel.steps(u64::from(body.locals)).map_err(|problem| self.at(frame, span, problem))?;
        let mut inner = self.frame(&function.item, body.locals, true);
        for (local, arg) in body.params.iter().zip(args) {
            let value = self.expr(frame, arg, None)?;
            self.bind_local(&mut inner, local, value)?;
        }
        let outer_site = self.call_site;
        if inner.module != self.module {
            self.call_site = Some(self.span_in_file(frame, span));
        }
        let value = self.expr(&mut inner, &body.value, name)?;
        self.call_site = outer_site;
        self.settle_parts(frame, value, span)
    }

    /// A fn may give a record or list of expressions; see [`Self::settle`].
    fn settle_parts(&mut self, frame: &Frame, value: Planned, span: Span) -> Result<Planned> {
        if frame.is_fn {
            return Ok(value);
        }
        match value {
            Planned::Record(fields) => {
                self.fuel.steps(fields.len() as u64).map_err(|problem| self.at(frame, span, problem))?;
                let mut settled = Vec::with_capacity(fields.len());
                for (field, value) in fields.iter() {
                    let value = self.settle(frame, value.clone(), span, Some(&unbound(field)))?;
                    settled.push((field.clone(), value));
                }
                Ok(Planned::Record(settled.into()))
            }
            Planned::List(items) => {
                self.fuel.steps(items.len() as u64).map_err(|problem| self.at(frame, span, problem))?;
                let mut settled = Vec::with_capacity(items.len());
                for item in items.iter() {
                    settled.push(self.settle(frame, item.clone(), span, None)?);
                }
                Ok(Planned::List(settled.into()))
            }
            other => Ok(other),
        }
    }

    /// The body's value is the record of the outputs; with one output it may be that itself.
    pub(super) fn outputs(
        &mut self,
        frame: &Frame,
        declared: &[(String, Ty)],
        body: &Expr,
        value: Planned,
    ) -> Result<Vec<Output>> {
        let has_field = |name: &str| match &value {
            Planned::Record(fields) => fields.iter().any(|(field, _)| field == name),
            Planned::Known(Known { value, .. }) => value.field(name).is_some(),
            _ => false,
        };
        let mut outputs = Vec::with_capacity(declared.len());
        for (name, declared_ty) in declared {
            let ty = self.ground(frame, declared_ty, body.span)?;
            let is_value = declared.len() == 1 && (*declared_ty == body.ty || !has_field(name));
            let value = if is_value {
                value.clone()
            } else {
                self.field_of(frame, value.clone(), name, declared_ty, body.span)?
            };
            let value = self.settle(frame, value, body.span, Some(&unbound(name)))?;
            let input = self.input(frame, value, body.span)?;
            outputs.push(Output { name: name.clone(), ty, input });
        }
        Ok(outputs)
    }
}

/// Whether it holds a record that is more than a scalar: no artifact holds one.
fn has_mixed_record(ty: &Type) -> bool {
    match ty.present() {
        Type::Record(record) => record.fields.iter().any(|field| holds_artifacts(&field.ty)),
        Type::List(element) => has_mixed_record(element),
        _ => false,
    }
}

/// Whether it is a table or model, or holds one.
pub(super) fn holds_artifacts(ty: &Type) -> bool {
    match ty.present() {
        Type::Dataset(_) | Type::Model(_) | Type::Opaque(_) => true,
        Type::List(element) => holds_artifacts(element),
        Type::Record(record) => record.fields.iter().any(|field| holds_artifacts(&field.ty)),
        _ => false,
    }
}

/// The name of an expression's node that stands in a record or among the outputs.
pub(super) fn unbound(name: &str) -> Name {
    Name { text: name.into(), is_bound: false }
}
