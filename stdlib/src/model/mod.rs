//! Models: what every trained model says of itself, and the bytes of its artifact.
//!
//! A trainer builds a [`Model`]; [`file`] writes and reads it; [`features`] takes the columns out of a
//! table that a model needs; [`score`] predicts.

pub mod features;
pub mod file;
pub mod labels;
pub mod score;

/// A trained model with its contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// In the order in which the payload counts them.
    pub features: Vec<Feature>,
    pub label: Label,
    /// The column of weights it was trained with.
    pub weight: Option<String>,
    pub trainer: Trainer,
    pub payload: Payload,
}

/// A column that the model needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    pub name: String,
    pub kind: FeatureKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeatureKind {
    Bool,
    Int,
    Float,
    /// Those that training saw, sorted; their places are their codes. Others count as missing.
    Category {
        categories: Vec<String>,
    },
}

/// What the model predicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub name: String,
    pub kind: LabelKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// A regressor's.
    Number,
    /// A classifier's.
    Classes {
        /// Sorted; as texts also where the label is a Bool. At least two.
        classes: Vec<String>,
        /// Of two classes the positive one's place: the one that the label's type names, else `true`,
        /// else the last.
        positive: usize,
        is_bool: bool,
    },
}

/// Which operator trained the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trainer {
    pub name: String,
    pub version: u32,
}

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// `flow-gbdt/1`
    Trees(crate::tree::Model),
}

impl Label {
    /// A classifier's classes; none of a regressor.
    pub fn classes(&self) -> &[String] {
        match &self.kind {
            LabelKind::Number => &[],
            LabelKind::Classes { classes, .. } => classes,
        }
    }
}
