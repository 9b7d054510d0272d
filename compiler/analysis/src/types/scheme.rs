//! Types of signatures, which may hold variables, and how a call decides them.

use flow_ir::{
    types::{Column, ModelType, RecordType, Refinement, Row, Task, Type},
    value::Value,
};
use rustc_hash::FxHashMap;

use super::{LabelProblem, applied, features::the_label, fits, task_of};
use crate::rows::column_type;

/// A type that may hold variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A mistake was made and reported.
    Error,
    Ground(Type),
    Var(String),
    Optional(Box<Scheme>),
    List(Box<Scheme>),
    Record {
        name: Option<String>,
        fields: Vec<(String, Scheme)>,
    },
    Refined {
        base: Box<Scheme>,
        refinement: Refinement,
    },
    Dataset(RowScheme),
    /// Without a task it is `Predictor<R>`, which R's label decides.
    Model {
        task: Option<Task>,
        row: RowScheme,
        result: Option<Box<RowScheme>>,
    },
    /// `Column<R>`, `Column<R, T>`
    Column {
        row: RowScheme,
        of: ColumnKind,
    },
    /// `Embedding<size>`: the parameter of that name is its length.
    Embedding(String),
}

impl Scheme {
    /// Whether it is a table, a model, or another artifact that is no value.
    pub fn is_artifact(&self) -> bool {
        match self {
            Self::Dataset(_) | Self::Model { .. } => true,
            Self::Ground(ty) => matches!(ty, Type::Dataset(_) | Type::Model(_) | Type::Opaque(_)),
            _ => false,
        }
    }
}

/// Which columns of a row a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    Any,
    /// `Column<R, Feature>`: those that trainers learn from.
    Feature,
    /// `Column<R, T>`: those whose values are T's where they are there.
    Of(Box<Scheme>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowScheme {
    Error,
    /// Left out, as in an output's `Classifier`: then it is the body's.
    Elided,
    Ground(Row),
    Var(String),
    Parts {
        parts: Vec<RowPart>,
        /// Whether further columns may be there: `..`
        is_open: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowPart {
    Spread(RowScheme, Option<RowChange>),
    Column(String, Scheme),
    /// `[into]: T`: the parameter of that name is the column's name.
    Named(String, Scheme),
}

/// What a spread does to its row. The names of parameters stand for the columns that they list; where no
/// parameter has that name, `FEATURES` are all features and `LABEL` is the one label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowChange {
    Without(Vec<String>),
    WithoutListed(String),
    Present(String),
    Retyped(String, Scheme),
}

/// All features of a row, where a [`RowChange`] names columns.
pub const FEATURES: &str = "features";
/// The one label of a row, where a [`RowChange`] names columns.
pub const LABEL: &str = "label";

/// What the variables of a signature stand for at a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    pub vars: FxHashMap<String, Bound>,
    /// The columns that parameters list, by the parameters' names.
    pub columns: FxHashMap<String, Vec<String>>,
    /// The arguments that types are made of, by the parameters' names: lengths and names of columns.
    pub values: FxHashMap<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// A mistake was made and reported.
    Error,
    Type(Type),
    Row(Row),
}

/// Why a scheme has no type yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// A mistake was made and reported.
    Error,
    /// Nothing decides this variable.
    Var(String),
    /// A row is to be made of this, which is no record of what columns hold.
    NoRow(Type),
    /// The row was left out.
    Elided,
    /// A row with `..` is no single row.
    Open,
    /// A row that has not one label.
    Label(LabelProblem, Row),
    /// The type is made of this parameter's argument, which is not known when checked.
    Argument(String),
}

impl Scheme {
    /// Decides variables by a value's type, as far as the two have the same shape.
    pub fn infer(&self, actual: &Type, bindings: &mut Bindings) {
        match (self, actual) {
            (Self::Var(name), _) => {
                let plain = match actual {
                    Type::Refined { base, .. } => base,
                    other => other,
                };
                bindings.vars.entry(name.clone()).or_insert_with(|| Bound::Type(plain.clone()));
            }
            (_, Type::Refined { base, .. }) => self.infer(base, bindings),
            (Self::Refined { base, .. }, _) => base.infer(actual, bindings),
            (Self::Optional(inner), Type::Optional(actual)) => inner.infer(actual, bindings),
            (Self::Optional(_), Type::Nothing) => {}
            (Self::Optional(inner), _) => inner.infer(actual, bindings),
            (_, Type::Optional(actual)) => self.infer(actual, bindings),
            (Self::List(inner), Type::List(actual)) => inner.infer(actual, bindings),
            (Self::Record { fields, .. }, Type::Record(actual)) => {
                for (name, scheme) in fields {
                    if let Some(field) = actual.field(name) {
                        scheme.infer(&field.ty, bindings);
                    }
                }
            }
            (Self::Dataset(row), Type::Dataset(actual)) => row.infer(actual, bindings),
            (Self::Model { row, result, .. }, Type::Model(actual)) => {
                row.infer(&actual.row, bindings);
                if let (Some(result), Some(made)) = (result, &actual.result) {
                    // A table may have decided on a row with more than what the transformer reads.
                    let whole = row.substitute(bindings).unwrap_or_else(|_| actual.row.clone());
                    result.infer(&applied(&actual.row, made, &whole), bindings);
                }
            }
            _ => {}
        }
    }

