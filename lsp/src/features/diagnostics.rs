//! What is wrong with a module.

use flow_analysis::Analysis;
use flow_syntax::diagnostic::{Diagnostic, code};

/// What `flowc check` says of a module, in the order of its text.
pub fn diagnostics(analysis: &Analysis, module: &str) -> Vec<Diagnostic> {
    analysis.check(module)
}

/// The message, and what to do about it.
pub fn explanation(diagnostic: &Diagnostic) -> String {
    match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

/// Whether the text there could as well be gone.
pub fn is_unnecessary(diagnostic: &Diagnostic) -> bool {
    diagnostic.code == code::UNUSED
}
