//! The dataset verbs whose results say more than their signatures do.

use std::sync::Arc;

use flow_ir::{types::Type, value::Value as Literal};
use flow_syntax::span::Span;

use super::{
    evaluate::{Evaluator, is_label},
    operators::Call,
    region::{Set, Window},
    terms::{COPIES, OF_GROUP, Term, UNION_ROWS, WHERE_ROWS},
    value::{Column, Scalar, Table, Value, mark_of_many},
};
use crate::{
    body::{Expr, ExprKind, OperatorCall},
    ty::Ty,
};

impl Evaluator<'_> {
    /// The result of a verb; `None` where its signature says all.
    pub fn call_verb(&mut self, name: &str, call: &OperatorCall, span: Span) -> Option<Value> {
        let is_known = matches!(
            name,
            "select"
                | "drop"
                | "rename"
                | "where"
                | "derive"
                | "sort"
                | "limit"
                | "sample"
                | "distinct"
                | "union"
                | "group"
                | "window"
                | "join"
                | "join_asof"
                | "split"
                | "split_named"
                | "split_at"
                | "split_where"
                | "folds"
                | "folds_at"
                | "bootstrap"
                | "apply"
                | "predict"
                | "assume_unseen"
        );
        if !is_known {
            return None;
        }
        let data = call.inputs.iter().find(|(input, _)| input == "data").map(|(_, data)| self.expr(data));
        let Some(Value::Table(data)) = data else { return Some(Value::Unknown) };
        // Columns in the arguments are those of the table.
        let outer = self.row.replace(Arc::clone(&data));
        let window = if name == "window" { self.window_of(call, &data) } else { None };
        let outer_window = std::mem::replace(&mut self.window, window);
        let values: Vec<Value> =
            call.inputs
                .iter()
                .map(|(input, expr)| {
                    if input == "data" { Value::Table(Arc::clone(&data)) } else { self.argument(name, expr) }
                })
                .collect();
        self.row = outer;
        let window = std::mem::replace(&mut self.window, outer_window);
        let id = self.call_id(call, &values);
        let call = Call { call, values, id, span };
        Some(match name {
            "select" | "drop" => self.with_rows(&call, &data),
            "rename" => self.rename(&call, &data),
            "derive" => self.derive(&call, &data),
            "where" => self.where_rows(&call, &data),
            "sort" | "limit" | "sample" | "distinct" => self.reordered(&call, &data, name == "distinct"),
            "union" => self.union(&call, &data),
            "group" => self.group(&call, &data),
            "window" => self.window(&call, &data, window),
            "join" => self.join(&call, &data),
            "join_asof" => self.join_asof(&call, &data),
            "split" | "split_named" => self.split(&call, &data),
            "split_at" => self.split_at(&call, &data),
            "split_where" => self.split_where(&call, &data),
            "folds" => self.folds(&call, &data, false),
            "folds_at" => self.folds(&call, &data, true),
            "bootstrap" => self.bootstrap(&call, &data),
            "apply" => self.apply(&call, &data),
            "predict" => self.predict(&call, &data),
            _ => self.assume_unseen(&call, &data),
        })
    }

    /// A column's name stands for the column; whatever else is an argument is computed.
    fn argument(&mut self, verb: &str, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Value(Literal::Column(name)) if !matches!(verb, "select" | "drop") => {
                let Some(table) = self.row.clone() else { return Value::Unknown };
                let column = table.column(name, &mut self.terms);
                Value::Scalar(Scalar { mark: column.mark, ..Scalar::plain(column.definition) })
            }
            ExprKind::List(values) if values.iter().any(is_column) && !matches!(verb, "select" | "drop") => {
                let columns: Vec<Value> = values.iter().map(|value| self.argument(verb, value)).collect();
                self.computed("list", &columns)
            }
            ExprKind::Record(fields) if fields.iter().any(|(_, value)| is_column(value)) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), self.argument(verb, value)));
                Value::Record(Arc::new(fields.collect()))
            }
            _ => self.expr(expr),
        }
    }

    /// The same rows in the same order.
    fn with_rows(&mut self, call: &Call<'_>, data: &Table) -> Value {
        let mut table = Table { id: call.id, ..data.clone() };
        if let (Some(Ty::Ground(Type::Dataset(own))), Some(row)) =
            (call.input("data").map(|(data, _)| &data.ty), call.row())
        {
            let times = own.columns.iter().filter(|column| *column.ty.present() == Type::EventTime);
            if let Some(time) = times.into_iter().find(|column| row.column(&column.name).is_none()) {
                table.lost_time = Some(Arc::from(time.name.as_str()));
            }
        }
        Value::Table(Arc::new(table))
    }

    fn rename(&mut self, call: &Call<'_>, data: &Table) -> Value {
        let mut table = Table { id: call.id, ..data.clone() };
        if let Some((Expr { kind: ExprKind::Record(fields), .. }, _)) = call.input("columns") {
            for (new, old) in fields {
                if let ExprKind::Value(Literal::Column(old)) = &old.kind {
                    table.put(new, data.column(old, &mut self.terms));
                }
            }
        }
        Value::Table(Arc::new(table))
    }

    fn derive(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let mut table = Table { id: call.id, ..(**data).clone() };
        let Some((Expr { kind: ExprKind::Record(fields), .. }, Value::Record(values))) =
            call.input("columns")
        else {
            return Value::Table(Arc::new(table));
        };
        for ((name, expr), (_, value)) in fields.iter().zip(&**values) {
            let Value::Scalar(scalar) = value else { continue };
            table.seen = table.seen.union(&scalar.seen);
            let mark = scalar.mark.placed(expr.span);
            table.put(name, Column { definition: scalar.id, mark });
        }
        // What a new label was computed from is as good as the label.
        for (_, expr) in fields.iter().filter(|(_, expr)| makes_label(expr)) {
            let own = self.own_mark(expr.span);
            let mut read = Vec::new();
            columns_read(&mut expr.clone(), &mut read);
            read.retain(|(_, ty)| !is_label(ty));
            for (name, _) in &read {
                if fields.iter().all(|(derived, _)| derived != name) {
                    self.mark(&mut table, name, &own);
                }
            }
            let from: Vec<Term> =
                read.iter().map(|(name, _)| data.column(name, &mut self.terms).definition).collect();
            self.mark_computed(&mut table, &from, &own);
        }
        Value::Table(Arc::new(table))
    }

    fn mark(&mut self, table: &mut Table, name: &str, mark: &Set) {
        let mut column = table.column(name, &mut self.terms);
        column.mark = column.mark.union(mark);
        table.put(name, column);
    }

    /// A label is told by whatever was computed before from all of the columns that it is computed from.
    fn mark_computed(&mut self, table: &mut Table, from: &[Term], mark: &Set) {
        if from.is_empty() {
            return;
        }
        let names: Vec<String> = table
            .columns
            .iter()
            .filter(|(_, column)| {
                !from.contains(&column.definition) && self.terms.is_computed_from(column.definition, from)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.mark(table, &name, mark);
        }
    }

    fn where_rows(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some((predicate, value)) = call.input("predicate") else { return Value::Unknown };
        Value::Table(Arc::new(self.kept(call, data, predicate, value, true)))
    }

    /// The rows for which a predicate holds, or for which it does not.
    pub fn kept(
        &mut self,
        call: &Call<'_>,
        data: &Arc<Table>,
        predicate: &Expr,
        value: &Value,
        holds: bool,
    ) -> Table {
        let constraints = self.constraints(data, predicate, holds);
        let mut table = Table { id: call.id, ..(**data).clone() };
        let predicate = value.id(&mut self.terms);
        let kept = self.terms.value(Literal::Bool(holds));
        table.rows = self.terms.call(WHERE_ROWS, vec![data.rows, predicate, kept]);
        table.seen = table.seen.union(&value.all());
        if let Value::Scalar(scalar) = value {
            table.told = table.told.union(&scalar.mark);
        }
        self.constrain(&mut table, &constraints);
        table
    }

    /// The same rows, or some of them, in another order.
    fn reordered(&mut self, call: &Call<'_>, data: &Table, is_distinct: bool) -> Value {
        let rows = self.partition(call, data);
        let decided = self.decided_by(call);
        let mut table = Table { id: call.id, rows, ..data.clone() };
        table.chosen = data.chosen.union(&decided);
        let member = self.member_of(rows, true);
        table.holds = table.holds.within(&[member], &self.terms);
        if is_distinct {
            table.is_repeated = false;
            table.keys = self.columns_of(call, "columns", data).map(Arc::new);
        }
        Value::Table(Arc::new(table))
    }

    /// The columns that an input lists; `None` where it lists none.
    fn columns_of(&mut self, call: &Call<'_>, input: &str, data: &Table) -> Option<Vec<Term>> {
        let Some((Expr { kind: ExprKind::List(columns), .. }, _)) = call.input(input) else { return None };
        let names = columns.iter().filter_map(column_name);
        let terms: Vec<Term> = names.map(|name| data.column(name, &mut self.terms).definition).collect();
        (!terms.is_empty()).then_some(terms)
    }

    /// A mark of what is computed from many rows of a table.
    fn of_many_rows(&mut self, mark: &Set, data: &Table) -> Set {
        mark_of_many(mark, &data.label_rows(), &mut self.terms)
    }

    /// What was measured to make the arguments of a call.
    pub fn decided_by(&mut self, call: &Call<'_>) -> Set {
        let scalars = call.values.iter().filter_map(|value| match value {
            Value::Scalar(scalar) => Some(&scalar.seen),
            _ => None,
        });
        Set::union_all(scalars)
    }

    fn union(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some(other) = call.table("other") else { return Value::Unknown };
        let mut table = (**data).clone();
        table.id = call.id;
        table.rows = self.terms.call(UNION_ROWS, vec![data.rows, other.rows]);
        table.holds = data.holds.union(&other.holds);
        table.chosen = data.chosen.union(&other.chosen);
        table.seen = data.seen.union(&other.seen);
        table.labels = data.labels.union(&other.labels);
        table.told = data.told.union(&other.told);
        let is_copied = data.holds.meets(&other.holds, &self.terms).is_some();
        table.is_repeated = data.is_repeated || other.is_repeated || is_copied;
        table.keys = None;
        table.by_key = Arc::default();
        let is_same = data.base == other.base && data.columns == other.columns;
        if let (false, Some(row)) = (is_same, call.row()) {
            for column in &row.columns {
                let (a, b) =
                    (data.column(&column.name, &mut self.terms), other.column(&column.name, &mut self.terms));
                if a != b {
                    let name = if is_copied { COPIES } else { "union" };
                    let definition = match a.definition == b.definition {
                        true => a.definition,
                        false => self.terms.call(name, vec![a.definition, b.definition]),
                    };
                    table.put(&column.name, Column { definition, mark: a.mark.union(&b.mark) });
                }
            }
        }
        Value::Table(Arc::new(table))
    }

    /// One row for each group, which holds the group's rows.
    fn group(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let mut table = Table::new(call.id, data.holds.clone());
        table.chosen = data.chosen.clone();
        table.seen = data.seen.clone();
        table.labels = data.labels.clone();
        let (mut keys, mut told) = (Vec::new(), self.of_many_rows(&data.told, data));
        if let Some((Expr { kind: ExprKind::List(by), .. }, _)) = call.input("by") {
            for key in by {
                let Some(name) = column_name(key) else { continue };
                let column = data.column(name, &mut self.terms);
                keys.push(column.definition);
                // What is told of the rows of one label tells the label.
                told = told.union(&self.mark_of(call, data, name));
                table.put(name, column);
            }
        }
        for (name, value, span) in self.aggregates(call) {
            table.seen = table.seen.union(&value.seen);
            let mark = value.mark.union(&told).placed(span);
            let definition = self.terms.call(OF_GROUP, vec![value.id, call.id]);
            table.put(&name, Column { definition, mark });
        }
        table.keys = Some(Arc::new(keys));
        Value::Table(Arc::new(table))
    }

    fn aggregates(&mut self, call: &Call<'_>) -> Vec<(String, Scalar, Span)> {
        let Some((Expr { kind: ExprKind::Record(fields), .. }, Value::Record(values))) =
            call.input("aggregates")
        else {
            return Vec::new();
        };
        let scalars = fields.iter().zip(&**values).filter_map(|((name, expr), (_, value))| match value {
            Value::Scalar(scalar) => Some((name.clone(), scalar.clone(), expr.span)),
            _ => None,
        });
        scalars.collect()
    }

    /// How a call of `window` forms its windows.
    fn window_of(&mut self, call: &OperatorCall, data: &Table) -> Option<Window> {
        let input = |name: &str| call.inputs.iter().find(|(input, _)| input == name).map(|(_, expr)| expr);
        let order = data.column(column_name(input("order")?)?, &mut self.terms).definition;
        let mut by = Vec::new();
        if let Some(ExprKind::List(columns)) = input("by").map(|by| &by.kind) {
            for name in columns.iter().filter_map(column_name) {
                by.push(data.column(name, &mut self.terms).definition);
            }
        }
        Some(Window { order, by: Arc::new(by) })
    }

    /// Columns computed from strictly earlier rows with the same keys.
    fn window(&mut self, call: &Call<'_>, data: &Arc<Table>, window: Option<Window>) -> Value {
        let mut table = Table { id: call.id, ..(**data).clone() };
        let mut earlier = data.holds.placed(call.span);
        if let Some(window) = &window {
            earlier = earlier.windowed(window);
        }
        table.seen = table.seen.union(&earlier);
        let mut told = Set::default();
        if let Some((Expr { kind: ExprKind::List(by), .. }, _)) = call.input("by") {
            for name in by.iter().filter_map(column_name) {
                // What is told of the earlier rows of one label tells the label.
                told = told.union(&self.mark_of(call, data, name));
            }
        }
        for (name, value, span) in self.aggregates(call) {
            table.seen = table.seen.union(&value.seen);
            let definition = self.terms.call("of window", vec![value.id, call.id]);
            table.put(&name, Column { definition, mark: value.mark.union(&told).placed(span) });
        }
        Value::Table(Arc::new(table))
    }

    /// The rows whose labels a column tells of; a Label tells its own.
    pub fn mark_of(&mut self, call: &Call<'_>, table: &Table, name: &str) -> Set {
        let mark = table.column(name, &mut self.terms).mark;
        let is_label = match call.input("data").map(|(data, _)| &data.ty) {
            Some(Ty::Ground(Type::Dataset(row))) => {
                row.column(name).is_some_and(|column| matches!(column.ty.present(), Type::Label { .. }))
            }
            _ => false,
        };
        if is_label { mark.union(&self.own_mark(call.span)) } else { mark }
    }

    fn apply(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some((_, value)) = call.input("transformer") else { return Value::Unknown };
        let value = self.anywhere(value);
        let mut table = Table { id: call.id, ..(**data).clone() };
        let Value::Model(transformer) = &value else {
            table.seen = table.seen.union(&value.all());
            return Value::Table(Arc::new(table));
        };
        // What was fitted says where it was.
        table.seen = Set::union_all([&table.seen, &transformer.fitted, &transformer.seen]);
        table.chosen = table.chosen.union(&transformer.chosen);
        let own = match call.input("data").map(|(data, _)| &data.ty) {
            Some(Ty::Ground(Type::Dataset(row))) => row,
            _ => return Value::Table(Arc::new(table)),
        };
        let Some(row) = call.row() else { return Value::Table(Arc::new(table)) };
        let gone = own.columns.iter().filter(|column| row.column(&column.name).is_none());
        let gone: Vec<Set> = gone.map(|column| data.column(&column.name, &mut self.terms).mark).collect();
        let mut of_new = Set::union_all(&gone);
        if transformer.is_supervised {
            of_new = of_new.union(&transformer.fitted);
        }
        // Its own row is all that it makes.
        let makes = match call.input("transformer").map(|(transformer, _)| &transformer.ty) {
            Some(Ty::Ground(Type::Model(model))) => model.result.as_ref(),
            _ => None,
        };
        for column in &row.columns {
            let before = own.column(&column.name);
            if before.is_some() && makes.is_some_and(|makes| makes.column(&column.name).is_none()) {
                continue;
            }
            let is_number = matches!(column.ty.present(), Type::Float | Type::Float32 | Type::Embedding(_));
            if before.is_some_and(|before| before.ty == column.ty) && !is_number {
                continue;
            }
            let found = data.column(&column.name, &mut self.terms);
            let definition = self.terms.call("transformed", vec![transformer.id, found.definition]);
            let mut mark = if before.is_some() { found.mark } else { of_new.clone() };
            if transformer.is_supervised {
                mark = mark.union(&transformer.fitted);
            }
            table.put(&column.name, Column { definition, mark });
        }
        Value::Table(Arc::new(table))
    }

    /// A prediction is made of the labels that the model was fitted on.
    fn predict(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some((_, value)) = call.input("model") else { return Value::Unknown };
        let value = self.anywhere(value);
        let mut table = Table { id: call.id, ..(**data).clone() };
        table.seen = table.seen.union(&value.all());
        let (Some(row), Some((Expr { ty: Ty::Ground(Type::Dataset(own)), .. }, _))) =
            (call.row(), call.input("data"))
        else {
            return Value::Table(Arc::new(table));
        };
        let is_supervised = match call.input("model").map(|(model, _)| &model.ty) {
            Some(Ty::Ground(Type::Model(model))) => model.task.predicts(),
            _ => false,
        };
        let mark = match &value {
            Value::Model(model) if is_supervised => model.fitted.clone(),
            _ => Set::default(),
        };
        let model = value.id(&mut self.terms);
        let prefix = match call.input("prefix").map(|(prefix, _)| &prefix.kind) {
            Some(ExprKind::Value(Literal::Text(prefix))) => prefix.as_str(),
            _ => "",
        };
        for column in &row.columns {
            let Some(given) = column.name.strip_prefix(prefix) else { continue };
            let is_new =
                own.column(&column.name).is_none() || matches!(given, "prediction" | "probability" | "score");
            if is_new {
                let name = self.terms.value(Literal::from(given));
                let definition = self.terms.call("predict", vec![model, data.id, name]);
                table.put(&column.name, Column { definition, mark: mark.clone() });
            }
        }
        Value::Table(Arc::new(table))
    }

    /// Someone answers for these rows: they are a source of their own, which nothing has met.
    fn assume_unseen(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let mut table = Table { id: call.id, rows: call.id, ..(**data).clone() };
        table.holds = Set::of_source(call.id, call.span);
        table.seen = Set::default();
        table.chosen = Set::default();
        Value::Table(Arc::new(table))
    }
}

fn is_column(expr: &Expr) -> bool {
    column_name(expr).is_some()
}

pub(super) fn column_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Value(Literal::Column(name)) => Some(name),
        _ => None,
    }
}

/// Whether an expression is a label that it did not find as one.
fn makes_label(expr: &Expr) -> bool {
    is_label(&expr.ty) && !matches!(expr.kind, ExprKind::Column(_))
}

/// The columns that an expression reads, each with its type.
fn columns_read(expr: &mut Expr, found: &mut Vec<(String, Ty)>) {
    if let ExprKind::Column(name) = &expr.kind {
        found.push((name.clone(), expr.ty.clone()));
    }
    expr.for_each_child_mut(&mut |child| columns_read(child, found));
}
