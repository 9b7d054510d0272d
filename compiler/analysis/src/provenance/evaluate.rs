//! Walks a typed body once and gives each expression its value: what it is, and the rows behind it.

use std::sync::Arc;

use flow_ir::{expr::Function, types::Type, value::Value as Literal};
use flow_syntax::{diagnostic::Diagnostic, span::Span};
use rustc_hash::FxHashMap;

use super::{
    lists::element_type,
    region::{Part, Set, Window},
    require::Requirement,
    terms::{FUNCTION, Node, RANGE, SetKind, Term, Terms},
    value::{Column, Model, Scalar, Table, Value, mark_of_many},
};
use crate::{
    body::{Body, Expr, ExprKind, ItemRef, Local, LocalId, Pattern},
    check::{InstanceKey, checked_body, known_value},
    db::{Db, Item, ModuleName, module_file},
    names::scope,
    stack::with_stack,
    ty::Ty,
};

/// Expressions that are looked at in one body, however often; past it nothing more is said.
const STEPS: u32 = 2_000_000;

pub(super) struct Evaluator<'db> {
    pub db: &'db dyn Db,
    pub terms: Terms,
    locals: FxHashMap<LocalId, Value>,
    names: FxHashMap<LocalId, String>,
    /// The table whose row a column speaks of.
    pub row: Option<Arc<Table>>,
    /// The window that an aggregate is of, where it is of one.
    pub window: Option<Window>,
    steps: u32,
    pub diagnostics: Vec<Diagnostic>,
    pub requirements: Vec<Requirement>,
    /// How often a requirement was broken, told or not.
    pub violations: usize,
    /// What was called where, for labels.
    pub called: FxHashMap<Span, String>,
    /// Tables with names, for words.
    pub named_rows: Vec<NamedRows>,
    /// What each `let` binds, where someone asks.
    pub lets: Option<Vec<(Span, Value)>>,
}

/// A part of a split that has a name.
pub(super) struct NamedRows {
    pub rows: Term,
    pub name: String,
    pub holds: Set,
}

impl<'db> Evaluator<'db> {
    pub fn new(db: &'db dyn Db) -> Self {
        Self {
            db,
            terms: Terms::default(),
            locals: FxHashMap::default(),
            names: FxHashMap::default(),
            row: None,
            window: None,
            steps: 0,
            diagnostics: Vec::new(),
            requirements: Vec::new(),
            violations: 0,
            called: FxHashMap::default(),
            named_rows: Vec::new(),
            lets: None,
        }
    }

    /// The value of a body. Parameters of one number in `same` are one.
    pub fn body(&mut self, body: &Body, same: &[u32]) -> Value {
        for (index, param) in body.params.iter().enumerate() {
            let index = same.get(index).copied().unwrap_or(u32::try_from(index).unwrap_or(u32::MAX));
            let base = self.terms.make(Node::Param(index));
            let value = self.param(&param.ty, base);
            self.bind_local(param, value);
        }
        self.expr(&body.value)
    }

