//! Which values pass where, and what two types have in common.

use flow_ir::types::{Column, Field, ModelType, RecordType, Row, Type};

use super::applied;

/// Why a value does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    Type,
    /// It may be missing, and what is wanted may not.
    MaybeMissing,
    Columns {
        missing: Vec<String>,
        extra: Vec<String>,
    },
    ColumnType(Box<ColumnMismatch>),
    /// A model of another task.
    Task,
}

/// A column whose type is not the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMismatch {
    pub column: String,
    pub is: Type,
    pub wanted: Type,
}

/// Whether a value of type `from` passes where `to` is wanted. Refinements are not looked at.
pub fn fits(from: &Type, to: &Type) -> Result<(), Mismatch> {
    match (from, to) {
        (Type::Refined { base, .. }, _) => fits(base, to),
        (_, Type::Refined { base, .. }) => fits(from, base),
        (Type::Nothing, Type::Optional(_) | Type::Nothing) => Ok(()),
        (Type::Optional(from), Type::Optional(to)) if **from == Type::Nothing || fits(from, to).is_ok() => {
            Ok(())
        }
        (Type::Optional(from), Type::Optional(to)) => fits(from, to),
        (Type::Optional(inner), _) => {
            Err(if fits(inner, to).is_ok() { Mismatch::MaybeMissing } else { Mismatch::Type })
        }
        (Type::Nothing, _) => Err(Mismatch::MaybeMissing),
        (_, Type::Optional(to)) => fits(from, to),
        (Type::Int, Type::Float | Type::Float32)
        | (Type::Float | Type::Float32, Type::Fraction)
        | (Type::Fraction | Type::Metric(_) | Type::Probability | Type::Score, Type::Float)
        | (Type::Float, Type::Float32)
        | (Type::Float32, Type::Float)
        | (Type::Text, Type::File)
        | (Type::Category, Type::Text)
        | (Type::EventTime, Type::Time) => Ok(()),
        // What is computed from a label or a weight has the plain type.
        (Type::Weight, Type::Float) => Ok(()),
        (Type::Label { of, .. }, to) if !matches!(to, Type::Label { .. }) => fits(of, to),
        // An empty list is a list of anything.
        (Type::List(from), Type::List(_)) if **from == Type::Nothing => Ok(()),
        (Type::List(from), Type::List(to)) => fits(from, to),
        (Type::Record(from), Type::Record(to)) => record_fits(from, to),
        (Type::Dataset(from), Type::Dataset(to)) => row_fits(from, to),
        (Type::Column(from), Type::Column(to)) => names_within(from, to),
        (Type::Model(from), Type::Model(to)) => {
            if from.task != to.task {
                return Err(Mismatch::Task);
            }
            reads_no_more(&from.row, &to.row)?;
            match (&from.result, &to.result) {
                // One that reads fewer columns serves where it does the same to the rest: leaves it alone.
                (Some(made), Some(wanted)) => {
                    row_fits(&applied(&from.row, made, &to.row), wanted).map_err(|_| Mismatch::Type)
                }
                _ => Ok(()),
            }
        }
        _ if same(from, to) => Ok(()),
        _ => Err(Mismatch::Type),
    }
}

/// Whether two types are one, whatever people call them and whatever limits their values have.
pub fn same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Refined { base, .. }, other) | (other, Type::Refined { base, .. }) => same(base, other),
        (Type::Optional(a), Type::Optional(b))
        | (Type::List(a), Type::List(b))
        | (Type::Id(a), Type::Id(b))
        | (Type::QueryId(a), Type::QueryId(b))
        | (Type::Pii(a), Type::Pii(b))
        | (Type::Label { of: a, .. }, Type::Label { of: b, .. }) => same(a, b),
        (Type::Record(a), Type::Record(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields.iter().zip(&b.fields).all(|(a, b)| a.name == b.name && same(&a.ty, &b.ty))
        }
        (Type::Dataset(a), Type::Dataset(b)) => same_rows(a, b),
        (Type::Model(a), Type::Model(b)) => {
            a.task == b.task
                && same_rows(&a.row, &b.row)
                && match (&a.result, &b.result) {
                    (Some(a), Some(b)) => same_rows(a, b),
                    (a, b) => a.is_none() && b.is_none(),
                }
        }
        _ => a == b,
    }
}

/// Whether the value itself changes on its way, rather than its type alone.
pub fn needs_cast(from: &Type, to: &Type) -> bool {
    match (from.storage(), to.storage()) {
        (Type::Int, Type::Float | Type::Float32)
        | (Type::Float, Type::Float32)
        | (Type::Float32, Type::Float)
        | (Type::Text, Type::File) => true,
        (Type::List(from), Type::List(to)) => **from != Type::Nothing && needs_cast(from, to),
        (Type::Record(from), Type::Record(to)) => {
            from.fields.len() != to.fields.len()
                || from
                    .fields
                    .iter()
                    .zip(&to.fields)
                    .any(|(from, to)| from.name != to.name || needs_cast(&from.ty, &to.ty))
        }
        _ => false,
    }
}

