//! DAGs from files: read as what a stranger may have written, with tables, models and files bound anew.

use std::{fs::File, io::Read, path::Path};

use flow_analysis::{Analysis, Operator};
use flow_ir::{
    check::accepts,
    dag::{Dag, Parameter},
    node::{Input, Node, NodeKind},
    types::Type,
    value::Value,
};
use flow_syntax::suggest::did_you_mean;
use serde::Deserialize;

use crate::{
    exit::Failure,
    launch::Parameters,
    project::{absolute, unreadable},
};

/// A DAG of as many nodes as there may be is smaller.
const LARGEST: u64 = 512 << 20;

/// Reads a DAG in JSON, or in its text where the file's name ends in `.dag`.
///
/// # Errors
/// Where it cannot be read, or is none that a planner could have written.
pub fn read(path: &Path) -> Result<Dag, Failure> {
    let shown = path.display();
    let text = read_text(path)?;
    let dag = if is_text(path) { Dag::from_text(&text) } else { Dag::from_json(&text) };
    let dag = dag.map_err(|error| Failure::input(format!("`{shown}`: {error}")))?;
    dag.check().map_err(|error| Failure::input(format!("`{shown}`: {error}")))?;
    check_calls(&dag).map_err(|problem| Failure::input(format!("`{shown}`: {problem}")))?;
    Ok(dag)
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "dag")
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let cannot = |error| unreadable(&shown, &error);
    // What is no file may never end, or wait for somebody to write.
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(Failure::environment(format!("`{shown}` is no file")));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::input(format!("`{shown}` is larger than {} MiB", LARGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| Failure::input(format!("`{shown}` is not UTF-8")))
}

/// A parameter of a DAG, as a flag has it.
#[derive(Debug, Deserialize)]
pub struct Flag {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
}

/// The parameters of a DAG, of one in JSON without the rest; none where it cannot be read.
pub fn flags(path: &Path) -> Vec<Flag> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        parameters: Vec<Flag>,
    }
    if is_text(path) {
        let dag = read_text(path).ok().and_then(|text| Dag::from_text(&text).ok());
        let flag = |parameter: Parameter| Flag { name: parameter.name, ty: parameter.ty.to_string() };
        return dag.map(|dag| dag.parameters.into_iter().map(flag).collect()).unwrap_or_default();
    }
    let head = read_text(path).ok().and_then(|text| serde_json::from_str::<Head>(&text).ok());
    head.map(|head| head.parameters).unwrap_or_default()
}

/// Binds tables, models and files anew. Everything else has been decided with: there might be another DAG.
///
/// # Errors
/// Where there is no such parameter, or it is none of these.
pub fn bind(dag: &mut Dag, path: &Path, given: &Parameters<'_>) -> Result<(), Failure> {
    let (settings, file) = given.read()?;
    let mut all: Vec<(String, String)> = Vec::new();
    match file {
        None => {}
        Some(serde_json::Value::Object(fields)) => {
            all.extend(fields.into_iter().map(|(name, value)| match value {
                serde_json::Value::String(text) => (name, text),
                other => (name, other.to_string()),
            }));
        }
        Some(_) => return Err(Failure::input("the parameters' file holds no JSON object")),
    }
    all.extend(settings);
    for (name, text) in all {
        let name = name.replace('-', "_");
        let Some(place) = dag.parameters.iter().position(|parameter| parameter.name == name) else {
            let known = dag.parameters.iter().map(|parameter| parameter.name.as_str());
            let failure = Failure::usage(format!("`{}` has no parameter `{name}`", path.display()));
            return Err(match did_you_mean(&name, known) {
                Some(help) => failure.help(help),
                None => failure,
            });
        };
        let Some(parameter) = dag.parameters.get_mut(place) else { continue };
        if Value::parse(&text).as_ref() == Ok(&parameter.value) || text == parameter.value.to_string() {
            continue;
        }
        let flag = name.replace('_', "-");
        let Value::File(old) = &parameter.value else {
            return Err(Failure::usage(format!(
                "parameter `{name}` is {} in `{}`, and what follows from it was decided when it was planned",
                parameter.value,
                path.display()
            ))
            .help(format!("plan the workflow again with `--{flag} {text}`")));
        };
        let extension = |path: &str| Path::new(path).extension().map(|end| end.to_ascii_lowercase());
        if matches!(parameter.ty.present(), Type::Dataset(_)) && extension(old) != extension(&text) {
            return Err(Failure::usage(format!(
                "parameter `{name}` was planned to be read from a file such as `{old}`, not from `{text}`"
            ))
            .help("plan the workflow again with it"));
        }
        let is_path = !text.contains("://");
        parameter.value = Value::File(if is_path {
            absolute(Path::new(&text))?.to_string_lossy().into_owned()
        } else {
            text
        });
    }
    Ok(())
}

