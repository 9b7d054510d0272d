//! What tests ask of the outside: simulations, real runs, golden files.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use flow_ir::{
    dag::Dag,
    node::{Input, Node, NodeKind},
    types::Type,
    value::Value,
};
use flow_plan::testing::{Golden, Refused, Simulated, SimulatedNode, Simulation, TestHost, template};
use flow_runtime::{
    act::Cancel,
    artifact::{Reference, Summary},
    decide::RunStatus,
    engine::{Engine, RunError, RunOptions, RunReport},
    operator::Datum,
    schedule::{Gpu, Machine},
    simulate::{Answer, Answers, Asked, SimulateOptions, simulate},
    task::{Failure as TaskFailure, Source},
};
use flow_stdlib::StandardLibrary;
use tempfile::TempDir;

use super::{choose::choose, golden::GoldenFiles};
use crate::{exit::Failure, launch::resolve_files, project::Folders, state};

/// Where nothing bounds a simulation there are so many cores and GPUs, and bytes: enough for any node.
const PLENTY: u32 = 1 << 20;
const PLENTY_OF_MEMORY: u64 = 1 << 60;
const PLENTY_OF_GPUS: u32 = 256;

pub struct Host<'p> {
    folders: &'p Folders,
    golden: GoldenFiles,
    cancel: Cancel,
    /// Made by the first test that runs something.
    state: OnceLock<Result<State, String>>,
}

/// A state of the tests' own: nothing of the project's is read or written, and nothing is left.
struct State {
    engine: Engine,
    _folder: TempDir,
}

impl<'p> Host<'p> {
    pub fn new(folders: &'p Folders, bless: bool, cancel: Cancel) -> Self {
        let golden = GoldenFiles::new(&folders.root, bless);
        Self { folders, golden, cancel, state: OnceLock::new() }
    }

    /// The golden files that were written.
    pub fn written(&self) -> Vec<PathBuf> {
        self.golden.written()
    }

    fn engine(&self) -> Result<&Engine, Refused> {
        let open = || {
            let folder = tempfile::Builder::new().prefix("flow-test-").tempdir();
            let folder = folder.map_err(|error| format!("cannot make a folder for runs: {error}"))?;
            let engine = Engine::open(&folder.path().join(".flow"), Arc::new(StandardLibrary));
            let engine = engine.map_err(|error| error.to_string())?;
            let engine = engine.with_pools(self.folders.pools.clone()).with_ledger(state::ledger());
            let engine = engine.with_environment(self.folders.environment());
            Ok(State { engine, _folder: folder })
        };
        match self.state.get_or_init(open) {
            Ok(state) => Ok(&state.engine),
            Err(message) => Err(Refused::new(message.clone())),
        }
    }
}

impl TestHost for Host<'_> {
    fn simulate(&self, mut dag: Dag, with: &Simulation) -> Result<Simulated, Refused> {
        choose(&mut dag, &with.choose)?;
        let pools = self.folders.pools.iter().map(|(pool, places)| (pool.as_str().into(), *places)).collect();
        let gpu = |index| Gpu { index, memory: Some(PLENTY_OF_MEMORY) };
        let machine = Machine {
            cores: with.cores.unwrap_or(PLENTY),
            memory: with.memory.unwrap_or(PLENTY_OF_MEMORY),
            gpus: (0..PLENTY_OF_GPUS).map(gpu).collect(),
            pools,
        };
        let options = SimulateOptions { machine, ..SimulateOptions::default() };
        let outcome =
            simulate(dag, &options, &mut Told::of(with)).map_err(|error| Refused::new(error.to_string()))?;
        let node = |node: flow_runtime::simulate::NodeOutcome| {
            (node.id.to_string(), SimulatedNode { state: node.state, attempts: node.attempts })
        };
        Ok(Simulated {
            status: match outcome.status {
                RunStatus::Running => "waiting",
                status => status.name(),
            },
            elapsed: i64::try_from(outcome.elapsed.as_micros()).unwrap_or(i64::MAX),
            peak_cores: outcome.peak_cores,
            peak_memory: outcome.peak_memory,
            nodes: outcome.nodes.into_iter().map(node).collect(),
        })
    }

    fn run(&self, mut dag: Dag) -> Result<Vec<(String, Value)>, Refused> {
        resolve_files(&mut dag, &self.folders.root);
        let types: Vec<(String, Type)> =
            dag.outputs.iter().map(|output| (output.name.clone(), output.ty.clone())).collect();
        let engine = self.engine()?;
        let endless = end_endless_waits(&mut dag);
        let options = RunOptions { use_cache: false, ..RunOptions::default() };
        let report = engine.run(dag, &options, &self.cancel).map_err(refused)?;
        if report.status != RunStatus::Finished {
            return Err(unfinished(&report, &endless));
        }
        let seen = |(name, ty): (String, Type)| {
            let source = report.outputs.iter().find(|(output, _)| *output == name).map(|(_, source)| source);
            let value = source.map_or(Ok(Value::None), |source| seen(engine, source, &ty))?;
            Ok((name, value))
        };
        types.into_iter().map(seen).collect()
    }

    fn golden(&self, path: &str, dag: &Dag) -> Result<Golden, Refused> {
        self.golden.compare(path, dag)
    }
}

/// Operators that work at once, but for what a test says of them.
struct Told<'s> {
    fail: HashMap<&'s str, u32>,
    slow: HashMap<&'s str, i64>,
    /// Whether any of them is meant in all elements of a list.
    has_templates: bool,
}

