//! Checks a large generated project: cold, after an edit, and in what memory; for growing sizes.
//!
//!     cargo bench -p flow-analysis --bench project
//!     cargo bench -p flow-analysis --bench project -- --write FOLDER
//!
//! Every size is measured in a process of its own, so that the peak of its memory is its own. Prints the median and
//! the fastest of 7 cold checks and 35 edits (3 and 7 for other sizes), and what all threads used of the processor, where the system tells;
//! fails where a stated time is not held. With `--write` it writes the project of 500 modules to a folder, for `flowc check`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark, which reads what the system says of it"
)]

mod generate;

use std::{
    hint::black_box,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use flow_analysis::Analysis;
use generate::{SHARED, name, project};

/// Cold checks and edits of each kind, for the size that the times are stated for, and for the others.
const RUNS: [(usize, usize); 2] = [(7, 35), (3, 7)];
/// Modules and lines; the times are stated for the first.
const SIZES: [(usize, usize); 4] = [(500, 100_000), (1_500, 300_000), (5_000, 1_000_000), (50, 100_000)];
const LIMIT_COLD: Duration = Duration::from_millis(1500);
const LIMIT_EDIT: Duration = Duration::from_millis(20);
const LIMIT_MEMORY: u64 = 1 << 30;

/// What is changed between two checks: a module, and a text in it by another.
struct Edit {
    what: &'static str,
    module: String,
    from: &'static str,
    to: &'static str,
    /// Whether a body in every module has to be checked anew; no time is stated for that.
    is_everywhere: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--write", folder] => write(folder),
        ["--size", modules, lines] => {
            return measure(modules.parse().unwrap(), lines.parse().unwrap());
        }
        [] => {
            let this = std::env::current_exe().unwrap();
            let held = SIZES.map(|(modules, lines)| {
                let size = [modules.to_string(), lines.to_string()];
                Command::new(&this).arg("--size").args(size).status().unwrap().success()
            });
            return if held == [true; SIZES.len()] { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        _ => panic!("nothing is asked, or `--write FOLDER`, or `--size MODULES LINES`"),
    }
    ExitCode::SUCCESS
}

fn write(folder: &str) {
    let folder = std::path::Path::new(folder);
    std::fs::create_dir_all(folder.join("parts")).unwrap();
    std::fs::write(folder.join("flow.toml"), "name = \"generated\"\n").unwrap();
    let (modules, lines) = SIZES[0];
    for (module, text) in project(modules, lines) {
        std::fs::write(folder.join(module.replace('.', "/")).with_extension("flow"), text).unwrap();
    }
}

fn measure(modules: usize, lines: usize) -> ExitCode {
    let texts = project(modules, lines);
    let total: usize = texts.iter().map(|(_, text)| text.lines().count()).sum();
    println!(
        "\n| {modules} modules, {total} lines | median | fastest | processor | |\n|---|---|---|---|---|"
    );
    let is_stated = (modules, lines) == SIZES[0];
    let (colds, repeats) = RUNS[usize::from(!is_stated)];
    let mut held = true;

    let (runs, processor) = repeat(colds, |_| {
        let start = Instant::now();
        let analysis = load(&texts);
        let elapsed = start.elapsed();
        drop(black_box(analysis));
        elapsed
    });
    held &= report("cold", runs, processor, is_stated.then_some(LIMIT_COLD));

    let mut analysis = load(&texts);
    for edit in edits(modules) {
        let before = analysis.text(&edit.module).unwrap().to_owned();
        let after = before.replacen(edit.from, edit.to, 1);
        assert_ne!(before, after, "{}", edit.what);
        let (runs, processor) = repeat(repeats, |number| {
            let text = if number % 2 == 0 { &after } else { &before }.clone();
            let start = Instant::now();
            analysis.set_file(&edit.module, "", text);
            black_box(analysis.check_all());
            start.elapsed()
        });
        let limit = (is_stated && !edit.is_everywhere).then_some(LIMIT_EDIT);
        held &= report(edit.what, runs, processor, limit);
        analysis.set_file(&edit.module, "", before);
        black_box(analysis.check_all());
    }
    if let Some(peak) = peak_memory() {
        let verdict = if !is_stated {
            ""
        } else if peak <= LIMIT_MEMORY {
            "ok"
        } else {
            "MISSED"
        };
        held &= verdict != "MISSED";
        println!("| peak of memory | {} MiB | | | {verdict} |", peak >> 20);
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn load(texts: &[(String, String)]) -> Analysis {
    let mut analysis = Analysis::new();
    for (module, text) in texts {
        analysis.set_file(module, "", text.clone());
    }
    let found = analysis.check_all();
    assert!(
        found.iter().all(|(_, found)| found.is_empty()),
        "{:?}",
        found.iter().find(|(_, f)| !f.is_empty())
    );
    analysis
}

fn edits(modules: usize) -> Vec<Edit> {
    let edit = |what, module, from, to| Edit { what, module, from, to, is_everywhere: false };
    let everywhere = |edit| Edit { is_everywhere: true, ..edit };
    vec![
        edit("documentation", name(modules / 2), "kind 0", "kind 00"),
        edit("a body", name(modules / 2), "trees: 20", "trees: 21"),
        edit("a body at the root", name(0), "trees: 20", "trees: 21"),
        edit("a comment above", name(0), "\n\n", "\n\n// A comment.\n"),
        edit("an imported fn's body", SHARED.to_owned(), "0.6214", "0.62137"),
        edit("one whose type is its body's", SHARED.to_owned(), "/ 60.0", "/ 60.5"),
        everywhere(edit(
            "a schema that all read",
            SHARED.to_owned(),
            "minutes:  Float,",
            "minutes:  Float, seats: Int,",
        )),
    ]
}

/// Every run's time, and what the processor spent on one of them on the average.
fn repeat(times: usize, mut run: impl FnMut(usize) -> Duration) -> (Vec<Duration>, Duration) {
    let before = processor_time();
    let runs = (0..times).map(&mut run).collect();
    (runs, processor_time().saturating_sub(before) / u32::try_from(times).unwrap())
}

fn report(what: &str, mut runs: Vec<Duration>, processor: Duration, limit: Option<Duration>) -> bool {
    runs.sort();
    let median = runs[runs.len() / 2];
    let verdict = limit.map_or("", |limit| if median <= limit { "ok" } else { "MISSED" });
    println!("| {what} | {median:.1?} | {:.1?} | {processor:.1?} | {verdict} |", runs[0]);
    verdict != "MISSED"
}

/// What all threads of this process have used; nothing where the system has no `/proc`.
fn processor_time() -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// In bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? << 10)
}
