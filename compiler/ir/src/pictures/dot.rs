//! Graphviz.

use super::scene::{Body, Card, Link, Shape, Tallies, scene};
use crate::dag::Dag;

impl Dag {
    /// The DAG for `dot`, with the cards of [`Dag::to_svg`]: tasks are boxes, expressions ellipses, regions clusters;
    /// parameters and outputs stand without a frame. Dashed edges carry no data.
    pub fn to_dot(&self) -> String {
        let scene = scene(self, &Tallies::default());
        let mut text = format!(
            "digraph {} {{\n    compound=true\n    \
             node [shape=box style=rounded fontname=\"sans-serif\" fontsize=11]\n    \
             edge [fontname=\"sans-serif\" fontsize=9 color=gray40]\n",
            quoted(&scene.workflow)
        );
        body_into(&mut text, &scene.body, "n", 1);
        text + "}\n"
    }
}

fn body_into(text: &mut String, body: &Body, prefix: &str, depth: usize) {
    let indent = "    ".repeat(depth);
    for (number, card) in body.cards.iter().enumerate() {
        let name = format!("{prefix}{number}");
        if card.panels.is_empty() {
            *text += &format!("{indent}{name} [label={}{}]\n", label(card), look(card));
            continue;
        }
        *text += &format!("{indent}subgraph cluster_{name} {{\n{indent}    label={}\n", label(card));
        *text += &format!(
            "{indent}    style=rounded\n{indent}    color=gray60\n{indent}    fontname=\"sans-serif\"\n"
        );
        if card.panels.iter().all(|panel| panel.body.cards.is_empty()) {
            *text += &format!("{indent}    {name} [shape=point style=invis]\n");
        }
        for (part, panel) in card.panels.iter().enumerate() {
            let own = format!("{name}_{part}_");
            if panel.title.is_empty() {
                body_into(text, &panel.body, &own, depth + 1);
            } else {
                *text += &format!(
                    "{indent}    subgraph cluster_{own} {{\n{indent}        label={}\n",
                    quoted(panel.title)
                );
                *text += &format!("{indent}        style=dashed\n");
                if panel.body.cards.is_empty() {
                    *text += &format!("{indent}        {own} [shape=point style=invis]\n");
                }
                body_into(text, &panel.body, &own, depth + 2);
                *text += &format!("{indent}    }}\n");
            }
        }
        *text += &format!("{indent}}}\n");
    }
    for link in &body.links {
        edge_into(text, body, link, prefix, &indent);
    }
}

fn edge_into(text: &mut String, body: &Body, link: &Link, prefix: &str, indent: &str) {
    let mut attributes = Vec::new();
    let port = body.cards.get(link.from).and_then(|card| card.ports.get(link.port?));
    attributes.extend(port.map(|port| format!("label={}", quoted(&port.name))));
    if !link.has_data {
        attributes.push("style=dashed".to_owned());
    }
    for (end, card) in [("ltail", link.from), ("lhead", link.to)] {
        if body.cards.get(card).is_some_and(|card| !card.panels.is_empty()) {
            attributes.push(format!("{end}=cluster_{prefix}{card}"));
        }
    }
    let attributes =
        if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(" ")) };
    let (from, to) = (last_of(body, prefix, link.from), first_of(body, prefix, link.to));
    *text += &format!("{indent}{from} -> {to}{attributes}\n");
}

/// An edge of dot ends at a node, and is cut at the frame of a cluster: of a region these are the first and last within.
fn first_of(body: &Body, prefix: &str, number: usize) -> String {
    let name = format!("{prefix}{number}");
    let panels = body.cards.get(number).map(|card| card.panels.iter().enumerate()).into_iter().flatten();
    let mut filled = panels.filter(|(_, panel)| !panel.body.cards.is_empty());
    match filled.next() {
        Some((part, panel)) => first_of(&panel.body, &format!("{name}_{part}_"), 0),
        None => name,
    }
}

fn last_of(body: &Body, prefix: &str, number: usize) -> String {
    let name = format!("{prefix}{number}");
    let panels = body.cards.get(number).map(|card| card.panels.iter().enumerate()).into_iter().flatten();
    // The larger one reaches lower.
    let filled = panels.filter(|(_, panel)| !panel.body.cards.is_empty());
    match filled.max_by_key(|(_, panel)| panel.body.cards.len()) {
        Some((part, panel)) => {
            let last = panel.body.cards.len() - 1;
            last_of(&panel.body, &format!("{name}_{part}_"), last)
        }
        None => name,
    }
}

fn look(card: &Card) -> String {
    let shape = match card.shape {
        Shape::Task => "",
        Shape::Expression => " shape=ellipse",
        Shape::Parameter | Shape::Output => " shape=plaintext",
        _ => " shape=component style=solid",
    };
    let border = if card.badges.iter().any(|badge| badge == "effect") { " peripheries=2" } else { "" };
    format!("{shape}{border}")
}

/// The lines of a card, each escaped.
fn label(card: &Card) -> String {
    let lines: Vec<String> = card.label_lines().iter().map(|line| escaped(line)).collect();
    format!("\"{}\"", lines.join("\\n"))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Graphviz reads entities of HTML in any text.
    text.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"")
}
