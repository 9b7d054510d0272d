//! Tells of tests in the order of the text, whatever ends first.

use std::{collections::BTreeMap, time::Duration};

use flow_analysis::Test;
use flow_plan::{
    error::{PlanError, Problem},
    testing::FailureKind,
};
use flow_syntax::{
    diagnostic::{Diagnostic, Sources, code},
    lines::Position,
    span::Span,
};

use super::{human, json, junit};
use crate::terminal::Terminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Human,
    Json,
    /// For CI systems
    Junit,
}

/// A test that has ended.
pub struct Case<'t> {
    /// The texts of its project.
    pub sources: &'t Sources<'t>,
    pub module: &'t str,
    pub test: &'t Test,
    pub verdict: Verdict,
    pub elapsed: Duration,
}

pub enum Verdict {
    Passed,
    /// With what is wrong, and the module that it stands in.
    Not(Box<Fault>),
}

pub struct Fault {
    /// Something asserted does not hold; else the test could not be carried out.
    pub is_assertion: bool,
    pub diagnostic: Diagnostic,
    /// None where no place in a text is to blame.
    pub module: Option<String>,
    pub sides: Option<(String, String)>,
    /// Lines that say more.
    pub details: String,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub errors: usize,
}

pub struct Reporter<'a> {
    format: Format,
    terminal: &'a Terminal,
    counts: Counts,
    /// What is told once those before it have been.
    waiting: BTreeMap<usize, String>,
    next: usize,
    /// JUnit's document comes as a whole: each file's cases.
    suites: Vec<junit::Suite>,
    /// Those of JUnit, by their place.
    cases: BTreeMap<usize, (String, junit::Testcase)>,
    total: usize,
}

impl Verdict {
    pub fn of(error: PlanError) -> Self {
        let (module, span) = match &error.place {
            Some(place) => (Some(place.module.clone()), place.span),
            None => (None, Span::default()),
        };
        let mut fault = Fault {
            is_assertion: false,
            diagnostic: Diagnostic::error(code::NONE, span, error.to_string()),
            module,
            sides: None,
            details: String::new(),
        };
        fault.diagnostic.help = error.problem.help();
        match *error.problem {
            Problem::Test(failure) => {
                fault.is_assertion = failure.kind == FailureKind::Assertion;
                fault.diagnostic = failure.diagnostic(span);
                (fault.sides, fault.details) = (failure.sides, failure.details);
            }
            problem => {
                if let Some(diagnostic) = problem.at(error.place).diagnostic() {
                    fault.diagnostic = diagnostic;
                }
            }
        }
        Self::Not(Box::new(fault))
    }

    /// `passed`, `failed`, or `error` for one that could not be carried out.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Not(fault) if fault.is_assertion => "failed",
            Self::Not(_) => "error",
        }
    }
}

impl Case<'_> {
    pub fn file(&self) -> &str {
        self.sources.get(self.module).map_or(self.module, |source| &source.file)
    }
}

impl Counts {
    pub fn all(self) -> usize {
        self.passed + self.failed + self.errors
    }
}

impl<'a> Reporter<'a> {
    pub fn new(format: Format, terminal: &'a Terminal, total: usize) -> Self {
        Self {
            format,
            terminal,
            counts: Counts::default(),
            waiting: BTreeMap::new(),
            next: 0,
            suites: Vec::new(),
            cases: BTreeMap::new(),
            total,
        }
    }

    /// Takes a test that has ended, and its place among all.
    pub fn tell(&mut self, place: usize, case: &Case<'_>) {
        match &case.verdict {
            Verdict::Passed => self.counts.passed += 1,
            Verdict::Not(fault) if fault.is_assertion => self.counts.failed += 1,
            Verdict::Not(_) => self.counts.errors += 1,
        }
        let text = match self.format {
            Format::Human => human::case(case, self.terminal),
            Format::Json => json::case(case),
            Format::Junit => {
                self.cases.insert(place, (case.file().to_owned(), junit::Testcase::of(case)));
                return;
            }
        };
        self.waiting.insert(place, text);
        while let Some(text) = self.waiting.remove(&self.next) {
            self.terminal.result(&text);
            self.next += 1;
        }
    }

    /// Ends the report; gives whether all is well.
    pub fn finish(mut self, elapsed: Duration) -> bool {
        let is_well = self.counts.passed == self.total;
        match self.format {
            Format::Human => {
                self.terminal.result(&human::summary(self.counts, elapsed, self.terminal));
            }
            Format::Json => self.terminal.result(&json::summary(self.counts, elapsed)),
            Format::Junit => {
                for (file, case) in std::mem::take(&mut self.cases).into_values() {
                    match self.suites.last_mut().filter(|suite| suite.file == file) {
                        Some(suite) => suite.cases.push(case),
                        None => self.suites.push(junit::Suite { file, cases: vec![case] }),
                    }
                }
                self.terminal.result(&junit::document(&self.suites, elapsed));
            }
        }
        is_well
    }
}

/// Where a span of a module begins: its file, and the place in it.
pub fn position(sources: &Sources<'_>, module: &str, span: Span) -> Option<(String, Position)> {
    let source = sources.get(module)?;
    Some((source.file.clone(), source.lines().position(source.text, span.start)))
}
