//! `flowc run`: runs a workflow, or a DAG from a file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use flow_ir::{dag::Dag, types::Type, value::Value};
use flow_plan::passes::{Stage, at_stage};
use flow_runtime::{
    act::Cancel,
    decide::RunStatus,
    engine::{Engine, RunError, RunOptions, RunReport, RunView},
    event::{Subscriber, Undelivered},
};

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    facts::Facts,
    interrupt,
    launch::{self, Launch},
    otlp::Exporter,
    outputs,
    project::{self, Folders, absolute},
    runs, shadow, state,
    terminal::Terminal,
    watch,
    words::count,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    pub launch: launch::Options,
    #[command(flatten)]
    pub execution: Execution,
    /// Execute nothing: take the answers from a recorded run, and compare how it ended with how this would end
    ///
    /// RUN is its id, a part of it that no other has, or `last`. Nodes that it lacks are taken to work, and to take as
    /// long as other calls of their operator did in it. The exit code is 1 where the runs end differently; `--format
    /// json` gives one document.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["no_cache", "events", "otlp", "out"])]
    shadow: Option<String>,
    /// Begin no run where there is one that was begun with this key: tell of that one instead
    #[arg(long, value_name = "KEY", conflicts_with = "shadow", value_parser = key)]
    idempotency_key: Option<String>,
}

/// What `run` and `resume` share.
#[derive(Debug, clap::Args)]
pub struct Execution {
    /// Take nothing from earlier runs
    #[arg(long)]
    no_cache: bool,
    /// How many cores to use
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    jobs: Option<u32>,
    /// How much memory to use, such as 4GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Write every event to a file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Send spans to an OpenTelemetry collector, such as http://localhost:4318
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    /// Write the outputs into a folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How to tell of the run; json is one event a line
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn execute(
    options: &Options,
    launch: Option<Launch>,
    root: Option<&Path>,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let (dag, folders) = match launch {
        Some(launch) => {
            launch.project.remark(terminal);
            let mut dag = match launch.plan(&options.launch, Stage::Plan, terminal) {
                Ok(dag) => dag,
                Err(exit) => return Ok(exit),
            };
            launch::resolve_files(&mut dag, &launch.project.folders().root);
            (dag, launch.project.folders().clone())
        }
        None => {
            let folders = Folders::find(&options.launch.file, root)?;
            folders.remark(terminal);
            let dag = options.launch.read_dag()?;
            let (mut dag, _) = at_stage(dag, Stage::Plan, &Facts::of_code(&folders));
            launch::resolve_files(&mut dag, &folders.root);
            (dag, folders)
        }
    };
    if let Some(run) = &options.shadow {
        let engine = state::open(&folders)?;
        let run = state::find(&engine, run)?.id;
        let comparison = engine.shadow(dag, &run, &options.execution.run_options())?;
        return Ok(shadow::tell(&comparison, options.execution.format, terminal));
    }
    refuse_missing_files(&dag)?;
    let engine = state::open(&folders)?;
    let Some(key) = &options.idempotency_key else {
        return options
            .execution
            .drive(&engine, terminal, |run_options, cancel| engine.run(dag, run_options, cancel));
    };
    if let Some(run) = engine.run_of(key)? {
        return Ok(options.execution.tell_earlier(&run, terminal));
    }
    let driven = options.execution.drive(&engine, terminal, |run_options, cancel| {
        engine.run(dag, &RunOptions { idempotency_key: Some(key.clone()), ..run_options.clone() }, cancel)
    });
    match (driven, engine.run_of(key)?) {
        // Another process has been first by a moment.
        (Err(_), Some(run)) if run.owner.as_ref().is_some_and(|owner| owner.pid != std::process::id()) => {
            Ok(options.execution.tell_earlier(&run, terminal))
        }
        (driven, _) => driven,
    }
}

/// A table that is not there is known before anything starts.
fn refuse_missing_files(dag: &Dag) -> Result<(), Failure> {
    for parameter in &dag.parameters {
        let (Type::Dataset(_), Value::File(path)) = (parameter.ty.present(), &parameter.value) else {
            continue;
        };
        if !path.contains("://") && !Path::new(path).exists() {
            let shown = project::show(Path::new(path));
            return Err(Failure::environment(format!(
                "there is no file `{shown}` for parameter `{}`",
                parameter.name
            ))
            .help(format!("name one with `--{} FILE`", parameter.name.replace('_', "-"))));
        }
    }
    Ok(())
}

impl Execution {
    /// Of a run that was begun before with the same key.
    fn tell_earlier(&self, run: &RunView, terminal: &Terminal) -> Exit {
        match self.format {
            Format::Json => terminal.result(&format!("{}\n", runs::to_json(run))),
            Format::Human => {
                terminal.remark("this key has a run already, and no other is begun");
                terminal.result(&runs::line(run, terminal));
            }
        }
        match run.status {
            RunStatus::Finished | RunStatus::Running => Exit::Worked,
            _ => Exit::Failed,
        }
    }

