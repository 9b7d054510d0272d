//! Verbs that part a table.

use std::sync::Arc;

use flow_ir::{
    types::{Row, Type},
    value::Value as Literal,
};

use super::{
    evaluate::Evaluator,
    operators::Call,
    region::{Constraint, Part, SPLIT_BY_GROUP, SPLIT_BY_ID},
    terms::{Node, Term},
    value::{Table, Value},
};
use crate::{body::ExprKind, ty::Ty};

impl Evaluator<'_> {
    pub fn split(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let (partition, is_grouped) = self.random_partition(call, data);
        let chosen = data.chosen.union(&self.decided_by(call));
        let parts = call.call.outputs.iter().map(|(name, _)| {
            let id = self.terms.field(call.id, name);
            let mut table = Table { id, chosen: chosen.clone(), ..(**data).clone() };
            // A row that is there twice may go both ways.
            table.is_repeated = data.is_repeated && !is_grouped;
            self.take_part(&mut table, partition, name);
            table.is_repeated = data.is_repeated;
            (name.clone(), Value::Table(Arc::new(table)))
        });
        Value::Record(Arc::new(parts.collect()))
    }

    /// What a random split does with rows: it goes by a column that they share or that names them, or by their
    /// places; and whether someone asked for rows with one value of a column to go together.
    fn random_partition(&mut self, call: &Call<'_>, data: &Table) -> (Term, bool) {
        let group = given_column(call, "group").map(|group| group.id(&mut self.terms));
        let is_together = group.is_some_and(|group| !self.terms.is_variant(group));
        let id = match call.input("data").map(|(data, _)| &data.ty) {
            // Classes are dealt out by rank.
            Some(Ty::Ground(Type::Dataset(row))) if given_column(call, "stratify").is_none() => {
                only_id(row).map(|id| data.column(id, &mut self.terms).definition)
            }
            _ => None,
        };
        let operator = &call.call.operator.name;
        let name = match (group, id) {
            (Some(_), _) => SPLIT_BY_GROUP,
            (None, Some(_)) => SPLIT_BY_ID,
            (None, None) => operator,
        };
        let mut args = vec![data.rows];
        args.extend(group.or(id));
        args.push(self.terms.value(Literal::from(operator.as_str())));
        for ((input, _), value) in call.call.inputs.iter().zip(&call.values) {
            if input != "data" {
                args.push(value.id(&mut self.terms));
            }
        }
        (self.terms.call(name, args), is_together)
    }

    pub fn split_at(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let (Some((column_expr, column)), Some((at_expr, at))) = (call.input("column"), call.input("at"))
        else {
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
            let constraint = self.before((column, &column_expr.ty), (at, &at_expr.ty), is_before);
            self.constrain(&mut table, constraint.as_slice());
            (name.clone(), Value::Table(Arc::new(table)))
        });
        Value::Record(Arc::new(parts.collect()))
    }

    pub fn split_where(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some((predicate, value)) = call.input("predicate") else { return Value::Unknown };
        let parts = call.call.outputs.iter().map(|(name, _)| {
            let mut table = self.kept(call, data, predicate, value, name == "yes");
            table.id = self.terms.field(call.id, name);
            (name.clone(), Value::Table(Arc::new(table)))
        });
        Value::Record(Arc::new(parts.collect()))
    }

    /// A list of folds, each a record of what trains and what tests.
    pub fn folds(&mut self, call: &Call<'_>, data: &Arc<Table>, by_time: bool) -> Value {
        let (partition, is_grouped) =
            if by_time { (self.partition(call, data), true) } else { self.random_partition(call, data) };
        let index = self.terms.fresh_symbol();
        let id = self.terms.make(Node::Element(call.id, index));
        let rows = self.terms.make(Node::Element(partition, index));
        let measured = self.decided_by(call);
        let is_split = !data.is_repeated || is_grouped;
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

    pub fn bootstrap(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
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
}

/// The column that tells rows apart, by which a random split decides: the only Id.
pub(super) fn only_id(row: &Row) -> Option<&str> {
    let is_id = |ty: &Type| match ty {
        Type::Pii(of) => matches!(of.present(), Type::Id(_)),
        ty => matches!(ty, Type::Id(_)),
    };
    let mut ids = row.columns.iter().filter(|column| is_id(column.ty.present()));
    let first = ids.next()?;
    (ids.next().is_none() && !first.ty.is_optional()).then_some(first.name.as_str())
}

fn given_column<'v>(call: &'v Call<'_>, input: &str) -> Option<&'v Value> {
    let (expr, value) = call.input(input)?;
    matches!(expr.kind, ExprKind::Value(Literal::Column(_))).then_some(value)
}
