//! `flowc runs`: past and running runs.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use flow_runtime::decide::RunStatus;
use flow_runtime::{engine::RunView, event::timestamp};
use serde_json::json;

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    project::Folders,
    state,
    terminal::Terminal,
    watch::text::{clock, plain},
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many to list, the latest first
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// How to print them; json is one object a line
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let folders = Folders::find(Path::new("."), root)?;
    if !folders.state.exists() {
        terminal.remark(&format!("no runs yet in `{}`", crate::project::show(&folders.state)));
        return Ok(Exit::Worked);
    }
    let engine = state::open(&folders)?;
    let runs = engine.runs()?;
    if runs.is_empty() {
        match state::lost(&engine)? {
            Some(lost) => terminal.warning(&format!("{lost}: {}", state::LOST_HELP)),
            None => terminal.remark(&format!("no runs yet in `{}`", crate::project::show(&folders.state))),
        }
    }
    let runs = runs.iter().take(options.limit);
    match options.format {
        Format::Json => runs.for_each(|run| terminal.result(&format!("{}\n", to_json(run)))),
        Format::Human => runs.for_each(|run| terminal.result(&line(run, terminal))),
    }
    Ok(Exit::Worked)
}

pub fn to_json(run: &RunView) -> serde_json::Value {
    let states: serde_json::Map<_, _> =
        run.states.iter().map(|(state, count)| (state.clone(), json!(count))).collect();
    json!({
        "run": run.id,
        "workflow": run.workflow,
        "status": run.status.name(),
        "owner": run.owner.as_ref().map(|owner| json!({ "host": owner.host, "pid": owner.pid })),
        "started": timestamp(run.started),
        "seconds": run.seconds,
        "nodes": states,
        "outputs": run.outputs,
    })
}

/// The run on one line, as a list has it.
pub fn line(run: &RunView, terminal: &Terminal) -> String {
    let seconds = match (run.seconds, run.status) {
        (Some(seconds), _) => format!("{seconds:.2} s"),
        (None, RunStatus::Running) => clock(now() - run.started),
        (None, _) => "-".to_owned(),
    };
    let states: Vec<String> = run.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    format!(
        "{}  {}  {:20}  {:>10}  {}  {}\n",
        run.id,
        terminal.paint_out(&format!("{:11}", run.status), colour(run.status.name())),
        plain(&run.workflow),
        seconds,
        terminal.paint_out(timestamp(run.started).get(..19).unwrap_or_default(), "2"),
        states.join(", ")
    )
}

/// The process that works on the run.
pub fn owner(run: &RunView) -> String {
    run.owner.as_ref().map_or_else(|| "its process".to_owned(), |owner| format!("process {}", owner.pid))
}

/// That it does not answer, and why where that can be seen.
pub fn silence(run: &RunView) -> String {
    let reason = match &run.owner {
        Some(owner) if owner.is_stopped() => {
            format!(": it is stopped (`kill -CONT {}` lets it go on)", owner.pid)
        }
        _ => String::new(),
    };
    format!("{} does not answer{reason}", owner(run))
}

/// Microseconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

/// The colour of a run's status or a node's state.
pub fn colour(state: &str) -> &'static str {
    match state {
        "finished" | "cached" => "32",
        "failed" => "31",
        "running" | "finishing" => "36",
        "cancelled" | "blocked" | "interrupted" | "skipped" => "33",
        _ => "2",
    }
}