/// The type that holds the values of both, if there is one.
pub fn join(a: &Type, b: &Type) -> Option<Type> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Type::Refined { base, .. }, other) | (other, Type::Refined { base, .. }) => join(base, other),
        (Type::Optional(a), Type::Optional(b)) => optional(join(a, b)?),
        (Type::Nothing, other) | (other, Type::Nothing) => optional(other.clone()),
        (Type::Optional(inner), other) | (other, Type::Optional(inner)) if **inner == Type::Nothing => {
            optional(other.clone())
        }
        (Type::Optional(inner), other) | (other, Type::Optional(inner)) => optional(join(inner, other)?),
        (Type::List(a), Type::List(b)) => Some(Type::List(Box::new(element(a, b)?))),
        (Type::Record(a), Type::Record(b)) => join_records(a, b),
        (Type::Model(a), Type::Model(b)) if a.task == b.task && a.result == b.result => {
            let mut row = a.row.clone();
            for column in &b.row.columns {
                match row.column(&column.name) {
                    None => row.columns.push(column.clone()),
                    Some(other) if same(&other.ty, &column.ty) => {}
                    Some(_) => return None,
                }
            }
            Some(Type::Model(ModelType { task: a.task, row, result: a.result.clone() }))
        }
        (Type::Text, Type::Category) | (Type::Category, Type::Text) => Some(Type::Text),
        (Type::Float, Type::Fraction) | (Type::Fraction, Type::Float) => Some(Type::Float),
        _ if fits(a, b).is_ok() => Some(b.clone()),
        _ if fits(b, a).is_ok() => Some(a.clone()),
        _ => None,
    }
}

fn optional(ty: Type) -> Option<Type> {
    Some(match ty {
        Type::Optional(_) => ty,
        other => Type::Optional(Box::new(other)),
    })
}

/// What the elements of two lists have in common; an empty list adds nothing.
fn element(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (Type::Nothing, other) | (other, Type::Nothing) => Some(other.clone()),
        _ => join(a, b),
    }
}

fn join_records(a: &RecordType, b: &RecordType) -> Option<Type> {
    if a.fields.len() != b.fields.len() {
        return None;
    }
    let field = |a: &Field| Some(Field { name: a.name.clone(), ty: join(&a.ty, &b.field(&a.name)?.ty)? });
    let fields = a.fields.iter().map(field).collect::<Option<_>>()?;
    let name = if a.name == b.name { a.name.clone() } else { None };
    Some(Type::Record(RecordType { name, fields }))
}

fn record_fits(from: &RecordType, to: &RecordType) -> Result<(), Mismatch> {
    if from.fields.len() != to.fields.len() {
        return Err(Mismatch::Type);
    }
    to.fields.iter().try_for_each(|wanted| match from.field(&wanted.name) {
        Some(field) => fits(&field.ty, &wanted.ty),
        None => Err(Mismatch::Type),
    })
}

fn row_fits(from: &Row, to: &Row) -> Result<(), Mismatch> {
    if fit_in_order(from, to, column_fits) {
        return Ok(());
    }
    let names = |columns: &[Column], other: &Row| -> Vec<String> {
        columns
            .iter()
            .filter(|column| other.column(&column.name).is_none())
            .map(|column| column.name.clone())
            .collect()
    };
    let (missing, extra) = (names(&to.columns, from), names(&from.columns, to));
    if !missing.is_empty() || !extra.is_empty() {
        return Err(Mismatch::Columns { missing, extra });
    }
    to.columns.iter().try_for_each(|wanted| match from.column(&wanted.name) {
        Some(column) if column_fits(&column.ty, &wanted.ty) => Ok(()),
        Some(column) => Err(Mismatch::ColumnType(Box::new(ColumnMismatch {
            column: wanted.name.clone(),
            is: column.ty.clone(),
            wanted: wanted.ty.clone(),
        }))),
        None => Ok(()),
    })
}

/// A column of one row is one of another that has all of its columns.
fn names_within(from: &Row, to: &Row) -> Result<(), Mismatch> {
    for column in &from.columns {
        let Some(wanted) = to.column(&column.name) else {
            return Err(Mismatch::Columns { missing: vec![column.name.clone()], extra: Vec::new() });
        };
        if !column_fits(&column.ty, &wanted.ty) {
            return Err(Mismatch::ColumnType(Box::new(ColumnMismatch {
                column: column.name.clone(),
                is: column.ty.clone(),
                wanted: wanted.ty.clone(),
            })));
        }
    }
    Ok(())
}

/// A model serves where one that reads more columns is wanted: what is made for those has its own.
fn reads_no_more(from: &Row, to: &Row) -> Result<(), Mismatch> {
    let is_extra = |column: &&Column| to.column(&column.name).is_none();
    let extra: Vec<String> = from.columns.iter().filter(is_extra).map(|column| column.name.clone()).collect();
    if !extra.is_empty() {
        return Err(Mismatch::Columns { missing: Vec::new(), extra });
    }
    let used = Row {
        columns: to.columns.iter().filter(|column| from.column(&column.name).is_some()).cloned().collect(),
    };
    row_fits(from, &used)
}

/// A table is handed on as it is, so that columns do not widen; one without gaps serves where gaps may be.
pub(crate) fn column_fits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Refined { base, .. }, _) => column_fits(base, to),
        (_, Type::Refined { base, .. }) => column_fits(from, base),
        (Type::Optional(from), Type::Optional(to)) => same(from, to),
        (_, Type::Optional(to)) => same(from, to),
        _ => same(from, to),
    }
}

fn same_rows(a: &Row, b: &Row) -> bool {
    fit_in_order(a, b, same)
        || a.columns.len() == b.columns.len()
            && a.columns
                .iter()
                .all(|column| b.column(&column.name).is_some_and(|other| same(&column.ty, &other.ty)))
}

/// Whether two rows have columns of the same names in the same places, whose types fit. Most do, and nothing has to be
/// looked up then; where they do not, the order does not matter.
fn fit_in_order(a: &Row, b: &Row, fits: impl Fn(&Type, &Type) -> bool) -> bool {
    a.columns.len() == b.columns.len()
        && a.columns.iter().zip(&b.columns).all(|(a, b)| a.name == b.name && fits(&a.ty, &b.ty))
}
