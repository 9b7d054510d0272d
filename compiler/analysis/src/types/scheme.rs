//! Types of signatures, which may hold variables, and how a call decides them.

use flow_ir::types::{Column, ModelType, RecordType, Refinement, Row, Task, Type};
use rustc_hash::FxHashMap;

use super::{LabelProblem, fits, task_of};

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
        of: Option<Box<Scheme>>,
    },
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
}

/// What a spread does to its row; names of parameters stand for the columns that they list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowChange {
    Without(Vec<String>),
    WithoutListed(String),
    Present(String),
    Retyped(String, Scheme),
}

/// What the variables of a signature stand for at a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    pub vars: FxHashMap<String, Bound>,
    /// The columns that parameters list, by the parameters' names.
    pub columns: FxHashMap<String, Vec<String>>,
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
    /// The columns that this parameter lists, which the text does not say.
    Columns(String),
    /// The row was left out.
    Elided,
    /// A row with `..` is no single row.
    Open,
    /// A `Predictor<R>` whose R has not one label.
    Label(LabelProblem, Row),
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
                if let (Some(result), Some(actual)) = (result, &actual.result) {
                    result.infer(actual, bindings);
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
            Self::Model { task, row, result } => {
                let row = row.substitute(bindings)?;
                let task = match task {
                    Some(task) => *task,
                    None => task_of(&row).map_err(|problem| Unknown::Label(problem, row.clone()))?,
                };
                let result = result.as_ref().map(|result| result.substitute(bindings)).transpose()?;
                Type::Model(ModelType { task, row, result })
            }
            Self::Column { row, of } => {
                let mut row = row.substitute(bindings)?;
                if let Some(of) = of {
                    let wanted = of.substitute(bindings)?;
                    row.columns.retain(|column| fits(column.ty.present(), &wanted).is_ok());
                }
                Type::Column(row)
            }
        })
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
            Self::Column { .. } | Self::Model { task: None, .. } => true,
            Self::List(inner) | Self::Optional(inner) => inner.waits_for_call(),
            Self::Record { fields, .. } => fields.iter().any(|(_, scheme)| scheme.waits_for_call()),
            _ => false,
        }
    }
}

impl RowScheme {
    pub fn infer(&self, actual: &Row, bindings: &mut Bindings) {
        if let Self::Var(name) = self {
            bindings.vars.entry(name.clone()).or_insert_with(|| Bound::Row(actual.clone()));
        }
    }

    pub fn substitute(&self, bindings: &Bindings) -> Result<Row, Unknown> {
        match self {
            Self::Error => Err(Unknown::Error),
            Self::Elided => Err(Unknown::Elided),
            Self::Ground(row) => Ok(row.clone()),
            Self::Var(name) => match bindings.vars.get(name) {
                None => Err(Unknown::Var(name.clone())),
                Some(Bound::Row(row)) => Ok(row.clone()),
                Some(Bound::Type(Type::Record(record))) => Ok(record_row(record)),
                Some(Bound::Type(_) | Bound::Error) => Err(Unknown::Error),
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
    let mut columns = row.columns;
    let listed = |name: &String| bindings.columns.get(name).ok_or_else(|| Unknown::Columns(name.clone()));
    match change {
        None => {}
        Some(RowChange::Without(names)) => columns.retain(|column| !names.contains(&column.name)),
        Some(RowChange::WithoutListed(param)) => {
            let names = listed(param)?;
            columns.retain(|column| !names.contains(&column.name));
        }
        Some(RowChange::Present(param)) => {
            let names = listed(param)?;
            for column in columns.iter_mut().filter(|column| names.contains(&column.name)) {
                column.ty = column.ty.present().clone();
            }
        }
        Some(RowChange::Retyped(param, scheme)) => {
            let (names, ty) = (listed(param)?, scheme.substitute(bindings)?);
            for column in columns.iter_mut().filter(|column| names.contains(&column.name)) {
                column.ty = ty.clone();
            }
        }
    }
    Ok(columns)
}

fn record_row(record: &RecordType) -> Row {
    let column = |field: &flow_ir::types::Field| Column {
        name: field.name.clone(),
        ty: field.ty.clone(),
        source: None,
    };
    Row { columns: record.fields.iter().map(column).collect() }
}

/// A row as the record of one of its lines.
pub(crate) trait AsRecord {
    fn as_record(&self, name: Option<String>) -> RecordType;
}

impl AsRecord for Row {
    fn as_record(&self, name: Option<String>) -> RecordType {
        let field =
            |column: &Column| flow_ir::types::Field { name: column.name.clone(), ty: column.ty.clone() };
        RecordType { name, fields: self.columns.iter().map(field).collect() }
    }
}
