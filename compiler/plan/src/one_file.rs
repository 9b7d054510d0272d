//! Parameters that are bound to one file are one source: what the checker took for several it checks again.

use flow_ir::{dag::Parameter, value::Value};
use flow_syntax::diagnostic::Diagnostic;

use crate::program::Program;

const HELP: &str = "name another file for one of them, or take one table and split it within the workflow";

/// What breaks a rule of provenance because of what a workflow's parameters are bound to. `identity` tells one
/// file from another: paths that it gives the same text for are one file.
pub fn check_one_file(
    program: &dyn Program,
    module: &str,
    workflow: &str,
    parameters: &[Parameter],
    identity: &dyn Fn(&str) -> String,
) -> Vec<Diagnostic> {
    let files: Vec<Option<String>> = parameters
        .iter()
        .map(|parameter| match &parameter.value {
            Value::File(path) => Some(identity(path)),
            _ => None,
        })
        .collect();
    let first = |index: usize| match files.get(index) {
        Some(Some(file)) => files.iter().position(|other| other.as_ref() == Some(file)).unwrap_or(index),
        _ => index,
    };
    let same: Vec<usize> = (0..parameters.len()).map(first).collect();
    if same.iter().enumerate().all(|(index, first)| index == *first) {
        return Vec::new();
    }
    let because = in_words(parameters, &same);
    let same: Vec<u32> = same.into_iter().map(|first| u32::try_from(first).unwrap_or(u32::MAX)).collect();
    let mut found = program.check_where_same(module, workflow, &same);
    for diagnostic in &mut found {
        diagnostic.message = format!("{because}: {}", diagnostic.message);
        // The text may be right as it is: the mend is another file.
        diagnostic.help = Some(HELP.to_owned());
        diagnostic.fix = None;
    }
    found
}

/// "`train` and `test` are both `rides.csv`"
fn in_words(parameters: &[Parameter], same: &[usize]) -> String {
    let groups = parameters.iter().enumerate().filter_map(|(index, parameter)| {
        let names: Vec<String> = parameters
            .iter()
            .zip(same)
            .filter(|(_, first)| **first == index)
            .map(|(parameter, _)| format!("`{}`", parameter.name))
            .collect();
        let (last, others) = names.split_last().filter(|(_, others)| !others.is_empty())?;
        let all = if others.len() == 1 { "both" } else { "all" };
        let Value::File(path) = &parameter.value else { return None };
        Some(format!("{} and {last} are {all} `{path}`", others.join(", ")))
    });
    groups.collect::<Vec<_>>().join(", and ")
}
