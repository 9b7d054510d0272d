//! The dataset verbs whose results say more than their signatures do.

use std::sync::Arc;

use flow_ir::{types::Type, value::Value as Literal};
use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};

use super::{
    evaluate::{Evaluator, is_label, is_predictor},
    operators::Call,
    region::{Constraint, GROUPED_SPLIT, Part, Set, Window},
    terms::{Node, Term},
    value::{Column, Scalar, Table, Value, mark_of_many},
};
use crate::{
    body::{Expr, ExprKind, OperatorCall},
    names::quoted,
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
        Value::Table(Arc::new(Table { id: call.id, ..data.clone() }))
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
            if let [(only, _)] = read.as_slice() {
                let definition = data.column(only, &mut self.terms).definition;
                self.mark_computed(&mut table, definition, &own);
            }
        }
        Value::Table(Arc::new(table))
    }

    fn mark(&mut self, table: &mut Table, name: &str, mark: &Set) {
        let mut column = table.column(name, &mut self.terms);
        column.mark = column.mark.union(mark);
        table.put(name, column);
    }

    /// A label that is one column in another form is told by whatever was computed from that column before.
    fn mark_computed(&mut self, table: &mut Table, from: Term, mark: &Set) {
        let names: Vec<String> = table
            .columns
            .iter()
            .filter(|(_, column)| column.definition != from && self.terms.mentions(column.definition, from))
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
    fn kept(
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
        table.rows = self.terms.call("where", vec![data.rows, predicate, kept]);
        table.seen = table.seen.union(&value.all());
        self.constrain(&mut table, &constraints);
        table
    }

    /// The same rows, or some of them, in another order.
    fn reordered(&mut self, call: &Call<'_>, data: &Table, is_distinct: bool) -> Value {
        let rows = self.partition(call, data);
        let decided = self.decided_by(call);
        let is_repeated = data.is_repeated && !is_distinct;
        let chosen = data.chosen.union(&decided);
        Value::Table(Arc::new(Table { id: call.id, rows, is_repeated, chosen, ..data.clone() }))
    }

    /// What was measured to make the arguments of a call.
    fn decided_by(&mut self, call: &Call<'_>) -> Set {
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
        table.rows = self.terms.call("union", vec![data.rows, other.rows]);
        table.holds = data.holds.union(&other.holds);
        table.chosen = data.chosen.union(&other.chosen);
        table.seen = data.seen.union(&other.seen);
        table.is_repeated =
            data.is_repeated || other.is_repeated || data.holds.meets(&other.holds, &self.terms).is_some();
        table.keys = None;
        let is_same = data.base == other.base && data.columns == other.columns;
        if let (false, Some(row)) = (is_same, call.row()) {
            for column in &row.columns {
                let (a, b) =
                    (data.column(&column.name, &mut self.terms), other.column(&column.name, &mut self.terms));
                if a != b {
                    let definition = self.terms.call("union", vec![a.definition, b.definition]);
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
        let (mut keys, mut told) = (Vec::new(), Set::default());
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
            let definition = self.terms.call("of group", vec![value.id, call.id]);
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
        for (name, value, span) in self.aggregates(call) {
            table.seen = table.seen.union(&value.seen);
            let definition = self.terms.call("of window", vec![value.id, call.id]);
            table.put(&name, Column { definition, mark: value.mark.placed(span) });
        }
        Value::Table(Arc::new(table))
    }

    /// The rows whose labels a column tells of; a Label tells its own.
    fn mark_of(&mut self, call: &Call<'_>, table: &Table, name: &str) -> Set {
        let mark = table.column(name, &mut self.terms).mark;
        let is_label = match call.input("data").map(|(data, _)| &data.ty) {
            Some(Ty::Ground(Type::Dataset(row))) => {
                row.column(name).is_some_and(|column| matches!(column.ty.present(), Type::Label { .. }))
            }
            _ => false,
        };
        if is_label { mark.union(&self.own_mark(call.span)) } else { mark }
    }

    fn join(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some(other) = call.table("other") else { return Value::Unknown };
        let (left, right) = join_keys(call);
        if let Some(diagnostic) = joined_future(call, &left, &right) {
            self.report(diagnostic);
        }
        let keys = |table: &Table, names: &[String], evaluator: &mut Self| -> Vec<Term> {
            names.iter().map(|name| table.column(name, &mut evaluator.terms).definition).collect()
        };
        let (left_keys, right_keys) = (keys(data, &left, self), keys(&other, &right, self));
        let mut table = Table { id: call.id, ..(**data).clone() };
        let keeps_rows = matches!(
            call.input("kind").map(|(expr, _)| &expr.kind),
            Some(ExprKind::Value(Literal::Enum { variant, .. })) if variant == "left"
        );
        if !keeps_rows {
            let other_id = other.id;
            let mut args = vec![data.rows, other_id];
            args.extend(call.input("kind").map(|(_, kind)| kind.id(&mut self.terms)));
            table.rows = self.terms.call("join", args);
        }
        let is_key = |table: &Table, keys: &[Term]| {
            table
                .keys
                .as_ref()
                .is_some_and(|own| own.len() == keys.len() && own.iter().all(|key| keys.contains(key)))
        };
        // Two tables with one row per entity, and the same entities: still one row per entity.
        let is_one_entity =
            is_key(data, &left_keys) && is_key(&other, &right_keys) && left_keys == right_keys;
        if is_one_entity {
            table.holds = table.holds.union(&other.holds);
            table.seen = table.seen.union(&other.seen);
        } else {
            let seen = other.holds.union(&other.seen).placed(call.span);
            table.seen = table.seen.union(&seen);
        }
        table.chosen = table.chosen.union(&other.chosen);
        let keys = Keys { names: &left, definitions: &left_keys };
        self.take_columns(call, &mut table, &other, &keys, is_one_entity, None);
        Value::Table(Arc::new(table))
    }

    /// The columns that a join adds.
    fn take_columns(
        &mut self,
        call: &Call<'_>,
        table: &mut Table,
        other: &Table,
        keys: &Keys<'_>,
        is_one_entity: bool,
        window: Option<&Window>,
    ) {
        // What is found by the label tells it.
        let mut told = Set::default();
        for name in keys.names {
            told = told.union(&self.mark_of(call, table, name));
        }
        let own = match call.input("data").map(|(data, _)| &data.ty) {
            Some(Ty::Ground(Type::Dataset(row))) => row,
            _ => return,
        };
        let Some(row) = call.row() else { return };
        for column in row.columns.iter().filter(|column| own.column(&column.name).is_none()) {
            let found = other.column(&column.name, &mut self.terms);
            let mut args = vec![found.definition, other.rows];
            args.extend_from_slice(keys.definitions);
            let definition = if is_one_entity { found.definition } else { self.terms.call("lookup", args) };
            let mut mark = found.mark;
            if !is_one_entity {
                mark = mark_of_many(&mark, &other.holds, &mut self.terms);
            }
            if let Some(window) = window {
                mark = mark.windowed(window);
            }
            mark = mark.union(&told);
            table.put(&column.name, Column { definition, mark });
        }
    }

    /// What was known of each row at its time.
    fn join_asof(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some(facts) = call.table("facts") else { return Value::Unknown };
        let (left, _) = join_keys(call);
        let by: Vec<Term> = left.iter().map(|name| data.column(name, &mut self.terms).definition).collect();
        let mut table = Table { id: call.id, ..(**data).clone() };
        let mut seen = facts.holds.placed(call.span);
        // The facts' time is the rows' own where they come from one table.
        let at = call.input("at").map(|(_, at)| at.id(&mut self.terms));
        let time = match call.input("facts").map(|(facts, _)| &facts.ty) {
            Some(Ty::Ground(Type::Dataset(row))) => {
                row.columns.iter().find(|column| *column.ty.present() == Type::EventTime)
            }
            _ => None,
        };
        let time = time.map(|column| facts.column(&column.name, &mut self.terms).definition);
        let window = match (at, time) {
            (Some(at), Some(time)) if at == time => Some(Window { order: at, by: Arc::new(by.clone()) }),
            _ => None,
        };
        if let Some(window) = &window {
            seen = seen.windowed(window);
        }
        table.seen = table.seen.union(&seen).union(&facts.seen.placed(call.span));
        table.chosen = table.chosen.union(&facts.chosen);
        let keys = Keys { names: &left, definitions: &by };
        self.take_columns(call, &mut table, &facts, &keys, false, window.as_ref());
        Value::Table(Arc::new(table))
    }

    fn split(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let partition = self.random_partition(call, data);
        let chosen = data.chosen.union(&self.decided_by(call));
        let parts = call.call.outputs.iter().map(|(name, _)| {
            let id = self.terms.field(call.id, name);
            let mut table = Table { id, chosen: chosen.clone(), ..(**data).clone() };
            table.is_repeated = data.is_repeated && splits_by_row(call);
            self.take_part(&mut table, partition, name);
            table.is_repeated = data.is_repeated;
            (name.clone(), Value::Table(Arc::new(table)))
        });
        Value::Record(Arc::new(parts.collect()))
    }

    /// What a random split does with rows: by what names them, or by their places.
    fn random_partition(&mut self, call: &Call<'_>, data: &Table) -> Term {
        let name = &call.call.operator.name;
        let group = call.input("group").and_then(|(group, value)| {
            matches!(group.kind, ExprKind::Value(Literal::Column(_))).then(|| value.clone())
        });
        let mut args = vec![data.rows];
        let name = match group {
            Some(group) => {
                args.push(group.id(&mut self.terms));
                args.push(self.terms.value(Literal::from(name.as_str())));
                GROUPED_SPLIT
            }
            None => {
                if let Some(id) = id_column(call) {
                    args.push(data.column(id, &mut self.terms).definition);
                }
                name
            }
        };
        for ((input, _), value) in call.call.inputs.iter().zip(&call.values) {
            if input != "data" {
                args.push(value.id(&mut self.terms));
            }
        }
        self.terms.call(name, args)
    }

    fn split_at(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let (Some((expr, column)), Some((_, at))) = (call.input("column"), call.input("at")) else {
            return Value::Unknown;
        };
        let measured = at.all();
        let (column, at) = (column.id(&mut self.terms), at.id(&mut self.terms));
        let partition = self.partition(call, data);
        let parts = call.call.outputs.iter().map(|(name, _)| {
            let is_before = name == "before";
            let id = self.terms.field(call.id, name);
            let mut table = Table { id, ..(**data).clone() };
            table.rows = self.terms.field(partition, name);
            table.chosen = table.chosen.union(&measured);
            let constraints = self.before(column, expr, at, is_before);
            self.constrain(&mut table, &constraints);
            (name.clone(), Value::Table(Arc::new(table)))
        });
        Value::Record(Arc::new(parts.collect()))
    }

    fn split_where(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some((predicate, value)) = call.input("predicate") else { return Value::Unknown };
        let parts = call.call.outputs.iter().map(|(name, _)| {
            let mut table = self.kept(call, data, predicate, value, name == "yes");
            table.id = self.terms.field(call.id, name);
            (name.clone(), Value::Table(Arc::new(table)))
        });
        Value::Record(Arc::new(parts.collect()))
    }

    /// A list of folds, each a record of what trains and what tests.
    fn folds(&mut self, call: &Call<'_>, data: &Arc<Table>, by_time: bool) -> Value {
        let partition = if by_time { self.partition(call, data) } else { self.random_partition(call, data) };
        let index = self.terms.fresh_symbol();
        let id = self.terms.make(Node::Element(call.id, index));
        let rows = self.terms.make(Node::Element(partition, index));
        let measured = self.decided_by(call);
        let is_split = !data.is_repeated || by_time || !splits_by_row(call);
        let part = |name: &str, part: Part, evaluator: &mut Self| {
            let mut table = Table { id: evaluator.terms.field(id, name), ..(**data).clone() };
            table.rows = evaluator.terms.field(rows, name);
            table.chosen = table.chosen.union(&measured);
            if is_split {
                evaluator.constrain(&mut table, &[Constraint { of: partition, part }]);
            }
            (name.to_owned(), Value::Table(Arc::new(table)))
        };
        let (train, test) = if by_time {
            (Part::StretchesBefore(index), Part::Stretch(index))
        } else {
            (Part::OtherFolds(index), Part::Fold(index))
        };
        let parts = vec![part("train", train, self), part("test", test, self)];
        Value::Each(index, Arc::new(Value::Record(Arc::new(parts))))
    }

    fn bootstrap(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let partition = self.partition(call, data);
        let parts = call.call.outputs.iter().map(|(name, _)| {
            let id = self.terms.field(call.id, name);
            let mut table = Table { id, ..(**data).clone() };
            self.take_part(&mut table, partition, name);
            table.is_repeated |= name == "in_bag";
            (name.clone(), Value::Table(Arc::new(table)))
        });
        Value::Record(Arc::new(parts.collect()))
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
        for column in &row.columns {
            let before = own.column(&column.name);
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
            Some(Ty::Ground(Type::Model(model))) => is_predictor(model.task),
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

/// The columns of the left that a join compares.
struct Keys<'k> {
    names: &'k [String],
    definitions: &'k [Term],
}

fn is_column(expr: &Expr) -> bool {
    column_name(expr).is_some()
}

fn column_name(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Value(Literal::Column(name)) => Some(name),
        _ => None,
    }
}

/// The columns that a join compares: the left's, the right's.
fn join_keys(call: &Call<'_>) -> (Vec<String>, Vec<String>) {
    let mut keys = (Vec::new(), Vec::new());
    if let Some((Expr { kind: ExprKind::Record(sides), .. }, _)) = call.input("on") {
        for (side, columns) in sides {
            let ExprKind::List(columns) = &columns.kind else { continue };
            let names = columns.iter().filter_map(column_name).map(str::to_owned);
            if side == "left" { keys.0.extend(names) } else { keys.1.extend(names) }
        }
    }
    keys
}

/// A join of rows that have a time to facts that have theirs: later facts come along with earlier ones.
fn joined_future(call: &Call<'_>, left: &[String], right: &[String]) -> Option<Diagnostic> {
    let (data, other) = (call.input("data")?.0, call.input("other")?.0);
    let times = |expr: &Expr| match &expr.ty {
        Ty::Ground(Type::Dataset(row)) => row
            .columns
            .iter()
            .filter(|column| *column.ty.present() == Type::EventTime)
            .map(|column| column.name.clone())
            .collect(),
        _ => Vec::new(),
    };
    let (own, theirs): (Vec<String>, Vec<String>) = (times(data), times(other));
    let (own, theirs) = (own.first()?, theirs.first()?);
    // Facts of the very same time are not later.
    let is_one_time = left.iter().zip(right).any(|(a, b)| a == own && b == theirs);
    let has_reason = call
        .input("timeless")
        .is_some_and(|(reason, _)| !matches!(reason.kind, ExprKind::Value(Literal::None)));
    if is_one_time || has_reason {
        return None;
    }
    let (own, theirs) = (quoted(own), quoted(theirs));
    let keys: Vec<String> = left.iter().map(|key| format!(".{}", quoted(key))).collect();
    let on = match keys.as_slice() {
        [only] => only.clone(),
        _ => format!("[{}]", keys.join(", ")),
    };
    let message =
        format!("this join brings facts from after a row's time to it: `{theirs}` may be later than `{own}`");
    Some(
        Diagnostic::error(code::FUTURE_JOINED, other.span, message)
            .note(format!("facts with a time of their own, `{theirs}`"))
            .label(data.span, format!("these rows have their time in `{own}`"))
            .help(format!(
                "`join_asof(…, on: {on}, at: .{own})` finds what was known then; if the facts never change, say why: \
                 `timeless: \"…\"`"
            )),
    )
}

/// The column that tells rows apart, by which a random split decides.
fn id_column<'c>(call: &Call<'c>) -> Option<&'c str> {
    match call.input("data").map(|(data, _)| &data.ty) {
        Some(Ty::Ground(Type::Dataset(row))) => {
            let column = row.columns.iter().find(|column| matches!(column.ty.present(), Type::Id(_)))?;
            Some(&column.name)
        }
        _ => None,
    }
}

/// Whether a split may put one row, where it is there twice, into two parts.
fn splits_by_row(call: &Call<'_>) -> bool {
    let has_group = call
        .input("group")
        .is_some_and(|(group, _)| matches!(group.kind, ExprKind::Value(Literal::Column(_))));
    !has_group && id_column(call).is_none()
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
