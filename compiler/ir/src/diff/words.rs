//! What nodes are given, in the language's words, as far as a person needs them to see what differs.

use std::fmt::Write;

use crate::{
    expr::Expr,
    node::{CommandWord, Input, Node, NodeIndex, OperatorPlace, PortRef, VALUE_PORT},
    types::{Column, Type},
    value::Value,
};

/// `split.train`, `$limit`, `[4, 6]`, `{ let limit = $limit; .fare > limit }`
pub fn input(nodes: &[Node], given: &Input) -> String {
    match given {
        Input::Constant(value) => value.to_string(),
        Input::Parameter(name) => format!("${name}"),
        Input::Port(port) => self::port(nodes, *port),
        Input::List(items) => {
            let items: Vec<String> = items.iter().map(|item| input(nodes, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Input::Record(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, field)| format!("{name}: {}", input(nodes, field))).collect();
            format!("({})", fields.join(", "))
        }
        Input::Expression { expr, bindings } => expression(nodes, expr, bindings),
    }
}

pub fn expression(nodes: &[Node], expr: &Expr, bindings: &[(String, Input)]) -> String {
    let mut text = "{ ".to_owned();
    for (name, bound) in bindings {
        // Writing to a String cannot fail.
        let _ = write!(text, "let {name} = {}; ", input(nodes, bound));
    }
    let _ = write!(text, "{expr} }}");
    text
}

pub fn port(nodes: &[Node], port: PortRef) -> String {
    let Some(node) = nodes.get(port.node.0 as usize) else { return String::new() };
    match node.outputs.get(port.port as usize) {
        Some(output) if output.name != VALUE_PORT => format!("{}.{}", node.id, output.name),
        _ => node.id.clone(),
    }
}

pub fn id(nodes: &[Node], node: NodeIndex) -> String {
    nodes.get(node.0 as usize).map(|node| node.id.clone()).unwrap_or_default()
}

pub fn place(place: &OperatorPlace) -> String {
    match place {
        OperatorPlace::Native => "native".to_owned(),
        OperatorPlace::Python(function) => format!("python {}", Value::from(function.as_str())),
        OperatorPlace::Command(words) => {
            let word = |word: &CommandWord| match word {
                CommandWord::Text(text) => Value::from(text.as_str()).to_string(),
                CommandWord::Input(name) => name.clone(),
                CommandWord::Output(name) => format!("out.{name}"),
            };
            format!("command [{}]", words.iter().map(word).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A value, unless it is personal.
pub fn value(value: &Value, ty: &Type) -> String {
    if ty.is_personal() { "a value not shown".to_owned() } else { value.to_string() }
}

/// The type of a column, and its name in the file.
pub fn column(column: &Column) -> String {
    match &column.source {
        None => column.ty.to_string(),
        Some(source) => format!("{} from {}", column.ty, Value::from(source.as_str())),
    }
}
