//! What training and prediction read: plain columns, checked once before anything else looks at them.

/// A named column of features.
#[derive(Debug, Clone, Copy)]
pub struct Feature<'a> {
    /// Only for messages.
    pub name: &'a str,
    pub column: Column<'a>,
}

/// One feature's values, row by row. `valid[row]` is false where the value is missing; without `valid` none is.
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// Finite wherever valid.
    Numeric { values: &'a [f64], valid: Option<&'a [bool]> },
    /// Positions in a dictionary that the caller keeps: the same code must mean the same category at prediction.
    Categorical { codes: &'a [u32], valid: Option<&'a [bool]> },
}

/// What is to be predicted; it decides the loss.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Squared error. Finite.
    Values(&'a [f64]),
    /// Logistic loss for two classes, softmax for more. Codes are below `classes`.
    Classes { codes: &'a [u32], classes: u32 },
}

/// Columns that nothing can be learned from, or that do not fit the model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DataError {
    #[error("there are no rows")]
    NoRows,
    #[error("there are no features")]
    NoFeatures,
    #[error("`{name}` has {found} rows where {expected} are needed")]
    Length { name: String, found: usize, expected: usize },
    #[error("`{name}` is {value} in row {row}; make it missing, or drop the row")]
    NotFinite { name: String, row: usize, value: f64 },
    #[error("the model was trained on {expected} features and was given {found}")]
    FeatureCount { found: usize, expected: usize },
    #[error("`{name}` is {found}, but the model was trained on {expected} in its place")]
    FeatureKind { name: String, found: &'static str, expected: &'static str },
    #[error("the weight in row {row} is {value}; weights are 0 or more")]
    Weight { row: usize, value: f64 },
    #[error("the {name} is {value:e} in row {}; training sums such numbers, and takes them up to 1e100", row + 1)]
    TooLarge { name: &'static str, row: usize, value: f64 },
    #[error("all weights are 0")]
    NoWeight,
    #[error("the label in row {row} is class {code}, but there are {classes} classes")]
    Class { row: usize, code: u32, classes: u32 },
    #[error("all rows have the same class; a classifier needs rows of at least two")]
    OneClass,
    #[error("{0} rows are more than trees can be trained on (2^28)")]
    TooManyRows(usize),
}

impl Column<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Column::Numeric { values, .. } => values.len(),
            Column::Categorical { codes, .. } => codes.len(),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Column::Numeric { .. } => "numeric",
            Column::Categorical { .. } => "categorical",
        }
    }

    fn valid(&self) -> Option<&[bool]> {
        match self {
            Column::Numeric { valid, .. } | Column::Categorical { valid, .. } => *valid,
        }
    }
}

/// Holds every column and its mask to `rows` rows and every number to being finite.
pub(super) fn check_features(features: &[Feature], rows: usize) -> Result<(), DataError> {
    for feature in features {
        let name = feature.name;
        check_length(name, feature.column.len(), rows)?;
        let valid = feature.column.valid();
        if let Some(valid) = valid {
            check_length(name, valid.len(), rows)?;
        }
        if let Column::Numeric { values, .. } = feature.column {
            check_finite(name, values, valid)?;
        }
    }
    Ok(())
}

pub(super) fn check_target(target: &Target, rows: usize) -> Result<(), DataError> {
    match *target {
        Target::Values(values) => {
            check_length("label", values.len(), rows)?;
            check_finite("label", values, None)?;
            check_size("label", values)
        }
        Target::Classes { codes, classes } => {
            check_length("label", codes.len(), rows)?;
            match codes.iter().position(|&code| code >= classes) {
                Some(row) => Err(DataError::Class { row, code: codes[row], classes }),
                None => Ok(()),
            }
        }
    }
}

pub(super) fn check_weights(weights: Option<&[f64]>, rows: usize) -> Result<(), DataError> {
    let Some(weights) = weights else { return Ok(()) };
    check_length("weights", weights.len(), rows)?;
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        return Err(DataError::Weight { row, value: weights[row] });
    }
    check_size("weight", weights)?;
    if weights.iter().all(|&weight| weight == 0.0) { Err(DataError::NoWeight) } else { Ok(()) }
}

fn check_length(name: &str, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected { Ok(()) } else { Err(DataError::Length { name: name.into(), found, expected }) }
}

/// Labels times weights times rows must stay in the range of f64.
fn check_size(name: &'static str, values: &[f64]) -> Result<(), DataError> {
    match values.iter().position(|value| value.abs() > 1e100) {
        Some(row) => Err(DataError::TooLarge { name, row, value: values[row] }),
        None => Ok(()),
    }
}

fn check_finite(name: &str, values: &[f64], valid: Option<&[bool]>) -> Result<(), DataError> {
    let is_valid = |row: usize| valid.is_none_or(|valid| valid[row]);
    match values.iter().enumerate().find(|&(row, value)| !value.is_finite() && is_valid(row)) {
        Some((row, &value)) => Err(DataError::NotFinite { name: name.into(), row, value }),
        None => Ok(()),
    }
}
