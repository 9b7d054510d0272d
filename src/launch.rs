//! What `plan` and `run` share: which workflow, and its parameters as flags.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Arg, ArgMatches};
use flow_analysis::signature::Signature;
use flow_ir::{dag::Dag, value::Value};
use flow_plan::{
    error::PlanError,
    evaluate::{evaluate, relative_to},
    one_file,
    parameters::{self, Given},
    passes::{Stage, at_stage},
};
use flow_syntax::{diagnostic::render, suggest::did_you_mean};

use crate::{
    check, dag_file,
    exit::{Exit, Failure},
    facts::Facts,
    project::{Project, absolute, unreadable},
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
#[group(id = "launch")]
pub struct Options {
    /// A .flow file, or a DAG: in JSON, or in its text (.dag)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The workflow; needed where the file has several
    #[arg(value_name = "WORKFLOW")]
    pub workflow: Option<String>,
    /// Parameters as a JSON object; a flag wins over it
    #[arg(long, value_name = "FILE.json")]
    pub params: Option<PathBuf>,
    /// A parameter, also one whose flag is flowc's own
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    pub settings: Vec<String>,
}

impl Options {
    /// The DAG that the file is, with what is given for its tables, models and files.
    pub fn read_dag(&self) -> Result<Dag, Failure> {
        let mut dag = dag_file::read(&self.file)?;
        dag_file::bind(&mut dag, &self.file, &self.parameters())?;
        Ok(dag)
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters { file: self.params.as_deref(), settings: &self.settings }
    }
}

/// Parameters by name, as `-p` gives them.
pub type Settings = Vec<(String, String)>;

/// Parameters as the command line has them, flags apart.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    pub file: Option<&'a Path>,
    /// `NAME=VALUE`
    pub settings: &'a [String],
}

impl Parameters<'_> {
    /// The settings, and what the file holds.
    pub fn read(&self) -> Result<(Settings, Option<serde_json::Value>), Failure> {
        Ok((settings(self.settings)?, self.file.map(read_params).transpose()?))
    }
}

/// The file and workflow that the words name, found before they can be parsed.
#[derive(Debug)]
pub struct Target {
    pub subcommand: &'static str,
    file: PathBuf,
    workflow: Option<String>,
    root: Option<PathBuf>,
    /// The module that the file is taken for; none: that of its place.
    module: Option<String>,
    wants_help: bool,
}

impl Target {
    /// A file that is taken for another module's, where one is named.
    pub fn new(file: &Path, workflow: Option<&str>, root: Option<&Path>, module: Option<String>) -> Self {
        Self {
            subcommand: "diff",
            module,
            file: file.to_owned(),
            workflow: workflow.map(str::to_owned),
            root: root.map(Path::to_owned),
            wants_help: false,
        }
    }
}

/// A workflow that is about to be planned, and the flags given for it.
#[derive(Debug)]
pub struct Launch {
    pub project: Project,
    pub module: String,
    pub workflow: String,
    pub signature: Arc<Signature>,
    /// Parameters and their texts, as given on the command line.
    pub flags: Vec<(String, String)>,
}

/// Subcommands that take a workflow's parameters.
const LAUNCHING: [&str; 3] = ["plan", "run", "diff"];
/// Goes before a parameter's name in the ids of its flag.
const FLAG_ID: &str = "parameter ";

/// Looks through the words for `plan FILE [WORKFLOW]` or `run FILE [WORKFLOW]`.
///
/// A flag that is not known yet is a parameter of the workflow, and takes a value.
pub fn find_target(words: &[OsString], command: &clap::Command) -> Option<Target> {
    let mut subcommand: Option<(&'static str, &clap::Command)> = None;
    let mut positional = Vec::new();
    let mut root = None;
    let mut wants_help = false;
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            positional.extend(words);
            break;
        }
        if matches!(text.as_ref(), "--help" | "-h") {
            wants_help = true;
        } else if let Some(flag) = text.strip_prefix('-').filter(|flag| !flag.is_empty()) {
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let takes_value = takes_value(name, subcommand.map(|(_, subcommand)| subcommand), command);
            let value = value.or_else(|| {
                takes_value.then(|| words.next().map(|word| word.to_string_lossy().into_owned())).flatten()
            });
            if name == "-project" {
                root = value.map(PathBuf::from);
            }
        } else if subcommand.is_none() {
            let name = LAUNCHING.into_iter().find(|name| *name == text)?;
            subcommand = Some((name, command.find_subcommand(name)?));
        } else {
            positional.push(word);
        }
    }
    let subcommand = subcommand?.0;
    if subcommand == "diff" && positional.len() >= 2 {
        // The one of the two that is a text has parameters.
        let is_text =
            |word: &OsString| Path::new(word).extension().is_some_and(|extension| extension == "flow");
        let text = *positional.iter().take(2).find(|word| is_text(word))?;
        positional.splice(..2, [text]);
    }
    let mut positional = positional.into_iter();
    Some(Target {
        subcommand,
        file: PathBuf::from(positional.next()?),
        workflow: positional.next().map(|word| word.to_string_lossy().into_owned()),
        root,
        module: None,
        wants_help,
    })
}