    /// The type, where every variable is decided.
    pub fn substitute(&self, bindings: &Bindings) -> Result<Type, Unknown> {
        Ok(match self {
            Self::Error => return Err(Unknown::Error),
            Self::Ground(ty) => ty.clone(),
            Self::Var(name) => match bindings.vars.get(name) {
                None => return Err(Unknown::Var(name.clone())),
                Some(Bound::Error) => return Err(Unknown::Error),
                Some(Bound::Type(ty)) => ty.clone(),
                Some(Bound::Row(row)) => Type::Record(row.as_record(None)),
            },
            Self::Optional(inner) => match inner.substitute(bindings)? {
                optional @ Type::Optional(_) => optional,
                present => Type::Optional(Box::new(present)),
            },
            Self::List(inner) => Type::List(Box::new(inner.substitute(bindings)?)),
            Self::Record { name, fields } => {
                let field = |(name, scheme): &(String, Self)| {
                    Ok(flow_ir::types::Field { name: name.clone(), ty: scheme.substitute(bindings)? })
                };
                let fields = fields.iter().map(field).collect::<Result<_, Unknown>>()?;
                Type::Record(RecordType { name: name.clone(), fields })
            }
            Self::Refined { base, refinement } => {
                Type::Refined { base: Box::new(base.substitute(bindings)?), refinement: refinement.clone() }
            }
            Self::Dataset(row) => Type::Dataset(row.substitute(bindings)?),
            Self::Model { task, row: scheme, result } => {
                let row = scheme.substitute(bindings)?;
                let task = match task {
                    Some(task) => *task,
                    None => task_of(&row).map_err(|problem| Unknown::Label(problem, row.clone()))?,
                };
                let Some(result) = result else {
                    return Ok(Type::Model(ModelType { task, row, result: None }));
                };
                let (row, result) = match scheme.read_part(result, &row, bindings)? {
                    Some((read, bindings)) => (read, result.substitute(&bindings)?),
                    None => (row, result.substitute(bindings)?),
                };
                Type::Model(ModelType { task, row, result: Some(result) })
            }
            Self::Column { row, of } => {
                let mut row = row.substitute(bindings)?;
                match of {
                    ColumnKind::Any => {}
                    ColumnKind::Feature => row.columns.retain(|column| column.ty.is_feature()),
                    ColumnKind::Of(of) => {
                        let wanted = of.substitute(bindings)?;
                        row.columns.retain(|column| fits(column.ty.present(), &wanted).is_ok());
                    }
                }
                Type::Column(row)
            }
            Self::Embedding(param) => match bindings.values.get(param) {
                Some(Value::Int(size)) => {
                    Type::Embedding(u32::try_from(*size).map_err(|_| Unknown::Argument(param.clone()))?)
                }
                _ => return Err(Unknown::Argument(param.clone())),
            },
        })
    }

    /// The row of `List<R>`, whose records are made lines of a table.
    pub fn lines(&self, bindings: &Bindings) -> Option<Row> {
        let Self::List(element) = self else { return None };
        let Self::Var(name) = &**element else { return None };
        match bindings.vars.get(name) {
            Some(Bound::Row(row)) => Some(row.clone()),
            _ => None,
        }
    }

    /// The same scheme with a ground type in its place where that says as much.
    pub fn settled(self) -> Self {
        if self.waits_for_call() {
            return self;
        }
        match self.substitute(&Bindings::default()) {
            Ok(ty) => Self::Ground(ty),
            Err(Unknown::Error) => Self::Error,
            Err(_) => self,
        }
    }

