//! `flowc gc`: removes runs that are not kept, and what no run needs any more.

use std::{path::Path, time::Duration};

use flow_ir::text::bytes;
use flow_runtime::engine::{Keep, Removed};
use serde_json::json;

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    state,
    terminal::Terminal,
    words::count,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Keep the latest N runs, and remove the others
    #[arg(long, value_name = "N")]
    keep: Option<usize>,
    /// Remove runs that began longer ago, such as 30d; with --keep, of those alone that it does not keep
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Option<Duration>,
    /// How to print it; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Runs named; the rest is counted.
const MOST_NAMED: usize = 8;

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root, terminal)?;
    let keep = Keep { latest: options.keep, younger_than: options.older_than };
    let removed = if options.dry_run { engine.gc_dry_run(keep)? } else { engine.gc(keep)? };
    match options.format {
        Format::Json => {
            let json = json!({
                "dry_run": options.dry_run,
                "runs": removed.runs,
                "cached": removed.cached,
                "artifacts": removed.artifacts,
                "bytes": removed.bytes,
                "unanswered": removed.unanswered,
            });
            terminal.result(&format!("{json:#}\n"));
        }
        Format::Human => terminal.result(&text(&removed, options.dry_run)),
    }
    for run in &removed.unanswered {
        terminal.warning(&format!(
            "the process of run {run} does not answer: artifacts stay until `flowc gc` is called again"
        ));
    }
    Ok(Exit::Worked)
}

fn text(removed: &Removed, dry_run: bool) -> String {
    if removed.runs.is_empty() && removed.cached == 0 && removed.artifacts == 0 && removed.bytes == 0 {
        return "nothing to remove\n".to_owned();
    }
    let runs = match removed.runs.as_slice() {
        [] => "no run".to_owned(),
        runs => {
            let mut named: Vec<&str> = runs.iter().take(MOST_NAMED).map(String::as_str).collect();
            if runs.len() > MOST_NAMED {
                named.push("…");
            }
            format!("{} ({})", count(runs.len(), "run", "runs"), named.join(", "))
        }
    };
    format!(
        "{} {runs}, {}, {}: {}\n",
        if dry_run { "would remove" } else { "removed" },
        count(removed.cached, "cached result", "cached results"),
        count(removed.artifacts, "artifact", "artifacts"),
        bytes(removed.bytes)
    )
}

/// Reads a duration as the language writes it: `30d`.
fn duration(text: &str) -> Result<Duration, String> {
    use flow_syntax::ast::{Expr, ExprKind, Literal};
    let no_duration = || "a duration has a unit, such as 12h or 30d".to_owned();
    match flow_syntax::parse::parse_expression(text) {
        (Expr { kind: ExprKind::Literal(Literal::Duration(micros)), .. }, errors) if errors.is_empty() => {
            u64::try_from(micros).map(Duration::from_micros).map_err(|_| no_duration())
        }
        _ => Err(no_duration()),
    }
}
