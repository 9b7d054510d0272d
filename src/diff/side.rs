//! What is compared: a text, a DAG in a file, or a run.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use flow_ir::{dag::Dag, types::Type, value::Value};
use flow_plan::passes::{Stage, at_stage};
use flow_runtime::engine::{Engine, NodeView, RunView};
use flow_syntax::suggest::did_you_mean;
use serde_json::{Map, Value as Json};

use super::command::Options;
use crate::{
    dag_file,
    exit::{Exit, Failure},
    facts::Facts,
    launch::{self, Launch, Target},
    project::{Folders, absolute},
    state,
    terminal::Terminal,
};

/// What a word of the command line names.
pub enum Named {
    /// A `.flow` file.
    Text(PathBuf),
    /// A DAG in JSON or in its text.
    Dag(PathBuf),
    Run(Box<RunView>),
}

/// One of the two that are compared.
pub struct Side {
    /// As the command line has it; of a run its id.
    pub name: String,
    pub dag: Dag,
    /// What ran, of a run.
    pub run: Option<(RunView, Vec<NodeView>)>,
}

impl Named {
    /// A file where there is one, else a run.
    pub fn find(word: &str, engine: Option<&Engine>) -> Result<Self, Failure> {
        let path = Path::new(word);
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_file() || matches!(extension, Some("flow" | "json" | "dag")) {
            return Ok(match extension {
                Some("flow") => Self::Text(path.to_owned()),
                _ => Self::Dag(path.to_owned()),
            });
        }
        let nothing = || Failure::usage(format!("there is no file and no run `{word}`"));
        let Some(engine) = engine else {
            return Err(nothing()
                .help("A and B are .flow files, DAGs (.json or .dag), or runs; there are no runs yet"));
        };
        if word == "last" {
            return state::find(engine, word).map(|run| Self::Run(Box::new(run)));
        }
        match engine.find_run(word) {
            Ok(run) => Ok(Self::Run(Box::new(run))),
            Err(flow_runtime::engine::RunError::NoRun { .. }) => {
                let runs = engine.runs()?;
                let known = runs.iter().map(|run| run.id.as_str()).chain(["last"]);
                let help =
                    did_you_mean(word, known).unwrap_or_else(|| "`flowc runs` lists the runs".to_owned());
                Err(nothing().help(help))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The module of a text.
    pub fn module(&self, root: Option<&Path>) -> Option<String> {
        let Self::Text(path) = self else { return None };
        let path = absolute(path).ok()?;
        Folders::find(&path, root).ok()?.module_name(&path).ok()
    }

    /// The side as it is recorded; of a text nothing.
    pub fn recorded(
        &self,
        engine: Option<&Engine>,
        folders: &Folders,
        word: &str,
    ) -> Result<Option<Side>, Failure> {
        match self {
            Self::Text(_) => Ok(None),
            Self::Dag(path) => {
                let (mut dag, _) = at_stage(dag_file::read(path)?, Stage::Plan, &Facts::of_code(folders));
                launch::resolve_files(&mut dag, &folders.root);
                Ok(Some(Side { name: word.to_owned(), dag, run: None }))
            }
            Self::Run(run) => {
                let Some(engine) = engine else { return Ok(None) };
                let (_, nodes) = engine.show(&run.id)?;
                let dag = engine.dag(&run.id)?;
                Ok(Some(Side { name: run.id.clone(), dag, run: Some((RunView::clone(run), nodes)) }))
            }
        }
    }
}

/// Plans a text, with the parameters that were given for both sides.
pub struct Planner<'a> {
    /// The parameters that a text so far has.
    pub known: RefCell<BTreeSet<String>>,
    pub options: &'a Options,
    /// Parameters given as flags.
    pub flags: &'a [(String, String)],
    pub root: Option<&'a Path>,
    pub terminal: &'a Terminal,
}

impl Planner<'_> {
    /// The text as a DAG at that stage. What is not given has the value that it has in the other side, where that one
    /// does not have it by default.
    ///
    /// It counts as a text of `module`: a copy elsewhere has the same operators and types.
    pub fn plan(
        &self,
        path: &Path,
        stage: Stage,
        other: Option<&Dag>,
        module: Option<String>,
    ) -> Result<Side, Refused> {
        let target = Target::new(path, self.options.workflow.as_deref(), self.root, module);
        let launch = launch::load(&target, self.terminal).map_err(Refused::Told)?;
        let Some(launch) = launch else {
            return Err(Refused::Failure(Failure::input(format!("`{}` has no workflow", path.display()))));
        };
        let given = self.given(&launch, other)?;
        let mut dag = launch.plan_with(given, stage, self.terminal).map_err(Refused::Told)?;
        if other.is_some() {
            launch::resolve_files(&mut dag, &launch.project.folders().root);
        }
        Ok(Side { name: path.display().to_string(), dag, run: None })
    }

    fn given(&self, launch: &Launch, other: Option<&Dag>) -> Result<flow_plan::parameters::Given, Refused> {
        let (mut flags, file) = self.options.parameters().read().map_err(Refused::Failure)?;
        flags.extend(self.flags.iter().cloned());
        let has = |name: &str| launch.signature.params.iter().any(|param| param.name == name);
        self.known.borrow_mut().extend(launch.signature.params.iter().map(|param| param.name.clone()));
        // What only the other text takes is not for this one.
        flags.retain(|(name, _)| has(name));
        let mut values = Map::new();
        for param in &launch.signature.params {
            let recorded = other.and_then(|dag| {
                let recorded = dag.parameters.iter().find(|recorded| recorded.name == param.name)?;
                let is_default = recorded.default.as_ref() == Some(&recorded.value);
                (!is_default || param.default.is_none()).then(|| recorded.value.clone())
            });
            let Some(ty) = param.ty.ground() else { continue };
            let unbound = || {
                let is_file = matches!(ty.present(), Type::Dataset(_) | Type::File);
                (is_file && param.default.is_none()).then(|| Value::File(format!("{}.csv", param.name)))
            };
            if let Some(value) = recorded.filter(|value| value.fits(&ty).is_ok()).or_else(unbound) {
                values.insert(param.name.clone(), value.to_json());
            }
        }
        if let Some(Json::Object(file)) = file {
            values.extend(file.into_iter().filter(|(name, _)| has(name)));
        }
        launch.bind(&flags, Some(&Json::Object(values)), self.terminal).map_err(Refused::Told)
    }
}

impl Planner<'_> {
    /// Refuses what was given for a parameter that no text has.
    pub fn refuse_unknown(&self) -> Result<(), Failure> {
        let known = self.known.borrow();
        let (settings, file) = self.options.parameters().read()?;
        let fields = file.iter().filter_map(Json::as_object).flat_map(Map::keys);
        let mut given = settings.iter().map(|(name, _)| name).chain(fields);
        match given.find(|name| !known.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let failure = Failure::usage(format!("neither of the two has a parameter `{name}`"));
                Err(match did_you_mean(name, known.iter().map(String::as_str)) {
                    Some(help) => failure.help(help),
                    None => failure,
                })
            }
        }
    }
}

/// Why a side cannot be had.
pub enum Refused {
    /// It has been printed.
    Told(Exit),
    Failure(Failure),
}
