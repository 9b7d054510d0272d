//! Which two DAGs are meant, and what is said of their difference.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

use flow_ir::diff::{DagDiff, diff};
use flow_plan::passes::Stage;
use serde_json::{Value as Json, json};

use super::{
    cost::{Costs, Rerun},
    executed::Executed,
    side::{Named, Planner, Refused, Side},
    text::painted,
};
use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    launch::Parameters,
    project::Folders,
    state,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// What was: a .flow file, a DAG (.json or .dag), or a run (its id, a part of it that no other has, or `last`)
    #[arg(value_name = "A")]
    before: String,
    /// What is: the same
    #[arg(value_name = "B")]
    after: String,
    /// The workflow; needed where a text has several
    #[arg(value_name = "WORKFLOW")]
    pub workflow: Option<String>,
    /// Parameters of both as a JSON object; a flag wins over it
    #[arg(long, value_name = "FILE.json")]
    params: Option<PathBuf>,
    /// A parameter of both, also one whose flag is flowc's own
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Exit with 1 where they differ
    #[arg(long)]
    exit_code: bool,
    /// How to print it; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

impl Options {
    pub fn parameters(&self) -> Parameters<'_> {
        Parameters { file: self.params.as_deref(), settings: &self.settings }
    }
}

pub fn execute(
    options: &Options,
    flags: &[(String, String)],
    root: Option<&Path>,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let words = [options.before.as_str(), options.after.as_str()];
    let file = words.into_iter().find(|word| Path::new(word).is_file());
    let folders = Folders::find(Path::new(file.unwrap_or(".")), root)?;
    let engine = if folders.state.exists() { Some(state::open(&folders)?) } else { None };
    let [before, after] = words.map(|word| Named::find(word, engine.as_ref()));
    let (before, after) = (before?, after?);
    if !before.is_text() && !after.is_text() && (options.params.is_some() || !options.settings.is_empty()) {
        return Err(Failure::usage("the parameters of both are bound already")
            .help("a parameter is for a .flow file, which is planned with it"));
    }
    let stage = if before.is_text() && after.is_text() { Stage::Dag } else { Stage::Plan };
    let planner = Planner { known: RefCell::default(), options, flags, root, terminal };
    let (a, b) = (
        before.recorded(engine.as_ref(), &folders, words[0])?,
        after.recorded(engine.as_ref(), &folders, words[1])?,
    );
    let of_workflow = |side: &Side| side.dag.workflow.rsplit_once('.').map(|(module, _)| module.to_owned());
    let module = [a.as_ref(), b.as_ref()].into_iter().flatten().next().and_then(of_workflow);
    let module = module.or_else(|| after.module(root));
    let planned = |named: &Named, other: Option<&Side>| match named {
        Named::Text(path) => planner.plan(path, stage, other.map(|side| &side.dag), module.clone()).map(Some),
        _ => Ok(None),
    };
    let texts = planned(&before, b.as_ref()).and_then(|first| Ok((first, planned(&after, a.as_ref())?)));
    let (first, second) = match texts {
        Ok(texts) => texts,
        Err(Refused::Told(exit)) => return Ok(exit),
        Err(Refused::Failure(failure)) => return Err(failure),
    };
    if first.is_some() || second.is_some() {
        planner.refuse_unknown()?;
    }
    let (Some(before), Some(after)) = (a.or(first), b.or(second)) else {
        return Err(Failure::usage("there is nothing to compare"));
    };
    let found = diff(&before.dag, &after.dag);
    let costs = engine.as_ref().map(|engine| Costs::of(engine, &before)).transpose()?;
    let rerun = costs.as_ref().map(|costs| costs.of_diff(&found, &before.dag, &after.dag));
    let executed = Executed::between(&before, &after);
    match options.format {
        Format::Human => terminal.result(&text(&found, rerun.as_ref(), executed.as_ref(), terminal)),
        Format::Json => {
            let json = to_json(&found, (&before, &after), rerun.as_ref(), executed.as_ref());
            terminal.result(&format!("{json:#}\n"));
        }
    }
    let is_equal = found.is_empty() && executed.is_none_or(|executed| executed.is_as_planned());
    Ok(if options.exit_code && !is_equal { Exit::Failed } else { Exit::Worked })
}

fn text(
    found: &DagDiff,
    rerun: Option<&Rerun>,
    executed: Option<&Executed<'_>>,
    terminal: &Terminal,
) -> String {
    let mut text = painted(found, &|line, colour| terminal.paint_out(line, colour));
    if found.is_empty() {
        text.push_str("no difference\n");
    }
    if let Some(rerun) = rerun.filter(|_| !found.is_empty()) {
        text.push_str(&rerun.to_text());
    }
    if let Some(executed) = executed {
        text.push_str(&executed.to_text(terminal));
    }
    text
}

fn to_json(
    found: &DagDiff,
    (before, after): (&Side, &Side),
    rerun: Option<&Rerun>,
    executed: Option<&Executed<'_>>,
) -> Json {
    let side = |side: &Side| {
        json!({
            "name": side.name,
            "workflow": side.dag.workflow,
            "run": side.run.as_ref().map(|(run, _)| &run.id),
        })
    };
    json!({
        "before": side(before),
        "after": side(after),
        "diff": found.to_json(),
        "again": rerun.map(Rerun::to_json),
        "executed": executed.map(Executed::to_json),
    })
}
