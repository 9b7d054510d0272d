//! A run as it happens: bars on a terminal, a line an event elsewhere, JSON lines for programs.

use std::{
    collections::HashMap,
    fs::File,
    io::{IsTerminal, LineWriter, Write},
    path::Path,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use flow_runtime::event::{Event, Kind, Subscriber};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::{exit::Failure, terminal::Terminal};

/// How many running nodes have a bar of their own.
const MOST_BARS: usize = 8;

/// The view for people: none where they want quiet.
pub fn view(terminal: &Terminal) -> Option<Arc<dyn Subscriber>> {
    if terminal.quiet {
        None
    } else if std::io::stderr().is_terminal() {
        Some(Arc::new(Bars::new(terminal)))
    } else {
        Some(Arc::new(Lines { terminal: *terminal, started: OnceLock::new() }))
    }
}

/// Every event as CloudEvents, one JSON object a line.
pub struct EventLines {
    writer: Mutex<Box<dyn Write + Send>>,
    /// Of a file, and how to say that it cannot be written; nobody is told that a pipe's reader has gone.
    file: Option<(String, Terminal)>,
    is_broken: AtomicBool,
}

impl EventLines {
    pub fn to_file(path: &Path, terminal: &Terminal) -> Result<Self, Failure> {
        let file = File::create(path)
            .map_err(|error| Failure::environment(format!("cannot write `{}`: {error}", path.display())))?;
        let named = Some((path.display().to_string(), *terminal));
        Ok(Self::new(LineWriter::new(file), named))
    }

    pub fn to_stdout() -> Self {
        Self::new(std::io::stdout(), None)
    }

    fn new(writer: impl Write + Send + 'static, file: Option<(String, Terminal)>) -> Self {
        Self { writer: Mutex::new(Box::new(writer)), file, is_broken: AtomicBool::new(false) }
    }
}

impl Subscriber for EventLines {
    fn name(&self) -> String {
        match &self.file {
            Some((path, _)) => format!("`{path}`"),
            None => "the reader of stdout".to_owned(),
        }
    }

    fn event(&self, event: &Event) {
        if self.is_broken.load(Ordering::Relaxed) {
            return;
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // The run goes on, and the store has them.
        if let Err(error) = writeln!(writer, "{}", event.to_cloud_event()) {
            self.is_broken.store(true, Ordering::Relaxed);
            if let Some((path, terminal)) = &self.file {
                terminal.warning(&format!("the events are no longer written to `{path}`: {error}"));
            }
        }
    }
}

/// A line an event.
struct Lines {
    terminal: Terminal,
    /// The time of the first event, in microseconds.
    started: OnceLock<i64>,
}

impl Subscriber for Lines {
    fn event(&self, event: &Event) {
        let seconds = (event.time - self.started.get_or_init(|| event.time)) as f64 / 1e6;
        let subject = event.node.as_deref().unwrap_or(&event.run);
        let detail = detail(event).map(|detail| format!(": {detail}")).unwrap_or_default();
        self.terminal.remark(&format!("{seconds:9.3}s  {:10}  {subject}{detail}", word(event.kind)));
    }

    fn log(&self, node: &str, line: &str) {
        self.terminal.remark(&format!("{:10}  {:10}  {node}: {line}", "", "log"));
    }

    fn note(&self, line: &str) {
        self.terminal.warning(line);
    }
}

/// Bars: one for all nodes, one for each of the first that run.
struct Bars {
    terminal: Terminal,
    all: MultiProgress,
    total: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: HashMap<Arc<str>, ProgressBar>,
    /// How many run, those without a bar included.
    busy: u64,
    cached: u64,
}

impl Bars {
    fn new(terminal: &Terminal) -> Self {
        let all = MultiProgress::new();
        let total = all.add(ProgressBar::new(0));
        total.set_style(style(terminal, "{bar:30.cyan/dim} {pos}/{len} nodes  {elapsed:.dim}  {msg}"));
        total.enable_steady_tick(Duration::from_millis(100));
        Self { terminal: *terminal, all, total, state: Mutex::default() }
    }

    fn end(&self, node: &Arc<str>, state: &mut State) {
        if let Some(bar) = state.running.remove(node) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn say(&self, line: &str) {
        // The bars are drawn anew below it; a terminal that is gone is no error.
        let _ = self.all.println(line);
    }
}

impl Subscriber for Bars {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let detail = detail(event).unwrap_or_default();
        let Some(node) = &event.node else {
            match event.kind {
                Kind::RunStarted => {
                    self.total
                        .set_length(event.data.get("nodes").and_then(serde_json::Value::as_u64).unwrap_or(0));
                }
                _ => {
                    self.total.finish_and_clear();
                }
            }
            return;
        };
        match event.kind {
            Kind::Running => {
                state.busy += 1;
                if state.running.len() < MOST_BARS {
                    let bar = self.all.add(ProgressBar::new_spinner());
                    bar.set_style(style(&self.terminal, "  {spinner:.cyan} {prefix:28}  {elapsed:.dim}"));
                    bar.set_prefix(node.to_string());
                    bar.enable_steady_tick(Duration::from_millis(100));
                    state.running.insert(node.clone(), bar);
                }
            }
            Kind::Finishing | Kind::Retrying | Kind::Failed => {
                state.busy = state.busy.saturating_sub(1);
                self.end(node, &mut state);
            }
            Kind::Cancelled => self.end(node, &mut state),
            Kind::Cached => state.cached += 1,
            _ => {}
        }
        match event.kind {
            Kind::Finished | Kind::Cached | Kind::Cancelled => self.total.inc(1),
            Kind::Failed => {
                self.total.inc(1);
                self.say(&format!("{} {node}: {detail}", self.terminal.paint_err("failed", "31")));
            }
            Kind::Retrying => {
                self.say(&format!("{} {node}: {detail}", self.terminal.paint_err("retrying", "33")));
            }
            _ => {}
        }
        let cached = if state.cached > 0 { format!(", {} cached", state.cached) } else { String::new() };
        self.total.set_message(format!("{} running{cached}", state.busy));
    }

    fn progress(&self, node: &str, done: u64, total: u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = state.running.get(node) {
            if bar.length() != Some(total) {
                bar.set_length(total);
                bar.set_style(style(
                    &self.terminal,
                    "  {spinner:.cyan} {prefix:28}  {elapsed:3.dim}  {bar:20.green/dim} {pos}/{len}",
                ));
            }
            bar.set_position(done);
        }
    }

    fn log(&self, node: &str, line: &str) {
        self.say(&format!("{} {line}", self.terminal.paint_err(&format!("{node}:"), "2")));
    }

    fn note(&self, line: &str) {
        self.say(&format!("{}: {line}", self.terminal.paint_err("warning", "33")));
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.total.finish_and_clear();
    }
}

/// The templates are ours, so a mistake in one shows as the plain style and not as an error.
fn style(terminal: &Terminal, template: &str) -> ProgressStyle {
    let mut template = template.to_owned();
    if !terminal.colour_err {
        for colour in [".cyan/dim", ".green/dim", ".cyan", ".dim"] {
            template = template.replace(colour, "");
        }
    }
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

fn word(kind: Kind) -> &'static str {
    kind.name().rsplit('.').next().unwrap_or_default()
}

/// What an event says besides its kind.
fn detail(event: &Event) -> Option<String> {
    let text = |key: &str| event.data.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    text("message")
        .or_else(|| text("status"))
        .or_else(|| text("because").map(|node| format!("because of {node}")))
}
