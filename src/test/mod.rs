//! `flowc test`: carries out the `test` blocks of files, or of the project.
//!
//! The program is checked once and shared by all tests, which go on as many threads as there are cores. Tests plan and
//! look at what they planned in [`flow_plan`]; what else they ask for is the [`host`]'s: simulations, [`choose`] being
//! what bends a DAG for them, real runs in a store of their own, and [`golden`] files. [`report`] tells of each test in
//! the order of the text, in one of three forms.

mod choose;
mod golden;
mod host;
mod human;
mod json;
mod junit;
mod report;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Mutex,
    time::Instant,
};

use flow_analysis::{Analysis, Test};
use flow_plan::{evaluate::evaluate_test, testing::Failure};
use flow_runtime::act::Cancel;
use flow_syntax::suggest::did_you_mean;

use self::{
    host::Host,
    report::{Case, Format, Reporter, Verdict},
};
use crate::{
    check,
    exit::{Exit, Failure as Ended},
    facts::Facts,
    interrupt,
    terminal::Terminal,
};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Files or folders; the whole project without any
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only tests whose name holds this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Write the golden files that tests compare with
    #[arg(long)]
    bless: bool,
    /// How to tell of the tests; json is one object a line
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Ended> {
    let began = Instant::now();
    let (project, modules) = check::load(&options.paths, root)?;
    if let Err(exit) = check::require_sound(&project, terminal) {
        return Ok(exit);
    }
    let tests: Vec<(&str, Test)> = modules
        .iter()
        .flat_map(|module| project.analysis.tests(module).into_iter().map(|test| (module.as_str(), test)))
        .collect();
    let chosen = choose(tests, options.filter.as_deref())?;
    let cancel = Cancel::new();
    interrupt::cancel_on_signal(&cancel, terminal)?;
    let facts = Facts::of_code(project.folders());
    let host = Host::new(project.folders(), options.bless, cancel.clone());
    let sources = project.sources();
    let reporter = Mutex::new(Reporter::new(options.format, &sources, terminal, chosen.len()));
    let carry_out = |analysis: &Analysis, (place, (module, test)): &(usize, (&str, Test))| {
        if cancel.is_cancelled() {
            return;
        }
        let began = Instant::now();
        let work = || evaluate_test(analysis, &facts, &host, module, test);
        let verdict = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(error)) => Verdict::of(error),
            Err(_) => Verdict::of(
                flow_plan::error::Problem::Test(Box::new(Failure::error(
                    "flowc panicked in this test: that is a bug in flowc",
                )))
                .at(Some(flow_plan::error::Place { module: (*module).to_owned(), span: test.span })),
            ),
        };
        // What was stopped says nothing about the test.
        if cancel.is_cancelled() {
            return;
        }
        let case = Case { module, test, verdict, elapsed: began.elapsed() };
        reporter.lock().unwrap_or_else(std::sync::PoisonError::into_inner).tell(*place, &case);
    };
    let numbered: Vec<_> = chosen.into_iter().enumerate().collect();
    project.analysis.ask_each(&numbered, carry_out);
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    for path in host.written() {
        terminal.remark(&format!("wrote `{}`", crate::project::show(&path)));
    }
    let reporter = reporter.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(if reporter.finish(began.elapsed()) { Exit::Worked } else { Exit::Failed })
}

/// The tests whose name holds the filter. One that chooses none would hide that nothing was tested.
fn choose<'m>(tests: Vec<(&'m str, Test)>, filter: Option<&str>) -> Result<Vec<(&'m str, Test)>, Ended> {
    let Some(filter) = filter else { return Ok(tests) };
    let help = did_you_mean(filter, tests.iter().map(|(_, test)| test.name.as_str()));
    let all = tests.len();
    let chosen: Vec<_> = tests.into_iter().filter(|(_, test)| test.name.contains(filter)).collect();
    if chosen.is_empty() {
        let failure = Ended::usage(format!("no test's name holds `{filter}`"));
        return Err(match help {
            Some(help) => failure.help(help),
            None => failure.help(format!("there are {}", crate::words::count(all, "test", "tests"))),
        });
    }
    Ok(chosen)
}
