//! Why a workflow cannot be planned.

use flow_syntax::{
    diagnostic::{Code, Diagnostic, Edit, code},
    span::Span,
};

use crate::{parameters::ParameterError, testing::Failure};

/// A problem, and where in the text it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    pub problem: Box<Problem>,
    /// `None` where no place in a text is to blame.
    pub place: Option<Place>,
}

/// A place in a module's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub module: String,
    /// In bytes from the start of the file.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("there is no workflow `{name}` in `{module}`")]
    NoWorkflow { module: String, name: String },
    /// The checker reported what is wrong here.
    #[error("this has errors: `flowc check` shows them")]
    Unchecked,
    #[error("{what} is needed when the workflow is planned, but it is known only when it runs")]
    NotKnown { what: &'static str },
    #[error("no implementation of the operator `{operator}` was found")]
    NoImplementation { operator: String },
    /// Of an external operator; `reason` says what was looked for.
    #[error("the code of the operator `{operator}` was not found: {reason}")]
    NoCode { operator: String, reason: String, help: Option<String> },
    #[error("{message}")]
    Policy { message: String },
    /// The policy asks for a GPU, and the operator computes on the CPU alone.
    #[error("`{operator}` cannot use a GPU, and `{key}` asks for one")]
    Device {
        operator: String,
        key: &'static str,
        /// The key's value that asks for none, where it has one.
        without: Option<&'static str>,
    },
    #[error("`{param}` of `{operator}`: {misfit}")]
    Limit { operator: String, param: String, misfit: String },
    /// A scalar function refuses its arguments: an overflow, say.
    #[error("{message}")]
    Computation { message: String },
    #[error("index {index} is outside a list of {length}")]
    Index { index: i64, length: usize },
    #[error("this list has {length} elements, and `max` is {max}")]
    TooLong { length: u64, max: u64 },
    #[error("`max` is a count, and this is {max}")]
    NegativeMax { max: i64 },
    #[error("`{function}` of an empty list has no value")]
    EmptyList { function: &'static str },
    /// A part of the language that the planner does not serve yet.
    #[error("{construct} cannot be planned yet")]
    NotYet { construct: &'static str },
    #[error("planning this workflow takes more than {limit}: it was stopped")]
    Fuel { limit: &'static str },
    /// A test does not hold, or cannot be carried out.
    #[error("{}", .0.message)]
    Test(Box<Failure>),
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A typed body breaks a promise of the checker's.
    #[error("the checker and the planner disagree: {fact}; this is a bug in flowc")]
    Disagreement { fact: String },
}

impl Problem {
    pub fn at(self, place: Option<Place>) -> PlanError {
        PlanError { problem: Box::new(self), place }
    }

    /// The diagnostic's code, where the language has one for this.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::NotKnown { .. } => Some(code::KNOWN_TOO_LATE),
            Self::NoImplementation { .. } | Self::NoCode { .. } => Some(code::NO_IMPLEMENTATION),
            Self::Policy { .. } => Some(code::BAD_POLICY),
            Self::Device { .. } => Some(code::WRONG_DEVICE),
            Self::Limit { .. }
            | Self::Computation { .. }
            | Self::Index { .. }
            | Self::TooLong { .. }
            | Self::NegativeMax { .. }
            | Self::EmptyList { .. } => Some(code::OUT_OF_RANGE),
            Self::Parameter(error) => error.code(),
            _ => None,
        }
    }

    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotKnown { .. } => {
                Some("`run if`, `run for` and `run while` decide while the workflow runs".to_owned())
            }
            Self::NoImplementation { operator } if operator.starts_with("std.") => {
                Some("this version checks it and cannot run it yet: `flowc ops` lists what runs".to_owned())
            }
            Self::NoImplementation { .. } => Some("`flowc ops` lists the operators there are".to_owned()),
            Self::NoCode { help, .. } => help.clone(),
            Self::Device { key, .. } => {
                Some(format!("leave `{key}` out: it would hold a GPU back from others"))
            }
            Self::TooLong { length, .. } => Some(format!("write `max {length}`, or keep the list shorter")),
            Self::Fuel { .. } => Some("shorten the lists that `for` runs over".to_owned()),
            Self::Parameter(error) => error.help(),
            Self::Test(failure) => failure.help.clone(),
            _ => None,
        }
    }
}

impl PlanError {
    /// As the checker's mistakes are told: for a problem that has a code and a place, whose module is
    /// `place.module`.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let (code, place) = (self.problem.code()?, self.place.as_ref()?);
        let mut diagnostic = Diagnostic::error(code, place.span, self.problem.to_string());
        diagnostic.help = self.problem.help();
        if let Problem::Device { key, without: Some(without), .. } = &*self.problem {
            let edit = Edit { span: place.span, text: (*without).to_owned() };
            diagnostic = diagnostic.fix(format!("write `{key}: {without}`"), vec![edit]);
        }
        Some(diagnostic)
    }
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for PlanError {}

impl From<Problem> for PlanError {
    fn from(problem: Problem) -> Self {
        problem.at(None)
    }
}
