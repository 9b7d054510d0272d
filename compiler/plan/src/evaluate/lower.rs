//! What is planned, as the DAG has it: inputs, expressions and the nodes of expressions.

use std::rc::Rc;

use flow_analysis::body;
use flow_ir::{
    expr::{Expr, ExprKind, Function},
    node::{Input, Node, NodeKind, Port, VALUE_PORT},
    policy::Policy,
    types::Type,
    value::Value,
};
use flow_syntax::span::Span;
use rustc_hash::FxHashMap;

use super::{
    evaluator::{Evaluator, Frame, Result, holds_artifacts},
    fuel::with_stack,
    names::Name,
    region::Source,
    value::{Known, Planned, Term, TermKind},
};

/// What an expression reads, in the order in which it names it.
///
/// Its parameters are `a`, `b`, … so that equal expressions are equal whatever their sources are called.
#[derive(Default)]
struct Bindings {
    places: FxHashMap<Source, usize>,
    sources: Vec<Source>,
    /// Parts without columns, which became nodes of their own.
    nodes: FxHashMap<*const Term, Source>,
}

/// Where a part of an expression stands.
#[derive(Clone, Copy)]
enum Within {
    /// An expression that is computed once.
    Node,
    /// One that is computed for each row.
    Row,
    /// One that is computed for some rows, or for none.
    Choice,
}