/// Adds the parameters of the DAG that the target is to a subcommand; none where it is a text.
pub fn add_flags_of_dag(target: &Target, mut subcommand: clap::Command) -> (clap::Command, Vec<String>) {
    let mut names = Vec::new();
    if !is_dag(&target.file) {
        return (subcommand, names);
    }
    subcommand = subcommand.next_help_heading("Parameters of the DAG").after_help(None::<&str>);
    for dag_file::Flag { name, ty } in dag_file::flags(&target.file) {
        let long = name.replace('_', "-");
        let is_taken =
            subcommand.get_arguments().any(|arg| arg.get_long().is_some_and(|other| other == long))
                || crate::arguments::is_common_flag(&long)
                || names.contains(&name);
        if !is_taken {
            let is_file = ["Dataset<", "File"].iter().any(|start| ty.starts_with(start));
            let help = if is_file { "The file to read" } else { "Decided when the DAG was planned" };
            let arg = Arg::new(format!("{FLAG_ID}{name}")).long(long).value_name(ty).help(help);
            subcommand = subcommand.arg(arg.allow_hyphen_values(true));
            names.push(name);
        }
    }
    (subcommand, names)
}

/// What was given for parameters of those names, as `-p` has it.
pub fn settings_of(matches: &ArgMatches, names: &[String]) -> Vec<String> {
    let given = |name: &String| {
        Some(format!("{name}={}", crate::arguments::flag_text(matches, &format!("{FLAG_ID}{name}"))?))
    };
    names.iter().filter_map(given).collect()
}

/// Whether a flag is a parameter of what is launched.
pub fn is_parameter(flag: &Arg) -> bool {
    flag.get_id().as_str().starts_with(FLAG_ID)
}

fn is_dag(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json" || extension == "dag")
}

/// What is named otherwise than a text or a DAG is not read as one: each of its lines would be an error.
fn refuse_other_file(file: &Path) -> Result<(), Failure> {
    match file.extension() {
        Some(extension) if extension != "flow" && file.is_file() => {
            Err(Failure::usage(format!("`{}` is no .flow file and no DAG", file.display()))
                .help("a DAG's name ends in .json or .dag"))
        }
        _ => Ok(()),
    }
}

/// Loads and checks the target's file. `None` where it is a DAG rather than text, or where only help is
/// wanted and the file cannot give it.
pub fn load(target: &Target, terminal: &Terminal) -> Result<Option<Launch>, Exit> {
    if is_dag(&target.file) {
        return Ok(None);
    }
    let found = refuse_other_file(&target.file);
    let found = found.and_then(|()| Project::find(&target.file, target.root.as_deref()));
    let result = found.and_then(|mut project| {
        let module = match &target.module {
            Some(module) => project.load_as(&target.file, module).map(|()| module.clone()),
            None => project.load(&target.file),
        };
        Ok((project, module?))
    });
    let (project, module) = match result {
        Ok(loaded) => loaded,
        Err(_) if target.wants_help => return Ok(None),
        Err(failure) => return Err(failure.report(terminal)),
    };
    let workflows = project.analysis.workflows(&module);
    let chosen = choose(&workflows, target);
    if target.wants_help && chosen.is_err() {
        return Ok(None);
    }
    if !target.wants_help {
        check::require_sound(&project, terminal)?;
    }
    let workflow = chosen.map_err(|failure| failure.report(terminal))?;
    let Some(signature) = project.analysis.signature(&module, &workflow) else { return Ok(None) };
    Ok(Some(Launch { project, module, workflow, signature, flags: Vec::new() }))
}

