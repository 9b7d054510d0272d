//! Joins: rows that look up others.

use std::sync::Arc;

use flow_ir::{types::Type, value::Value as Literal};
use flow_syntax::diagnostic::{Diagnostic, code};

use super::{
    evaluate::{Evaluator, is_label},
    operators::Call,
    region::{Constraint, Part, Window},
    terms::{JOIN_ROWS, LOOKUP, LOOKUP_OF_MANY, Term},
    value::{Column, Table, Value, mark_of_many},
    verbs::column_name,
};
use crate::{
    body::{Expr, ExprKind},
    names::quoted,
    ty::Ty,
};

/// The columns that a join compares, by name and by definition.
struct Keys {
    names: Vec<String>,
    left: Vec<Term>,
    right: Vec<Term>,
}

/// How the rows of two tables stand to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    /// A row looks up others.
    Lookup,
    /// Both have one row for each of the same entities.
    OneEntity,
    /// Both have rows of one source, and an Id tells which are the same.
    SameRow,
}

impl Evaluator<'_> {
    pub fn join(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some(other) = call.table("other") else { return Value::Unknown };
        let (left, right) = join_keys(call);
        // The rows' own values are no facts of others, whatever their time.
        let sources: Vec<Term> = data.holds.entries().iter().map(|entry| entry.region.source).collect();
        let is_own = other.holds.entries().iter().any(|entry| sources.contains(&entry.region.source));
        let lost_time = if is_own { None } else { other.lost_time.as_deref() };
        if let Some(diagnostic) = joined_future(call, &left, &right, lost_time) {
            self.report(diagnostic);
        }
        let definitions = |table: &Table, names: &[String], evaluator: &mut Self| -> Vec<Term> {
            names.iter().map(|name| table.column(name, &mut evaluator.terms).definition).collect()
        };
        let keys = Keys {
            left: definitions(data, &left, self),
            right: definitions(&other, &right, self),
            names: left,
        };
        let matched = matched(call, data, &other, &keys);
        let kind = match call.input("kind").map(|(expr, _)| &expr.kind) {
            Some(ExprKind::Value(Literal::Enum { variant, .. })) => variant.as_str(),
            _ => "",
        };
        let mut table = Table { id: call.id, ..(**data).clone() };
        let finds_one = matched != Match::Lookup || is_one_each(&other, &keys.right);
        // Where a row may find several, the rows behind it stand elsewhere; an Id tells them all the same.
        let is_in_place = finds_one || own_id(call, "data").is_some();
        if kind != "left" || !is_in_place {
            let mut args = vec![data.rows, other.id];
            args.extend(call.input("kind").map(|(_, kind)| kind.id(&mut self.terms)));
            table.rows = self.terms.call(JOIN_ROWS, args);
        }
        self.narrow(&mut table, &other, &keys, kind, matched);
        match matched {
            Match::OneEntity => table.holds = table.holds.union(&other.holds),
            Match::SameRow => {}
            // Which rows are there follows from their own keys alone.
            Match::Lookup if keys.left == keys.right && added(call).next().is_none() => {}
            Match::Lookup => table.seen = table.seen.union(&other.holds.placed(call.span)),
        }
        table.seen = table.seen.union(&other.seen.placed(call.span));
        table.chosen = table.chosen.union(&other.chosen);
        if matches!(kind, "semi" | "anti" | "inner") {
            table.told = table.told.union(&mark_of_many(&other.told, &other.label_rows(), &mut self.terms));
        }
        let found = if finds_one || !is_of_entities(call, &keys) { LOOKUP } else { LOOKUP_OF_MANY };
        if found == LOOKUP_OF_MANY && !matches!(kind, "semi" | "anti") {
            table.keys = None;
        }
        self.take_columns(call, &mut table, &other, &keys, (matched, found), None);
        Value::Table(Arc::new(table))
    }

    /// Keeps what is known of the rows that find a match, or find none.
    fn narrow(&mut self, table: &mut Table, other: &Table, keys: &Keys, kind: &str, matched: Match) {
        if matches!(kind, "semi" | "anti") {
            let mut args = keys.left.clone();
            args.push(other.rows);
            args.extend_from_slice(&keys.right);
            let of = self.terms.call("has match", args);
            self.constrain(table, &[Constraint { of, part: Part::Is(kind == "semi") }]);
        }
        // What an Id finds nowhere in some rows is none of them.
        let is_by_id = matched == Match::SameRow && !keys.left.iter().any(|key| self.terms.is_variant(*key));
        if kind == "anti" && is_by_id {
            let other_row = self.member_of(other.rows, false);
            table.holds = table.holds.within(&[other_row], &self.terms);
        }
        if !matches!(kind, "semi" | "inner") {
            return;
        }
        // What holds for all rows of a key holds for those that are found by it.
        let is_found_by = |key: &Term| keys.left.iter().zip(&keys.right).any(|(a, b)| a == key && b == key);
        let mut known: Vec<Constraint> = other
            .by_key
            .iter()
            .filter(|(of, _)| of.iter().all(is_found_by))
            .map(|(_, constraint)| constraint.clone())
            .collect();
        if let (Match::SameRow, [only]) = (matched, other.holds.entries()) {
            known.extend(only.region.constraints.iter().cloned());
        }
        self.constrain(table, &known);
    }

    /// Whether a row is one of these.
    pub fn member_of(&mut self, rows: Term, holds: bool) -> Constraint {
        Constraint { of: self.terms.call("is one of", vec![rows]), part: Part::Is(holds) }
    }

    /// What was known of each row at its time.
    pub fn join_asof(&mut self, call: &Call<'_>, data: &Arc<Table>) -> Value {
        let Some(facts) = call.table("facts") else { return Value::Unknown };
        let (names, right) = join_keys(call);
        let left: Vec<Term> =
            names.iter().map(|name| data.column(name, &mut self.terms).definition).collect();
        let right = right.iter().map(|name| facts.column(name, &mut self.terms).definition).collect();
        let keys = Keys { names, left, right };
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
            (Some(at), Some(time)) if at == time => {
                Some(Window { order: at, by: Arc::new(keys.left.clone()) })
            }
            _ => None,
        };
        if let Some(window) = &window {
            seen = seen.windowed(window);
        }
        table.seen = table.seen.union(&seen).union(&facts.seen.placed(call.span));
        table.chosen = table.chosen.union(&facts.chosen);
        self.take_columns(call, &mut table, &facts, &keys, (Match::Lookup, LOOKUP), window.as_ref());
        Value::Table(Arc::new(table))
    }

    /// The columns that a join adds.
    fn take_columns(
        &mut self,
        call: &Call<'_>,
        table: &mut Table,
        other: &Table,
        keys: &Keys,
        (matched, found_by): (Match, &str),
        window: Option<&Window>,
    ) {
        let others_labels = other.label_rows();
        // What is found by the label tells it; and so does what follows from which rows are there.
        let mut told = mark_of_many(&other.told, &others_labels, &mut self.terms);
        for name in &keys.names {
            told = told.union(&self.mark_of(call, table, name));
        }
        for column in added(call) {
            let found = other.column(&column.name, &mut self.terms);
            if matched == Match::Lookup && is_label(&Ty::Ground(column.ty.clone())) {
                // Its labels are now those of these rows.
                table.labels = table.labels.union(&others_labels);
            }
            let (definition, mut mark) = if matched == Match::Lookup {
                let mut args = vec![found.definition, other.rows];
                args.extend_from_slice(&keys.left);
                let mark = mark_of_many(&found.mark, &others_labels, &mut self.terms);
                (self.terms.call(found_by, args), mark)
            } else {
                (found.definition, found.mark)
            };
            if let Some(window) = window {
                mark = mark.windowed(window);
            }
            table.put(&column.name, Column { definition, mark: mark.union(&told) });
        }
    }
}

