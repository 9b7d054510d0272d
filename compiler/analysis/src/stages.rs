//! When a value is known: when the workflow is planned, or only while it runs.

/// The stage of a value, by its parts: a list of known length may hold values that are known later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// When planned, with all that is in it.
    Planned,
    /// When run: a future.
    Run,
    /// A list whose length is known when planned; its elements are of this stage.
    List(Box<Stage>),
    /// A record whose fields have stages of their own.
    Record(Vec<(String, Stage)>),
}

impl Stage {
    /// A list of known length.
    pub fn list(elements: Self) -> Self {
        if elements == Self::Planned { Self::Planned } else { Self::List(Box::new(elements)) }
    }

    pub fn record(fields: Vec<(String, Self)>) -> Self {
        if fields.iter().all(|(_, stage)| *stage == Self::Planned) {
            Self::Planned
        } else {
            Self::Record(fields)
        }
    }

    pub fn is_planned(&self) -> bool {
        *self == Self::Planned
    }

    /// Whether the value itself, though not all that is in it, is there when planned.
    pub fn has_known_shape(&self) -> bool {
        *self != Self::Run
    }

    /// Of what is computed from values of both stages.
    pub fn and(self, other: &Self) -> Self {
        if self.is_planned() && other.is_planned() { Self::Planned } else { Self::Run }
    }

    /// Of a value that is one or the other.
    pub fn either(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Planned, Self::List(stage)) | (Self::List(stage), Self::Planned) => {
                Self::list(Self::Planned.either(*stage))
            }
            (Self::List(a), Self::List(b)) => Self::list(a.either(*b)),
            (Self::Planned, Self::Record(fields)) | (Self::Record(fields), Self::Planned) => {
                Self::Record(fields)
            }
            (Self::Record(a), Self::Record(b)) if a.len() == b.len() => {
                let pair = |((name, a), (_, b)): ((String, Self), (String, Self))| (name, a.either(b));
                Self::record(a.into_iter().zip(b).map(pair).collect())
            }
            _ => Self::Run,
        }
    }

    pub fn element(&self) -> Self {
        match self {
            Self::List(element) => (**element).clone(),
            Self::Planned => Self::Planned,
            _ => Self::Run,
        }
    }

    pub fn field(&self, name: &str) -> Self {
        match self {
            Self::Planned => Self::Planned,
            Self::Record(fields) => {
                fields.iter().find(|(field, _)| field == name).map_or(Self::Run, |(_, stage)| stage.clone())
            }
            _ => Self::Run,
        }
    }
}
