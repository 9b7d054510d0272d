//! Values that are known: constants, parameters, and the scalars that operators give.

/// A value of a [`crate::types::Type`]. Tables, models and files' contents are artifacts, not values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Missing.
    None,
    Bool(bool),
    Int(i64),
    /// Also Fraction, Probability, Score, Weight and metrics.
    Float(Float64),
    /// Also Category.
    Text(String),
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Time(i64),
    /// Microseconds.
    Duration(i64),
    /// Bytes.
    Size(u64),
    /// A path or URL.
    File(String),
    List(Vec<Value>),
    /// Fields in order.
    Record(Vec<(String, Value)>),
    /// `std.metrics.Metric.auc`
    Enum {
        ty: String,
        variant: String,
    },
    /// `.minutes`, the name of a column as an argument.
    Column(String),
}

/// An f64 that is compared and hashed by its bits, so that values have identity.
#[derive(Clone, Copy, Debug)]
pub struct Float64(pub f64);

impl PartialEq for Float64 {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Float64 {}

impl std::hash::Hash for Float64 {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// Every NaN becomes the usual one: which of them an operation gives differs between processors.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(Float64(if value.is_nan() { f64::NAN } else { value }))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl Value {
    /// The field of a record.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }
}
