//! `flowc explain`: the page of a diagnostic.

use flow_syntax::diagnostic::catalogue::{codes, explain, find, nearest, page};

use crate::{
    exit::{Exit, Failure},
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// A code such as F0401; all codes without one
    code: Option<String>,
}

pub fn execute(options: &Options, terminal: &Terminal) -> Result<Exit, Failure> {
    let Some(text) = &options.code else {
        for page in codes().filter_map(page) {
            terminal.result(&format!("{}  {}\n", page.code, page.title));
        }
        return Ok(Exit::Worked);
    };
    let code = find(text).ok_or_else(|| {
        let failure = Failure::usage(format!("there is no diagnostic `{text}`"));
        match nearest(text) {
            Some(near) => failure.help(format!("did you mean {near}?")),
            None => failure.help("`flowc explain` without a code lists them all"),
        }
    })?;
    let text = explain(code, terminal.colour_out)
        .ok_or_else(|| Failure::usage(format!("{code} has no page: no command reports it yet")))?;
    terminal.result(&text);
    Ok(Exit::Worked)
}
