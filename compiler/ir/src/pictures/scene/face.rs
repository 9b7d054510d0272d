//! What stands on a card.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    card::{Card, Gives, PortLabel, Shape},
    fold::family,
    formula::formula,
};
use crate::{
    dag::Output,
    node::{Input, Node, NodeKind, OperatorPlace},
};

/// Lines of a card that stands for nodes of several kinds, or for a query.
const MOST_LINES: usize = 6;

/// More ports than this are counted, not named.
const MOST_PORTS: usize = 12;
/// Characters of a value; what would not fit on a card need not be in the file.
const MOST_CHARACTERS: usize = 400;

/// A parameter, of the workflow or a region.
pub struct Pill<'a> {
    pub name: &'a str,
    /// What it is bound to, where that is known.
    pub value: Option<String>,
    pub gives: Gives,
}

/// The card of one node of those `among` which it stands.
pub fn node_card(node: &Node, among: &[Node]) -> Card {
    let title = node.id.clone();
    let subtitle = said_of(node, among);
    Card {
        shape: shape_of(node),
        subtitle: if subtitle == title { String::new() } else { subtitle },
        title,
        lines: at_most(
            node.kind.steps().map(|body| body.nodes.iter().map(step).collect()).unwrap_or_default(),
        ),
        badges: badges_of(node),
        gives: gives_of(node),
        ports: ports_of(node),
        count: 1,
        ..Card::default()
    }
}

/// One card for several nodes.
pub fn many_card(first: &Node, members: &[&Node]) -> Card {
    let is_alike =
        members.iter().all(|node| node.op() == first.op() && node.kind.name() == first.kind.name());
    if is_alike {
        let name = family(&first.id);
        let is_family = members.iter().all(|node| family(&node.id) == name);
        let ids: Vec<&str> = members.iter().take(3).map(|node| node.id.as_str()).collect();
        let op = short_op(first);
        return Card {
            shape: shape_of(first),
            title: if is_family { name } else { op.clone() },
            subtitle: if is_family { op } else { format!("{}, …", ids.join(", ")) },
            badges: badges_of(first),
            gives: gives_of(first),
            ports: ports_of(first),
            count: members.len(),
            ..Card::default()
        };
    }
    let mut counts: Vec<(String, usize)> = Vec::new();
    let mut place_of: HashMap<&str, usize> = HashMap::new();
    for node in members {
        let place = *place_of.entry(node.op()).or_insert_with(|| {
            counts.push((short_op(node), 0));
            counts.len() - 1
        });
        if let Some((_, count)) = counts.get_mut(place) {
            *count += 1;
        }
    }
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let line =
        |(op, count): &(String, usize)| if *count == 1 { op.clone() } else { format!("{op} × {count}") };
    let lines = counts.iter().map(line).collect();
    Card {
        title: format!("{} … {}", first.id, members.last().map_or("", |last| &last.id)),
        lines: at_most(lines),
        gives: members.iter().map(|node| gives_of(node)).min().unwrap_or_default(),
        count: members.len(),
        ..Card::default()
    }
}

/// The beginning of a long text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn at_most(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > MOST_LINES {
        let rest = lines.len() - (MOST_LINES - 1);
        lines.truncate(MOST_LINES - 1);
        lines.push(format!("and {rest} more"));
    }
    lines
}

/// The card of a parameter.
pub fn parameter_card(pill: &Pill<'_>) -> Card {
    Card {
        shape: Shape::Parameter,
        title: pill.name.to_owned(),
        subtitle: pill.value.as_deref().map(cut).unwrap_or_default(),
        gives: pill.gives,
        ..Card::default()
    }
}

/// The card of an output; of a constant one with its value.
pub fn output_card(output: &Output) -> Card {
    let value = match &output.input {
        Input::Constant(value) => cut(&value.to_string()),
        _ => String::new(),
    };
    Card {
        shape: Shape::Output,
        title: output.name.clone(),
        subtitle: value,
        gives: Gives::of(&output.ty),
        ..Card::default()
    }
}

