//! What a call of an operator passes on, by the phrases of its signature. Without a phrase the careful reading
//! holds: the result holds and has seen all rows of all inputs.

use std::sync::Arc;

use flow_ir::{
    types::{Row, Type},
    value::Value as Literal,
};
use flow_syntax::{ast::ProvenanceKind, span::Span};

use super::{
    evaluate::{Evaluator, carries_rows, find_item},
    region::{Constraint, Entry, Part, Set, Window, key_of},
    terms::{Node, Term},
    value::{Column, Model, Scalar, Table, Value, mark_of_many},
};
use crate::{
    body::{Expr, OperatorCall},
    header::{Callable, Output, callable},
    ty::Ty,
    types::Scheme,
};

/// More of these say little, and cost.
const MAX_BY_KEY: usize = 24;

/// What these say of a row follows from rows of other folds: as a window does, it tells a row nothing of itself, and
/// has seen the table all the same.
const OUT_OF_FOLD: [&str; 2] = ["std.prep.out_of_fold", TARGET_ENCODE];
/// The list of a column's values.
const VALUES: &str = "std.table.values";
/// Its encoder is made of labels.
const TARGET_ENCODE: &str = "std.prep.target_encode";

/// The rows behind an operator's result, while its inputs are added.
#[derive(Debug, Default)]
struct Rows {
    holds: Set,
    fitted: Set,
    chosen: Set,
    seen: Set,
}

/// What one call works with.
pub(super) struct Call<'c> {
    pub call: &'c OperatorCall,
    /// By the inputs' places.
    pub values: Vec<Value>,
    pub id: Term,
    pub span: Span,
}

impl<'c> Call<'c> {
    pub fn input(&self, name: &str) -> Option<(&'c Expr, &Value)> {
        let index = self.call.inputs.iter().position(|(input, _)| input == name)?;
        Some((&self.call.inputs.get(index)?.1, self.values.get(index)?))
    }

    pub fn table(&self, name: &str) -> Option<Arc<Table>> {
        match self.input(name)?.1 {
            Value::Table(table) => Some(Arc::clone(table)),
            _ => None,
        }
    }

    /// The row type of a table that it gives.
    pub fn row(&self) -> Option<&'c Row> {
        match self.call.outputs.first() {
            Some((_, Ty::Ground(Type::Dataset(row)))) => Some(row),
            _ => None,
        }
    }
}