impl Launch {
    /// Adds the workflow's parameters to a subcommand, under a heading of their own.
    pub fn add_flags(&self, mut subcommand: clap::Command) -> clap::Command {
        subcommand = subcommand.next_help_heading(format!("Parameters of {}", self.workflow));
        let facts = Facts::of_operators();
        let params = parameters::describe(
            &self.project.analysis,
            &facts,
            &self.module,
            &self.workflow,
            &self.signature,
        );
        let mut notes = Vec::new();
        for param in params {
            let is_taken =
                subcommand.get_arguments().any(|arg| arg.get_long().is_some_and(|long| long == param.flag))
                    || crate::arguments::is_common_flag(&param.flag);
            if is_taken {
                notes.push(format!(
                    "`--{}` is flowc's own; the parameter is given as `-p {}=VALUE`",
                    param.flag, param.name
                ));
                continue;
            }
            let mut help = param.doc.clone().unwrap_or_default();
            if !param.choices.is_empty() {
                help.push_str(&format!(" [one of {}]", param.choices.join(", ")));
            }
            if let Some(default) = &param.default {
                let separator = if help.is_empty() { "" } else { " " };
                help.push_str(&format!("{separator}[default: {default}]"));
            }
            subcommand = subcommand.arg(
                Arg::new(format!("{FLAG_ID}{}", param.name))
                    .long(param.flag.clone())
                    .value_name(param.ty.clone())
                    .allow_hyphen_values(true)
                    .help(help),
            );
        }
        match &*notes {
            [] => subcommand.after_help(None::<&str>),
            notes => subcommand.after_help(notes.join("\n")),
        }
    }

    /// Takes the parameters' flags out of what was parsed.
    pub fn take_flags(&mut self, matches: &ArgMatches) {
        for param in &self.signature.params {
            if let Some(text) = crate::arguments::flag_text(matches, &format!("{FLAG_ID}{}", param.name)) {
                self.flags.push((param.name.clone(), text));
            }
        }
    }
}

impl Launch {
    /// The workflow as a DAG, its parameters bound. Paths are relative to the project's root.
    ///
    /// # Errors
    /// What is wrong has been printed.
    pub fn plan(&self, options: &Options, stage: Stage, terminal: &Terminal) -> Result<Dag, Exit> {
        let (mut flags, file) = options.parameters().read().map_err(|failure| failure.report(terminal))?;
        flags.extend(self.flags.iter().cloned());
        self.plan_with(self.bind(&flags, file.as_ref(), terminal)?, stage, terminal)
    }

    /// The same, with parameters that are read already.
    ///
    /// # Errors
    /// What is wrong has been printed.
    pub fn plan_with(&self, given: Given, stage: Stage, terminal: &Terminal) -> Result<Dag, Exit> {
        let facts = Facts::of_code(self.project.folders());
        let dag = evaluate(&self.project.analysis, &facts, &self.module, &self.workflow, &given)
            .map_err(|error| self.report(&error, terminal))?;
        self.check_one_file(&dag, terminal)?;
        let (dag, pruned) = at_stage(dag, stage, &facts);
        for node in pruned {
            terminal.warning(&format!("`{}` reaches no output: it is left out", node.id));
        }
        Ok(dag)
    }

    /// What was taken for several tables may be one, now that the files are known.
    fn check_one_file(&self, dag: &Dag, terminal: &Terminal) -> Result<(), Exit> {
        let root = &self.project.folders().root;
        let identity = |path: &str| {
            let canonical = root.join(path).canonicalize();
            canonical.map_or_else(|_| path.to_owned(), |path| path.to_string_lossy().into_owned())
        };
        let analysis = &self.project.analysis;
        let found =
            one_file::check_one_file(analysis, &self.module, &self.workflow, &dag.parameters, &identity);
        let found: Vec<_> = found.into_iter().map(|diagnostic| (self.module.as_str(), diagnostic)).collect();
        check::report(&self.project, &found, terminal);
        if found.is_empty() { Ok(()) } else { Err(Exit::Failed) }
    }