/// The columns that a join adds to its left.
fn added<'c>(call: &Call<'c>) -> impl Iterator<Item = &'c flow_ir::types::Column> {
    let own = match call.input("data").map(|(data, _)| &data.ty) {
        Some(Ty::Ground(Type::Dataset(row))) => Some(row),
        _ => None,
    };
    let columns = call.row().map_or(&[][..], |row| row.columns.as_slice());
    columns.iter().filter(move |column| own.is_some_and(|own| own.column(&column.name).is_none()))
}

/// How the rows of two tables that share keys stand to one another.
fn matched(call: &Call<'_>, data: &Table, other: &Table, keys: &Keys) -> Match {
    let is_key = |table: &Table| {
        table
            .keys
            .as_ref()
            .is_some_and(|own| own.len() == keys.left.len() && own.iter().all(|key| keys.left.contains(key)))
    };
    if keys.left != keys.right {
        return Match::Lookup;
    }
    if is_key(data) && is_key(other) {
        return Match::OneEntity;
    }
    let has_id = |input: &str| own_id(call, input).is_some_and(|id| keys.names.as_slice() == [id]);
    let sources: Vec<Term> = data.holds.entries().iter().map(|entry| entry.region.source).collect();
    let is_own = other.holds.entries().iter().all(|entry| sources.contains(&entry.region.source));
    if data.keys.is_none() && other.keys.is_none() && is_own && has_id("data") && has_id("other") {
        return Match::SameRow;
    }
    Match::Lookup
}

/// Whether a table has one row for each value of these columns.
fn is_one_each(table: &Table, columns: &[Term]) -> bool {
    table.keys.as_ref().is_some_and(|keys| keys.iter().all(|key| columns.contains(key)))
}

/// Whether it is the left's rows that a join finds others for, several perhaps: its keys name them, while other
/// tables are asked by what rows have of them, a user or a city. Rows whose labels are the right's are the right's.
fn is_of_entities(call: &Call<'_>, keys: &Keys) -> bool {
    let brings_label = added(call).any(|column| is_label(&Ty::Ground(column.ty.clone())));
    !brings_label && own_id(call, "data").is_some_and(|id| keys.names.iter().any(|name| name == id))
}

/// The Id that tells the rows of an input apart.
fn own_id<'c>(call: &Call<'c>, input: &str) -> Option<&'c str> {
    match &call.input(input)?.0.ty {
        Ty::Ground(Type::Dataset(row)) => super::parts::only_id(row),
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
fn joined_future(
    call: &Call<'_>,
    left: &[String],
    right: &[String],
    lost_time: Option<&str>,
) -> Option<Diagnostic> {
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
    let (own, theirs) = (own.first()?, theirs.first().map(String::as_str).or(lost_time)?);
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
