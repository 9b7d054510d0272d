//! Walks a typed body once and gives each expression its value: what it is, and the rows behind it.

use std::sync::Arc;

use flow_ir::{expr::Function, types::Type, value::Value as Literal};
use flow_syntax::{diagnostic::Diagnostic, span::Span};
use rustc_hash::FxHashMap;

use super::{
    limits::{Key, Limits},
    map::{at_any_index, at_index},
    region::{Constraint, Part, Set, Window},
    require::Requirement,
    terms::{Node, PICK, RANGE, SetKind, Term, Terms},
    value::{Column, Model, Scalar, Table, Value, mark_of_many},
};
use crate::{
    body::{Body, Builtin, Expr, ExprKind, ItemRef, Local, LocalId, Pattern},
    check::{InstanceKey, checked_body, known_value},
    db::{Db, Item, ModuleName, module_file},
    names::scope,
    ty::Ty,
};

/// Expressions that are looked at in one body, however often; past it nothing more is said.
const STEPS: u32 = 2_000_000;
/// Longer written lists count as one value that may be any of theirs.
const MAX_ARMS: usize = 64;
/// Turns of a loop node after which its state may be anything that a turn made of it.
const MAX_TURNS: usize = 4;

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
            Type::Dataset(_) => {
                let (holds, chosen, seen) = (set(SetKind::Holds), set(SetKind::Chosen), set(SetKind::Seen));
                let rows = self.terms.make(Node::Rows(base));
                Value::Table(Arc::new(Table { rows, chosen, seen, ..Table::new(base, holds) }))
            }
            Type::Model(model) => Value::Model(Arc::new(Model {
                id: base,
                fitted: set(SetKind::Fitted),
                chosen: set(SetKind::Chosen),
                seen: set(SetKind::Seen),
                is_supervised: is_predictor(model.task),
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
            ExprKind::Builtin { builtin, args } => self.builtin(*builtin, args, &expr.ty),
            ExprKind::CallFn { function, args } => {
                let carries = carries_rows_of(expr) || args.iter().any(carries_rows_of);
                if self.row.is_some() || !carries {
                    let values: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
                    return self.computed(&function_name(&function.item), &values);
                }
                let args: Vec<&Expr> = args.iter().collect();
                self.call_instance(function, &args, expr)
            }
            ExprKind::CallWorkflow { workflow, args, .. } => {
                let args: Vec<&Expr> = args.iter().map(|(_, arg)| arg).collect();
                self.call_instance(workflow, &args, expr)
            }
            ExprKind::CallOperator(call) => self.call_operator(call, expr),
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

    fn bind_local(&mut self, local: &Local, value: Value) {
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

    fn list(&mut self, values: &[Expr], expr: &Expr) -> Value {
        if let Some(known) = known_value(expr) {
            return Value::Scalar(Scalar::plain(self.terms.value(known)));
        }
        let values: Vec<Value> = values.iter().map(|value| self.expr(value)).collect();
        let is_plain = |value: &Value| matches!(value, Value::Scalar(scalar) if scalar.seen.is_empty());
        if values.iter().all(is_plain) {
            return self.computed("list", &values);
        }
        if values.len() > MAX_ARMS {
            let index = self.terms.make(Node::Any);
            let arms: Vec<(Part, Value)> = values.into_iter().map(|value| (part_of(0), value)).collect();
            let element = element_type(&expr.ty);
            let any = self.pick(index, &arms, &element);
            return Value::Each(self.terms.fresh_symbol(), Arc::new(any));
        }
        Value::List(Arc::new(values))
    }

    fn index(&mut self, list: &Value, index: &Value, ty: &Ty) -> Value {
        let decided = index.all();
        let index = index.id(&mut self.terms);
        self.element_of(list, index, ty).chosen_on(&decided)
    }

    /// The element of a list at an index, which may be the turn of a loop.
    pub fn element_of(&mut self, list: &Value, index: Term, ty: &Ty) -> Value {
        match list {
            Value::Each(symbol, element) => at_index(element, *symbol, index, &mut self.terms),
            Value::List(values) => {
                if let Some(Literal::Int(index)) = self.terms.literal(index) {
                    let element = usize::try_from(*index).ok().and_then(|index| values.get(index));
                    return element.cloned().unwrap_or(Value::Unknown);
                }
                let arms: Vec<(Part, Value)> =
                    values.iter().enumerate().map(|(at, value)| (part_of(at), value.clone())).collect();
                self.pick(index, &arms, ty)
            }
            Value::Scalar(scalar) => {
                let id = self.terms.make(Node::Element(scalar.id, index));
                Value::Scalar(Scalar { id, ..scalar.clone() })
            }
            _ => Value::Unknown,
        }
    }

    /// One of several values, decided by a value that was measured, perhaps.
    fn decided(&mut self, by: &Value, choice: Term, arms: &[(Part, Value)], ty: &Ty) -> Value {
        let (seen, mark) = match by {
            Value::Scalar(scalar) => (scalar.seen.clone(), scalar.mark.clone()),
            other => (other.all(), Set::default()),
        };
        match self.pick(choice, arms, ty) {
            Value::Scalar(scalar) => Value::Scalar(Scalar {
                seen: scalar.seen.union(&seen),
                mark: scalar.mark.union(&mark),
                ..scalar
            }),
            value => value.chosen_on(&seen),
        }
    }

    fn matched(&mut self, subject: &Expr, arms: &[(Option<Literal>, Expr)], ty: &Ty) -> Value {
        let subject = self.expr(subject);
        let choice = subject.id(&mut self.terms);
        let known: Vec<Key> = arms.iter().filter_map(|(value, _)| value.as_ref().and_then(Key::of)).collect();
        let mut values = Vec::with_capacity(arms.len());
        for (value, arm) in arms {
            let limits = match value {
                Some(value) => Key::of(value).map(|key| Limits::OneOf(vec![key])),
                None => Some(Limits::NoneOf(known.clone())),
            };
            // `none`: there is nothing that it compares with.
            let part = limits.map_or(Part::Is(false), |limits| Part::Limits(Arc::new(limits)));
            values.push((part, self.expr(arm)));
        }
        self.decided(&subject, choice, &values, ty)
    }

    /// One of several values. What one arm alone has is there only where `choice` is in its part.
    pub fn pick(&mut self, choice: Term, arms: &[(Part, Value)], ty: &Ty) -> Value {
        let known: Vec<(Constraint, &Value)> = arms
            .iter()
            .filter(|(_, value)| !matches!(value, Value::Unknown))
            .map(|(part, value)| (Constraint { of: choice, part: part.clone() }, value))
            .collect();
        let Some((_, first)) = known.first() else { return Value::Unknown };
        if known.iter().all(|(_, value)| value == first) && known.len() == arms.len() {
            return (*first).clone();
        }
        let ids: Vec<Term> = known.iter().map(|(_, value)| value.id(&mut self.terms)).collect();
        match first {
            Value::Table(_) => {
                let tables = known.iter().filter_map(|(constraint, value)| match value {
                    Value::Table(table) => Some((constraint.clone(), Arc::clone(table))),
                    _ => None,
                });
                let tables: Vec<(Constraint, Arc<Table>)> = tables.collect();
                Value::Table(Arc::new(self.pick_table(choice, &tables, ty)))
            }
            Value::Model(_) => {
                let models = known.iter().filter_map(|(constraint, value)| match value {
                    Value::Model(model) => Some((constraint, model)),
                    _ => None,
                });
                let models: Vec<_> = models.collect();
                let set = |of: fn(&Model) -> &Set| {
                    joined(models.iter().map(|(constraint, model)| (*constraint, of(model))), &self.terms)
                };
                let (fitted, chosen, seen) =
                    (set(|model| &model.fitted), set(|model| &model.chosen), set(|model| &model.seen));
                let is_supervised = models.iter().any(|(_, model)| model.is_supervised);
                let id = self.one_of(choice, ids);
                Value::Model(Arc::new(Model { id, fitted, chosen, seen, is_supervised }))
            }
            Value::Record(fields) => {
                let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
                let fields = names.into_iter().map(|name| {
                    let arms: Vec<(Part, Value)> = known
                        .iter()
                        .map(|(constraint, value)| {
                            (constraint.part.clone(), value.field(&name, &mut self.terms))
                        })
                        .collect();
                    let value = self.pick(choice, &arms, &field_type(ty, &name));
                    (name, value)
                });
                Value::Record(Arc::new(fields.collect()))
            }
            Value::List(_) | Value::Each(..) => {
                let index = self.terms.fresh_symbol();
                let of = element_type(ty);
                let arms: Vec<(Part, Value)> = known
                    .iter()
                    .map(|(constraint, value)| (constraint.part.clone(), self.element_of(value, index, &of)))
                    .collect();
                let element = self.pick(choice, &arms, &of);
                Value::Each(index, Arc::new(element))
            }
            Value::Scalar(_) | Value::Unknown => {
                let (mut seen, mut mark) = (Set::default(), Set::default());
                for (_, value) in &known {
                    seen = seen.union(&value.all());
                    if let Value::Scalar(scalar) = value {
                        mark = mark.union(&scalar.mark);
                    }
                }
                Value::Scalar(Scalar { id: self.one_of(choice, ids), seen, mark })
            }
        }
    }

    fn one_of(&mut self, choice: Term, mut arms: Vec<Term>) -> Term {
        arms.insert(0, choice);
        self.terms.call(PICK, arms)
    }

    fn pick_table(&mut self, choice: Term, tables: &[(Constraint, Arc<Table>)], ty: &Ty) -> Table {
        let set = |of: fn(&Table) -> &Set, terms: &Terms| {
            joined(tables.iter().map(|(constraint, table)| (constraint, of(table))), terms)
        };
        let (holds, chosen, seen) = (
            set(|table| &table.holds, &self.terms),
            set(|table| &table.chosen, &self.terms),
            set(|table| &table.seen, &self.terms),
        );
        let id = self.one_of(choice, tables.iter().map(|(_, table)| table.id).collect());
        let rows = self.one_of(choice, tables.iter().map(|(_, table)| table.rows).collect());
        let base = tables.first().map_or(id, |(_, table)| table.base);
        let mut picked = Table { rows, chosen, seen, ..Table::new(id, holds) };
        picked.is_repeated = tables.iter().any(|(_, table)| table.is_repeated);
        picked.labels = set(|table| &table.labels, &self.terms);
        picked.told = set(|table| &table.told, &self.terms);
        let mut names: Vec<&str> =
            tables.iter().flat_map(|(_, table)| table.columns.keys().map(String::as_str)).collect();
        if tables.iter().all(|(_, table)| table.base == base) {
            picked.base = base;
        } else if let Ty::Ground(Type::Dataset(row)) = ty {
            names = row.columns.iter().map(|column| column.name.as_str()).collect();
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            let columns: Vec<Column> =
                tables.iter().map(|(_, table)| table.column(name, &mut self.terms)).collect();
            let definition = self.one_of(choice, columns.iter().map(|column| column.definition).collect());
            let mark = Set::union_all(columns.iter().map(|column| &column.mark));
            picked.put(name, Column { definition, mark });
        }
        picked
    }

    /// The state after no turn, or one, or more. What the condition measures decides when it is good enough, which
    /// only what comes after the loop is chosen by.
    fn run_while(&mut self, condition: &Expr, state: &Local, start: &Expr, body: &Expr) -> Value {
        let mut value = self.expr(start);
        let any = self.terms.make(Node::Any);
        for turn in 0..=MAX_TURNS + 1 {
            self.bind_local(state, value.clone());
            let next = self.expr(body);
            // No turn in particular: what either has, it has.
            let either = [(part_of(0), value.clone()), (part_of(1), next)];
            let mut joined = self.pick(any, &either, &state.ty);
            if turn >= MAX_TURNS {
                joined = widened(&joined);
            }
            let is_settled = same_rows(&joined, &value);
            value = joined;
            if is_settled {
                break;
            }
        }
        self.bind_local(state, value.clone());
        let decided = self.expr(condition).all();
        value.chosen_on(&decided)
    }

    fn builtin(&mut self, builtin: Builtin, args: &[Expr], ty: &Ty) -> Value {
        let values: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
        let Some(list) = values.first() else { return Value::Unknown };
        match builtin {
            // How long a list is follows from the text, as long as it is not an operator's.
            Builtin::Len if !matches!(list, Value::Scalar(_)) => {
                let id = list.id(&mut self.terms);
                Value::Scalar(Scalar::plain(self.terms.call("len", vec![id])))
            }
            Builtin::Wait | Builtin::WaitFor => values.get(1).cloned().unwrap_or(Value::Unknown),
            Builtin::Pass => list.clone(),
            Builtin::Sample => self.computed("sample of list", &values),
            Builtin::Concat => self.concat(list, ty),
            Builtin::SortedBy => self.sorted(list, values.get(1), ty),
            Builtin::Len | Builtin::Mean | Builtin::Min | Builtin::Max | Builtin::Sum => {
                let name = format!("{builtin:?} of list");
                let list = self.anywhere(list);
                self.computed(&name, &[list])
            }
        }
    }

    /// The same list, at no index in particular.
    pub fn anywhere(&mut self, list: &Value) -> Value {
        match list {
            Value::Each(symbol, element) => {
                let element = at_any_index(element, *symbol, &mut self.terms);
                Value::Each(*symbol, Arc::new(self.anywhere(&element)))
            }
            other => other.clone(),
        }
    }

    fn concat(&mut self, lists: &Value, ty: &Ty) -> Value {
        match lists {
            Value::List(lists) if lists.iter().all(|list| matches!(list, Value::List(_))) => {
                let parts = lists.iter().flat_map(|list| match list {
                    Value::List(values) => values.iter().cloned().collect(),
                    _ => Vec::new(),
                });
                Value::List(Arc::new(parts.collect()))
            }
            Value::Scalar(_) => self.computed("concat", std::slice::from_ref(lists)),
            Value::Unknown => Value::Unknown,
            _ => {
                let index = self.terms.fresh_symbol();
                let outer = self.terms.call("list of", vec![index]);
                let inner = self.terms.call("place in list", vec![index]);
                let list = self.element_of(lists, outer, ty);
                let element = self.element_of(&list, inner, &element_type(ty));
                Value::Each(index, Arc::new(element))
            }
        }
    }

    /// The best is chosen by what was measured on all.
    fn sorted(&mut self, list: &Value, field: Option<&Value>, ty: &Ty) -> Value {
        if matches!(list, Value::Scalar(_) | Value::Unknown) {
            return list.clone();
        }
        let index = self.terms.fresh_symbol();
        let any = self.terms.make(Node::Any);
        let of = element_type(ty);
        let field = field.map(|field| field.id(&mut self.terms));
        let name = match field.and_then(|field| self.terms.literal(field)) {
            Some(Literal::Text(name)) => name.clone(),
            _ => String::new(),
        };
        let decided = self.element_of(list, any, &of).field(&name, &mut self.terms).all();
        let id = list.id(&mut self.terms);
        let mut args = vec![index, id];
        args.extend(field);
        let place = self.terms.call("place before sorting", args);
        let element = self.element_of(list, place, &of).chosen_on(&decided);
        Value::Each(index, Arc::new(element))
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

pub(super) fn is_predictor(task: flow_ir::types::Task) -> bool {
    use flow_ir::types::Task;
    matches!(task, Task::Classifier | Task::Regressor | Task::Ranker)
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

fn element_type(ty: &Ty) -> Ty {
    match ty {
        Ty::Ground(ty) => match ty.present() {
            Type::List(element) => Ty::Ground((**element).clone()),
            _ => Ty::Error,
        },
        Ty::Error => Ty::Error,
    }
}

fn field_type(ty: &Ty, name: &str) -> Ty {
    match ty {
        Ty::Ground(Type::Record(record)) => {
            record.field(name).map_or(Ty::Error, |field| Ty::Ground(field.ty.clone()))
        }
        _ => Ty::Error,
    }
}

/// The element at this index.
fn part_of(index: usize) -> Part {
    let index = Literal::Int(i64::try_from(index).unwrap_or(i64::MAX));
    Part::Limits(Arc::new(Limits::OneOf(Key::of(&index).into_iter().collect())))
}

/// What any of the sets has; what not all have, under the condition of those that do.
fn joined<'s>(sets: impl Iterator<Item = (&'s Constraint, &'s Set)>, terms: &Terms) -> Set {
    let sets: Vec<(&Constraint, &Set)> = sets.collect();
    let is_everywhere = |entry: &super::region::Entry| {
        sets.iter().all(|(_, set)| {
            set.entries().iter().any(|other| other.region == entry.region && other.window == entry.window)
        })
    };
    let mut all = Set::default();
    for (constraint, set) in &sets {
        let (shared, own): (Vec<_>, Vec<_>) = set.entries().iter().cloned().partition(is_everywhere);
        all = all.union(&Set::from_iter(shared));
        all = all.union(&Set::from_iter(own).within(std::slice::from_ref(*constraint), terms));
    }
    all
}

/// The value with nothing known of its regions but their sources.
fn widened(value: &Value) -> Value {
    let set = |set: &Set| {
        let sources = set.entries().iter().map(|entry| {
            let mut entry = entry.clone();
            entry.region.constraints.clear();
            entry
        });
        sources.fold(Set::default(), |all, entry| all.union(&Set::one(entry)))
    };
    match value {
        Value::Unknown => Value::Unknown,
        Value::Scalar(scalar) => Value::Scalar(Scalar { seen: set(&scalar.seen), ..scalar.clone() }),
        Value::Table(table) => Value::Table(Arc::new(Table {
            holds: set(&table.holds),
            chosen: set(&table.chosen),
            seen: set(&table.seen),
            ..(**table).clone()
        })),
        Value::Model(model) => Value::Model(Arc::new(Model {
            fitted: set(&model.fitted),
            chosen: set(&model.chosen),
            seen: set(&model.seen),
            ..(**model).clone()
        })),
        Value::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), widened(value)));
            Value::Record(Arc::new(fields.collect()))
        }
        Value::List(values) => Value::List(Arc::new(values.iter().map(widened).collect())),
        Value::Each(symbol, element) => Value::Each(*symbol, Arc::new(widened(element))),
    }
}

/// Whether two values have the same rows behind them, whatever they are.
fn same_rows(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Scalar(a), Value::Scalar(b)) => a.seen == b.seen,
        (Value::Table(a), Value::Table(b)) => {
            (&a.holds, &a.chosen, &a.seen) == (&b.holds, &b.chosen, &b.seen)
        }
        (Value::Model(a), Value::Model(b)) => {
            (&a.fitted, &a.chosen, &a.seen) == (&b.fitted, &b.chosen, &b.seen)
        }
        (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|((_, a), (_, b))| same_rows(a, b))
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| same_rows(a, b))
        }
        (Value::Each(_, a), Value::Each(_, b)) => same_rows(a, b),
        (Value::Unknown, Value::Unknown) => true,
        _ => false,
    }
}

/// Does work that recurses: fns and lambdas stand in each other deeper than the stack of a thread.
fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    const LITTLE: usize = 128 << 10;
    const MORE: usize = 4 << 20;
    stacker::maybe_grow(LITTLE, MORE, work)
}