    /// A parameter, or what is in it: what it brings stands for itself until a call gives it.
    fn param(&mut self, ty: &Ty, base: Term) -> Value {
        let Ty::Ground(ty) = ty else { return Value::Unknown };
        let mut set = |kind| {
            let source = self.terms.make(Node::SetOf(kind, base));
            Set::of_source(source, Span::default())
        };
        match ty.present() {
            Type::Dataset(row) => {
                let (holds, chosen, seen) = (set(SetKind::Holds), set(SetKind::Chosen), set(SetKind::Seen));
                let rows = self.terms.make(Node::Rows(base));
                let mut table = Table { rows, chosen, seen, ..Table::new(base, holds) };
                self.mark_read_twice(&mut table, row);
                Value::Table(Arc::new(table))
            }
            Type::Model(model) => Value::Model(Arc::new(Model {
                id: base,
                fitted: set(SetKind::Fitted),
                chosen: set(SetKind::Chosen),
                seen: set(SetKind::Seen),
                is_supervised: model.task.predicts(),
            })),
            Type::Opaque(_) => Value::Model(Arc::new(Model {
                id: base,
                fitted: set(SetKind::Fitted),
                chosen: set(SetKind::Chosen),
                seen: set(SetKind::Seen),
                is_supervised: false,
            })),
            Type::List(element) if carries_rows(element) => {
                let index = self.terms.fresh_symbol();
                let base = self.terms.make(Node::Element(base, index));
                let element = self.param(&Ty::Ground((**element).clone()), base);
                Value::Each(index, Arc::new(element))
            }
            Type::Record(record) if record.fields.iter().any(|field| carries_rows(&field.ty)) => {
                let fields = record.fields.iter().map(|field| {
                    let base = self.terms.field(base, &field.name);
                    (field.name.clone(), self.param(&Ty::Ground(field.ty.clone()), base))
                });
                Value::Record(Arc::new(fields.collect()))
            }
            _ => Value::Scalar(Scalar { seen: set(SetKind::Seen), ..Scalar::plain(base) }),
        }
    }

    pub fn expr(&mut self, expr: &Expr) -> Value {
        self.steps += 1;
        if self.steps > STEPS {
            return Value::Unknown;
        }
        with_stack(|| self.kind(expr))
    }

