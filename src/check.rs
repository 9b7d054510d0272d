//! `flowc check`: all diagnostics of files, or of the project.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use flow_runtime::store::FileStamp;
use flow_syntax::diagnostic::{
    Diagnostic, apply_fixes,
    json::{Document, document},
    render, sarif,
};

use crate::{
    exit::{Exit, Failure},
    project::Project,
    selection::{self, Selected},
    terminal::Terminal,
    words::count,
};

/// How often `--watch` looks: soon enough for a person, and cheap.
const WATCH_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
    /// For code scanners
    Sarif,
}

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Files or folders; the whole project without any
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Apply the fixes that diagnostics carry
    #[arg(long)]
    fix: bool,
    /// Check again whenever a file changes
    #[arg(long, conflicts_with = "fix")]
    watch: bool,
    /// How to print the diagnostics
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    if options.watch {
        watch(options, root, terminal);
    }
    check(options, root, terminal)
}

/// Checks whenever a file has changed, until somebody interrupts it.
fn watch(options: &Options, root: Option<&Path>, terminal: &Terminal) -> ! {
    loop {
        if let Err(failure) = check(options, root, terminal) {
            failure.report(terminal);
        }
        // What cannot be read now may be there the next time.
        let loaded = selection::load(&options.paths, root).unwrap_or_default();
        let imported: Vec<PathBuf> = loaded.iter().flat_map(|selected| selected.project.paths()).collect();
        let before = stamps(options, root, &imported);
        while stamps(options, root, &imported) == before {
            std::thread::sleep(WATCH_INTERVAL);
        }
    }
}

/// Every file that a check reads, or would read by now, with what changes when it does.
fn stamps(options: &Options, root: Option<&Path>, imported: &[PathBuf]) -> Vec<(PathBuf, Option<FileStamp>)> {
    let named = selection::files(&options.paths, root).unwrap_or_default();
    let paths = named.into_iter().chain(imported.iter().cloned());
    paths.map(|path| (FileStamp::of(&path), path)).map(|(stamp, path)| (path, stamp)).collect()
}

/// What one fix uncovers the next may mend: the uses of a name behind its import. More are not worth waiting for.
const FIX_ROUNDS: usize = 4;

fn check(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut projects = selection::load(&options.paths, root)?;
    if options.fix {
        let mut fixed = 0;
        for _ in 0..FIX_ROUNDS {
            let applied = fix(&projects)?;
            if applied == 0 {
                break;
            }
            fixed += applied;
            projects = selection::load(&options.paths, root)?;
        }
        if fixed > 0 {
            terminal.remark(&format!("applied {}", count(fixed, "fix", "fixes")));
        }
    }
    let mut all = Document::default();
    for Selected { project, modules } in &projects {
        project.remark(terminal);
        let found: Vec<(&str, Diagnostic)> = find(project, modules).collect();
        if options.format == Format::Human {
            report(project, &found, terminal);
        }
        let places = found.iter().map(|(module, diagnostic)| (*module, diagnostic));
        all.append(document(modules.len(), places, &project.sources()));
    }
    match options.format {
        Format::Human => terminal.remark(&summary(all.files, all.errors, all.warnings)),
        Format::Json | Format::Sarif => {
            let text = if options.format == Format::Json {
                serde_json::to_string_pretty(&all)
            } else {
                serde_json::to_string_pretty(&sarif::log(&all, env!("CARGO_PKG_VERSION")))
            };
            let text =
                text.map_err(|error| Failure::environment(format!("cannot write the diagnostics: {error}")))?;
            terminal.result(&format!("{text}\n"));
        }
    }
    Ok(if all.errors == 0 { Exit::Worked } else { Exit::Failed })
}

/// Checks the modules that a command is about to use; warnings are printed, errors end it.
pub fn require_sound(project: &Project, terminal: &Terminal) -> Result<(), Exit> {
    let modules = project.analysis.modules();
    let found: Vec<(&str, Diagnostic)> =
        find(project, &modules).filter(|(_, diagnostic)| diagnostic.is_error() || !terminal.quiet).collect();
    report(project, &found, terminal);
    if found.iter().any(|(_, diagnostic)| diagnostic.is_error()) { Err(Exit::Failed) } else { Ok(()) }
}

/// What is wrong with modules, each with its name.
fn find<'m>(project: &Project, modules: &'m [String]) -> impl Iterator<Item = (&'m str, Diagnostic)> {
    let found = modules.iter().zip(project.analysis.check_each(modules));
    found.flat_map(|(module, found)| found.into_iter().map(|diagnostic| (module.as_str(), diagnostic)))
}

/// Prints diagnostics for people.
pub fn report(project: &Project, found: &[(&str, Diagnostic)], terminal: &Terminal) {
    let sources = project.sources();
    for (module, diagnostic) in found {
        terminal.diagnostic(&format!("{}\n", render(diagnostic, module, &sources, terminal.colour_err)));
    }
}

/// Applies the fix of every diagnostic; one that overlaps another waits for the next time.
fn fix(projects: &[Selected]) -> Result<usize, Failure> {
    let mut applied = 0;
    let modules = projects.iter().flat_map(|of| of.modules.iter().map(move |name| (&of.project, name)));
    for (project, name) in modules {
        let (Some(path), Some(before)) = (project.path(name), project.analysis.text(name)) else { continue };
        let found = project.analysis.check(name);
        let (text, count) = apply_fixes(before, found.iter().filter_map(|found| found.fix.as_ref()));
        if text != before {
            crate::fmt::replace(&path, &text)?;
        }
        applied += count;
    }
    Ok(applied)
}

fn summary(files: usize, errors: usize, warnings: usize) -> String {
    format!(
        "checked {}: {}, {}",
        count(files, "file", "files"),
        count(errors, "error", "errors"),
        count(warnings, "warning", "warnings")
    )
}
