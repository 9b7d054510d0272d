//! Why a written DAG cannot be read.

use crate::{policy::PolicyError, text::SyntaxError};

/// Each names the parts of the DAG it is about. `place` is such as ``node `model`, input `data` ``.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("line {line}, column {column}: {message}")]
    Json { line: usize, column: usize, message: String },
    #[error("line {line}, column {column}: {error}")]
    Text { line: usize, column: usize, error: SyntaxError },
    #[error("{}, and this flowc reads `{}`", format(found), crate::json::FORMAT)]
    UnknownFormat { found: String },
    #[error("two {kind}s have the name `{name}`")]
    Duplicate { kind: &'static str, name: String },
    #[error("{place}: there is no node `{node}`")]
    UnknownNode { place: String, node: String },
    #[error("{place}: node `{node}` has no port `{port}`; it has {}", listed(ports))]
    UnknownPort { place: String, node: String, port: String, ports: Vec<String> },
    #[error("{place}: `{reference}` is no port: write `node.port`")]
    NoPort { place: String, reference: String },
    #[error("{place}: there is no parameter `{name}`")]
    UnknownParameter { place: String, name: String },
    #[error(
        "node `{node}`: unknown kind `{kind}`: expected task, expression, pass, wait, wait_for, conditional, map, \
         loop, workflow or query"
    )]
    UnknownKind { node: String, kind: String },
    #[error("node `{node}`: a node of kind {kind} needs {}", needed(parts))]
    Part { node: String, kind: String, parts: &'static [&'static str] },
    #[error("node `{node}`: operator `{name}` is not declared")]
    UnknownOperator { node: String, name: String },
    #[error("{place}: there is no function `{name}`")]
    UnknownFunction { place: String, name: String },
    #[error("{place}: step {step} of the expression {problem}")]
    Step { place: String, step: usize, problem: &'static str },
    #[error("{place}: `{text}` is no type: {error}")]
    Type { place: String, text: String, error: SyntaxError },
    #[error("node `{node}`: {error}")]
    Policy { node: String, error: PolicyError },
    #[error("`{text}` is no hash: expected 64 hexadecimal digits")]
    Hash { text: String },
    #[error("the nodes depend on each other in a circle: {}", path.join(" → "))]
    Cycle { path: Vec<String> },
    #[error("node `{node}` stands before `{dependency}`, which it depends on")]
    Order { node: String, dependency: String },
    #[error("the origin has {found} spans for {nodes} nodes")]
    Spans { found: usize, nodes: usize },
    #[error("{what}: more than {most} in all")]
    TooLarge { what: &'static str, most: usize },
    /// In a region of a node; `node` is its path.
    #[error("within `{node}`: {error}")]
    Within { node: String, error: Box<Self> },
}

impl ReadError {
    /// The same error, in a region of that node.
    pub(crate) fn within(self, node: &str) -> Self {
        match self {
            Self::Within { node: inner, error } => Self::Within { node: format!("{node}/{inner}"), error },
            error => Self::Within { node: node.to_owned(), error: Box::new(error) },
        }
    }
}

fn format(found: &str) -> String {
    if found.is_empty() { "the format is not named".to_owned() } else { format!("the format is `{found}`") }
}

fn needed(parts: &[&str]) -> String {
    match parts {
        [] => "nothing of that sort".to_owned(),
        parts => {
            let parts: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
            format!("{} and nothing else of that sort", parts.join(", "))
        }
    }
}

fn listed(ports: &[String]) -> String {
    if ports.is_empty() { "none".to_owned() } else { ports.join(", ") }
}
