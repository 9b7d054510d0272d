//! What a run gave: printed for people, written into a folder.

use std::path::Path;

use flow_ir::{hash::Hash, value::Value};
use flow_runtime::{
    artifact::{MadeFile, Reference, Summary},
    decide::RunStatus,
    engine::{Engine, RunReport},
    operator::Datum,
    task::Source,
};

use crate::{
    exit::Failure,
    terminal::Terminal,
    watch::text::{column, plain},
    words::count,
};

/// Failures that are told once more at the end; `show` has all.
const MOST_FAILURES: usize = 20;

/// Prints the outputs to stdout, and how the run ended to stderr; the failures too, unless they stand there already.
pub fn print(report: &RunReport, has_told_failures: bool, terminal: &Terminal) {
    let width = column(report.outputs.iter().map(|(name, _)| name.as_str()));
    for (name, source) in &report.outputs {
        let name = terminal.paint_out(&format!("{:width$}", plain(name)), "1");
        terminal.result(&format!("{name}  {}\n", describe(source, width + 2)));
    }
    if !has_told_failures {
        for (node, failure) in report.failures.iter().take(MOST_FAILURES) {
            terminal.error(&format!("node `{node}`: {failure}"), failure.help());
        }
        if let Some(more) = report.failures.len().checked_sub(MOST_FAILURES).filter(|more| *more > 0) {
            terminal.remark(&format!("{more} more failed; `flowc show {}` has all", report.run));
        }
    }
    let counts = &report.counts;
    let parts = [
        (counts.finished - counts.cached, "ran"),
        (counts.cached, "cached"),
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
        (counts.pending, "pending"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let status = report.status.name();
    let help = match report.status {
        RunStatus::Cancelled => format!("; `flowc retry {}` takes it up again", report.run),
        RunStatus::Failed | RunStatus::Blocked => {
            format!("; `flowc retry {}` runs the failed part again", report.run)
        }
        _ => String::new(),
    };
    terminal.remark(&format!(
        "run {} {status} in {:.2} s: {}{help}",
        report.run,
        report.elapsed.as_secs_f64(),
        parts.join(", ")
    ));
}

/// Writes each output under its name: values as JSON, tables as Arrow IPC, models and files as they are.
pub fn write(report: &RunReport, engine: &Engine, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    for (name, source) in &report.outputs {
        for (name, file) in files(name, source) {
            let path = |extension: &str| match extension {
                "" => folder.join(file_name(&name)),
                extension => folder.join(format!("{}.{extension}", file_name(&name))),
            };
            match file {
                File::Json(text) => {
                    let path = path("json");
                    std::fs::write(&path, text).map_err(|error| cannot_write(&path, &error))?;
                }
                File::Artifact(extension, reference) => {
                    write_artifact(engine, reference, &path(extension))?;
                }
            }
        }
    }
    Ok(())
}

/// Writes the bytes of an artifact; those of a file are never whole in memory.
pub fn write_artifact(engine: &Engine, reference: &Reference, path: &Path) -> Result<(), Failure> {
    let written = if let Summary::File { .. } = reference.summary {
        let from = file(engine, reference)?;
        let copy = || {
            std::io::copy(&mut std::fs::File::open(from.path())?, &mut std::fs::File::create(path)?)?;
            Ok(())
        };
        copy()
    } else {
        std::fs::write(path, engine.bytes(reference)?)
    };
    written.map_err(|error| cannot_write(path, &error))
}

/// The file that a node has made.
pub fn file(engine: &Engine, reference: &Reference) -> Result<MadeFile, Failure> {
    match engine.load(reference)? {
        Datum::File(file) => Ok(file),
        _ => Err(Failure::environment("the artifact is no file")),
    }
}

pub fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("cannot write `{}`: {error}", path.display()))
}

/// An output's name as a file has it: whatever it is, the file lies in its folder.
fn file_name(name: &str) -> String {
    let plain = name.replace('%', "%25").replace('/', "%2F").replace('\\', "%5C");
    match plain.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => plain,
    }
}

