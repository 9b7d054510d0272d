//! `flowc logs`: what an attempt of a node wrote.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use flow_ir::text::bytes;
use flow_runtime::{
    decide::{NodeState, RunStatus},
    engine::{Engine, NodeView},
    folder::{AttemptFolder, NodeFolder},
};
use flow_syntax::suggest::did_you_mean;
use serde_json::{Value as Json, json};

use crate::{
    arguments::Format,
    exit::{Exit, Failure},
    state,
    terminal::Terminal,
    words::{count, step_of},
};

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The run's id, a part of it that no other has, or `last`
    run: String,
    /// A node
    node: String,
    /// Which attempt; else the last one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,
    /// What its process wrote to stdout alone
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// What its process wrote to stderr alone
    #[arg(long)]
    stderr: bool,
    /// Go on until the node has ended
    #[arg(short, long, conflicts_with = "format")]
    follow: bool,
    /// How to print it; json is one document
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Between two looks at files that grow.
const GLANCE: Duration = Duration::from_millis(50);

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let engine = state::open_existing(root, terminal)?;
    let run = state::find(&engine, &options.run)?.id;
    let query = engine.dag(&run)?.query_with_step(&options.node);
    if let Some(query) = &query {
        terminal.remark(&step_of(&options.node, query));
    }
    let options = &Options { node: query.unwrap_or_else(|| options.node.clone()), ..options.clone() };
    let folder = engine.run_folder(&run).node(&options.node);
    let (_, nodes) = engine.show(&run)?;
    if !folder.path().exists() && !nodes.iter().any(|node| node.id == options.node) {
        return Err(not_found(&nodes, &options.node));
    }
    if options.follow {
        return follow(options, &engine, &run, &folder, terminal);
    }
    let attempts = attempts(&folder)?;
    if let (Some(asked), Some(node)) = (options.attempt, nodes.iter().find(|node| node.id == options.node))
        && asked > node.attempts
    {
        let had = count(node.attempts as usize, "attempt", "attempts");
        return Err(Failure::usage(format!("`{}` had {had}", options.node)));
    }
    let Some(attempt) = chosen(options, &attempts)? else {
        let is_cached = nodes.iter().any(|node| node.id == options.node && node.is_cached);
        let why = if is_cached { ": its result is that of an earlier run" } else { "" };
        terminal.remark(&format!("`{}` has written nothing{why}", options.node));
        return Ok(Exit::Worked);
    };
    let files = folder.attempt(attempt);
    if options.format == Format::Json {
        let text = |path: PathBuf| read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let json = json!({
            "run": run, "node": options.node, "attempt": attempt, "attempts": attempts,
            "stdout": text(files.stdout())?, "stderr": text(files.stderr())?, "log": text(files.log())?,
            "end": end(&files),
        });
        terminal.result(&format!("{json:#}\n"));
        return Ok(Exit::Worked);
    }
    let streams = streams(options, &files);
    let is_one = streams.len() == 1;
    for (name, path) in streams {
        let bytes = read(&path)?;
        if bytes.is_empty() {
            continue;
        }
        if !is_one {
            terminal.remark(&format!("{name}, attempt {attempt} of {}:", attempts.len()));
        }
        if !print(&bytes)? {
            return Ok(Exit::Worked);
        }
    }
    if !is_one && let Some(end) = end(&files) {
        terminal.remark(&end_text(&end));
    }
    Ok(Exit::Worked)
}

/// Prints what comes, of whichever attempt is the last, until nothing more can come.
fn follow(
    options: &Options,
    engine: &Engine,
    run: &str,
    folder: &NodeFolder,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let mut current = None;
    let mut tails: Vec<Tail> = Vec::new();
    loop {
        // Asked before the files are read: what is written until then is read.
        let is_over = has_ended(engine, run, &options.node)?;
        let attempts = attempts(folder)?;
        let last = match options.attempt {
            Some(attempt) => attempts.contains(&attempt).then_some(attempt),
            None => attempts.last().copied(),
        };
        if last != current {
            if let Some(attempt) = last.filter(|attempt| *attempt > 1) {
                terminal.remark(&format!("attempt {attempt}:"));
            }
            current = last;
            let files = last.map(|attempt| folder.attempt(attempt));
            let streams = files.iter().flat_map(|files| streams(options, files));
            tails = streams.map(|(_, path)| Tail { path, read: 0 }).collect();
        }
        for tail in &mut tails {
            if !tail.print()? {
                return Ok(Exit::Worked);
            }
        }
        if is_over {
            return Ok(Exit::Worked);
        }
        std::thread::sleep(GLANCE);
    }
}

