//! What a DAG needs to be run here: a body for every operator that it calls, and a place for every node.

use std::{sync::Arc, time::Duration};

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Node, OperatorPlace, OperatorRef},
};
use rustc_hash::FxHashMap;

use super::{Engine, RunError, RunOptions};
use crate::{
    act::process::ProcessOperator,
    decide::Graph,
    operator::Native,
    schedule::{Machine, Scheduler, Weights},
    store::StoreError,
};

/// A DAG that can be run here.
pub(super) struct Prepared {
    pub(super) dag: Arc<Dag>,
    pub(super) graph: Arc<Graph>,
    /// What this run shares with others; none where nothing is to be run.
    pub(super) machine: Option<Machine>,
    pub(super) scheduler: Scheduler,
    pub(super) bodies: FxHashMap<OperatorRef, Native>,
    pub(super) environments: FxHashMap<OperatorPlace, Hash>,
}

/// A DAG of more nodes is run without a look at how long they took before.
const WEIGHED_NODES: usize = 1_000;

impl Engine {
    /// What a run may use of a machine.
    pub(super) fn limit(&self, machine: &Machine, options: &RunOptions) -> Machine {
        Machine {
            cores: options.jobs.max(1),
            memory: options.memory,
            gpus: machine.gpus.clone(),
            pools: self.pools.clone(),
        }
    }

    /// Finds every operator, and a place for every node.
    pub(super) fn prepare(
        &self,
        dag: Dag,
        graph: Arc<Graph>,
        options: &RunOptions,
    ) -> Result<Prepared, RunError> {
        let machine = options.machine.clone().unwrap_or_else(|| Machine::here_for(&dag));
        let limit = self.limit(&machine, options);
        let earlier = if options.weights.is_empty() { self.earlier(&dag)? } else { Weights::default() };
        let weights = if options.weights.is_empty() { &earlier } else { &options.weights };
        let scheduler = Scheduler::new(&dag, &graph, limit.clone(), weights)?;
        // Whoever asks for more cores than there are has a reason.
        let cores = machine.cores.max(limit.cores);
        let machine = Machine { cores, memory: machine.memory.max(limit.memory), ..limit };
        let mut prepared = Prepared {
            dag: Arc::new(dag),
            graph,
            machine: Some(machine),
            scheduler,
            bodies: FxHashMap::default(),
            environments: FxHashMap::default(),
        };
        self.find_bodies(&mut prepared)?;
        Ok(prepared)
    }

    /// How long the nodes of a DAG took on average in earlier runs.
    fn earlier(&self, dag: &Dag) -> Result<Weights, StoreError> {
        // In a DAG of many nodes none is long beside the reading, and of one or none there is nothing to choose.
        let nodes: usize = dag.nodes.iter().map(Node::count).sum();
        if !(2..=WEIGHED_NODES).contains(&nodes) {
            return Ok(Weights::default());
        }
        let durations = self.store.durations(&dag.workflow)?;
        let microseconds = |mean: Duration| i64::try_from(mean.as_micros()).unwrap_or(i64::MAX);
        Ok(durations.means().map(|(path, mean)| (path.to_owned(), microseconds(mean))).collect())
    }

    /// The bodies of all operators that a DAG calls. Those of a query's steps are looked for as well, so that no
    /// other version of them is taken.
    pub(super) fn find_bodies(&self, prepared: &mut Prepared) -> Result<(), RunError> {
        let dag = prepared.dag.clone();
        let mut result = Ok(());
        dag.for_each_node(&mut |node| {
            if let Some(operator) = node.operator()
                && result.is_ok()
                && !prepared.bodies.contains_key(&*operator)
            {
                result = self.find_body(node, &operator, &mut prepared.environments).map(|body| {
                    prepared.bodies.insert(operator.into_owned(), body);
                });
            }
        });
        result
    }

    fn find_body(
        &self,
        node: &Node,
        operator: &OperatorRef,
        environments: &mut FxHashMap<OperatorPlace, Hash>,
    ) -> Result<Native, RunError> {
        let (node, op) = (node.id.clone(), operator.name.clone());
        if let Some(process) = ProcessOperator::new(operator.place.clone(), self.environment.clone()) {
            if !environments.contains_key(&operator.place) {
                let place = &operator.place;
                let hash = self.environment.check(place).and_then(|()| self.environment.hash(place));
                let hash = hash.map_err(|missing| RunError::NoImplementation { node, op, missing })?;
                environments.insert(operator.place.clone(), hash);
            }
            let (version, signature) = (operator.version, operator.signature);
            return Ok(Native { version, signature, body: Arc::new(process) });
        }
        let Some(body) = self.registry.find(&op) else {
            return Err(RunError::UnknownOperator { node, op });
        };
        if body.version != operator.version {
            let (needed, found) = (operator.version, body.version);
            return Err(RunError::OperatorVersion { node, op, needed, found });
        }
        if body.signature != operator.signature {
            return Err(RunError::OperatorSignature { node, op });
        }
        Ok(body)
    }
}
