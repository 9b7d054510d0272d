//! The command line: words to an [`Invocation`].
//!
//! A workflow's parameters are flags of `plan` and `run`. They are known only once the file has been
//! read, so the words are looked through for the file first, and parsed when its flags are there.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    ArgMatches, CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};
use flow_syntax::suggest::suggest;

use crate::{
    artifact, cancel, check, diff,
    exit::{Exit, Failure},
    explain, fmt, gc,
    launch::{self, Launch},
    logs, lsp, ops, plan, resume, retry, run, runs, show, signal, task,
    terminal::{Colour, Terminal},
    test, why,
};

/// The compiler and runner of Flow, a language for machine-learning workflows
#[derive(Debug, clap::Parser)]
#[command(name = "flowc", version)]
struct Words {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// When to use colour
    #[arg(long, visible_alias = "colour", value_enum, default_value_t = Colour::Auto, global = true)]
    color: Colour,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say which project it is, where its parts are, and which files are read
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// The project's folder; else the nearest one upwards that has a flow.toml
    #[arg(long, value_name = "DIR", global = true)]
    project: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Report what is wrong with files, or with the project
    Check(check::Options),
    /// Format files in the one style
    Fmt(fmt::Options),
    /// Show the DAG of a workflow without running anything
    #[command(after_help = "The workflow's parameters are flags: `flowc plan FILE --help` lists them")]
    Plan(plan::Options),
    /// Say what differs between two texts, DAGs or runs
    #[command(after_help = "A workflow's parameters are flags: `flowc diff A B --help` lists them")]
    Diff(diff::Options),
    /// Run a workflow
    #[command(after_help = "The workflow's parameters are flags: `flowc run FILE --help` lists them")]
    Run(run::Options),
    /// Carry out the tests of files, or of the project
    Test(test::Options),
    /// Continue a run whose process has died
    Resume(resume::Options),
    /// Take up a run that failed, was blocked or cancelled, in place
    Retry(retry::Options),
    /// Stop a run
    Cancel(cancel::Options),
    /// Tell a run what it waits for
    Signal(signal::Options),
    /// Say why a node of a run ran, or was taken from the cache
    Why(why::Options),
    /// List past and running runs
    Runs(runs::Options),
    /// Show one run
    Show(show::Options),
    /// Print what an attempt of a node wrote
    Logs(logs::Options),
    /// Write what a node gave to stdout or a file
    Artifact(artifact::Options),
    /// Remove old runs, and what no run needs any more
    Gc(gc::Options),
    /// Run one task in this process, as an engine elsewhere would start it
    Task(task::Options),
    /// List the operators, or describe one
    Ops(ops::Options),
    /// Explain a diagnostic
    Explain(explain::Options),
    /// Serve an editor over stdin and stdout (Language Server Protocol)
    Lsp(lsp::Options),
    /// Print a shell's completions
    Completions { shell: clap_complete::Shell },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Human,
    Json,
}

/// A command with everything it needs.
#[derive(Debug)]
pub struct Invocation {
    words: Words,
    /// The workflow that `plan` or `run` named, and its parameters' flags.
    launch: Option<Launch>,
}

/// Reads the command line. What it says about itself (help, version, errors) is printed.
pub fn parse(words: Vec<OsString>) -> Result<Invocation, Exit> {
    let mut command = Words::command();
    let mut launch = None;
    let mut names = Vec::new();
    let mut launching = None;
    if let Some(target) = launch::find_target(&words, &command) {
        launching = Some(target.subcommand);
        let terminal = terminal_before_parsing(&words);
        launch = launch::load(&target, &terminal)?;
        command = command.mut_subcommand(target.subcommand, |subcommand| match &launch {
            Some(launch) => launch.add_flags(subcommand),
            None => {
                let (subcommand, found) = launch::add_flags_of_dag(&target, subcommand);
                names = found;
                subcommand
            }
        });
    }
    let matches = command.try_get_matches_from_mut(&words).map_err(|error| {
        let launching = launching.and_then(|name| command.find_subcommand(name));
        if let Some(failure) = launching.and_then(|launching| unknown_flag(&error, launching)) {
            return failure.report(&terminal_before_parsing(&words));
        }
        // A reader of the help that has gone away is no error.
        let _ = error.print();
        if error.use_stderr() { Exit::Usage } else { Exit::Worked }
    })?;
    let mut words = Words::from_arg_matches(&matches).map_err(|error| {
        let _ = error.print();
        Exit::Usage
    })?;
    if let Some((_, matches)) = matches.subcommand() {
        match (&mut launch, &mut words.command) {
            (Some(launch), _) => launch.take_flags(matches),
            (
                None,
                Command::Plan(plan::Options { launch, .. }) | Command::Run(run::Options { launch, .. }),
            ) => {
                launch.settings.extend(launch::settings_of(matches, &names));
            }
            _ => {}
        }
    }
    Ok(Invocation { words, launch })
}