/// Whether the standard library's operators get inputs that they have, of types that they take.
fn check_calls(dag: &Dag) -> Result<(), String> {
    let operators = Analysis::new().operators();
    let mut found = Ok(());
    let mut check = |nodes: &[Node], path: &str| {
        for node in nodes {
            let NodeKind::Task(called) = &node.kind else { continue };
            let declared = operators.binary_search_by(|operator| operator.name.as_str().cmp(&called.name));
            // One that is declared otherwise is told where it runs.
            let declared = declared.ok().and_then(|place| operators.get(place));
            if let (Ok(()), Some(operator)) =
                (&found, declared.filter(|operator| operator.signature == called.signature))
            {
                found = call(node, operator, nodes, path);
            }
        }
    };
    each_scope(&dag.nodes, "", &mut check);
    found
}

fn each_scope(nodes: &[Node], path: &str, visit: &mut dyn FnMut(&[Node], &str)) {
    visit(nodes, path);
    for node in nodes {
        let inner = format!("{path}{}/", node.id);
        node.kind.nested().into_iter().for_each(|(_, region)| each_scope(&region.nodes, &inner, visit));
    }
}

fn call(node: &Node, operator: &Operator, nodes: &[Node], path: &str) -> Result<(), String> {
    let place = |input: &str| format!("node `{path}{}`, `{input}`", node.id);
    for (name, input) in &node.inputs {
        let Some(param) = operator.params.iter().find(|param| param.name == *name) else {
            // A verb's columns and the operators of a project go by names of their own.
            continue;
        };
        let Ok(expected) = Type::parse(&without_underscores(&param.ty)) else {
            tables(&param.ty, input, nodes).map_err(|found| {
                format!("{}: `{}` takes {}, found {found}", place(name), operator.name, param.ty)
            })?;
            continue;
        };
        match input {
            Input::Constant(value) => value
                .fits(&expected)
                .map_err(|misfit| format!("{}: `{}`: {misfit}", place(name), operator.name))?,
            Input::Port(port) => {
                let ty = nodes
                    .get(port.node.0 as usize)
                    .and_then(|node| node.outputs.get(port.port as usize))
                    .map(|port| &port.ty);
                if let Some(found) = ty.filter(|found| !accepts(&expected, found)) {
                    return Err(format!(
                        "{}: `{}` takes {expected}, found {found}",
                        place(name),
                        operator.name
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `1..=10_000` as `1..=10000`, which is how a DAG has numbers.
fn without_underscores(declared: &str) -> String {
    let mut before = ' ';
    let mut after = declared.chars().skip(1);
    let mut text = String::with_capacity(declared.len());
    for c in declared.chars() {
        let next = after.next();
        let is_within = before.is_ascii_digit() && next.is_some_and(|c| c.is_ascii_digit());
        if c != '_' || !is_within {
            text.push(c);
        }
        before = c;
    }
    text
}

/// Whether a table is given where the declaration speaks of one, whatever its row.
fn tables(declared: &str, input: &Input, nodes: &[Node]) -> Result<(), String> {
    let wants_table = declared.starts_with("Dataset<") && declared.ends_with('>');
    if !wants_table {
        return Ok(());
    }
    match input {
        Input::Constant(value) if !matches!(value, Value::File(_)) => Err(value.to_string()),
        Input::Port(port) => {
            let ty = nodes
                .get(port.node.0 as usize)
                .and_then(|node| node.outputs.get(port.port as usize))
                .map(|port| &port.ty);
            match ty {
                Some(found) if !matches!(found.present(), Type::Dataset(_)) => Err(found.to_string()),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
