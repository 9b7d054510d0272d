//! What is wrong with a program: diagnostics as data, the codes and their pages, and the ways to show them.
//!
//! A [`Diagnostic`] has a code of [`mod@code`], whose page [`catalogue`] has, and points into `sources`. `render`
//! draws it for people, [`json`] writes it for programs, [`sarif`] for code scanners; `apply` carries out its mend.

mod apply;
pub mod catalogue;
pub mod code;
pub mod json;
mod render;
pub mod sarif;
mod sources;

pub use apply::apply_fixes;
pub use render::render;
pub use sources::{Source, Sources};

use crate::span::Span;

/// One mistake in one place, with everything needed to understand and mend it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// Stands alone on one line; names the user's things in backticks.
    pub message: String,
    pub span: Span,
    /// Short words at `span` itself, shown under the marker; may be empty.
    pub note: String,
    /// Further places and the part each plays.
    pub labels: Vec<Label>,
    pub help: Option<String>,
    pub fix: Option<Fix>,
}

/// A further place in the same file, or in another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// The module the place is in, where it is not the diagnostic's own: `pipelines.train`.
    pub module: Option<String>,
    pub span: Span,
    pub message: String,
}

/// A mechanical mend: edits of the diagnostic's own file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fix {
    pub title: String,
    pub edits: Vec<Edit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    /// `error` or `warning`
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A diagnostic's code, such as `F0401`. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "F{:04}", self.0)
    }
}

impl Diagnostic {
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            note: String::new(),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// The words under the marker at the diagnostic's own place.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { module: None, span, message: message.into() });
        self
    }

    pub fn label_in(mut self, module: &str, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { module: Some(module.to_owned()), span, message: message.into() });
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits });
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same diagnostic with every place in its own file counted from `offset` bytes earlier.
    pub fn shift(mut self, offset: u32) -> Self {
        self.span = self.span.shift(offset);
        for label in self.labels.iter_mut().filter(|label| label.module.is_none()) {
            label.span = label.span.shift(offset);
        }
        for edit in self.fix.iter_mut().flat_map(|fix| &mut fix.edits) {
            edit.span = edit.span.shift(offset);
        }
        self
    }
}