    /// Whether it says more than a type can: which columns there are, or that the task is open.
    fn waits_for_call(&self) -> bool {
        match self {
            Self::Column { .. } | Self::Embedding(_) | Self::Model { task: None, .. } => true,
            Self::List(inner) | Self::Optional(inner) => inner.waits_for_call(),
            Self::Record { fields, .. } => fields.iter().any(|(_, scheme)| scheme.waits_for_call()),
            _ => false,
        }
    }
}

impl RowScheme {
    pub fn infer(&self, actual: &Row, bindings: &mut Bindings) {
        match self {
            Self::Var(name) => {
                bindings.vars.entry(name.clone()).or_insert_with(|| Bound::Row(actual.clone()));
            }
            // What is asked of R's columns leaves it the row that it is.
            Self::Parts { parts, is_open: false } => {
                if let [RowPart::Spread(row, Some(RowChange::Present(_)))] = parts.as_slice() {
                    row.infer(actual, bindings);
                }
            }
            _ => {}
        }
    }

    /// The columns that must be there, and not be missing, in the row of a table for this parameter.
    pub fn asked_present(&self, actual: &Row, bindings: &Bindings) -> Vec<String> {
        let Self::Parts { parts, .. } = self else { return Vec::new() };
        let asked = parts.iter().filter_map(|part| match part {
            RowPart::Spread(_, Some(RowChange::Present(what))) => listed(what, actual, bindings).ok(),
            _ => None,
        });
        asked.flatten().collect()
    }

    /// The columns of a transformer's row that it reads, where the row that it gives says which:
    /// `{ ..R with columns: Float }`, `{ ..R without columns, [into]: … }`. The bindings then have R as these alone.
    fn read_part(
        &self,
        result: &Self,
        row: &Row,
        bindings: &Bindings,
    ) -> Result<Option<(Row, Bindings)>, Unknown> {
        let (Self::Var(name), Self::Parts { parts, .. }) = (self, result) else { return Ok(None) };
        let spreads = parts.iter().filter_map(|part| match part {
            RowPart::Spread(of, change) => Some((of, change)),
            _ => None,
        });
        let [(of, Some(change))] = spreads.collect::<Vec<_>>()[..] else { return Ok(None) };
        let (RowChange::WithoutListed(what) | RowChange::Present(what) | RowChange::Retyped(what, _)) =
            change
        else {
            return Ok(None);
        };
        if of != self {
            return Ok(None);
        }
        let names = listed(what, row, bindings)?;
        let is_read = |column: &&Column| names.contains(&column.name);
        let read = Row { columns: row.columns.iter().filter(is_read).cloned().collect() };
        let mut narrowed = bindings.clone();
        narrowed.vars.insert(name.clone(), Bound::Row(read.clone()));
        Ok(Some((read, narrowed)))
    }

    pub fn substitute(&self, bindings: &Bindings) -> Result<Row, Unknown> {
        match self {
            Self::Error => Err(Unknown::Error),
            Self::Elided => Err(Unknown::Elided),
            Self::Ground(row) => Ok(row.clone()),
            Self::Var(name) => match bindings.vars.get(name) {
                None => Err(Unknown::Var(name.clone())),
                Some(Bound::Row(row)) => Ok(row.clone()),
                Some(Bound::Type(Type::Record(record))) => record_row(record),
                Some(Bound::Type(Type::Nothing)) => Err(Unknown::Var(name.clone())),
                Some(Bound::Type(ty)) => Err(Unknown::NoRow(ty.clone())),
                Some(Bound::Error) => Err(Unknown::Error),
            },
            Self::Parts { is_open: true, .. } => Err(Unknown::Open),
            Self::Parts { parts, is_open: false } => {
                let mut columns: Vec<Column> = Vec::new();
                for part in parts {
                    match part {
                        RowPart::Spread(row, change) => {
                            for column in spread(row.substitute(bindings)?, change.as_ref(), bindings)? {
                                put(&mut columns, column);
                            }
                        }
                        RowPart::Column(name, scheme) => {
                            let ty = scheme.substitute(bindings)?;
                            put(&mut columns, Column { name: name.clone(), ty, source: None });
                        }
                        RowPart::Named(param, scheme) => {
                            let Some(Value::Text(name)) = bindings.values.get(param) else {
                                return Err(Unknown::Argument(param.clone()));
                            };
                            let ty = scheme.substitute(bindings)?;
                            put(&mut columns, Column { name: name.clone(), ty, source: None });
                        }
                    }
                }
                Ok(Row { columns })
            }
        }
    }
}

