//! Types of values and columns: ground types, without variables.

/// What a value is. Written as in the language: `Dataset<{ at: EventTime, fare: Float? }>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    /// 64 bits, checked.
    Int,
    /// IEEE 754 binary64.
    Float,
    Float32,
    Text,
    Bytes,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Time,
    /// Microseconds.
    Duration,
    /// Bytes.
    Size,
    /// A Float meant as a share.
    Fraction,
    File,

    /// Identifies a row or entity.
    Id(Box<Type>),
    /// What is to be predicted; of two classes one may be named the positive one.
    Label {
        of: Box<Type>,
        positive: Option<String>,
    },
    /// Groups rows for ranking.
    QueryId(Box<Type>),
    /// Personal data.
    Pii(Box<Type>),
    /// A sample's weight.
    Weight,
    /// When it happened.
    EventTime,
    /// One of a set of values.
    Category,
    /// A dense vector of that many Floats.
    Embedding(u32),
    Probability,
    Score,

    /// May be missing.
    Optional(Box<Type>),
    List(Box<Type>),
    Record(RecordType),
    Enum(EnumType),
    Refined {
        base: Box<Type>,
        refinement: Refinement,
    },

    Dataset(Row),
    Model(ModelType),
    /// A measured metric: a Float that knows its kind.
    Metric(Metric),
    /// A column of this row, as an argument: its name.
    Column(Row),
    /// An artifact that only external operators of one environment read.
    Opaque(String),
    /// The type of `none` and of operators without a result.
    Nothing,
}

/// Named fields in order. Two record types are alike when their fields are; the name serves people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordType {
    pub name: Option<String>,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    pub name: String,
    pub ty: Type,
}

/// `std.tree.Loss { auto, squared, … }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// With its module: `std.tree.Loss`.
    pub name: String,
    pub variants: Vec<String>,
}

/// A limit on values that never separates types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Refinement {
    Int { low: Option<i64>, high: Option<i64>, inclusive: bool },
    Float { low: Option<crate::value::Float64>, high: Option<crate::value::Float64>, inclusive: bool },
    Matching(String),
}

/// The columns of a table, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Row {
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    pub name: String,
    pub ty: Type,
    /// The column's name in the file that it is read from, where that differs.
    pub source: Option<String>,
}

/// `Classifier<R>`, `Transformer<R, S>`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelType {
    pub task: Task,
    /// The row it was fitted on.
    pub row: Row,
    /// What a transformer makes of it.
    pub result: Option<Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    Classifier,
    Regressor,
    Ranker,
    Clusterer,
    Transformer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    Auc,
    PrAuc,
    LogLoss,
    Accuracy,
    F1,
    NormalizedEntropy,
    Rmse,
    Mae,
    R2,
    QuantileLoss,
    Ndcg,
    Map,
}

impl Row {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl RecordType {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Type {
    /// The types without parts, by the word that each is written as.
    pub const SCALARS: [(&'static str, Self); 17] = [
        ("Bool", Self::Bool),
        ("Int", Self::Int),
        ("Float", Self::Float),
        ("Float32", Self::Float32),
        ("Text", Self::Text),
        ("Bytes", Self::Bytes),
        ("Date", Self::Date),
        ("Time", Self::Time),
        ("Duration", Self::Duration),
        ("Size", Self::Size),
        ("Fraction", Self::Fraction),
        ("File", Self::File),
        ("Weight", Self::Weight),
        ("EventTime", Self::EventTime),
        ("Category", Self::Category),
        ("Probability", Self::Probability),
        ("Score", Self::Score),
    ];

    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) | Self::Nothing => self,
            other => Self::Optional(Box::new(other)),
        }
    }

    pub fn is_optional(&self) -> bool {
        match self {
            Self::Optional(_) => true,
            Self::Refined { base, .. } => base.is_optional(),
            _ => false,
        }
    }

