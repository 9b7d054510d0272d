//! Which parts of a node's key differ between two runs, in words.

use std::fmt;

use flow_ir::{
    key::{KeyFacts, Known, Part, key_parts},
    node::{Input, Node, NodeKind, PortRef},
    value::Value,
};

/// A part of a key that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `std.tree.gbdt version 1`
    Operator {
        before: String,
        after: String,
    },
    /// The operator's declaration.
    Signature {
        operator: String,
    },
    /// An external operator's code or environment.
    Code {
        operator: String,
    },
    Numerics {
        before: String,
        after: String,
    },
    /// The types of what it gives.
    Types,
    Expression {
        before: String,
        after: String,
    },
    /// Of an argument or a part of one: `space.trees`.
    Argument {
        name: String,
        before: String,
        after: String,
    },
    /// What another node gave.
    Content {
        name: String,
        of: String,
    },
    File {
        name: String,
        path: String,
    },
}

/// A node as one run has it, or will.
pub trait Side: KeyFacts {
    /// What its run calls it.
    fn id(&self) -> &str;
    fn node(&self) -> &Node;
    /// `split.train`; `model` where the node has one port.
    fn port_name(&self, port: PortRef) -> String;
    /// What stands at a port, where that is short and may be shown.
    fn shown(&self, port: PortRef) -> Option<Value>;
    /// Likewise what a parameter is bound to.
    fn shown_parameter(&self, name: &str) -> Option<Value>;
    /// The port that what a region's parameter is bound to comes from, in words.
    fn origin(&self, name: &str) -> Option<String>;
}

/// Longer texts are cut.
const LONGEST: usize = 60;

/// All that differs; nothing where the keys are equal. None where a part is not known.
pub fn changes(before: &impl Side, after: &impl Side) -> Option<Vec<Change>> {
    let old = key_parts(before.node(), before);
    let new = key_parts(after.node(), after);
    let mut changes = Vec::new();
    let same_operator = match (&before.node().kind, &after.node().kind) {
        (NodeKind::Task(before), NodeKind::Task(after)) => before.name == after.name,
        (NodeKind::Expression(_), NodeKind::Expression(_)) => true,
        (NodeKind::Query { .. }, NodeKind::Query { .. }) => calls(before.node()) == calls(after.node()),
        _ => false,
    };
    if !same_operator {
        let (before, after) = (calls(before.node()), calls(after.node()));
        return Some(vec![Change::Operator { before, after }]);
    }
    for (part, hash) in &new {
        let was = old.iter().find(|(other, _)| other == part);
        let hash = (*hash)?;
        let was = match was {
            Some((_, was)) => Some((*was)?),
            None => None,
        };
        if was != Some(hash) {
            tell(part, before, after, &mut changes);
        }
    }
    for (part, _) in old.iter().filter(|(part, _)| new.iter().all(|(other, _)| other != part)) {
        tell(part, before, after, &mut changes);
    }
    Some(changes)
}

fn tell(part: &Part, before: &impl Side, after: &impl Side, changes: &mut Vec<Change>) {
    let input = |node: &Node, name: &str| {
        node.inputs.iter().find(|(other, _)| other == name).map(|(_, input)| input.clone())
    };
    match (part, &before.node().kind, &after.node().kind) {
        (Part::Operator, NodeKind::Task(old), NodeKind::Task(new)) if old.version != new.version => {
            let text = |version| format!("{} version {version}", new.name);
            changes.push(Change::Operator { before: text(old.version), after: text(new.version) });
        }
        (Part::Operator, _, _) => changes.push(Change::Signature { operator: after.node().op().to_owned() }),
        (Part::Code, _, _) => changes.push(Change::Code { operator: after.node().op().to_owned() }),
        (Part::Numerics, _, _) => changes.push(Change::Numerics {
            before: before.numerics().to_owned(),
            after: after.numerics().to_owned(),
        }),
        (Part::Outputs, _, _) => changes.push(Change::Types),
        (Part::Expression, NodeKind::Expression(old), NodeKind::Expression(new)) => {
            changes.push(Change::Expression { before: cut(old), after: cut(new) });
        }
        (Part::Expression, _, _) => {}
        (Part::Step(place), NodeKind::Query { body: old }, NodeKind::Query { body: new }) => {
            if let Some((old, new)) = old.nodes.get(*place).zip(new.nodes.get(*place)) {
                tell_step(old, new, changes);
            }
        }
        (Part::Step(_), _, _) => {}
        (Part::Input(name), _, _) => {
            let (old, new) = (input(before.node(), name), input(after.node(), name));
            let count = changes.len();
            match (&old, &new) {
                (Some(old), Some(new)) => Inputs { before, after, changes }.compare(name, old, new),
                (old, new) => {
                    let text = |input: &Option<Input>, side: &dyn Fn(&Input) -> String| {
                        input.as_ref().map_or_else(|| "nothing".to_owned(), side)
                    };
                    changes.push(Change::Argument {
                        name: name.clone(),
                        before: text(old, &|input| input_text(before, input)),
                        after: text(new, &|input| input_text(after, input)),
                    });
                }
            }
            if changes.len() == count {
                // It differs where texts do not show it.
                changes.push(Change::Content { name: name.clone(), of: String::new() });
            }
        }
    }
}

