//! What differs between the parameters of two workflows.

use std::collections::HashMap;

use super::{
    model::{Cause, DagDiff, Effect, FieldChange, Kind, ParameterDiff},
    pair::Names,
    words,
};
use crate::dag::Parameter;

/// The names after of the parameters before: those of one name, and of the others those that are equal but for it.
pub fn pair<'a>(before: &'a [Parameter], after: &'a [Parameter]) -> Names<'a> {
    let mut left: HashMap<&str, &Parameter> =
        after.iter().map(|parameter| (parameter.name.as_str(), parameter)).collect();
    let mut names = Names::new();
    for parameter in before {
        if let Some(same) = left.remove(parameter.name.as_str()) {
            names.insert(&parameter.name, &same.name);
        }
    }
    let content = |parameter: &'a Parameter| (&parameter.ty, &parameter.default, &parameter.value);
    let mut equal: HashMap<_, Vec<&str>> = HashMap::new();
    for parameter in after.iter().rev().filter(|parameter| left.contains_key(parameter.name.as_str())) {
        equal.entry(content(parameter)).or_default().push(&parameter.name);
    }
    for parameter in before {
        if !names.contains_key(parameter.name.as_str())
            && let Some(name) = equal.get_mut(&content(parameter)).and_then(Vec::pop)
        {
            names.insert(&parameter.name, name);
        }
    }
    names
}

/// Tells what differs; gives the parameters after whose values are others.
pub fn compare<'a>(
    before: &[Parameter],
    after: &'a [Parameter],
    names: &Names<'_>,
    diff: &mut DagDiff,
) -> HashMap<&'a str, Cause> {
    let mut old: HashMap<&str, &Parameter> = HashMap::new();
    for parameter in before {
        match names.get(parameter.name.as_str()) {
            Some(name) => {
                old.insert(name, parameter);
            }
            None => diff.parameters.push(ParameterDiff {
                name: parameter.name.clone(),
                was: None,
                kind: Kind::Removed,
                changes: fields(Some(parameter), None),
                effect: Effect::KeepsCache,
            }),
        }
    }
    let mut causes = HashMap::new();
    for parameter in after {
        let Some(old) = old.get(parameter.name.as_str()) else {
            diff.parameters.push(ParameterDiff {
                name: parameter.name.clone(),
                was: None,
                kind: Kind::Added,
                changes: fields(None, Some(parameter)),
                effect: Effect::KeepsCache,
            });
            continue;
        };
        if *old == parameter {
            continue;
        }
        let is_other = old.value != parameter.value;
        if is_other {
            causes.insert(parameter.name.as_str(), Cause::Parameter(parameter.name.clone()));
        }
        let changes = fields(Some(old), Some(parameter));
        diff.parameters.push(ParameterDiff {
            name: parameter.name.clone(),
            was: (old.name != parameter.name).then(|| old.name.clone()),
            kind: if changes.is_empty() { Kind::Renamed } else { Kind::Changed },
            changes,
            effect: if is_other { Effect::ChangesResults } else { Effect::KeepsCache },
        });
    }
    let places: HashMap<&str, usize> =
        after.iter().map(|parameter| parameter.name.as_str()).zip(0..).collect();
    let order = before.iter().filter_map(|old| places.get(names.get(old.name.as_str())?));
    if !order.is_sorted() {
        diff.reordered.push(String::new());
    }
    causes
}

fn fields(before: Option<&Parameter>, after: Option<&Parameter>) -> Vec<FieldChange> {
    let all = |parameter: Option<&Parameter>| {
        let ty = parameter.map(|parameter| parameter.ty.to_string());
        let default = parameter.and_then(|parameter| {
            parameter.default.as_ref().map(|default| words::value(default, &parameter.ty))
        });
        [ty, default, parameter.map(|parameter| words::value(&parameter.value, &parameter.ty))]
    };
    let is_other = match (before, after) {
        (Some(before), Some(after)) => {
            [before.ty != after.ty, before.default != after.default, before.value != after.value]
        }
        _ => [true; 3],
    };
    let fields = ["type", "default", "value"].into_iter().zip(is_other).zip(all(before)).zip(all(after));
    fields
        .filter(|(((_, is_other), before), after)| *is_other && (before.is_some() || after.is_some()))
        .map(|(((field, _), before), after)| FieldChange { field, before, after })
        .collect()
}