/// One card for all parameters, or all outputs.
pub fn many_pills<'a>(shape: Shape, what: &str, names: impl Iterator<Item = &'a str>) -> Card {
    let names: Vec<&str> = names.collect();
    Card {
        shape,
        title: format!("{} {what}", names.len()),
        lines: at_most(names.into_iter().map(str::to_owned).collect()),
        gives: Gives::Value,
        ..Card::default()
    }
}

fn shape_of(node: &Node) -> Shape {
    match node.kind {
        NodeKind::Task(_) | NodeKind::Query { .. } => Shape::Task,
        NodeKind::Expression(_) => Shape::Expression,
        NodeKind::Pass | NodeKind::Wait | NodeKind::WaitFor => Shape::Steering,
        NodeKind::Conditional { .. } => Shape::Conditional,
        NodeKind::Map { .. } => Shape::Map,
        NodeKind::Loop { .. } => Shape::Loop,
        NodeKind::Workflow { .. } => Shape::Workflow,
    }
}

/// What a node does, in a few words.
fn said_of(node: &Node, among: &[Node]) -> String {
    let constant = |name: &str| match node.input(name) {
        Some(Input::Constant(value)) => cut(&value.to_string()),
        Some(Input::Parameter(name)) => name.clone(),
        _ => "…".to_owned(),
    };
    match &node.kind {
        NodeKind::Expression(expr) => cut(&formula(expr, node, among)),
        NodeKind::Wait => format!("waits {}", constant("duration")),
        NodeKind::WaitFor => format!("waits for {}", constant("name")),
        NodeKind::Pass => "waits for all".to_owned(),
        NodeKind::Map { max, .. } | NodeKind::Loop { max, .. } => format!("at most {max}"),
        NodeKind::Conditional { .. } => String::new(),
        NodeKind::Task(_) | NodeKind::Workflow { .. } | NodeKind::Query { .. } => short_op(node),
    }
}

/// A line for a step of a query: its verb, its name where that is another, and what it computes where that is one
/// expression.
fn step(node: &Node) -> String {
    let verb = node.op().rsplit('.').next().unwrap_or_default();
    let mut line = if family(&node.id) == verb { verb.to_owned() } else { format!("{verb} {}", node.id) };
    let mut expressions = node.inputs.iter().filter_map(|(_, input)| match input {
        Input::Expression { expr, .. } => Some(cut(&expr.to_string())),
        _ => None,
    });
    if let (Some(expression), None) = (expressions.next(), expressions.next()) {
        line += ": ";
        line += &expression;
    }
    line
}

fn short_op(node: &Node) -> String {
    let op = node.op();
    op.strip_prefix("std.").unwrap_or(op).to_owned()
}

fn badges_of(node: &Node) -> Vec<String> {
    let mut badges = Vec::new();
    if let NodeKind::Task(operator) = &node.kind {
        badges.extend(match operator.place {
            OperatorPlace::Native => None,
            OperatorPlace::Python(_) => Some("python".to_owned()),
            OperatorPlace::Command(_) => Some("command".to_owned()),
        });
    }
    if node.policy.gpu > 0 {
        badges.push(if node.policy.gpu == 1 {
            "gpu".to_owned()
        } else {
            format!("{} gpus", node.policy.gpu)
        });
    }
    if node.outputs.len() > MOST_PORTS {
        badges.push(format!("{} outputs", node.outputs.len()));
    }
    if node.effect {
        badges.push("effect".to_owned());
    }
    badges
}

fn gives_of(node: &Node) -> Gives {
    node.outputs.iter().map(|port| Gives::of(&port.ty)).min().unwrap_or_default()
}

fn ports_of(node: &Node) -> Vec<PortLabel> {
    if !(2..=MOST_PORTS).contains(&node.outputs.len()) {
        return Vec::new();
    }
    node.outputs
        .iter()
        .map(|port| PortLabel { name: port.name.clone(), gives: Gives::of(&port.ty) })
        .collect()
}
