//! The plan as people look at it: what runs, what the cache has, how wide, how deep.

use std::borrow::Cow;

use flow_ir::{
    dag::Dag,
    node::{Input, Node},
    policy::Device,
};
use flow_plan::passes::Placement;
use flow_plan::status::{NodeStatus, Runs, Status, statuses_and_keys, summary};

use crate::{
    facts::{self, Facts},
    terminal::Terminal,
    watch::text::{column, plain},
    why,
    words::{count, place},
};

/// Rows shown of a plan; the rest is counted.
const MOST_ROWS: usize = 200;
/// Nodes named of a critical path.
const MOST_STEPS: usize = 12;
/// Nodes named of those that compute somewhere for one reason.
const MOST_NAMED: usize = 4;

pub fn render(dag: &Dag, facts: &Facts, terminal: &Terminal) -> String {
    let (statuses, keys) = statuses_and_keys(dag, facts);
    let earlier = facts.reasons(&dag.workflow);
    let summary = summary(dag, &statuses);
    let mut text = format!(
        "{}  {}, {} wide, {} deep\n",
        terminal.paint_out(&plain(&dag.workflow), "1"),
        count(summary.nodes, "node", "nodes"),
        summary.width,
        summary.depth
    );
    for parameter in &dag.parameters {
        let is_default = parameter.default.as_ref() == Some(&parameter.value);
        let note = if is_default { "" } else { "  (given)" };
        text.push_str(&format!(
            "  {} = {}{}\n",
            plain(&parameter.name),
            parameter.value,
            terminal.paint_out(note, "2")
        ));
    }
    text.push('\n');

    let mut rows = Vec::new();
    add_rows(&dag.nodes, &statuses, "", &mut rows);
    let all = summary.nodes;
    let ids = column(rows.iter().map(|row| row.id.as_str()));
    let ops = column(rows.iter().map(|row| row.op.as_ref()));
    let shown: Vec<String> = rows.iter().map(|row| place(row.node).to_string()).collect();
    let places = column(shown.iter().map(String::as_str));
    for (Row { id, op, node, status, among }, place) in rows.into_iter().zip(shown) {
        let colour = match status {
            Status::Cached { .. } => "32",
            Status::Runs { .. } => "33",
            Status::Unknown { .. } => "2",
        };
        let op = terminal.paint_out(&format!("{op:ops$}"), "2");
        let mut words = status.in_words(among);
        let is_own = std::ptr::eq(among, dag.nodes.as_slice());
        if let (Status::Runs { because: Runs::NotCached { .. } }, Some(earlier), true) =
            (status, &earlier, is_own)
            && let Some(because) = facts::reason(earlier, dag, node, &keys)
        {
            words = format!("runs: {}", why::reason(&because));
        }
        let words = terminal.paint_out(&plain(&words), colour);
        text.push_str(&format!("  {id:ids$}  {op}  {place:places$}  {words}\n"));
        if let Some(steps) = node.kind.steps() {
            let steps: Vec<&str> = steps.nodes.iter().map(|step| step.id.as_str()).collect();
            let steps = terminal.paint_out(&plain(&steps.join(" → ")), "2");
            text.push_str(&format!("  {:ids$}  {steps}\n", ""));
        }
    }
    if all > MOST_ROWS {
        text.push_str(&format!("  … and {} more\n", all - MOST_ROWS));
    }

    text.push_str(&format!(
        "\n{} cached, {} to run, {} only the run can tell\n",
        summary.cached, summary.runs, summary.unknown
    ));
    let mut steps: Vec<&str> = summary.critical_path.iter().map(String::as_str).collect();
    if steps.len() > MOST_STEPS {
        steps.truncate(MOST_STEPS);
        steps.push("…");
    }
    if !steps.is_empty() {
        text.push_str(&format!("critical path: {}\n", plain(&steps.join(" → "))));
    }
    add_placements(dag, &mut text);
    add_assumptions(&dag.nodes, "", &mut text);
    text
}

/// A line for a node, of the workflow's own or of a region.
struct Row<'a> {
    id: String,
    op: Cow<'a, str>,
    node: &'a Node,
    status: &'a Status,
    /// The nodes among which it stands.
    among: &'a [Node],
}

fn add_rows<'a>(nodes: &'a [Node], statuses: &'a [NodeStatus], scope: &str, rows: &mut Vec<Row<'a>>) {
    for (node, NodeStatus { status, regions }) in nodes.iter().zip(statuses) {
        if rows.len() >= MOST_ROWS {
            return;
        }
        let id = plain(&format!("{scope}{}", node.id)).into_owned();
        rows.push(Row { id, op: plain(node.op()), node, status, among: nodes });
        let scope = scope.to_owned() + &node.scope();
        for ((_, region), statuses) in node.kind.regions().into_iter().zip(regions) {
            add_rows(&region.nodes, statuses, &scope, rows);
        }
    }
}

/// Which nodes compute where and why, a line for each device; those that compute nothing themselves are left out.
fn add_placements(dag: &Dag, text: &mut String) {
    let mut groups: Vec<(Placement, Vec<String>)> = Vec::new();
    collect_placements(&dag.nodes, "", &mut groups);
    for (device, shown) in [(Device::Cpu, "cpu"), (Device::Gpu, "gpu")] {
        let of_device = groups.iter().filter(|(placement, _)| placement.device == Some(device));
        let parts: Vec<String> = of_device
            .map(|(placement, ids)| match ids.as_slice() {
                few if few.len() <= MOST_NAMED => format!("{} ({placement})", few.join(", ")),
                many => format!("{} ({placement})", count(many.len(), "node", "nodes")),
            })
            .collect();
        if !parts.is_empty() {
            text.push_str(&format!("on the {shown}: {}\n", parts.join("; ")));
        }
    }
}

fn collect_placements(nodes: &[Node], scope: &str, groups: &mut Vec<(Placement, Vec<String>)>) {
    for node in nodes {
        let placement = place(node).placement;
        if placement.device.is_some() {
            let id = plain(&format!("{scope}{}", node.id)).into_owned();
            match groups.iter_mut().find(|(other, _)| *other == placement) {
                Some((_, ids)) => ids.push(id),
                None => groups.push((placement, vec![id])),
            }
        }
        let scope = scope.to_owned() + &node.scope();
        for (_, region) in node.kind.regions() {
            collect_placements(&region.nodes, &scope, groups);
        }
    }
}

/// The tables that somebody has said are unseen, and why: those of regions too.
fn add_assumptions(nodes: &[Node], scope: &str, text: &mut String) {
    for node in nodes {
        if let ("std.table.assume_unseen", Some(Input::Constant(reason))) = (node.op(), node.input("because"))
        {
            text.push_str(&format!(
                "`{}` is assumed to be unseen: {reason}\n",
                plain(&format!("{scope}{}", node.id))
            ));
        }
        let scope = scope.to_owned() + &node.scope();
        for (_, region) in node.kind.regions() {
            add_assumptions(&region.nodes, &scope, text);
        }
    }
}
