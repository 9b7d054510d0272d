//! Golden files: what a DAG was when somebody last looked at it.

use std::{io::ErrorKind, path::Path};

use flow_ir::{dag::Dag, diff::diff};
use similar::{ChangeTag, TextDiff};

use crate::{
    diff::painted,
    exit::{Exit, Failure},
    terminal::Terminal,
};

/// The text of a golden file, its lines as this program ends them; none where there is no file. What is no file, such as
/// a pipe, is not opened: it might never end.
pub fn read(path: &Path, shown: &str) -> Result<Option<String>, String> {
    match std::fs::metadata(path) {
        Ok(file) if file.is_file() => {}
        Ok(_) => return Err(format!("`{shown}` is no regular file")),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(format!("cannot read `{shown}`: {error}")),
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    // As Git may have written it.
    Ok(Some(text.replace("\r\n", "\n")))
}

/// Compares `text` with the file at `path`, or writes it there.
pub fn compare(path: &Path, text: &str, bless: bool, terminal: &Terminal) -> Result<Exit, Failure> {
    let shown = path.display();
    let golden = read(path, &shown.to_string()).map_err(Failure::environment)?;
    if golden.as_deref() == Some(text) {
        terminal.remark(&format!("equal to `{shown}`"));
        return Ok(Exit::Worked);
    }
    if bless {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(path, text))
            .map_err(|error| Failure::environment(format!("cannot write `{shown}`: {error}")))?;
        terminal.remark(&format!("wrote `{shown}`"));
        return Ok(Exit::Worked);
    }
    let Some(golden) = golden else {
        return Err(Failure::environment(format!("the golden file `{shown}` does not exist"))
            .help("`--bless` writes it"));
    };
    terminal.result(&difference(&golden, text, |line, code| terminal.paint_out(line, code)));
    Err(Failure::input(format!("the DAG differs from `{shown}`")).help("`--bless` writes it as it is now"))
}

/// What differs and what it means, where both are DAGs; then the lines that differ, with three around them.
pub fn difference(golden: &str, now: &str, paint: impl Fn(&str, &str) -> String) -> String {
    let mut text = match (Dag::from_text(golden), Dag::from_text(now)) {
        (Ok(golden), Ok(now)) => painted(&diff(&golden, &now), &paint) + "\n",
        _ => String::new(),
    };
    let diff = TextDiff::from_lines(golden, now);
    for (index, group) in diff.grouped_ops(3).iter().enumerate() {
        if index > 0 {
            text.push_str("  ⋮\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value().trim_end_matches('\n');
            let line = match change.tag() {
                ChangeTag::Equal => format!("  {line}"),
                ChangeTag::Delete => paint(&format!("- {line}"), "31"),
                ChangeTag::Insert => paint(&format!("+ {line}"), "32"),
            };
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}
