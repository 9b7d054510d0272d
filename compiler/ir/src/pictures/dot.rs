//! Graphviz.

use super::{edges_of, lines_of};
use crate::{dag::Dag, node::NodeKind};

impl Dag {
    /// The DAG for `dot`: tasks are boxes, expressions ellipses, whatever steers others a component, effects have a double border, outputs
    /// stand at the right. Dashed edges carry no data.
    pub fn to_dot(&self) -> String {
        let mut text = format!(
            "digraph {} {{\n    rankdir=LR\n    node [shape=box style=rounded fontname=\"sans-serif\" fontsize=11]\n    \
             edge [fontname=\"sans-serif\" fontsize=9 color=gray40]\n",
            quoted(&self.workflow)
        );
        for (index, node) in self.nodes.iter().enumerate() {
            let (id, op) = lines_of(node);
            let label = op.map_or_else(|| escaped(&id), |op| format!("{}\\n{}", escaped(&id), escaped(&op)));
            let shape = match node.kind {
                NodeKind::Task(_) => "",
                NodeKind::Expression(_) => " shape=ellipse",
                _ => " shape=component style=solid",
            };
            let border = if node.effect { " peripheries=2" } else { "" };
            text += &format!("    n{index} [label=\"{label}\"{shape}{border}]\n");
        }
        for (from, to, port, has_data) in edges_of(self) {
            let label = port.map(|port| format!("label={}", quoted(port)));
            let style = (!has_data).then(|| "style=dashed".to_owned());
            let attributes: Vec<String> = label.into_iter().chain(style).collect();
            let attributes =
                if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(" ")) };
            text += &format!("    n{} -> n{}{attributes}\n", from.0, to.0);
        }
        for (index, output) in self.outputs.iter().enumerate() {
            text += &format!("    o{index} [label={} shape=plaintext]\n", quoted(&output.name));
            output.input.for_each_port(&mut |port| text += &format!("    n{} -> o{index}\n", port.node.0));
        }
        text + "}\n"
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}
