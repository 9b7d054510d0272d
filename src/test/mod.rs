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
    sync::{Mutex, PoisonError},
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
    project::Project,
    selection::{self, Selected},
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

/// A test, its module, and the place of its project among those selected.
type Chosen<'m> = (usize, &'m str, Test);

pub fn execute(options: &Options, root: Option<&Path>, terminal: &Terminal) -> Result<Exit, Ended> {
    let began = Instant::now();
    let projects = selection::load(&options.paths, root)?;
    let sound = projects.iter().map(|selected| check::require_sound(&selected.project, terminal));
    // What is wrong with any of them is told before the first test.
    if let Some(exit) = sound.filter_map(Result::err).reduce(|first, _| first) {
        return Ok(exit);
    }
    let mut tests: Vec<Chosen<'_>> = Vec::new();
    for (place, Selected { project, modules }) in projects.iter().enumerate() {
        for module in modules {
            tests.extend(
                project.analysis.tests(module).into_iter().map(|test| (place, module.as_str(), test)),
            );
        }
    }
    let chosen = choose(tests, options.filter.as_deref())?;
    let cancel = Cancel::new();
    interrupt::cancel_on_signal(&cancel, terminal)?;
    let reporter = Mutex::new(Reporter::new(options.format, terminal, chosen.len()));
    let mut written = Vec::new();
    for (place, Selected { project, .. }) in projects.iter().enumerate() {
        let own: Vec<_> = chosen.iter().enumerate().filter(|(_, (of, ..))| *of == place).collect();
        let host = Host::new(project.folders(), options.bless, cancel.clone());
        carry_out(project, &own, &host, &cancel, &reporter);
        written.extend(host.written());
    }
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    for path in written {
        terminal.remark(&format!("wrote `{}`", crate::project::show(&path)));
    }
    let reporter = reporter.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(if reporter.finish(began.elapsed()) { Exit::Worked } else { Exit::Failed })
}

/// Carries out the tests of a project, each with its place among all.
fn carry_out(
    project: &Project,
    tests: &[(usize, &Chosen<'_>)],
    host: &Host<'_>,
    cancel: &Cancel,
    reporter: &Mutex<Reporter<'_>>,
) {
    let facts = Facts::of_code(project.folders());
    let sources = project.sources();
    let carry_out = |analysis: &Analysis, (place, (_, module, test)): &(usize, &Chosen<'_>)| {
        if cancel.is_cancelled() {
            return;
        }
        let began = Instant::now();
        let work = || evaluate_test(analysis, &facts, host, module, test);
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
        let case = Case { sources: &sources, module, test, verdict, elapsed: began.elapsed() };
        reporter.lock().unwrap_or_else(PoisonError::into_inner).tell(*place, &case);
    };
    project.analysis.ask_each(tests, carry_out);
}

/// The tests whose name holds the filter. One that chooses none would hide that nothing was tested.
fn choose<'m>(tests: Vec<Chosen<'m>>, filter: Option<&str>) -> Result<Vec<Chosen<'m>>, Ended> {
    let Some(filter) = filter else { return Ok(tests) };
    let help = did_you_mean(filter, tests.iter().map(|(_, _, test)| test.name.as_str()));
    let all = tests.len();
    let chosen: Vec<_> = tests.into_iter().filter(|(_, _, test)| test.name.contains(filter)).collect();
    if chosen.is_empty() {
        let failure = Ended::usage(format!("no test's name holds `{filter}`"));
        return Err(match help {
            Some(help) => failure.help(help),
            None => failure.help(format!("there are {}", crate::words::count(all, "test", "tests"))),
        });
    }
    Ok(chosen)
}