impl Evaluator<'_> {
    pub(super) fn input(&mut self, frame: &Frame, value: Planned, span: Span) -> Result<Input> {
        Ok(match value {
            // A region has no part in the workflow's own parameters.
            Planned::Known(Known { parameter: Some(name), .. }) if self.depth() == 0 => {
                Input::Parameter(name.to_string())
            }
            Planned::Known(Known { value, .. }) => Input::Constant(self.copy(frame, &value, span)?),
            Planned::Future(source) => self.source_input(source),
            Planned::Term(term) if term.has_columns => self.expression(frame, &term, span)?,
            Planned::Term(term) => {
                let source = self.expression_node(frame, &term, span, None)?;
                self.source_input(source)
            }
            Planned::List(items) => {
                self.fuel.steps(items.len() as u64).map_err(|problem| self.at(frame, span, problem))?;
                let mut inputs = Vec::with_capacity(items.len());
                for item in items.iter() {
                    inputs.push(self.input(frame, item.clone(), span)?);
                }
                Input::List(inputs)
            }
            Planned::Record(fields) => {
                let mut inputs = Vec::with_capacity(fields.len());
                for (name, field) in fields.iter() {
                    inputs.push((name.clone(), self.input(frame, field.clone(), span)?));
                }
                Input::Record(inputs)
            }
        })
    }

    /// An argument that stands in the scope of a row: an expression, or a record of them.
    pub(super) fn row_input(&mut self, frame: &Frame, value: Planned, expr: &body::Expr) -> Result<Input> {
        let ty = self.ground(frame, &expr.ty, expr.span)?;
        self.row_part(frame, value, &ty, expr.span)
    }

    fn row_part(&mut self, frame: &Frame, value: Planned, ty: &Type, span: Span) -> Result<Input> {
        if let Type::Record(record) = ty.present() {
            let mut inputs = Vec::with_capacity(record.fields.len());
            for field in &record.fields {
                let own = flow_analysis::ty::Ty::Ground(field.ty.clone());
                let part = self.field_of(frame, value.clone(), &field.name, &own, span)?;
                inputs.push((field.name.clone(), self.row_part(frame, part, &field.ty, span)?));
            }
            return Ok(Input::Record(inputs));
        }
        let term = self.as_term(frame, value, ty.clone(), span)?;
        self.expression(frame, &term, span)
    }

    /// A node that computes an expression over futures.
    pub(super) fn expression_node(
        &mut self,
        frame: &Frame,
        term: &Rc<Term>,
        span: Span,
        name: Option<&Name>,
    ) -> Result<Source> {
        if let TermKind::Future(source) = term.kind {
            return Ok(source);
        }
        let mut bindings = Bindings::default();
        let expr = self.lower(frame, term, Within::Node, span, &mut bindings)?;
        let name = name.cloned().unwrap_or_else(|| Name { text: short_name(&expr).into(), is_bound: false });
        let node = Node {
            id: String::new(),
            outputs: vec![Port { name: VALUE_PORT.to_owned(), ty: expr.ty.clone() }],
            kind: NodeKind::Expression(expr),
            inputs: self.bound(bindings),
            after: Vec::new(),
            policy: Policy::default(),
            effect: false,
            deterministic: true,
        };
        let node = self.push(frame, node, name, span)?;
        Ok(self.source(node, 0))
    }

    fn expression(&mut self, frame: &Frame, term: &Rc<Term>, span: Span) -> Result<Input> {
        let mut bindings = Bindings::default();
        let within = if term.has_columns { Within::Row } else { Within::Node };
        let expr = self.lower(frame, term, within, span, &mut bindings)?;
        Ok(Input::Expression { expr, bindings: self.bound(bindings) })
    }

    fn bound(&mut self, bindings: Bindings) -> Vec<(String, Input)> {
        let named = |(place, source)| (parameter_name(place), self.source_input(source));
        bindings.sources.into_iter().enumerate().map(named).collect()
    }

    fn lower(
        &mut self,
        frame: &Frame,
        term: &Rc<Term>,
        within: Within,
        span: Span,
        bindings: &mut Bindings,
    ) -> Result<Expr> {
        self.fuel.steps(1).map_err(|problem| self.at(frame, span, problem))?;
        let kind = with_stack(|| self.lower_kind(frame, term, within, span, bindings))?;
        Ok(Expr { kind, ty: term.ty.clone() })
    }

    fn lower_kind(
        &mut self,
        frame: &Frame,
        term: &Rc<Term>,
        within: Within,
        span: Span,
        bindings: &mut Bindings,
    ) -> Result<ExprKind> {
        Ok(match &term.kind {
            TermKind::Column(column) => ExprKind::Column(column.clone()),
            TermKind::Future(source) => ExprKind::Parameter(bindings.name(*source)),
            TermKind::Literal(value) => ExprKind::Literal(self.copy(frame, value, span)?),
            TermKind::Call { function, args } => {
                let is_choice = matches!(function, Function::And | Function::Or | Function::OrElse);
                let mut lowered = Vec::with_capacity(args.len());
                for (index, arg) in args.iter().enumerate() {
                    let within = if is_choice && index > 0 { within.choice() } else { within };
                    lowered.push(self.lower_part(frame, arg, within, span, bindings)?);
                }
                ExprKind::Call { function: *function, args: lowered }
            }
            TermKind::Cast(operand) => {
                ExprKind::Cast(Box::new(self.lower_part(frame, operand, within, span, bindings)?))
            }
            TermKind::Case { arms, otherwise } => {
                let choice = within.choice();
                let mut lowered = Vec::with_capacity(arms.len());
                for (index, (condition, value)) in arms.iter().enumerate() {
                    let within = if index > 0 { choice } else { within };
                    lowered.push((
                        self.lower_part(frame, condition, within, span, bindings)?,
                        self.lower_part(frame, value, choice, span, bindings)?,
                    ));
                }
                let otherwise = self.lower_part(frame, otherwise, choice, span, bindings)?;
                ExprKind::Case { arms: lowered, otherwise: Box::new(otherwise) }
            }
        })
    }

    /// A part of an expression over columns that has none itself is computed once, not once a row; but not
    /// where it fails perhaps, and no row needs it.
    fn lower_part(
        &mut self,
        frame: &Frame,
        part: &Rc<Term>,
        within: Within,
        span: Span,
        bindings: &mut Bindings,
    ) -> Result<Expr> {
        let stays = match within {
            // Expressions compute scalars from scalars.
            _ if is_taken_out(part) => false,
            Within::Node => true,
            Within::Row => false,
            Within::Choice => part.can_fail,
        };
        if stays || part.has_columns || matches!(part.kind, TermKind::Future(_) | TermKind::Literal(_)) {
            return self.lower(frame, part, within, span, bindings);
        }
        let source = match bindings.nodes.get(&Rc::as_ptr(part)) {
            Some(source) => *source,
            None => {
                let source = self.expression_node(frame, part, span, None)?;
                bindings.nodes.insert(Rc::as_ptr(part), source);
                source
            }
        };
        Ok(Expr { kind: ExprKind::Parameter(bindings.name(source)), ty: part.ty.clone() })
    }

    fn copy(&mut self, frame: &Frame, value: &Value, span: Span) -> Result<Value> {
        self.fuel.copy(value).map_err(|problem| self.at(frame, span, problem))?;
        Ok(value.clone())
    }
}

/// Whether it is a part of what is more than a scalar.
fn is_taken_out(term: &Term) -> bool {
    match &term.kind {
        TermKind::Call { function: Function::Field | Function::Element, args } => {
            args.first().is_some_and(|of| holds_artifacts(&of.ty))
        }
        _ => false,
    }
}

/// What an expression is called that no name is given to: `auc` for `report.auc`.
fn short_name(expr: &Expr) -> &str {
    if let ExprKind::Call { function: Function::Field, args } = &expr.kind
        && let Some(Expr { kind: ExprKind::Literal(Value::Text(field)), .. }) = args.get(1)
    {
        return field;
    }
    "expression"
}

impl Within {
    fn choice(self) -> Self {
        match self {
            Self::Node => Self::Node,
            Self::Row | Self::Choice => Self::Choice,
        }
    }
}

impl Bindings {
    fn name(&mut self, source: Source) -> String {
        let place = *self.places.entry(source).or_insert_with(|| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        parameter_name(place)
    }
}

/// `a` … `z`, then `a1` … `z1`, and so on.
fn parameter_name(place: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(place % 26).unwrap_or(0));
    if place < 26 { letter.to_string() } else { format!("{letter}{}", place / 26) }
}
