//! A run as one HTML page to keep: no scripts, nothing fetched from elsewhere.

use std::fmt::{Display, Write};

use flow_ir::{dag::Dag, pictures::NodeState, text::bytes};
use flow_runtime::{
    engine::{NodeView, RunView},
    event::timestamp,
};

use crate::{
    outputs::artifact_text,
    watch::{microseconds, text::figure},
    words::count,
};

/// The page of a run: what it was asked, how it ended, and its nodes along the time they took.
pub fn render(run: &RunView, dag: &Dag, nodes: &[NodeView]) -> String {
    let title = format!("{} · run {}", run.workflow, run.id);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        Escaped(&title)
    );
    let seconds = run.seconds.map(|seconds| format!(" in {seconds:.2} s")).unwrap_or_default();
    let states: Vec<String> = run.states.iter().map(|(state, number)| format!("{number} {state}")).collect();
    // Writing to a text cannot fail.
    let _ = write!(
        page,
        "<h1>{} <span class=\"chip {}\">{}</span></h1>\n<p>Run {}, started {}{seconds}. {}: {}.</p>\n",
        Escaped(&run.workflow),
        run.status,
        run.status,
        Escaped(&run.id),
        Escaped(&timestamp(run.started)),
        count(nodes.len(), "node", "nodes"),
        Escaped(&states.join(", "))
    );
    parameters(&mut page, dag);
    picture(&mut page, dag, nodes);
    table(&mut page, run, nodes);
    page.push_str("</body>\n</html>\n");
    page
}

fn parameters(page: &mut String, dag: &Dag) {
    if dag.parameters.is_empty() {
        return;
    }
    page.push_str("<h2>Parameters</h2>\n<dl>\n");
    for parameter in &dag.parameters {
        let name = Escaped(&parameter.name);
        let value = parameter.value.to_string();
        let _ = writeln!(page, "<dt>{name}</dt><dd><code>{}</code></dd>", Escaped(&value));
    }
    page.push_str("</dl>\n");
}

/// The DAG, each node in the colour of its state.
fn picture(page: &mut String, dag: &Dag, nodes: &[NodeView]) {
    let states: Vec<NodeState<'_>> = nodes
        .iter()
        .map(|node| NodeState { id: &node.id, state: node.shown_state(), seconds: node.seconds })
        .collect();
    let _ = write!(page, "<h2>DAG</h2>\n<figure>\n{}</figure>\n", dag.to_svg_of_run(&states));
}

fn table(page: &mut String, run: &RunView, nodes: &[NodeView]) {
    page.push_str(
        "<h2>Nodes</h2>\n<table>\n<thead><tr><th>Node</th><th>State</th><th class=\"number\">Seconds</th>\
         <th class=\"number\">CPU</th><th class=\"number\">Memory</th><th class=\"time\">Time</th><th>Outputs</th></tr></thead>\n<tbody>\n",
    );
    let span = Span::of(run, nodes);
    for node in nodes {
        let state = node.shown_state();
        let seconds = node.seconds.map(|seconds| format!("{seconds:.3}")).unwrap_or_default();
        let cpu = node.cpu_seconds.map(|seconds| format!("{seconds:.3}")).unwrap_or_default();
        let memory = node.peak_memory.map(bytes).unwrap_or_default();
        let attempts = if node.attempts > 1 { format!(", attempt {}", node.attempts) } else { String::new() };
        let _ = write!(
            page,
            "<tr><td><b>{}</b><br><small>{}</small></td><td><span class=\"chip {state}\">{state}</span>{attempts}</td>\
             <td class=\"number\">{seconds}</td><td class=\"number\">{cpu}</td><td class=\"number\">{memory}</td>\
             <td class=\"time\">{}</td><td>",
            Escaped(&node.id),
            Escaped(&node.op),
            span.bar(node)
        );
        for (port, reference) in &node.outputs {
            let name = if node.outputs.len() > 1 { format!("{port}: ") } else { String::new() };
            let _ = write!(page, "<pre>{}</pre>", Escaped(&format!("{name}{}", artifact_text(reference, 0))));
        }
        for (name, value) in &node.metrics {
            let _ = write!(page, "<pre>{} {}</pre>", Escaped(name), figure(*value));
        }
        for text in [&node.error, &node.help].into_iter().flatten() {
            let _ = write!(page, "<p class=\"error\">{}</p>", Escaped(text));
        }
        page.push_str("</td></tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
}

/// The time that the bars are drawn in, in microseconds.
struct Span {
    start: i64,
    length: i64,
}

impl Span {
    fn of(run: &RunView, nodes: &[NodeView]) -> Self {
        let ends = nodes.iter().filter_map(|node| Some(node.started? + microseconds(node.seconds?)));
        let start = nodes.iter().filter_map(|node| node.started).min().unwrap_or(run.started);
        Self { start, length: ends.max().map_or(1, |end| end - start).max(1) }
    }

    /// In percent of the span; at least a sliver, so that what was quick is seen.
    fn bar(&self, node: &NodeView) -> String {
        let (Some(started), Some(seconds)) = (node.started, node.seconds) else { return String::new() };
        let percent = |time: i64| time as f64 * 100.0 / self.length as f64;
        let left = percent(started - self.start).clamp(0.0, 99.0);
        let width = percent(microseconds(seconds)).clamp(0.8, 100.0 - left);
        format!("<div class=\"bar\" style=\"margin-left:{left:.2}%;width:{width:.2}%\"></div>")
    }
}

/// Text as HTML has it.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --text: #1c2430; --soft: #6a7380; --line: #dfe3e8; --page: #fff; --bar: #3b82c4; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e7ec; --soft: #98a2ad; --line: #333b44; --page: #15191e; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 68rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
small { color: var(--soft); } code, pre { font: 13px/1.5 ui-monospace, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
figure { margin: 0; max-height: 85vh; overflow: auto; resize: vertical; border-radius: 14px; }
figure svg { display: block; margin: 0 auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--soft); font-weight: 600; }
td, th { padding: .5rem .8rem .5rem 0; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; } .number { text-align: right; font-variant-numeric: tabular-nums; }
.time { width: 22%; } .bar { height: .7rem; margin-top: .45rem; border-radius: .2rem; background: var(--bar); }
.chip { font-size: .8rem; font-weight: 600; padding: .1rem .5rem; border-radius: .8rem; color: #fff; background: #7a8591; }
.finished { background: #2f8a4c; } .cached { background: #3b82c4; } .failed { background: #c23b3b; }
.running { background: #b0761a; } .error { color: #d05050; margin: .2rem 0; }
";