impl<'s> Told<'s> {
    fn of(with: &'s Simulation) -> Self {
        let fail = with.fail.iter().map(|fault| (fault.node.as_str(), fault.times.unwrap_or(u32::MAX)));
        let fail: HashMap<&str, u32> = fail.collect();
        let slow: HashMap<&str, i64> = with.slow.iter().map(|(node, time)| (node.as_str(), *time)).collect();
        let has_templates = fail.keys().chain(slow.keys()).any(|id| id.contains("[]/"));
        Self { fail, slow, has_templates }
    }
}

impl Answers for Told<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> Answer {
        let (mut times, mut time) = (self.fail.get(asked.id), self.slow.get(asked.id));
        if self.has_templates && (times.is_none() || time.is_none()) {
            let template = template(asked.id);
            times = times.or_else(|| self.fail.get(template.as_str()));
            time = time.or_else(|| self.slow.get(template.as_str()));
        }
        let after = time.copied().unwrap_or_default();
        if times.is_some_and(|times| asked.attempt <= *times) {
            return Answer::failure(after, "the test says so");
        }
        Answer::simplest(asked.node, after)
    }
}

/// What a test sees of an output.
fn seen(engine: &Engine, source: &Source, ty: &Type) -> Result<Value, Refused> {
    match (source, ty.present()) {
        (Source::Value(value), _) => Ok(value.clone()),
        (Source::Artifact(reference), ty) => artifact(engine, reference, ty),
        (Source::List(items), Type::List(of)) => {
            items.iter().map(|item| seen(engine, item, of)).collect::<Result<_, _>>().map(Value::List)
        }
        (Source::Record(fields), Type::Record(record)) => {
            let field = |(name, field): &(String, Source)| {
                let ty = record.field(name).map_or(&Type::Nothing, |field| &field.ty);
                Ok((name.clone(), seen(engine, field, ty)?))
            };
            fields.iter().map(field).collect::<Result<_, _>>().map(Value::Record)
        }
        _ => Ok(Value::None),
    }
}

fn artifact(engine: &Engine, reference: &Reference, ty: &Type) -> Result<Value, Refused> {
    let lost = |error: flow_runtime::artifact::ArtifactError| Refused::new(error.to_string());
    let hash = ("hash".to_owned(), Value::Text(reference.hash.to_string()));
    match (&reference.summary, ty) {
        (Summary::Value(Some(value)), _) => Ok(value.clone()),
        (Summary::Table { rows, .. }, Type::Dataset(row)) => {
            let columns = row.columns.iter().map(|column| Value::Text(column.name.clone())).collect();
            Ok(Value::Record(vec![
                ("rows".to_owned(), Value::Int(i64::try_from(*rows).unwrap_or(i64::MAX))),
                ("columns".to_owned(), Value::List(columns)),
                hash,
            ]))
        }
        (Summary::List { .. }, Type::List(of)) => {
            let elements = engine.artifacts().elements(reference).map_err(lost)?;
            elements
                .iter()
                .map(|element| artifact(engine, element, of))
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        (Summary::Value(None), _) => match engine.artifacts().load(reference).map_err(lost)? {
            Datum::Value(value) => Ok(value),
            _ => Ok(Value::None),
        },
        _ => Ok(Value::Record(vec![hash])),
    }
}

/// Lets every wait for a signal that would have no end fail at once; gives the nodes, as a test names them.
fn end_endless_waits(dag: &mut Dag) -> HashSet<String> {
    let absent: HashSet<String> = dag
        .parameters
        .iter()
        .filter(|parameter| parameter.value == Value::None)
        .map(|parameter| parameter.name.clone())
        .collect();
    let mut endless = HashSet::new();
    end_waits_of(&mut dag.nodes, "", &absent, &mut endless);
    endless
}

fn end_waits_of(nodes: &mut [Node], scope: &str, absent: &HashSet<String>, endless: &mut HashSet<String>) {
    for node in nodes {
        let is_endless = match node.input("timeout") {
            None | Some(Input::Constant(Value::None)) => true,
            Some(Input::Parameter(name)) => absent.contains(name),
            Some(_) => false,
        };
        if matches!(node.kind, NodeKind::WaitFor) && is_endless {
            node.inputs.retain(|(name, _)| name != "timeout");
            node.inputs.push(("timeout".to_owned(), Input::Constant(Value::Duration(0))));
            endless.insert(template(&format!("{scope}{}", node.id)));
        }
        let inner = format!("{scope}{}", node.scope());
        for region in node.kind.nested_mut() {
            end_waits_of(&mut region.nodes, &inner, absent, endless);
        }
    }
}

/// Why a run did not end well: its first failure.
fn unfinished(report: &RunReport, endless: &HashSet<String>) -> Refused {
    let waited = report.failures.iter().find(|(node, failure)| {
        matches!(failure, TaskFailure::TimedOut { .. }) && endless.contains(&template(node))
    });
    if let Some((node, _)) = waited {
        return Refused::new(format!("node `{node}` waits for a signal, and nobody sends one in a test"))
            .help("give it a `timeout:`, or `simulate` the workflow");
    }
    match report.failures.first() {
        Some((node, failure)) => {
            let refused = Refused::new(format!("the run {}: node `{node}`: {failure}", report.status.name()));
            match failure.help() {
                Some(help) => refused.help(help),
                None => refused,
            }
        }
        None => Refused::new(format!("the run ended {}", report.status.name())),
    }
}

fn refused(error: RunError) -> Refused {
    let failure = Failure::from(error);
    Refused { message: failure.message, help: failure.help }
}
