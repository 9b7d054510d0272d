//! What a user may choose about training.

/// Settings of [`train`](super::train()); names and defaults are those of `std.tree.gbdt`.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Boosting rounds; with several classes each round grows one tree per class.
    pub trees: u32,
    /// Most leaves of one tree, at least 2.
    pub leaves: u32,
    /// Most splits between root and leaf; 0 is no limit.
    pub depth: u32,
    /// Factor on each leaf's value.
    pub learning_rate: f64,
    /// Fewest training rows in a leaf.
    pub min_rows: u32,
    /// Most bins of a feature, 2 to 255; missing values have one more of their own.
    pub bins: u32,
    /// L1 penalty on leaf values.
    pub l1: f64,
    /// L2 penalty on leaf values.
    pub l2: f64,
    /// Share of the rows each round sees, drawn without replacement.
    pub row_share: f64,
    /// Share of the features each tree may split on.
    pub feature_share: f64,
    /// Stop after this many rounds without a better validation loss, and keep the best round.
    pub early_stop: Option<u32>,
    /// By feature, which way the prediction may go as the feature rises; empty holds none to any.
    pub monotone: Vec<Monotone>,
    pub class_weight: ClassWeight,
    pub seed: u64,
}

/// Which way predictions may go as a numeric feature rises, all others equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monotone {
    /// Either way.
    Free,
    /// Never down.
    Increasing,
    /// Never up.
    Decreasing,
}

/// How much the rows of each class weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassWeight {
    /// As many as there are.
    None,
    /// Every class the same in total: rows / (classes * rows of the class).
    Balanced,
}

/// A setting outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{name}` is {value}; it must be {range}")]
pub struct ParamError {
    pub name: &'static str,
    pub value: f64,
    pub range: &'static str,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            trees: 100,
            leaves: 31,
            depth: 0,
            learning_rate: 0.1,
            min_rows: 20,
            bins: 255,
            l1: 0.0,
            l2: 0.0,
            row_share: 1.0,
            feature_share: 1.0,
            early_stop: None,
            monotone: Vec::new(),
            class_weight: ClassWeight::None,
            seed: 0,
        }
    }
}

impl Params {
    pub(super) fn check(&self) -> Result<(), ParamError> {
        let within = |name, value: f64, low: f64, high: f64, range| {
            if value >= low && value <= high { Ok(()) } else { Err(ParamError { name, value, range }) }
        };
        within("trees", self.trees.into(), 1.0, 100_000.0, "from 1 to 100000")?;
        within("leaves", self.leaves.into(), 2.0, 65_536.0, "from 2 to 65536")?;
        within("depth", self.depth.into(), 0.0, 64.0, "from 0 (no limit) to 64")?;
        within("learning_rate", self.learning_rate, 0.0, 1.0, "from 0 to 1")?;
        within("min_rows", self.min_rows.into(), 1.0, 1_000_000.0, "from 1 to 1000000")?;
        within("bins", self.bins.into(), 2.0, 255.0, "from 2 to 255")?;
        within("l1", self.l1, 0.0, f64::MAX, "0 or more")?;
        within("l2", self.l2, 0.0, f64::MAX, "0 or more")?;
        within("row_share", self.row_share, f64::MIN_POSITIVE, 1.0, "above 0% and at most 100%")?;
        within("feature_share", self.feature_share, f64::MIN_POSITIVE, 1.0, "above 0% and at most 100%")?;
        within("early_stop", self.early_stop.unwrap_or(1).into(), 1.0, f64::MAX, "1 or more")
    }
}
