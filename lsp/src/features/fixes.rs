//! How to mend what is wrong in a place.

use flow_analysis::Analysis;
use flow_syntax::{diagnostic::Diagnostic, span::Span};

use super::diagnostics;

/// The diagnostics that touch a place and carry a fix.
pub fn fixes(analysis: &Analysis, module: &str, place: Span) -> Vec<Diagnostic> {
    let touches = |span: Span| span.start <= place.end && place.start <= span.end;
    diagnostics(analysis, module)
        .into_iter()
        .filter(|diagnostic| diagnostic.fix.is_some() && touches(diagnostic.span))
        .collect()
}