    /// Without subscribers.
    fn run_options(&self) -> RunOptions {
        let mut options = RunOptions { use_cache: !self.no_cache, ..RunOptions::default() };
        options.jobs = self.jobs.unwrap_or(options.jobs);
        options.memory = self.memory.unwrap_or(options.memory);
        options
    }

    /// Runs what `start` starts, telling of it as asked; gives the exit code.
    pub fn drive(
        &self,
        engine: &Engine,
        terminal: &Terminal,
        start: impl FnOnce(&RunOptions, &Cancel) -> Result<RunReport, RunError>,
    ) -> Result<Exit, Failure> {
        let mut options = self.run_options();
        let out = self.out.as_deref().map(absolute).transpose()?;
        if let Some(path) = &self.events {
            options.subscribers.push(Arc::new(watch::EventLines::to_file(path, terminal)?));
        }
        if let Some(url) = &self.otlp {
            options.subscribers.push(Arc::new(Exporter::new(url, terminal)?));
        }
        let mut tells_failures = false;
        let view: Option<Arc<dyn Subscriber>> = match self.format {
            Format::Json => Some(Arc::new(watch::EventLines::to_stdout())),
            Format::Human => {
                let view = watch::view(terminal);
                tells_failures = view.tells_failures;
                view.subscriber
            }
        };
        options.subscribers.extend(view);

        let cancel = Cancel::new();
        interrupt::cancel_on_signal(&cancel, terminal)?;
        let report = start(&options, &cancel)?;
        // The view ends with its last subscriber, and what follows is printed below it.
        drop(options);
        for Undelivered { subscriber, events } in &report.undelivered {
            let missed = count(usize::try_from(*events).unwrap_or(usize::MAX), "event", "events");
            terminal.warning(&format!("{subscriber} took nothing for ten seconds and misses {missed}"));
        }

        if let Some(folder) = out {
            outputs::write(&report, engine, &folder)?;
        }
        if self.format == Format::Human {
            outputs::print(&report, tells_failures, terminal);
        }
        Ok(match report.status {
            RunStatus::Finished => Exit::Worked,
            RunStatus::Cancelled if cancel.is_cancelled() => Exit::Interrupted,
            _ => Exit::Failed,
        })
    }
}

/// Of a variable that is not set there is an empty text left, which is nobody's key.
fn key(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a key is no empty text".to_owned()) } else { Ok(text.to_owned()) }
}

/// Reads a size as the language writes it: `512MiB`.
fn size(text: &str) -> Result<u64, String> {
    match flow_syntax::parse::parse_expression(text) {
        (flow_syntax::ast::Expr { kind: flow_syntax::ast::ExprKind::Literal(literal), .. }, errors)
            if errors.is_empty() =>
        {
            match literal {
                flow_syntax::ast::Literal::Size(bytes) => Ok(bytes),
                _ => Err("a size has a unit, such as 512MiB or 4GiB".to_owned()),
            }
        }
        _ => Err("it is no size such as 512MiB or 4GiB".to_owned()),
    }
}
