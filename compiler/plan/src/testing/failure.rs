//! Why a test does not hold.

use flow_syntax::{
    diagnostic::{Diagnostic, code},
    span::Span,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// Stands alone on one line.
    pub message: String,
    /// What further places are worth, in the same file as the test.
    pub labels: Vec<(Span, String)>,
    /// The two sides of a comparison.
    pub sides: Option<(String, String)>,
    pub help: Option<String>,
    /// Lines that say more: the difference from a golden file, the path that should not be there.
    pub details: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// What was asserted does not hold.
    Assertion,
    /// The test could not be carried out: it names a node that is not there, a run failed, a file is missing.
    Error,
}

impl Failure {
    pub fn error(message: impl Into<String>) -> Self {
        Self { kind: FailureKind::Error, ..Self::assertion(message) }
    }

    pub fn assertion(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Assertion,
            message: message.into(),
            labels: Vec::new(),
            sides: None,
            help: None,
            details: String::new(),
        }
    }

    pub fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// As the checker's mistakes are shown. It has no code: nothing that `check` says is wrong.
    pub fn diagnostic(&self, span: Span) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(code::NONE, span, self.message.clone());
        if !self.labels.is_empty() {
            diagnostic = diagnostic.note("does not hold");
        }
        for (span, worth) in &self.labels {
            diagnostic = diagnostic.label(*span, worth.clone());
        }
        diagnostic.help = self.help.clone();
        diagnostic
    }
}
