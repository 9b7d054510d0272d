//! Names that one scope defines twice.

use flow_syntax::{
    ast,
    diagnostic::{Diagnostic, code},
};
use rustc_hash::FxHashMap;

/// What is wrong where one of the names is defined again.
pub(crate) fn repeats<'n>(names: impl Iterator<Item = &'n ast::Name>) -> Vec<Diagnostic> {
    let mut first = FxHashMap::default();
    let mut found = Vec::new();
    // An empty name is one that is missing, which is told already.
    for name in names.filter(|name| !name.text.is_empty()) {
        let first = *first.entry(name.text.as_str()).or_insert(name.span);
        if first != name.span {
            let message = format!("`{}` is defined twice here", name.text);
            found.push(
                Diagnostic::error(code::DEFINED_TWICE, name.span, message)
                    .label(first, "the first is here")
                    .help("rename one of the two"),
            );
        }
    }
    found
}