    fn kind(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Error => Value::Unknown,
            ExprKind::Value(value) => Value::Scalar(Scalar::plain(self.terms.value(value.clone()))),
            ExprKind::Interpolate(parts) => {
                let parts = parts.iter().map(|part| match part {
                    crate::body::Part::Expr(expr) => self.expr(expr),
                    crate::body::Part::Text(text) => {
                        let text = self.terms.value(Literal::from(text.as_str()));
                        Value::Scalar(Scalar::plain(text))
                    }
                });
                let parts: Vec<Value> = parts.collect();
                self.computed("text", &parts)
            }
            ExprKind::Local(id) => self.locals.get(id).cloned().unwrap_or(Value::Unknown),
            ExprKind::Const(item) => self.constant(item),
            ExprKind::Column(name) => self.column(name, &expr.ty),
            ExprKind::Block { bindings, value } => {
                for binding in bindings {
                    let bound = self.expr(&binding.value);
                    if let Some(lets) = &mut self.lets {
                        lets.push((binding.span, bound.clone()));
                    }
                    self.bind(&binding.pattern, bound);
                }
                self.expr(value)
            }
            ExprKind::Field { base, name } => {
                let base = self.expr(base);
                base.field(name, &mut self.terms)
            }
            ExprKind::Index { base, index } => {
                let (base, index) = (self.expr(base), self.expr(index));
                self.index(&base, &index, &expr.ty)
            }
            ExprKind::List(values) => self.list(values, expr),
            ExprKind::Record(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), self.expr(value)));
                Value::Record(Arc::new(fields.collect()))
            }
            ExprKind::Range { low, high, inclusive } => {
                let bounds = [self.expr(low), self.expr(high)];
                let name = if *inclusive { "range to" } else { RANGE };
                self.computed(name, &bounds)
            }
            ExprKind::Scalar { function: Function::OrElse, args } if carries_rows_of(expr) => {
                let arms: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
                let [value, default] = arms.as_slice() else { return Value::Unknown };
                let is_missing = self.computed("is_missing", std::slice::from_ref(value)).id(&mut self.terms);
                let arms = [(Part::Is(false), value.clone()), (Part::Is(true), default.clone())];
                self.pick(is_missing, &arms, &expr.ty)
            }
            ExprKind::Scalar { function, args } => {
                let args: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
                self.computed(function.name(), &args)
            }
            ExprKind::Aggregate { function, args } => {
                let args: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
                let value = self.computed(&format!("{} of rows", function.name()), &args);
                self.of_many(value)
            }
            ExprKind::Cast(inner) => self.cast(inner, &expr.ty),
            ExprKind::If { condition, then, otherwise }
            | ExprKind::RunIf { condition, then, otherwise: Some(otherwise) } => {
                let condition = self.expr(condition);
                let (then, otherwise) = (self.expr(then), self.expr(otherwise));
                let choice = condition.id(&mut self.terms);
                let arms = [(Part::Is(true), then), (Part::Is(false), otherwise)];
                self.decided(&condition, choice, &arms, &expr.ty)
            }
            ExprKind::RunIf { condition, then, otherwise: None } => {
                let condition = self.expr(condition);
                self.expr(then).chosen_on(&condition.all())
            }
            ExprKind::Match { subject, arms } => self.matched(subject, arms, &expr.ty),
            ExprKind::For { pattern, list, body } | ExprKind::RunFor { pattern, list, body, .. } => {
                let (list, of) = (self.expr(list), element_type(&list.ty));
                let index = self.terms.fresh_symbol();
                let element = self.element_of(&list, index, &of);
                self.bind(pattern, element);
                let value = self.expr(body);
                Value::Each(index, Arc::new(value))
            }
            ExprKind::RunWhile { condition, state, start, body, .. } => {
                self.run_while(condition, state, start, body)
            }
            ExprKind::Builtin { builtin, args, .. } => self.builtin(*builtin, args, &expr.ty),
            ExprKind::CallFn { function, args } => {
                let carries = carries_rows_of(expr) || args.iter().any(carries_rows_of);
                if self.row.is_some() || !carries {
                    let values: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
                    return self.computed(&format!("{FUNCTION}{}", function_name(&function.item)), &values);
                }
                let args: Vec<&Expr> = args.iter().collect();
                self.call_instance(function, &args, expr)
            }
            ExprKind::CallWorkflow { workflow, args, .. } => {
                let args: Vec<&Expr> = args.iter().map(|(_, arg)| arg).collect();
                self.call_instance(workflow, &args, expr)
            }
            ExprKind::CallOperator(call) => self.call_operator(call, expr),
            // Tests have no provenance: what they look at has been checked on its own.
            ExprKind::Test { .. } => Value::Unknown,
        }
    }

    pub fn bind(&mut self, pattern: &Pattern, value: Value) {
        match pattern {
            Pattern::Local(local) => self.bind_local(local, value),
            Pattern::Record(fields) => {
                for (name, local) in fields {
                    let field = value.field(name, &mut self.terms);
                    self.bind_local(local, field);
                }
            }
        }
    }

    pub fn bind_local(&mut self, local: &Local, value: Value) {
        if let Value::Table(table) = &value
            && matches!(self.terms.node(table.rows), Some(Node::Field(..)))
            && self.named_rows.iter().rev().take(64).all(|named| named.rows != table.rows)
        {
            let (rows, holds) = (table.rows, table.holds.clone());
            self.named_rows.push(NamedRows { rows, name: local.name.clone(), holds });
        }
        self.names.insert(local.id, local.name.clone());
        self.locals.insert(local.id, value);
    }

    /// What a person calls an expression, where it has a name.
    pub fn name_of(&self, expr: &Expr) -> Option<&str> {
        match &expr.kind {
            ExprKind::Local(id) => self.names.get(id).map(String::as_str),
            ExprKind::Cast(inner) => self.name_of(inner),
            _ => None,
        }
    }

    /// Something computed from values, on its own.
    pub fn computed(&mut self, name: &str, args: &[Value]) -> Value {
        let ids = args.iter().map(|arg| arg.id(&mut self.terms)).collect();
        let (mut seen, mut mark) = (Set::default(), Set::default());
        for arg in args {
            seen = seen.union(&arg.all());
            if let Value::Scalar(scalar) = arg {
                mark = mark.union(&scalar.mark);
            }
        }
        Value::Scalar(Scalar { id: self.terms.call(name, ids), seen, mark })
    }

    fn constant(&mut self, item: &ItemRef) -> Value {
        let known = find_item(self.db, &item.module, &item.name).and_then(|found| {
            let key = InstanceKey::new(self.db, found, Vec::new());
            known_value(&checked_body(self.db, key).body.as_ref()?.value)
        });
        let id = match known {
            Some(value) => self.terms.value(value),
            None => self.terms.call(&function_name(item), Vec::new()),
        };
        Value::Scalar(Scalar::plain(id))
    }

    fn column(&mut self, name: &str, ty: &Ty) -> Value {
        let Some(table) = self.row.clone() else { return Value::Unknown };
        let Column { definition, mut mark } = table.column(name, &mut self.terms);
        if is_label(ty) {
            mark = mark.union(&self.own_mark(Span::default()));
        }
        Value::Scalar(Scalar { id: definition, seen: Set::default(), mark })
    }

    /// Computed from the own row's label.
    pub fn own_mark(&mut self, place: Span) -> Set {
        Set::of_source(self.terms.make(Node::Own), place)
    }

    /// A value of many rows, those of a group or window: what it told of its own row it tells of these.
    fn of_many(&mut self, value: Value) -> Value {
        let (Value::Scalar(scalar), Some(table)) = (&value, &self.row) else { return value };
        let mut mark = mark_of_many(&scalar.mark, &table.label_rows(), &mut self.terms);
        if let Some(window) = &self.window {
            mark = mark.windowed(window);
        }
        Value::Scalar(Scalar { mark, ..scalar.clone() })
    }

    /// A conversion or widening. What compares as before is the same value.
    fn cast(&mut self, inner: &Expr, ty: &Ty) -> Value {
        let value = self.expr(inner);
        let (Value::Scalar(scalar), Ty::Ground(to), Ty::Ground(from)) = (&value, ty, &inner.ty) else {
            return value;
        };
        if let (Some(Literal::Int(literal)), Type::Float) = (self.terms.literal(scalar.id), to.storage()) {
            #[expect(clippy::cast_precision_loss, reason = "as the conversion does")]
            let widened = Literal::from(*literal as f64);
            return Value::Scalar(Scalar { id: self.terms.value(widened), ..scalar.clone() });
        }
        let is_number = |ty: &Type| matches!(ty, Type::Int | Type::Float | Type::Float32);
        let (from, to) = (from.storage(), to.storage());
        if from == to || (is_number(from) && matches!(to, Type::Float)) || *from == Type::Nothing {
            return value;
        }
        let name = format!("as {}", crate::types::show(to));
        Value::Scalar(Scalar { id: self.terms.call(&name, vec![scalar.id]), ..scalar.clone() })
    }
}

/// An item of a module.
pub(super) fn find_item<'db>(db: &'db dyn Db, module: &str, name: &str) -> Option<Item<'db>> {
    let file = module_file(db, ModuleName::new(db, module.to_owned()))?;
    scope(db, file).items.get(name).copied()
}

fn function_name(item: &ItemRef) -> String {
    format!("{}.{}", item.module, item.name)
}

pub(super) fn is_label(ty: &Ty) -> bool {
    matches!(ty, Ty::Ground(ty) if matches!(ty.present(), Type::Label { .. }))
}

/// Whether values of a type have rows of their own: tables, models, and what holds them.
pub(super) fn carries_rows(ty: &Type) -> bool {
    match ty.present() {
        Type::Dataset(_) | Type::Model(_) | Type::Opaque(_) => true,
        Type::List(element) => carries_rows(element),
        Type::Record(record) => record.fields.iter().any(|field| carries_rows(&field.ty)),
        _ => false,
    }
}

fn carries_rows_of(expr: &Expr) -> bool {
    matches!(&expr.ty, Ty::Ground(ty) if carries_rows(ty))
}