    /// The values that flags and a file give to parameters.
    ///
    /// # Errors
    /// What is wrong has been printed.
    pub fn bind(
        &self,
        flags: &[(String, String)],
        file: Option<&serde_json::Value>,
        terminal: &Terminal,
    ) -> Result<Given, Exit> {
        let root = self.project.folders().root_text();
        let resolve = |path: &str| match absolute(Path::new(path)) {
            Ok(absolute) if !path.contains("://") => relative_to(&root, &absolute.to_string_lossy()),
            _ => path.to_owned(),
        };
        parameters::bind(&self.signature, flags, file, &resolve).map_err(|errors| {
            for error in &errors {
                terminal.error(&error.to_string(), error.help().as_deref());
            }
            Exit::Usage
        })
    }

    /// Prints why the workflow cannot be planned.
    fn report(&self, error: &PlanError, terminal: &Terminal) -> Exit {
        let help = error.problem.help();
        match (error.diagnostic(), &error.place) {
            (Some(diagnostic), Some(place)) => {
                let sources = self.project.sources();
                let text = render(&diagnostic, &place.module, &sources, terminal.colour_err);
                terminal.diagnostic(&format!("{text}\n"));
            }
            (None, Some(place)) => {
                let position = self.position(place);
                terminal.error(&format!("{position}: {error}"), help.as_deref());
            }
            (_, None) => terminal.error(&error.to_string(), help.as_deref()),
        }
        Exit::Failed
    }

    /// `iris.flow:3:9`
    fn position(&self, place: &flow_plan::error::Place) -> String {
        let sources = self.project.sources();
        sources.get(&place.module).map_or_else(String::new, |source| {
            let position = source.lines().position(source.text, place.span.start);
            format!("{}:{}:{}", source.file, position.line, position.column)
        })
    }
}

/// Makes the paths in a DAG absolute: those that are relative count from `root`.
pub fn resolve_files(dag: &mut Dag, root: &Path) {
    dag.for_each_constant_mut(&mut |value| resolve_value(value, root));
}

fn resolve_value(value: &mut Value, root: &Path) {
    match value {
        Value::File(path) if !path.contains("://") => {
            *path = root.join(&*path).to_string_lossy().into_owned()
        }
        Value::List(values) => values.iter_mut().for_each(|value| resolve_value(value, root)),
        Value::Record(fields) => fields.iter_mut().for_each(|(_, value)| resolve_value(value, root)),
        _ => {}
    }
}

/// Reads `-p NAME=VALUE`.
fn settings(words: &[String]) -> Result<Vec<(String, String)>, Failure> {
    words
        .iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) => Ok((name.replace('-', "_"), value.to_owned())),
            None => {
                Err(Failure::usage(format!("`-p {word}` lacks a value")).help("write it as `-p NAME=VALUE`"))
            }
        })
        .collect()
}

/// Reads `--params FILE.json`.
fn read_params(path: &Path) -> Result<serde_json::Value, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&shown, &error))?;
    serde_json::from_str(&text).map_err(|error| Failure::input(format!("`{shown}` is not JSON: {error}")))
}

fn choose(workflows: &[String], target: &Target) -> Result<String, Failure> {
    let shown = target.file.display();
    match (&target.workflow, workflows) {
        (_, []) => Err(Failure::input(format!("`{shown}` has no workflow"))),
        (None, [workflow]) => Ok(workflow.clone()),
        (None, several) => Err(Failure::usage(format!("`{shown}` has several workflows"))
            .help(format!("name one of {} after the file", several.join(", ")))),
        (Some(name), several) if several.contains(name) => Ok(name.clone()),
        (Some(name), several) => {
            let failure = Failure::usage(format!("`{shown}` has no workflow `{name}`"));
            match did_you_mean(name, several.iter().map(String::as_str)) {
                Some(help) => Err(failure.help(help)),
                None => Err(failure.help(format!("it has {}", several.join(", ")))),
            }
        }
    }
}

/// Whether a flag (less its first dash) is followed by a value.
fn takes_value(name: &str, subcommand: Option<&clap::Command>, command: &clap::Command) -> bool {
    let arguments =
        command.get_arguments().chain(subcommand.into_iter().flat_map(clap::Command::get_arguments));
    let long = name.strip_prefix('-');
    for argument in arguments {
        let is_it = match long {
            Some(long) => argument.get_long_and_visible_aliases().is_some_and(|all| all.contains(&long)),
            None => argument.get_short().is_some_and(|short| name.starts_with(short)),
        };
        if is_it {
            // `-pNAME=VALUE` carries its value.
            return argument.get_action().takes_values() && (long.is_some() || name.chars().count() == 1);
        }
    }
    long.is_some()
}
