//! `snake_case` for values, `PascalCase` for types.

use flow_syntax::{
    ast::{ItemKind, Name},
    diagnostic::{Diagnostic, Edit, code},
};

/// Warns where a name that an item defines is written in the other case.
pub fn check_case(item: &ItemKind, diagnostics: &mut Vec<Diagnostic>) {
    let Some(name) = item.name() else { return };
    match item {
        ItemKind::Type(_) | ItemKind::Enum(_) | ItemKind::Schema(_) => {
            if !is_pascal(&name.text) {
                diagnostics.push(warn(name, "type", "PascalCase", &pascal(&name.text)));
            }
        }
        // A constant may be written as C and Rust write it.
        ItemKind::Const(_) => {}
        _ => {
            if !is_snake(&name.text) {
                diagnostics.push(warn(name, item_word(item), "snake_case", &snake(&name.text)));
            }
        }
    }
}

fn item_word(item: &ItemKind) -> &'static str {
    match item {
        ItemKind::Fn(_) => "fn",
        ItemKind::Operator(_) => "operator",
        _ => "workflow",
    }
}

fn warn(name: &Name, what: &str, case: &str, mended: &str) -> Diagnostic {
    Diagnostic::warning(code::NAME_CASE, name.span, format!("the {what} `{}` is not in {case}", name.text))
        .help(format!("write `{mended}`"))
        .fix(format!("write `{mended}`"), vec![Edit { span: name.span, text: mended.to_owned() }])
}

/// Names that are no plain words, such as those in backticks, come from outside and stay as they are.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_pascal(name: &str) -> bool {
    let bare = name.trim_start_matches('_');
    !is_plain(name) || bare.starts_with(|c: char| c.is_ascii_uppercase()) && !bare.contains('_')
}

fn is_snake(name: &str) -> bool {
    !is_plain(name) || !name.contains(|c: char| c.is_ascii_uppercase())
}

fn pascal(name: &str) -> String {
    let mut word_starts = true;
    let mut out = String::new();
    for c in name.chars() {
        if c == '_' {
            word_starts = true;
        } else if std::mem::take(&mut word_starts) {
            out.push(c.to_ascii_uppercase());
        } else {
            out.push(c);
        }
    }
    out
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = !c.is_ascii_uppercase() && c != '_';
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_names() {
        assert_eq!(snake("trainModel"), "train_model");
        assert_eq!(snake("HTTPServer"), "httpserver");
        assert_eq!(pascal("taxi_ride"), "TaxiRide");
        assert_eq!(pascal("ride"), "Ride");
        assert!(is_snake("_private") && is_snake("fixed acidity") && !is_snake("aB"));
        assert!(is_pascal("F1") && !is_pascal("Taxi_ride"));
    }
}
