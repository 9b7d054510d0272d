//! `flowc ops`: the catalogue of operators, with types and documentation.

use std::path::Path;

use flow_analysis::Operator;
use flow_runtime::operator::Registry;
use flow_stdlib::StandardLibrary;
use flow_syntax::suggest::did_you_mean;
use serde_json::json;

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    project::{Folders, Project},
    terminal::Terminal,
    watch::text::column,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// An operator, with its module or without; all operators without one
    name: Option<String>,
    /// How to print them; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The standard library's operators, and those of the project that the current folder is in.
pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut project = Project::find(Path::new("."), root)?;
    if Folders::find(Path::new("."), root)?.has_manifest() {
        project.load_all()?;
    }
    let mut operators = project.analysis.operators();
    if let Some(name) = &options.name {
        let names: Vec<String> = operators.iter().map(|operator| operator.name.clone()).collect();
        operators.retain(|operator| operator.name == *name || short(&operator.name) == name);
        if operators.is_empty() {
            let help = did_you_mean(name, names.iter().flat_map(|name| [name.as_str(), short(name)]));
            return Err(Failure::usage(format!("there is no operator `{name}`"))
                .help(help.unwrap_or_else(|| "`flowc ops` lists them".to_owned())));
        }
    }
    match options.format {
        Format::Json => {
            let all: Vec<_> = operators.iter().map(to_json).collect();
            terminal.result(&format!("{:#}\n", json!(all)));
        }
        Format::Human if options.name.is_some() => {
            operators.iter().for_each(|operator| terminal.result(&page(operator, terminal)));
        }
        Format::Human => {
            // What `check` knows and nothing can run yet is shown where it is asked for by name.
            operators.retain(|operator| !is_standard(operator) || runs(operator));
            let width = column(operators.iter().map(|operator| operator.name.as_str()));
            for operator in &operators {
                let summary = operator.doc.as_deref().and_then(|doc| doc.lines().next()).unwrap_or_default();
                terminal.result(&format!("{:width$}  {}\n", operator.name, terminal.paint_out(summary, "2")));
            }
        }
    }
    Ok(Exit::Worked)
}

/// One operator: its signature, a parameter a line, and its documentation.
fn page(operator: &Operator, terminal: &Terminal) -> String {
    let mut text = format!("{}(\n", terminal.paint_out(&operator.name, "1"));
    for param in &operator.params {
        for line in param.doc.iter().flat_map(|doc| doc.lines()) {
            text.push_str(&terminal.paint_out(&format!("    // {line}\n"), "2"));
        }
        let default = param.default.as_ref().map(|default| format!(" = {default}")).unwrap_or_default();
        text.push_str(&format!("    {}: {}{default},\n", param.name, param.ty));
    }
    text.push_str(&format!(") -> {}\n", operator.result));
    if let Some(doc) = &operator.doc {
        text.push_str(&format!("\n{}\n", doc.trim_end()));
    }
    if !runs(operator) {
        text.push_str("\nThis flowc cannot run it.\n");
    }
    text
}

fn to_json(operator: &Operator) -> serde_json::Value {
    let params = operator.params.iter().map(
        |param| json!({ "name": param.name, "type": param.ty, "default": param.default, "doc": param.doc }),
    );
    json!({
        "name": operator.name,
        "doc": operator.doc,
        "params": params.collect::<Vec<_>>(),
        "result": operator.result,
        "signature": operator.signature.to_string(),
        "runs": runs(operator),
    })
}

fn is_standard(operator: &Operator) -> bool {
    operator.name.starts_with("std.")
}

fn runs(operator: &Operator) -> bool {
    StandardLibrary.find(&operator.name).is_some()
}

/// The name without its module.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
