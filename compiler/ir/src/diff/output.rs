//! What differs between the outputs of two DAGs, or of two regions.

use std::collections::HashMap;

use super::{
    input::Matching,
    model::{Cause, Effect, FieldChange, Kind, OutputDiff},
    words,
};
use crate::{dag::Output, node::Input};

/// An output after, or one that was removed: what differs in it, and what else changes what it gives.
pub struct Given {
    pub name: String,
    pub diff: Option<OutputDiff>,
    pub cause: Option<Cause>,
}

/// All outputs, and whether those that both have stand in another order.
pub fn compare(
    matching: &Matching<'_>,
    before: &[Output],
    after: &[Output],
    cause: impl Fn(&Input) -> Option<Cause>,
) -> (Vec<Given>, bool) {
    let pairs = pair(matching, before, after);
    let mut given = Vec::with_capacity(after.len());
    let mut is_left = vec![true; before.len()];
    for (output, pair) in after.iter().zip(&pairs) {
        let old = pair.and_then(|index| before.get(index));
        pair.and_then(|index| is_left.get_mut(index)).into_iter().for_each(|left| *left = false);
        given.push(Given {
            name: output.name.clone(),
            diff: difference(matching, old, output),
            cause: cause(&output.input),
        });
    }
    for (output, _) in before.iter().zip(is_left).filter(|(_, left)| *left) {
        let field = |field, text| FieldChange { field, before: Some(text), after: None };
        let changes = vec![
            field("type", output.ty.to_string()),
            field("from", words::input(matching.before, &output.input)),
        ];
        let (name, effect) = (output.name.clone(), Effect::KeepsCache);
        let diff = OutputDiff { name: name.clone(), was: None, kind: Kind::Removed, changes, effect };
        given.push(Given { name, diff: Some(diff), cause: None });
    }
    (given, !pairs.iter().flatten().is_sorted())
}

/// For each output after that before: the one of its name, or else one that gives the same.
fn pair(matching: &Matching<'_>, before: &[Output], after: &[Output]) -> Vec<Option<usize>> {
    let mut names: HashMap<&str, usize> = before.iter().map(|output| output.name.as_str()).zip(0..).collect();
    let mut pairs: Vec<Option<usize>> =
        after.iter().map(|output| names.remove(output.name.as_str())).collect();
    // A few; each is compared with each.
    const FEW: usize = 64;
    if names.len() <= FEW {
        let mut left: Vec<usize> = names.into_values().collect();
        left.sort_unstable();
        for (pair, output) in pairs.iter_mut().zip(after).filter(|(pair, _)| pair.is_none()) {
            let is_it = |index: &usize| {
                before.get(*index).is_some_and(|old| matching.is_same(&old.input, &output.input))
            };
            *pair = left.iter().position(is_it).map(|place| left.remove(place));
        }
    }
    pairs
}

fn difference(matching: &Matching<'_>, old: Option<&Output>, output: &Output) -> Option<OutputDiff> {
    let ty = output.ty.to_string();
    let from = words::input(matching.after, &output.input);
    let Some(old) = old else {
        let field = |field, text| FieldChange { field, before: None, after: Some(text) };
        return Some(OutputDiff {
            name: output.name.clone(),
            was: None,
            kind: Kind::Added,
            changes: vec![field("type", ty), field("from", from)],
            effect: Effect::ChangesResults,
        });
    };
    let mut changes = Vec::new();
    let mut tell = |field, before, after| {
        changes.push(FieldChange { field, before: Some(before), after: Some(after) });
    };
    let is_rewired = !matching.is_same(&old.input, &output.input);
    if old.ty != output.ty {
        tell("type", old.ty.to_string(), ty);
    }
    if is_rewired {
        tell("from", words::input(matching.before, &old.input), from);
    }
    let was = (old.name != output.name).then(|| old.name.clone());
    if changes.is_empty() && was.is_none() {
        return None;
    }
    Some(OutputDiff {
        name: output.name.clone(),
        was,
        kind: match (old.ty == output.ty, is_rewired) {
            (false, _) => Kind::Changed,
            (true, true) => Kind::Rewired,
            (true, false) => Kind::Renamed,
        },
        changes,
        effect: if is_rewired { Effect::ChangesResults } else { Effect::KeepsCache },
    })
}
