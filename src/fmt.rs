//! `flowc fmt`: one style.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use flow_syntax::{
    diagnostic::{Sources, render},
    format::format,
};

use crate::{
    exit::{Exit, Failure},
    project::{self, Folders, flow_files},
    terminal::Terminal,
    words::count,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Files or folders; the whole project without any; `-` formats stdin to stdout
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change nothing; list the files that would change and fail if there are any
    #[arg(long)]
    check: bool,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Failure> {
    if options.paths == [Path::new("-")] {
        return format_stdin(terminal);
    }
    let mut exit = Exit::Worked;
    let files = files(options, root)?;
    let mut changed = 0;
    for path in &files {
        let text = project::read_source(path, path)?;
        let formatted = match format(&text) {
            Ok(formatted) => formatted,
            Err(diagnostics) => {
                let shown = project::show(path);
                let mut sources = Sources::new();
                sources.add("", shown, &text);
                for diagnostic in diagnostics {
                    let rendered = render(&diagnostic, "", &sources, terminal.colour_err);
                    terminal.diagnostic(&format!("{rendered}\n"));
                }
                exit = Exit::Failed;
                continue;
            }
        };
        if formatted == text {
            continue;
        }
        changed += 1;
        if options.check {
            terminal.result(&format!("{}\n", project::show(path)));
            exit = Exit::Failed;
        } else {
            replace(path, &formatted)?;
        }
    }
    let verb = if options.check { "would change" } else { "changed" };
    terminal.remark(&format!("{verb} {changed} of {}", count(files.len(), "file", "files")));
    Ok(exit)
}

/// Puts `text` in a file's place, whole or not at all.
pub fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let failure = |error: &dyn std::fmt::Display| {
        Failure::environment(format!("cannot write `{}`: {error}", project::show(path)))
    };
    // Through links, so that the file they lead to is the one replaced.
    let target = std::fs::canonicalize(path).map_err(|error| failure(&error))?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let permissions = std::fs::metadata(&target).map_err(|error| failure(&error))?.permissions();
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failure(&error))?;
    file.write_all(text.as_bytes()).map_err(|error| failure(&error))?;
    file.as_file().set_permissions(permissions).map_err(|error| failure(&error))?;
    file.persist(&target).map_err(|error| failure(&error.error))?;
    Ok(())
}

fn files(options: &Options, root: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    if options.paths.is_empty() {
        return flow_files(&Folders::find(Path::new("."), root)?.source);
    }
    let mut files = Vec::new();
    for path in &options.paths {
        files.extend(flow_files(path)?);
    }
    Ok(files)
}

fn format_stdin(terminal: &Terminal) -> Result<Exit, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::input(format!("cannot read stdin: {error}")))?;
    match format(&text) {
        Ok(formatted) => {
            terminal.result(&formatted);
            Ok(Exit::Worked)
        }
        Err(diagnostics) => {
            let mut sources = Sources::new();
            sources.add("", "<stdin>", &text);
            for diagnostic in diagnostics {
                terminal.diagnostic(&format!("{}\n", render(&diagnostic, "", &sources, terminal.colour_err)));
            }
            Ok(Exit::Failed)
        }
    }
}
