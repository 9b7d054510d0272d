//! `did you mean`

use flow_syntax::{
    diagnostic::{Diagnostic, Edit},
    span::Span,
    suggest::suggest,
};

/// Adds the help and the fix for a name that is written at `span`; without a near one, the list of those
/// that there are, where they are few.
pub(crate) fn did_you_mean<'n>(
    diagnostic: Diagnostic,
    name: &str,
    span: Span,
    known: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    match suggest(name, known.iter().copied()) {
        Some(meant) => {
            let text = quoted(meant);
            diagnostic
                .help(format!("did you mean `{meant}`?"))
                .fix(format!("write `{meant}`"), vec![Edit { span, text }])
        }
        None if known.is_empty() || known.len() > 24 => diagnostic,
        None => {
            let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            diagnostic.help(format!("there {verb} {}", names.join(", ")))
        }
    }
}

/// As it is written in a program: in backticks where it is no plain name.
pub(crate) fn quoted(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        format!("`{name}`")
    }
}
