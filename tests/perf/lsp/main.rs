//! Times the language server on a project of 100,000 lines: from an edit to the diagnostics that follow from it.
//!
//!     cargo bench -p flow-lsp --bench lsp
//!
//! A client speaks the protocol over pipes, as an editor does. Prints the median of 51 edits and the slowest, and fails
//! where a median is over 20 ms.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark")]

#[expect(dead_code, reason = "tests need more of it")]
#[path = "../../../lsp/tests/support/client.rs"]
mod client;
#[expect(dead_code, reason = "tests need more of it")]
#[path = "../../../lsp/tests/support/disk.rs"]
mod disk;
#[path = "../project/generate.rs"]
mod generate;

use std::{
    io::{BufReader, pipe},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use client::Client;
use disk::MemoryDisk;
use flow_lsp::server::serve;

const MODULES: usize = 500;
const LINES: usize = 100_000;
const EDITS: usize = 51;
const LIMIT: Duration = Duration::from_millis(20);
/// Modules are checked in the order of their names, those that are open first: the last one that imports another is
/// `m99`, and what it imports is a constant of `m98`.
const EDITED: usize = 98;
const LAST: usize = 99;

fn main() -> ExitCode {
    let texts = generate::project(MODULES, LINES);
    let disk = MemoryDisk::default();
    for (module, text) in &texts {
        disk.write(&path(module), text);
    }
    let (server_input, client_output) = pipe().unwrap();
    let (client_input, server_output) = pipe().unwrap();
    let server =
        thread::spawn(|| serve(Box::new(disk), BufReader::new(server_input), server_output).unwrap());
    let mut client = Client::new(client_output, client_input);
    client.initialize(&[]);

    let module = generate::name(EDITED);
    let text = &texts.iter().find(|(name, _)| *name == module).unwrap().1;
    let (edited, last) = (uri(&module), uri(&generate::name(LAST)));
    let begun = Instant::now();
    client.open(&edited, 0, text);
    client.diagnostics(&edited);
    println!(
        "{MODULES} modules, {} lines",
        texts.iter().map(|(_, text)| text.lines().count()).sum::<usize>()
    );
    println!("    {:<50} {:>9.1?}", "the first file that is opened", begun.elapsed());

    // The constant loses its name and gets it back. All must have been looked at before the last module is told of.
    let name = format!("LIMIT_{EDITED}: Float");
    let begun = Instant::now();
    let mut version = 0;
    let mut rename = |client: &mut Client| {
        version += 1;
        let (line, column) = place(text, &name);
        let new = if version % 2 == 1 { "LIMXT" } else { "LIMIT" };
        client.edit(&edited, version, (line, column), (line, column + 5), new);
        let (_, found) = client.diagnostics(&last);
        assert_eq!(found.is_empty(), version % 2 == 0, "{found:?}");
    };
    rename(&mut client);
    println!("    {:<50} {:>9.1?}", "all others, in the background", begun.elapsed());
    rename(&mut client);
    let through_all = (0..EDITS).map(|_| time(|| rename(&mut client))).collect();
    let mut held = report("an exported constant, to the last of all modules", through_all);

    let (line, column) = place(text, "trees: 20");
    let mut change = |version| {
        let new = if version % 2 == 1 { "21" } else { "20" };
        client.edit(&edited, version, (line, column + 7), (line, column + 9), new);
        client.codes(&edited, version);
    };
    let first = version + 1;
    let one_body = (first..).take(EDITS).map(|version| time(|| change(version))).collect();
    held &= report("one body, to its own file", one_body);

    client.leave();
    server.join().unwrap();
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The line and the column where words first stand in a text.
fn place(text: &str, words: &str) -> (u32, u32) {
    let before = text.split(words).next().unwrap();
    let line = before.matches('\n').count() as u32;
    (line, before.rsplit('\n').next().unwrap().chars().count() as u32)
}

fn path(module: &str) -> String {
    format!("/project/{}.flow", module.replace('.', "/"))
}

fn uri(module: &str) -> String {
    format!("file://{}", path(module))
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn report(what: &str, mut runs: Vec<Duration>) -> bool {
    runs.sort();
    let median = runs[runs.len() / 2];
    let verdict = if median <= LIMIT { "ok" } else { "MISSED" };
    println!("    {what:<50} {median:>9.1?} ({:.1?}) {verdict}", runs[runs.len() - 1]);
    median <= LIMIT
}
