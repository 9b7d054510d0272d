//! What the nodes of a running run wait for: from what is durable of it, and from the ledger.

use std::fmt;

use flow_ir::{
    node::{Node, NodeKind},
    value::Value,
};

use super::{Engine, RunError, RunView, recorded::RecordedRun};
use crate::{
    decide::{NodeState, RunStatus},
    event::{Kind, timestamp},
    schedule::{
        Amount, Machine, Need,
        waiting::{Holder, Reason, Who, reasons},
    },
};

/// A node that has all its inputs and does not run, or whose work is to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub node: String,
    /// Empty where there is room for it: then better ones go first, or it starts any moment.
    pub reasons: Vec<WaitsFor>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// There is too little of something.
    Resource(Reason),
    /// `until` is when it gives up, if it does, in microseconds since 1970.
    Signal { name: String, run: String, until: Option<i64> },
    /// A time, in microseconds since 1970.
    Time(i64),
}

impl Engine {
    /// The nodes of a run that is worked on which are ready, or wait by themselves, and what each waits for; none
    /// of a run that nobody works on.
    ///
    /// # Errors
    /// When the store or the run's DAG cannot be read.
    pub fn waiting(&self, run: &RunView) -> Result<Vec<Waiting>, RunError> {
        let first = self.store.events_after(&run.id, 0, 1)?;
        let limit = first.iter().filter(|event| event.kind == Kind::RunStarted);
        let limit = limit.filter_map(|event| event.data.get("limit")).find_map(Machine::from_json);
        let (Some(limit), RunStatus::Running) = (limit, run.status) else { return Ok(Vec::new()) };
        let recorded = self.recorded(&run.id)?;
        let running = recorded.in_state(NodeState::Running);
        let own = placed(running.iter().map(|(_, _, node)| *node), &limit);
        let machine = Machine {
            cores: limit.cores.max(Machine::here().cores),
            memory: limit.memory.max(Machine::here().memory),
            ..limit.clone()
        };
        let mut all = own.clone();
        all.extend(self.others(&run.id, &machine));
        let ready = recorded.in_state(NodeState::Ready).into_iter().map(|(_, id, node)| {
            let need = Need::of(node);
            let mut found = reasons(&limit, &need, &own);
            if found.is_empty() {
                found = reasons(&machine, &need, &all);
            }
            let reasons = found.into_iter().map(WaitsFor::Resource).collect();
            Waiting { node: id.to_string(), reasons }
        });
        let by_themselves = running.iter().filter_map(|(number, id, node)| {
            let waits_for = waits_for(&recorded, *number, node, &run.id)?;
            Some(Waiting { node: id.to_string(), reasons: vec![waits_for] })
        });
        Ok(ready.chain(by_themselves).collect())
    }

    /// What other runs hold.
    fn others(&self, run: &str, machine: &Machine) -> Vec<Holder> {
        let Some(folder) = &self.ledger else { return Vec::new() };
        let mut holders = crate::schedule::ledger::holders(folder, &self.scope(), machine);
        holders.retain(|holder| !matches!(&holder.who, Who::Run { run: of, .. } if of == run));
        holders
    }
}

/// What a running node waits for whose work that is.
fn waits_for(recorded: &RecordedRun, number: u32, node: &Node, run: &str) -> Option<WaitsFor> {
    let after = |input: &str| match recorded.value(number, input)? {
        Value::Duration(time) => recorded.began(number)?.checked_add(time),
        _ => None,
    };
    match (&node.kind, recorded.value(number, "name")) {
        (NodeKind::Wait, _) => after("duration").map(WaitsFor::Time),
        (NodeKind::WaitFor, Some(Value::Text(name))) => {
            Some(WaitsFor::Signal { name, run: run.to_owned(), until: after("timeout") })
        }
        _ => None,
    }
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(reason) => write!(f, "{reason}"),
            Self::Time(time) => write!(f, "{}", timestamp(*time)),
            Self::Signal { name, run, until } => {
                let until = until.map(|time| format!(", until {}", timestamp(time))).unwrap_or_default();
                write!(f, "the signal `{name}`{until}: `flowc signal {run} {name}` sends it")
            }
        }
    }
}

/// What the nodes hold that run. Which GPU each has is not known, only how many.
fn placed<'a>(running: impl Iterator<Item = &'a Node>, limit: &Machine) -> Vec<Holder> {
    let mut used = Amount::default();
    let holder = |node: &Node| {
        let amount = limit.whole().place(&used, &Need::of(node), limit).unwrap_or_default();
        used.add(&amount);
        Holder { who: Who::Node(node.id.clone()), amount }
    };
    running.map(holder).collect()
}
