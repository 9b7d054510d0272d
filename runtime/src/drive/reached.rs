//! What a run had come to when its process stopped, from its events alone.

use std::sync::Arc;

use flow_ir::{
    dag::Dag,
    node::{Node, NodeKind},
};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::nodes::node;
use crate::{
    artifact::Reference,
    decide::{Graph, NodeState, Past},
    event::{Event, Kind},
};

/// How far each node of a run had come, those of regions too.
#[derive(Debug)]
pub struct Reached {
    pub past: Past,
    /// Of the nodes that have finished.
    pub outputs: FxHashMap<u32, Vec<Reference>>,
    /// Those that had finished, and whose outputs are gone.
    pub lost: Vec<u32>,
    /// Those that had ended, and that [`Self::revive`] has made pending.
    pub revived: Vec<u32>,
    /// Those of which an attempt was made that came to no end.
    pub interrupted: Vec<u32>,
    /// Of these, those that were told to stop.
    pub cancelled: Vec<u32>,
    /// Nodes with an effect that were under way, each with its attempt: nobody knows whether it was done.
    pub unknown: Vec<(u32, u32)>,
    /// When those began that wait, and have not been told to begin anew: microseconds since 1970.
    pub began: FxHashMap<u32, i64>,
}

/// What the events say of a node.
#[derive(Clone, Default)]
struct Trace {
    /// The last that was made.
    attempt: u32,
    /// How far that came.
    reached: Option<NodeState>,
    /// How often the node has failed of its own.
    failures: u32,
    is_blocked: bool,
    is_cancelled: bool,
    outputs: Option<Vec<Reference>>,
    began: Option<i64>,
}

impl Reached {
    /// Folds the events of a run. A node whose outputs are no longer there is as good as not finished, unless it
    /// has an effect. The seed is that of the run.
    ///
    /// # Errors
    /// Those of `is_there`.
    pub fn from_events<E>(
        dag: &Dag,
        graph: &Arc<Graph>,
        seed: u64,
        events: &[Event],
        is_there: &mut dyn FnMut(&Reference) -> Result<bool, E>,
    ) -> Result<Self, E> {
        let mut past = Past::new(graph.clone(), seed);
        let mut traces: Vec<Trace> = Vec::new();
        for event in events {
            if event.kind == Kind::Signalled {
                event.data.get("name").and_then(Json::as_str).into_iter().for_each(|name| past.signal(name));
            }
            let Some(number) = event.node.as_deref().and_then(|id| past.find(id)) else { continue };
            traces.resize(past.state().len(), Trace::default());
            if let (Some(trace), Some(of)) =
                (traces.get_mut(number as usize), node(dag, past.state(), number))
            {
                trace.follow(event, of);
            }
        }
        let mut all = Self {
            past,
            outputs: FxHashMap::default(),
            lost: Vec::new(),
            revived: Vec::new(),
            interrupted: Vec::new(),
            cancelled: Vec::new(),
            unknown: Vec::new(),
            began: FxHashMap::default(),
        };
        for (number, trace) in (0..).zip(traces) {
            all.add(dag, number, trace, is_there)?;
        }
        Ok(all)
    }

    /// Makes pending what has failed, and what has finished without it: [`Past::revive`].
    pub fn revive(&mut self) -> &[u32] {
        self.revived = self.past.revive();
        for node in &self.revived {
            self.outputs.remove(node);
        }
        &self.revived
    }

    /// The nodes that had ended and run again, each with the reason.
    pub fn again(&self) -> Vec<(u32, &'static str)> {
        let lost = self.lost.iter().map(|node| (*node, "what it gave is gone"));
        let revived = self.revived.iter().map(|node| (*node, "the run is retried"));
        lost.chain(revived).collect()
    }

    fn add<E>(
        &mut self,
        dag: &Dag,
        number: u32,
        trace: Trace,
        is_there: &mut dyn FnMut(&Reference) -> Result<bool, E>,
    ) -> Result<(), E> {
        let Trace { attempt, reached: Some(mut reached), failures, .. } = trace else { return Ok(()) };
        let (is_task, has_effect) = node(dag, self.past.state(), number)
            .map_or((false, false), |node| (matches!(node.kind, NodeKind::Task(_)), node.effect));
        for reference in trace.outputs.iter().flatten() {
            if reached == NodeState::Finished && !has_effect && !is_there(reference)? {
                reached = NodeState::Running;
                self.lost.push(number);
            }
        }
        self.past.reach(number, attempt, reached);
        self.past.remember(number, failures);
        if reached == NodeState::Failed && trace.is_blocked {
            self.past.block(number);
        }
        if let (NodeState::Finished, Some(outputs)) = (reached, trace.outputs) {
            self.outputs.insert(number, outputs);
        }
        self.began.extend(trace.began.map(|began| (number, began)));
        if is_task && has_effect && reached == NodeState::Running {
            self.unknown.push((number, attempt));
        }
        if attempt > 0 && !reached.is_end() && self.lost.last() != Some(&number) {
            self.interrupted.push(number);
            self.cancelled.extend(trace.is_cancelled.then_some(number));
        }
        Ok(())
    }
}

impl Trace {
    fn follow(&mut self, event: &Event, of: &Node) {
        if event.kind == Kind::Stuck {
            return;
        }
        let reached = match event.kind {
            Kind::Finished | Kind::Cached => NodeState::Finished,
            Kind::Failed => NodeState::Failed,
            Kind::Skipped => NodeState::Skipped,
            // An attempt that has not begun is none.
            Kind::Ready | Kind::Retrying | Kind::Cancelled => NodeState::Ready,
            _ => NodeState::Running,
        };
        let attempt = match reached {
            NodeState::Ready => event.attempt.saturating_sub(1),
            _ => event.attempt,
        };
        self.attempt = attempt.max(self.attempt);
        self.reached = Some(reached);
        self.is_blocked = event.data.get("blocked").is_some();
        self.is_cancelled = event.kind == Kind::Cancelled;
        self.outputs = None;
        let waits = matches!(of.kind, NodeKind::Wait | NodeKind::WaitFor);
        match event.kind {
            Kind::Running if waits => self.began = self.began.or(Some(event.time)),
            Kind::Retrying => {
                let failures = event.data.get("failures").and_then(Json::as_u64).unwrap_or_default();
                self.failures = u32::try_from(failures).unwrap_or(u32::MAX);
                self.began = None;
            }
            Kind::Failed | Kind::Finished => self.began = None,
            _ => {}
        }
        if reached == NodeState::Finished {
            let found = of
                .outputs
                .iter()
                .map(|port| Reference::from_json(event.data.get("outputs")?.get(&port.name)?));
            self.outputs = found.collect();
            if self.outputs.is_none() {
                self.reached = Some(NodeState::Running);
            }
        }
    }
}