impl Invocation {
    pub fn execute(self) -> Exit {
        let Common { color, quiet, verbose, project } = self.words.common;
        let terminal = Terminal::new(color, quiet, verbose);
        let root = project.as_deref();
        let result = match &self.words.command {
            Command::Check(options) => check::execute(options, root, &terminal),
            Command::Fmt(options) => fmt::execute(options, root, &terminal),
            Command::Plan(options) => plan::execute(options, self.launch, root, &terminal),
            Command::Diff(options) => {
                let flags = self.launch.map(|launch| launch.flags).unwrap_or_default();
                diff::execute(options, &flags, root, &terminal)
            }
            Command::Run(options) => run::execute(options, self.launch, root, &terminal),
            Command::Test(options) => test::execute(options, root, &terminal),
            Command::Resume(options) => resume::execute(options, root, &terminal),
            Command::Retry(options) => retry::execute(options, root, &terminal),
            Command::Cancel(options) => cancel::execute(options, root, &terminal),
            Command::Signal(options) => signal::execute(options, root, &terminal),
            Command::Why(options) => why::execute(options, root, &terminal),
            Command::Runs(options) => runs::execute(options, root, &terminal),
            Command::Show(options) => show::execute(options, root, &terminal),
            Command::Logs(options) => logs::execute(options, root, &terminal),
            Command::Artifact(options) => artifact::execute(options, root, &terminal),
            Command::Gc(options) => gc::execute(options, root, &terminal),
            Command::Task(options) => task::execute(options, root, &terminal),
            Command::Ops(options) => ops::execute(options, root, &terminal),
            Command::Explain(options) => explain::execute(options, &terminal),
            Command::Lsp(options) => lsp::execute(options, root),
            Command::Completions { shell } => completions(*shell, &terminal),
        };
        result.unwrap_or_else(|failure| failure.report(&terminal))
    }
}

fn completions(shell: clap_complete::Shell, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Words::command(), "flowc", &mut script);
    terminal.result(&String::from_utf8_lossy(&script));
    Ok(Exit::Worked)
}

/// What is no flag where a workflow's parameters are flags, too.
fn unknown_flag(error: &clap::Error, launching: &clap::Command) -> Option<Failure> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = word.strip_prefix("--")?;
    let flags = || launching.get_arguments().filter_map(|known| Some((known, known.get_long()?)));
    let near = suggest(flag, flags().map(|(_, known)| known));
    let parameters: Vec<String> = flags()
        .filter(|(known, _)| launch::is_parameter(known))
        .map(|(_, known)| format!("`--{known}`"))
        .collect();
    Some(Failure::usage(format!("there is no flag and no parameter `--{flag}`")).help(match near {
        Some(near) => format!("did you mean `--{near}`?"),
        None if parameters.is_empty() => "there are no parameters".to_owned(),
        None => format!("the parameters are {}", parameters.join(", ")),
    }))
}

/// The flags that decide how diagnostics look must count before all flags are known.
fn terminal_before_parsing(words: &[OsString]) -> Terminal {
    let mut colour = Colour::Auto;
    for (index, word) in words.iter().enumerate() {
        let word = word.to_string_lossy();
        let value = match word.split_once('=') {
            Some(("--color" | "--colour", value)) => value.to_owned(),
            None if word == "--color" || word == "--colour" => {
                words.get(index + 1).map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
            }
            _ => continue,
        };
        colour = <Colour as clap::ValueEnum>::from_str(&value, true).unwrap_or(Colour::Auto);
    }
    let has = |short: &str, long: &str| words.iter().any(|word| word == short || word == long);
    Terminal::new(colour, has("-q", "--quiet"), has("-v", "--verbose"))
}

/// The value of a flag that was given, as text.
pub fn flag_text(matches: &ArgMatches, id: &str) -> Option<String> {
    matches.try_get_one::<String>(id).ok().flatten().cloned()
}

/// Whether every command has a flag of that name.
pub fn is_common_flag(long: &str) -> bool {
    let command = Words::command();
    let is_taken = command
        .get_arguments()
        .any(|arg| arg.get_long_and_visible_aliases().is_some_and(|all| all.contains(&long)));
    is_taken || matches!(long, "help" | "version")
}