impl Evaluator<'_> {
    pub fn call_operator(&mut self, call: &OperatorCall, expr: &Expr) -> Value {
        let span = expr.span;
        let full = &call.operator.name;
        let (module, name) = full.rsplit_once('.').unwrap_or(("", full));
        self.called.insert(span, name.to_owned());
        if module == "std.table"
            && let Some(value) = self.call_verb(name, call, span)
        {
            return value;
        }
        let Some(callable) = find_item(self.db, module, name).and_then(|item| callable(self.db, item)) else {
            return Value::Unknown;
        };
        let values: Vec<Value> = call.inputs.iter().map(|(_, input)| self.expr(input)).collect();
        let id = self.call_id(call, &values);
        let call = Call { call, values, id, span };
        if !self.check_call(&call, &callable) {
            return Value::Unknown;
        }
        let outputs: Vec<(String, Value)> = callable
            .outputs
            .iter()
            .zip(&call.call.outputs)
            .map(|(output, (name, ty))| (name.clone(), self.output(&call, &callable, output, ty)))
            .collect();
        match outputs.as_slice() {
            [(_, only)] if !call.call.is_record => only.clone(),
            _ => Value::Record(Arc::new(outputs)),
        }
    }

    /// Equal calls on equal inputs are one, but for those that may give something else each time.
    pub fn call_id(&mut self, call: &OperatorCall, values: &[Value]) -> Term {
        let mut args: Vec<Term> = values.iter().map(|value| value.id(&mut self.terms)).collect();
        if !call.operator.deterministic {
            args.push(self.terms.fresh_symbol());
        }
        self.terms.call(&call.operator.name, args)
    }

    fn output(&mut self, call: &Call<'_>, callable: &Callable, output: &Output, ty: &Ty) -> Value {
        let Ty::Ground(ty) = ty else { return Value::Unknown };
        let is_input = |name: &str| {
            callable.params.iter().any(|param| matches!(&param.scheme, Scheme::Var(other) if other == name))
        };
        // `only` gives a row as a record: that is no input.
        if let Scheme::Var(name) = &output.scheme
            && is_input(name)
        {
            return self.one_input_of(call, callable, name, ty);
        }
        let rows = self.rows_of_output(call, output, carries_rows(ty));
        let id = if call.call.is_record { self.terms.field(call.id, &output.name) } else { call.id };
        let phrase = |kind| {
            let found = output.provenance.iter().find(|(other, _)| *other == kind)?;
            found.1.first()
        };
        match ty.present() {
            Type::Dataset(row) => {
                let from = phrase(ProvenanceKind::RowsOf).or(phrase(ProvenanceKind::PartOf));
                let from = from.and_then(|name| Some((call.input(name)?.0, call.table(name)?)));
                let mut table = Table { chosen: rows.chosen, seen: rows.seen, ..Table::new(id, rows.holds) };
                if let Some((data, from)) = from {
                    self.pass_columns(&mut table, row, data, &from);
                    if phrase(ProvenanceKind::PartOf).is_some() {
                        let partition = self.partition(call, &from);
                        self.take_part(&mut table, partition, &output.name);
                    }
                } else {
                    self.mark_read_twice(&mut table, row);
                }
                Value::Table(Arc::new(table))
            }
            _ => match self.result(ty, id, &rows) {
                Value::Model(model) if call.call.operator.name == TARGET_ENCODE => {
                    Value::Model(Arc::new(Model { is_supervised: true, ..(*model).clone() }))
                }
                // Which rows are there may tell their labels, and so do values of theirs.
                Value::Scalar(scalar) if call.call.operator.name == VALUES => {
                    let told = call
                        .table("data")
                        .map(|data| mark_of_many(&data.told, &data.label_rows(), &mut self.terms));
                    let mark = scalar.mark.union(&told.unwrap_or_default());
                    Value::Scalar(Scalar { mark, ..scalar })
                }
                value => value,
            },
        }
    }

    /// A result of a type that is anything can only be one of the inputs of that type.
    fn one_input_of(&mut self, call: &Call<'_>, callable: &Callable, variable: &str, ty: &Type) -> Value {
        let arms: Vec<(Part, Value)> = callable
            .params
            .iter()
            .zip(&call.values)
            .filter(|(param, _)| matches!(&param.scheme, Scheme::Var(name) if name == variable))
            .map(|(_, value)| (Part::Is(true), value.clone()))
            .collect();
        match arms.as_slice() {
            [(_, only)] => only.clone(),
            _ => {
                let any = self.terms.make(Node::Any);
                self.pick(any, &arms, &Ty::Ground(ty.clone()))
            }
        }
    }

    fn rows_of_output(&mut self, call: &Call<'_>, output: &Output, carries: bool) -> Rows {
        let mut rows = Rows::default();
        let is_model = matches!(output.scheme, Scheme::Model { .. });
        let is_table = matches!(output.scheme, Scheme::Dataset(_));
        let is_out_of_fold = OUT_OF_FOLD.contains(&call.call.operator.name.as_str())
            && output.provenance.iter().any(|(kind, _)| *kind == ProvenanceKind::RowsOf);
        for ((name, _), value) in call.call.inputs.iter().zip(&call.values) {
            let value = if is_out_of_fold { self.without_folds(value) } else { value.clone() };
            let value = self.anywhere(&value);
            if let (true, Value::Table(table)) = (is_out_of_fold, &value) {
                let window = Window { order: call.id, by: Arc::default() };
                rows.seen = rows.seen.union(&table.holds.placed(call.span).windowed(&window));
            }
            let mut is_mentioned = false;
            for (kind, params) in &output.provenance {
                if params.contains(name) {
                    is_mentioned = true;
                    add_as(&mut rows, *kind, &value, call.span);
                }
            }
            if !is_mentioned {
                match &value {
                    // What measured decides, or was written to a file that is read.
                    Value::Scalar(scalar) if carries => rows.chosen = rows.chosen.union(&scalar.seen),
                    _ if is_model && !output.provenance.is_empty() => {
                        add_candidate(&mut rows, &value, call.span)
                    }
                    _ => {
                        if is_table && output.provenance.is_empty() {
                            rows.holds = rows.holds.union(&held(&value));
                        }
                        rows.seen = rows.seen.union(&value.all().placed(call.span));
                    }
                }
            }
        }
        if is_table && output.provenance.is_empty() && rows.holds.is_empty() {
            let file = self.file_of(call);
            let source = file.unwrap_or(call.id);
            rows.holds = Set::of_source(source, call.span);
            // A file that was written from rows holds them.
            rows.holds = rows.holds.union(&rows.chosen);
            rows.chosen = Set::default();
        }
        rows
    }

    /// A list of models, one for each fold, without what they learned from the other folds.
    fn without_folds(&self, value: &Value) -> Value {
        let Value::Each(fold, element) = value else { return value.clone() };
        let Value::Model(model) = &**element else { return value.clone() };
        let is_of_folds = |entry: &Entry| {
            let mut parts = entry.region.constraints.iter().map(|constraint| &constraint.part);
            parts.any(|part| *part == Part::OtherFolds(*fold))
        };
        let less = |set: &Set| set.entries().iter().filter(|entry| !is_of_folds(entry)).cloned().collect();
        let model = Model {
            fitted: less(&model.fitted),
            chosen: less(&model.chosen),
            seen: less(&model.seen),
            ..(**model).clone()
        };
        Value::Each(*fold, Arc::new(Value::Model(Arc::new(model))))
    }

    /// One file is one source, however it is read.
    fn file_of(&mut self, call: &Call<'_>) -> Option<Term> {
        let is_file =
            |(_, input): &&(String, Expr)| matches!(&input.ty, Ty::Ground(ty) if *ty.present() == Type::File);
        let index = call.call.inputs.iter().position(|input| is_file(&input))?;
        let mut file = call.values.get(index)?.id(&mut self.terms);
        if let Some(Literal::File(path)) = self.terms.literal(file) {
            let path = shortest(path);
            file = self.terms.value(Literal::File(path));
        }
        Some(self.terms.call("file", vec![file]))
    }

    /// A value that holds rows, by its type.
    fn result(&mut self, ty: &Type, id: Term, rows: &Rows) -> Value {
        match ty.present() {
            Type::Dataset(_) => Value::Table(Arc::new(Table {
                chosen: rows.chosen.clone(),
                seen: rows.seen.clone(),
                ..Table::new(id, rows.holds.clone())
            })),
            Type::Model(model) => Value::Model(Arc::new(Model {
                id,
                fitted: rows.fitted.clone(),
                chosen: rows.chosen.clone(),
                seen: rows.seen.union(&rows.holds),
                is_supervised: model.task.predicts(),
            })),
            Type::Opaque(_) => Value::Model(Arc::new(Model {
                id,
                fitted: rows.fitted.clone(),
                chosen: rows.chosen.clone(),
                seen: rows.seen.union(&rows.holds),
                is_supervised: false,
            })),
            Type::List(element) if carries_rows(element) => {
                let index = self.terms.fresh_symbol();
                let id = self.terms.make(Node::Element(id, index));
                Value::Each(index, Arc::new(self.result(element, id, rows)))
            }
            Type::Record(record) if carries_rows(ty) => {
                let fields = record.fields.iter().map(|field| {
                    let id = self.terms.field(id, &field.name);
                    (field.name.clone(), self.result(&field.ty, id, rows))
                });
                Value::Record(Arc::new(fields.collect()))
            }
            _ => {
                let seen = Set::union_all([&rows.holds, &rows.fitted, &rows.chosen, &rows.seen]);
                Value::Scalar(Scalar { seen, ..Scalar::plain(id) })
            }
        }
    }

    /// The partition that a call makes of a table's rows.
    pub fn partition(&mut self, call: &Call<'_>, of: &Table) -> Term {
        let mut args = vec![of.rows];
        for ((_, input), value) in call.call.inputs.iter().zip(&call.values) {
            if !matches!(&input.ty, Ty::Ground(Type::Dataset(_))) {
                args.push(value.id(&mut self.terms));
            }
        }
        if !call.call.operator.deterministic {
            args.push(call.id);
        }
        self.terms.call(&call.call.operator.name, args)
    }

    /// Makes a table that part of a partition which bears this name.
    pub fn take_part(&mut self, table: &mut Table, partition: Term, name: &str) {
        table.rows = self.terms.field(partition, name);
        if !table.is_repeated {
            self.constrain(table, &[Constraint { of: partition, part: Part::Named(Arc::from(name)) }]);
        }
    }

    /// Keeps the rows that meet these constraints.
    pub fn constrain(&mut self, table: &mut Table, constraints: &[Constraint]) {
        table.holds = table.holds.within(constraints, &self.terms);
        table.seen = table.seen.windows_within(constraints, &self.terms);
        table.labels = table.labels.within(constraints, &self.terms);
        for constraint in constraints {
            let key = key_of(constraint, &self.terms).map(|key| vec![key]);
            if let Some(keys) = key.or_else(|| table.keys.as_deref().cloned())
                && table.by_key.len() < MAX_BY_KEY
            {
                Arc::make_mut(&mut table.by_key).push((keys, constraint.clone()));
            }
        }
    }

    /// A column of a file that is read as the label tells it under every other name that it is read by.
    pub fn mark_read_twice(&mut self, table: &mut Table, row: &Row) {
        let is_label = |column: &&flow_ir::types::Column| matches!(column.ty.present(), Type::Label { .. });
        let in_file =
            |column: &flow_ir::types::Column| column.source.clone().unwrap_or_else(|| column.name.clone());
        for label in row.columns.iter().filter(is_label) {
            let others = row.columns.iter().filter(|column| !is_label(column));
            for other in others.filter(|other| in_file(other) == in_file(label)) {
                let mut column = table.column(&other.name, &mut self.terms);
                column.mark = column.mark.union(&self.own_mark(Span::default()));
                table.put(&other.name, column);
            }
        }
    }

    /// Columns that are in both tables with one type are taken to be the same.
    fn pass_columns(&mut self, table: &mut Table, row: &Row, data: &Expr, from: &Table) {
        let Ty::Ground(Type::Dataset(own)) = &data.ty else { return };
        let base = table.id;
        table.base = from.base;
        table.columns = Arc::clone(&from.columns);
        table.is_repeated = from.is_repeated;
        table.by_key = Arc::clone(&from.by_key);
        table.labels = from.labels.clone();
        table.told = from.told.clone();
        for column in &row.columns {
            if own.column(&column.name).is_none_or(|other| other.ty != column.ty) {
                let definition = self.terms.make(Node::Column(base, column.name.clone()));
                // A column under the name of another is that one in another form.
                let is_other_form = own.column(&column.name).is_some();
                let mark = match is_other_form {
                    true => from.column(&column.name, &mut self.terms).mark,
                    false => Set::default(),
                };
                table.put(&column.name, Column { definition, mark });
            }
        }
    }
}