/// The operator, or those of a query's steps.
fn calls(node: &Node) -> String {
    let calls =
        node.kind.steps().map(|steps| steps.nodes.iter().map(Node::op).collect::<Vec<_>>().join(", "));
    calls.unwrap_or_else(|| node.op().to_owned())
}

/// Two calls of one operator, by two queries. What their tables and scalars are the inputs of the queries tell.
fn tell_step(old: &Node, new: &Node, changes: &mut Vec<Change>) {
    let count = changes.len();
    if same_names(&old.inputs, &new.inputs) {
        tell_fields(&new.id, &old.inputs, &new.inputs, changes);
    }
    if changes.len() == count {
        changes.push(Change::Signature { operator: new.op().to_owned() });
    }
}

fn tell_fields(of: &str, old: &[(String, Input)], new: &[(String, Input)], changes: &mut Vec<Change>) {
    for ((name, old), (_, new)) in old.iter().zip(new) {
        let name = format!("{of}.{name}");
        let (before, after) = match (old, new) {
            (Input::Record(old), Input::Record(new)) if same_names(old, new) => {
                tell_fields(&name, old, new, changes);
                continue;
            }
            _ => (written(old), written(new)),
        };
        if before != after {
            changes.push(Change::Argument { name, before, after });
        }
    }
}

/// What a step reads, where the text shows it: `speed: .a / .b, rich: .c > 4`.
fn written(input: &Input) -> String {
    match input {
        Input::Constant(value) => cut(value),
        Input::Expression { expr, .. } => cut(expr),
        Input::Record(fields) => {
            let fields = fields.iter().map(|(name, field)| format!("{name}: {}", written(field)));
            cut(&fields.collect::<Vec<_>>().join(", "))
        }
        _ => String::new(),
    }
}

struct Inputs<'a, B, A> {
    before: &'a B,
    after: &'a A,
    changes: &'a mut Vec<Change>,
}