struct Tail {
    path: PathBuf,
    read: u64,
}

impl Tail {
    /// Prints what is new; whether somebody still reads it.
    fn print(&mut self) -> Result<bool, Failure> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(unreadable(&self.path, &error)),
        };
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.read))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(|error| unreadable(&self.path, &error))?;
        self.read += bytes.len() as u64;
        print(&bytes)
    }
}

/// Whether nothing more can come: the node has ended, or nobody works on the run.
fn has_ended(engine: &Engine, run: &str, node: &str) -> Result<bool, Failure> {
    let (run, nodes) = engine.show(run)?;
    let is_open =
        |node: &NodeView| matches!(node.state, NodeState::Pending | NodeState::Ready | NodeState::Running);
    let is_node_open = nodes.iter().find(|found| found.id == node).is_none_or(is_open);
    Ok(run.status != RunStatus::Running || !is_node_open)
}

fn attempts(folder: &NodeFolder) -> Result<Vec<u32>, Failure> {
    folder.attempts().map_err(|error| unreadable(folder.path(), &error))
}

fn chosen(options: &Options, attempts: &[u32]) -> Result<Option<u32>, Failure> {
    match options.attempt {
        Some(attempt) if !attempts.is_empty() && !attempts.contains(&attempt) => {
            let known: Vec<String> = attempts.iter().map(u32::to_string).collect();
            Err(Failure::usage(format!("attempt {attempt} of `{}` has written nothing", options.node))
                .help(format!("there is something of {}", known.join(", "))))
        }
        Some(attempt) => Ok(attempts.contains(&attempt).then_some(attempt)),
        None => Ok(attempts.last().copied()),
    }
}

fn streams(options: &Options, files: &AttemptFolder) -> Vec<(&'static str, PathBuf)> {
    let mut streams = Vec::new();
    if !options.stdout && !options.stderr {
        streams.push(("log", files.log()));
    }
    if !options.stderr {
        streams.push(("stdout", files.stdout()));
    }
    if !options.stdout {
        streams.push(("stderr", files.stderr()));
    }
    streams
}

/// Empty where there is no such file.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Whether somebody still reads what is printed.
fn print(bytes: &[u8]) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::environment(format!("cannot write to stdout: {error}"))),
    }
}

fn end(files: &AttemptFolder) -> Option<Json> {
    serde_json::from_slice(&fs::read(files.exit()).ok()?).ok()
}

/// "ended with exit code 3 after 0.5 s, with 43 MB at its peak"
fn end_text(end: &Json) -> String {
    let number = |name| end.get(name).and_then(Json::as_i64);
    let how = match (end.get("end").and_then(Json::as_str), number("code"), number("signal")) {
        (Some("cancelled"), ..) => "was stopped".to_owned(),
        (Some("memory"), ..) => "was stopped: it used too much memory".to_owned(),
        (_, Some(code), _) => format!("ended with exit code {code}"),
        (_, None, Some(signal)) => format!("was ended by signal {signal}"),
        _ => "ended".to_owned(),
    };
    let seconds = end.get("seconds").and_then(Json::as_f64).unwrap_or_default();
    let peak = end.get("peak_memory").and_then(Json::as_u64);
    let peak = peak.map(|peak| format!(", with {} of memory at its peak", bytes(peak)));
    format!("{how} after {seconds:.1} s{}", peak.unwrap_or_default())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("cannot read `{}`: {error}", path.display()))
}

/// Names the node that was probably meant.
fn not_found(nodes: &[NodeView], wanted: &str) -> Failure {
    let help = did_you_mean(wanted, nodes.iter().map(|node| node.id.as_str()));
    Failure::usage(format!("this run has no node `{wanted}`"))
        .help(help.unwrap_or_else(|| "`flowc show` lists a run's nodes".to_owned()))
}
