//! Mermaid, which many Markdown viewers draw.

use super::scene::{Body, Card, Shape, Tallies, scene};
use crate::dag::Dag;

impl Dag {
    /// The DAG as a Mermaid flowchart, with the cards of [`Dag::to_svg`]: tasks are boxes, expressions rounded, whatever
    /// waits a box with two sides, regions subgraphs; parameters and outputs are stadiums and flags. Dotted edges carry no data.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart TB\n".to_owned();
        body_into(&mut text, &scene(self, &Tallies::default()).body, "n", 1);
        text
    }
}

fn body_into(text: &mut String, body: &Body, prefix: &str, depth: usize) {
    let indent = "    ".repeat(depth);
    for (number, card) in body.cards.iter().enumerate() {
        let name = format!("{prefix}{number}");
        if card.panels.is_empty() {
            let (open, close) = sides(card.shape);
            *text += &format!("{indent}{name}{open}\"{}\"{close}\n", label(card));
            continue;
        }
        *text += &format!("{indent}subgraph {name}[\"{}\"]\n", label(card));
        for (part, panel) in card.panels.iter().enumerate() {
            let own = format!("{name}_{part}_");
            if panel.title.is_empty() {
                body_into(text, &panel.body, &own, depth + 1);
            } else {
                *text += &format!("{indent}    subgraph {own}p[\"{}\"]\n", escaped(panel.title));
                body_into(text, &panel.body, &own, depth + 2);
                *text += &format!("{indent}    end\n");
            }
        }
        *text += &format!("{indent}end\n");
    }
    for link in &body.links {
        let port = body.cards.get(link.from).and_then(|card| card.ports.get(link.port?));
        let arrow = if link.has_data { "-->" } else { "-.->" };
        let label = port.map_or_else(String::new, |port| format!("|\"{}\"|", escaped(&port.name)));
        *text += &format!("{indent}{prefix}{} {arrow}{label} {prefix}{}\n", link.from, link.to);
    }
}

fn sides(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Task => ("[", "]"),
        Shape::Expression => ("(", ")"),
        Shape::Parameter => ("([", "])"),
        Shape::Output => (">", "]"),
        _ => ("[[", "]]"),
    }
}

fn label(card: &Card) -> String {
    let lines: Vec<String> = card.label_lines().iter().map(|line| escaped(line)).collect();
    lines.join("<br>")
}

/// Every character that Mermaid or HTML could take for its own, as an entity of Mermaid.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '\\' | '*' | '_' | '[' | ']' | '{' | '}' => {
                escaped += &format!("#{};", u32::from(c));
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