impl<B: Side, A: Side> Inputs<'_, B, A> {
    fn compare(&mut self, name: &str, old: &Input, new: &Input) {
        match (old, new) {
            (Input::Port(old), Input::Port(new)) => {
                if self.before.port(*old) == self.after.port(*new) {
                    return;
                }
                match (self.before.shown(*old), self.after.shown(*new)) {
                    (Some(old), Some(new)) if old != new => self.values(name, &old, &new),
                    _ => self
                        .changes
                        .push(Change::Content { name: name.to_owned(), of: self.after.port_name(*new) }),
                }
            }
            (Input::Parameter(old), Input::Parameter(new)) => {
                match (self.before.shown_parameter(old), self.after.shown_parameter(new)) {
                    (Some(old), Some(new)) => self.values(name, &old, &new),
                    _ if same_artifact(self.before, old, self.after, new) => {}
                    _ => self.changes.push(Change::Content {
                        name: name.to_owned(),
                        of: self.after.origin(new).unwrap_or_default(),
                    }),
                }
            }
            (Input::List(old), Input::List(new)) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.compare(&format!("{name}[{index}]"), old, new);
                }
            }
            (Input::Record(old), Input::Record(new)) if same_names(old, new) => {
                for ((field, old), (_, new)) in old.iter().zip(new) {
                    self.compare(&format!("{name}.{field}"), old, new);
                }
            }
            (
                Input::Expression { expr: old, bindings: old_bindings },
                Input::Expression { expr: new, bindings: new_bindings },
            ) => {
                if old != new {
                    let (before, after) = (cut(old), cut(new));
                    self.changes.push(Change::Argument { name: name.to_owned(), before, after });
                } else if same_names(old_bindings, new_bindings) {
                    for ((bound, old), (_, new)) in old_bindings.iter().zip(new_bindings) {
                        self.compare(&format!("{name}, {bound}"), old, new);
                    }
                }
            }
            _ => match (value_of(self.before, old), value_of(self.after, new)) {
                (Some(old), Some(new)) => self.values(name, &old, &new),
                _ => {
                    let (before, after) = (input_text(self.before, old), input_text(self.after, new));
                    if before != after {
                        self.changes.push(Change::Argument { name: name.to_owned(), before, after });
                    }
                }
            },
        }
    }

    fn values(&mut self, name: &str, old: &Value, new: &Value) {
        match (old, new) {
            (Value::File(old), Value::File(new)) => {
                if self.before.file(old) != self.after.file(new) {
                    self.changes.push(Change::File { name: name.to_owned(), path: new.clone() });
                }
            }
            (Value::Record(old), Value::Record(new)) if same_names(old, new) => {
                for ((field, old), (_, new)) in old.iter().zip(new) {
                    self.values(&format!("{name}.{field}"), old, new);
                }
            }
            (Value::List(old), Value::List(new)) if old.len() == new.len() && new.len() > 4 => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.values(&format!("{name}[{index}]"), old, new);
                }
            }
            _ if old == new => {}
            _ => self.changes.push(Change::Argument {
                name: name.to_owned(),
                before: cut(old),
                after: cut(new),
            }),
        }
    }
}

fn same_names<T>(old: &[(String, T)], new: &[(String, T)]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|((old, _), (new, _))| old == new)
}

/// The value of an input, where it is known and may be shown.
fn value_of(side: &impl Side, input: &Input) -> Option<Value> {
    match input {
        Input::Constant(value) => Some(value.clone()),
        Input::Parameter(name) => side.shown_parameter(name),
        _ => None,
    }
}

/// Whether two parameters are bound to equal artifacts.
fn same_artifact(before: &impl Side, old: &str, after: &impl Side, new: &str) -> bool {
    match (before.parameter(old), after.parameter(new)) {
        (Some(Known::Artifact(old)), Some(Known::Artifact(new))) => old == new,
        _ => false,
    }
}

fn input_text(side: &impl Side, input: &Input) -> String {
    match input {
        Input::Port(port) => match side.shown(*port) {
            Some(value) => cut(&value),
            None => side.port_name(*port),
        },
        Input::Expression { expr, .. } => cut(expr),
        Input::List(items) => format!("a list of {}", items.len()),
        Input::Record(_) => "a record".to_owned(),
        Input::Constant(_) | Input::Parameter(_) => {
            value_of(side, input).map_or_else(|| "a value not shown".to_owned(), |value| cut(&value))
        }
    }
}

fn cut(text: &impl fmt::Display) -> String {
    let text = text.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl Change {
    /// One word: `argument`, `content`, `file`, …
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Operator { .. } => "operator",
            Self::Signature { .. } => "signature",
            Self::Code { .. } => "code",
            Self::Numerics { .. } => "numerics",
            Self::Types => "types",
            Self::Expression { .. } => "expression",
            Self::Argument { .. } => "argument",
            Self::Content { .. } => "content",
            Self::File { .. } => "file",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator { before, after } => write!(f, "operator: {before} -> {after}"),
            Self::Signature { operator } => write!(f, "the declaration of `{operator}`"),
            Self::Code { operator } => write!(f, "the code or environment of `{operator}`"),
            Self::Numerics { before, after } => write!(f, "numerics: {before} -> {after}"),
            Self::Types => write!(f, "the types of what it gives"),
            Self::Expression { before, after } => write!(f, "expression: {before} -> {after}"),
            Self::Argument { name, before, after } => write!(f, "`{name}`: {before} -> {after}"),
            Self::Content { name, of } if of.is_empty() => write!(f, "the content of `{name}`"),
            Self::Content { name, of } => write!(f, "the content of `{name}`, from `{of}`"),
            Self::File { name, path } => write!(f, "the file `{path}`, for `{name}`"),
        }
    }
}
