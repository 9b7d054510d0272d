//! The rows behind a value, in words: `holds rides/train; seen rides/train`.

use flow_ir::value::Value as Literal;

use super::{
    evaluate::Evaluator,
    region::{Entry, Part, Set},
    terms::{Node, SetKind, Term},
    value::Value,
};

/// `None` where there are no rows to tell of.
pub(super) fn show(value: &Value, params: &[String], evaluator: &Evaluator<'_>) -> Option<String> {
    let mut parts = Vec::new();
    let mut add = |word: &str, set: &Set| {
        let mut names: Vec<String> = Vec::new();
        for entry in set.entries() {
            let Some(name) = region(entry, params, evaluator) else { continue };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if !names.is_empty() {
            parts.push(format!("{word} {}", names.join(", ")));
        }
    };
    match value {
        Value::Table(table) => {
            add("holds", &table.holds);
            add("chosen on", &table.chosen);
            add("seen", &table.seen);
        }
        Value::Model(model) => {
            add("fitted on", &model.fitted);
            add("chosen on", &model.chosen);
            add("seen", &model.seen);
        }
        Value::Scalar(scalar) => add("seen", &scalar.seen),
        Value::Record(fields) => {
            let fields = fields
                .iter()
                .filter_map(|(name, value)| Some(format!("{name}: {}", show(value, params, evaluator)?)));
            let fields: Vec<String> = fields.collect();
            return (!fields.is_empty()).then(|| format!("({})", fields.join(" | ")));
        }
        Value::List(values) => {
            let values: Vec<String> =
                values.iter().filter_map(|value| show(value, params, evaluator)).collect();
            return (!values.is_empty()).then(|| format!("[{}]", values.join(" | ")));
        }
        Value::Each(_, element) => return Some(format!("each {}", show(element, params, evaluator)?)),
        Value::Unknown => {}
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// `rides/train`; what a parameter may have met before is not told.
fn region(entry: &Entry, params: &[String], evaluator: &Evaluator<'_>) -> Option<String> {
    if let Some(Node::SetOf(kind, _)) = evaluator.terms.node(entry.region.source)
        && !matches!(kind, SetKind::Holds | SetKind::Fitted)
    {
        return None;
    }
    let mut name = evaluator.source_name(entry.region.source, params)?;
    for constraint in &entry.region.constraints {
        let part = match &constraint.part {
            Part::Named(part) => part.to_string(),
            Part::Fold(fold) => format!("fold {}", index(*fold, evaluator)),
            Part::OtherFolds(fold) => format!("all but fold {}", index(*fold, evaluator)),
            Part::Stretch(fold) => format!("stretch {}", index(*fold, evaluator)),
            Part::StretchesBefore(fold) => format!("before stretch {}", index(*fold, evaluator)),
            // What a filter keeps has no name.
            Part::Is(_) | Part::Limits(_) => continue,
        };
        name.push('/');
        name.push_str(&part);
    }
    if entry.window.is_some() {
        name.push_str(" (earlier)");
    }
    Some(name)
}

fn index(term: Term, evaluator: &Evaluator<'_>) -> String {
    match evaluator.terms.literal(term) {
        Some(Literal::Int(index)) => index.to_string(),
        _ => "i".to_owned(),
    }
}