    /// Less refinement and `?`, at the top.
    pub fn present(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner.present(),
            Self::Refined { base, .. } => base.present(),
            other => other,
        }
    }

    /// What is stored: less meaning, refinement and `?`. `Label<Category>?` is Text.
    pub fn storage(&self) -> &Self {
        match self.present() {
            Self::Id(of) | Self::QueryId(of) | Self::Pii(of) | Self::Label { of, .. } => of.storage(),
            Self::Weight | Self::Probability | Self::Score | Self::Fraction | Self::Metric(_) => &Self::Float,
            Self::EventTime => &Self::Time,
            Self::Category => &Self::Text,
            other => other,
        }
    }

    /// Whether it is personal data, whatever else it means.
    pub fn is_personal(&self) -> bool {
        match self.present() {
            Self::Pii(_) => true,
            Self::Id(of) | Self::QueryId(of) | Self::Label { of, .. } => of.is_personal(),
            _ => false,
        }
    }

    /// Whether personal data is anywhere in it: in a column, an element, a field.
    pub fn holds_personal(&self) -> bool {
        match self.present() {
            Self::Dataset(row) => row.columns.iter().any(|column| column.ty.holds_personal()),
            Self::List(of) => of.holds_personal(),
            Self::Record(of) => of.fields.iter().any(|field| field.ty.holds_personal()),
            other => other.is_personal(),
        }
    }

    /// The type of what is computed from personal data.
    #[must_use]
    pub fn personal(self) -> Self {
        match self {
            personal if personal.is_personal() => personal,
            Self::Optional(of) => Self::Optional(Box::new(of.personal())),
            Self::Refined { base, .. } => base.personal(),
            Self::Id(of) => Self::Id(Box::new(of.personal())),
            Self::QueryId(of) => Self::QueryId(Box::new(of.personal())),
            Self::Label { of, positive } => Self::Label { of: Box::new(of.personal()), positive },
            plain => Self::Pii(Box::new(plain)),
        }
    }

    /// Whether trainers learn from a column of this type.
    pub fn is_feature(&self) -> bool {
        matches!(
            self.present(),
            Self::Bool
                | Self::Int
                | Self::Float
                | Self::Float32
                | Self::Fraction
                | Self::Category
                | Self::Embedding(_)
        )
    }
}

impl Task {
    pub fn name(self) -> &'static str {
        match self {
            Self::Classifier => "Classifier",
            Self::Regressor => "Regressor",
            Self::Ranker => "Ranker",
            Self::Clusterer => "Clusterer",
            Self::Transformer => "Transformer",
        }
    }

    /// Whether such a model has predictions that a label can be held against.
    pub fn predicts(self) -> bool {
        matches!(self, Self::Classifier | Self::Regressor | Self::Ranker)
    }
}

impl Metric {
    pub const ALL: [Self; 12] = [
        Self::Auc,
        Self::PrAuc,
        Self::LogLoss,
        Self::Accuracy,
        Self::F1,
        Self::NormalizedEntropy,
        Self::Rmse,
        Self::Mae,
        Self::R2,
        Self::QuantileLoss,
        Self::Ndcg,
        Self::Map,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Auc => "Auc",
            Self::PrAuc => "PrAuc",
            Self::LogLoss => "LogLoss",
            Self::Accuracy => "Accuracy",
            Self::F1 => "F1",
            Self::NormalizedEntropy => "NormalizedEntropy",
            Self::Rmse => "Rmse",
            Self::Mae => "Mae",
            Self::R2 => "R2",
            Self::QuantileLoss => "QuantileLoss",
            Self::Ndcg => "Ndcg",
            Self::Map => "Map",
        }
    }

    /// As a variant of the standard library's enum: `pr_auc`.
    pub fn variant(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::PrAuc => "pr_auc",
            Self::LogLoss => "logloss",
            Self::Accuracy => "accuracy",
            Self::F1 => "f1",
            Self::NormalizedEntropy => "normalized_entropy",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
            Self::R2 => "r2",
            Self::QuantileLoss => "quantile_loss",
            Self::Ndcg => "ndcg",
            Self::Map => "map",
        }
    }

    /// Of the models that it measures.
    pub fn task(self) -> Task {
        match self {
            Self::Auc | Self::PrAuc | Self::LogLoss | Self::Accuracy | Self::F1 | Self::NormalizedEntropy => {
                Task::Classifier
            }
            Self::Rmse | Self::Mae | Self::R2 | Self::QuantileLoss => Task::Regressor,
            Self::Ndcg | Self::Map => Task::Ranker,
        }
    }
}