fn add_as(rows: &mut Rows, kind: ProvenanceKind, value: &Value, place: Span) {
    match value {
        Value::Unknown => {}
        Value::Scalar(scalar) => rows.seen = rows.seen.union(&scalar.seen),
        Value::Table(table) => {
            match kind {
                ProvenanceKind::RowsOf | ProvenanceKind::PartOf => {
                    rows.holds = rows.holds.union(&table.holds)
                }
                ProvenanceKind::FittedOn => rows.fitted = rows.fitted.union(&table.holds.placed(place)),
                ProvenanceKind::ChosenOn => rows.chosen = rows.chosen.union(&table.holds.placed(place)),
            }
            rows.chosen = rows.chosen.union(&table.chosen);
            rows.seen = rows.seen.union(&table.seen);
        }
        Value::Model(_) => add_candidate(rows, value, place),
        Value::Record(fields) => fields.iter().for_each(|(_, value)| add_as(rows, kind, value, place)),
        Value::List(values) => values.iter().for_each(|value| add_as(rows, kind, value, place)),
        Value::Each(_, element) => add_as(rows, kind, element, place),
    }
}

/// A model that the result may be, or is made of.
fn add_candidate(rows: &mut Rows, value: &Value, place: Span) {
    match value {
        Value::Model(model) => {
            rows.fitted = rows.fitted.union(&model.fitted);
            rows.chosen = rows.chosen.union(&model.chosen);
            rows.seen = rows.seen.union(&model.seen);
        }
        Value::List(values) => values.iter().for_each(|value| add_candidate(rows, value, place)),
        Value::Each(_, element) => add_candidate(rows, element, place),
        Value::Record(fields) => fields.iter().for_each(|(_, value)| add_candidate(rows, value, place)),
        other => rows.seen = rows.seen.union(&other.all().placed(place)),
    }
}

/// A path without the detours that its text alone tells: `./a` and `b/../a` are `a`.
fn shortest(path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let mut steps: Vec<&str> = Vec::new();
    for (index, step) in path.split('/').enumerate() {
        match (step, steps.last()) {
            (".", _) => {}
            ("", _) if index > 0 => {}
            ("..", Some(last)) if !matches!(*last, "" | "..") => {
                steps.pop();
            }
            _ => steps.push(step),
        }
    }
    steps.join("/")
}

/// The rows that the tables within a value hold.
fn held(value: &Value) -> Set {
    match value {
        Value::Table(table) => table.holds.clone(),
        Value::Record(fields) => {
            fields.iter().fold(Set::default(), |all, (_, value)| all.union(&held(value)))
        }
        Value::List(values) => values.iter().fold(Set::default(), |all, value| all.union(&held(value))),
        Value::Each(_, element) => held(element),
        _ => Set::default(),
    }
}