/// Adds a column, or replaces the one of its name in its place.
pub(crate) fn put(columns: &mut Vec<Column>, column: Column) {
    match columns.iter_mut().find(|other| other.name == column.name) {
        Some(other) => *other = column,
        None => columns.push(column),
    }
}

/// The type of what is made of a value. Where a reader finds a column in its file is nothing to who comes after.
pub(crate) fn unsourced(ty: &Type) -> Type {
    let plain = |row: &Row| {
        let column =
            |column: &Column| Column { name: column.name.clone(), ty: column.ty.clone(), source: None };
        Row { columns: row.columns.iter().map(column).collect() }
    };
    match ty {
        Type::Dataset(row) => Type::Dataset(plain(row)),
        Type::Column(row) => Type::Column(plain(row)),
        Type::Model(model) => Type::Model(ModelType {
            task: model.task,
            row: plain(&model.row),
            result: model.result.as_ref().map(plain),
        }),
        Type::Optional(of) => Type::Optional(Box::new(unsourced(of))),
        Type::List(of) => Type::List(Box::new(unsourced(of))),
        Type::Record(record) => Type::Record(RecordType {
            name: record.name.clone(),
            fields: record
                .fields
                .iter()
                .map(|field| flow_ir::types::Field { name: field.name.clone(), ty: unsourced(&field.ty) })
                .collect(),
        }),
        other => other.clone(),
    }
}

fn spread(row: Row, change: Option<&RowChange>, bindings: &Bindings) -> Result<Vec<Column>, Unknown> {
    let names = match change {
        None => return Ok(row.columns),
        Some(RowChange::Without(names)) => names.clone(),
        Some(RowChange::WithoutListed(what) | RowChange::Present(what) | RowChange::Retyped(what, _)) => {
            listed(what, &row, bindings)?
        }
    };
    let mut columns = row.columns;
    let is_meant = |column: &Column| names.contains(&column.name);
    match change {
        Some(RowChange::Present(_)) => {
            for column in columns.iter_mut().filter(|column| is_meant(column)) {
                column.ty = column.ty.present().clone();
            }
        }
        // What may be missing still may be.
        Some(RowChange::Retyped(_, scheme)) => {
            let ty = scheme.substitute(bindings)?;
            for column in columns.iter_mut().filter(|column| is_meant(column)) {
                column.ty = if column.ty.is_optional() { ty.clone().optional() } else { ty.clone() };
            }
        }
        _ => columns.retain(|column| !is_meant(column)),
    }
    Ok(columns)
}

/// The columns that a parameter lists, or the features or the label of a row.
fn listed(what: &str, row: &Row, bindings: &Bindings) -> Result<Vec<String>, Unknown> {
    if let Some(names) = bindings.columns.get(what) {
        return Ok(names.clone());
    }
    match what {
        FEATURES => Ok(row.columns.iter().filter(|column| column.ty.is_feature()).map(name_of).collect()),
        LABEL => match the_label(row) {
            Ok(label) => Ok(vec![name_of(label)]),
            Err(problem) => Err(Unknown::Label(problem, row.clone())),
        },
        _ => Err(Unknown::Argument(what.to_owned())),
    }
}

fn name_of(column: &Column) -> String {
    column.name.clone()
}

/// The row that records of this type are the lines of.
fn record_row(record: &RecordType) -> Result<Row, Unknown> {
    let column = |field: &flow_ir::types::Field| match column_type(&field.ty) {
        Some(ty) => Ok(Column { name: field.name.clone(), ty, source: None }),
        None => Err(Unknown::NoRow(field.ty.clone())),
    };
    Ok(Row { columns: record.fields.iter().map(column).collect::<Result<_, _>>()? })
}

/// A row as the record of one of its lines.
pub(crate) trait AsRecord {
    fn as_record(&self, name: Option<String>) -> RecordType;
}

/// Lines of a row as they are written down: a Category as a Text, an Id as what identifies.
pub(crate) fn written_lines(row: &Row) -> Type {
    let field = |column: &Column| flow_ir::types::Field {
        name: column.name.clone(),
        ty: match column.ty.storage() {
            storage if column.ty.is_optional() => storage.clone().optional(),
            storage => storage.clone(),
        },
    };
    let fields = row.columns.iter().map(field).collect();
    Type::List(Box::new(Type::Record(RecordType { name: None, fields })))
}

impl AsRecord for Row {
    fn as_record(&self, name: Option<String>) -> RecordType {
        let field =
            |column: &Column| flow_ir::types::Field { name: column.name.clone(), ty: column.ty.clone() };
        RecordType { name, fields: self.columns.iter().map(field).collect() }
    }
}
