//! Mermaid, which many Markdown viewers draw.

use super::{edges_of, lines_of};
use crate::{dag::Dag, node::NodeKind};

impl Dag {
    /// The DAG as a Mermaid flowchart: tasks are boxes, expressions rounded, whatever steers others a box
    /// with two sides, outputs flags. Dotted
    /// edges carry no data.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart LR\n".to_owned();
        for (index, node) in self.nodes.iter().enumerate() {
            let (id, op) = lines_of(node);
            let label = op.map_or_else(|| escaped(&id), |op| format!("{}<br>{}", escaped(&id), escaped(&op)));
            let (open, close) = match node.kind {
                NodeKind::Expression(_) => ("(\"", "\")"),
                NodeKind::Task(_) => ("[\"", "\"]"),
                _ => ("[[\"", "\"]]"),
            };
            text += &format!("    n{index}{open}{label}{close}\n");
        }
        for (from, to, port, has_data) in edges_of(self) {
            let arrow = if has_data { "-->" } else { "-.->" };
            let label = port.map_or_else(String::new, |port| format!("|\"{}\"|", escaped(port)));
            text += &format!("    n{} {arrow}{label} n{}\n", from.0, to.0);
        }
        for (index, output) in self.outputs.iter().enumerate() {
            text += &format!("    o{index}>\"{}\"]\n", escaped(&output.name));
            output.input.for_each_port(&mut |port| text += &format!("    n{} --> o{index}\n", port.node.0));
        }
        text
    }
}

/// Every character that Mermaid or HTML could take for its own, as an entity of Mermaid.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '<' | '>' | '&' | '#' | ';' | '`' | '\\' => escaped += &format!("#{};", u32::from(c)),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