enum File<'a> {
    Json(String),
    Artifact(&'a str, &'a Reference),
}

/// The files that an output becomes; the elements of a list are numbered.
fn files<'a>(name: &str, source: &'a Source) -> Vec<(String, File<'a>)> {
    match source {
        Source::Artifact(reference) => match &reference.summary {
            Summary::Table { .. } => vec![(name.to_owned(), File::Artifact("arrow", reference))],
            Summary::Blob { .. } => vec![(name.to_owned(), File::Artifact("model", reference))],
            Summary::File { extension } => vec![(name.to_owned(), File::Artifact(extension, reference))],
            _ => vec![(name.to_owned(), File::Json(format!("{:#}\n", source.summary())))],
        },
        Source::List(sources) if sources.iter().any(|source| matches!(source, Source::Artifact(_))) => {
            let numbered = sources.iter().enumerate();
            numbered.flat_map(|(index, source)| files(&format!("{name}.{index}"), source)).collect()
        }
        _ => vec![(name.to_owned(), File::Json(format!("{:#}\n", source.summary())))],
    }
}

/// One output for people; further lines are indented by `indent`.
fn describe(source: &Source, indent: usize) -> String {
    match source {
        Source::Value(value) => value_text(value, indent),
        Source::Artifact(reference) => artifact_text(reference, indent),
        Source::List(sources) => {
            let elements: Vec<String> = sources
                .iter()
                .take(20)
                .enumerate()
                .map(|(index, source)| format!("[{index}] {}", describe(source, indent + 4)))
                .collect();
            let mut text = elements.join(&format!("\n{}", " ".repeat(indent)));
            if sources.len() > 20 {
                text.push_str(&format!("\n{}… {} in all", " ".repeat(indent), sources.len()));
            }
            text
        }
        Source::Record(fields) => {
            lines(fields.iter().map(|(name, source)| (name, describe(source, indent + 2))), indent)
        }
        Source::Expression { .. } => String::new(),
    }
}

pub fn artifact_text(reference: &Reference, indent: usize) -> String {
    let hash = short(reference.hash);
    match &reference.summary {
        Summary::Value(Some(value)) => value_text(value, indent),
        Summary::Table { rows, columns } => {
            let rows = usize::try_from(*rows).unwrap_or(usize::MAX);
            let columns = usize::try_from(*columns).unwrap_or(usize::MAX);
            format!("{} of {}  {hash}", count(rows, "row", "rows"), count(columns, "column", "columns"))
        }
        Summary::Blob { format } => format!("{format}, {} bytes  {hash}", reference.size),
        Summary::File { extension } if !extension.is_empty() => {
            format!("{extension} file, {} bytes  {hash}", reference.size)
        }
        _ => format!("{}, {} bytes  {hash}", reference.kind(), reference.size),
    }
}

fn value_text(value: &Value, indent: usize) -> String {
    match value {
        Value::Record(fields) => {
            lines(fields.iter().map(|(name, value)| (name, value_text(value, indent + 2))), indent)
        }
        Value::Float(number) => number_text(number.0),
        other => other.to_json().to_string(),
    }
}

/// A number to be looked at: six digits behind the point, or a power of ten where that would hide it.
fn number_text(number: f64) -> String {
    let is_plain = number == 0.0 || (1e-3..1e9).contains(&number.abs());
    match (is_plain, number.is_finite()) {
        (true, _) => format!("{number:.6}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        (false, true) => format!("{number:e}"),
        (false, false) => number.to_string(),
    }
}

/// Fields below each other, names aligned.
fn lines<'a>(fields: impl Iterator<Item = (&'a String, String)> + Clone, indent: usize) -> String {
    let width = column(fields.clone().map(|(name, _)| name.as_str()));
    let lines: Vec<String> = fields.map(|(name, text)| format!("{:width$}  {text}", plain(name))).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// The first digits of a hash: enough to tell artifacts of one run apart.
fn short(hash: Hash) -> String {
    hash.to_string().chars().take(12).collect()
}
