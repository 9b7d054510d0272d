//! Why ready nodes of a running run do not run: from what is durable of it, and from the ledger.

use flow_ir::node::Node;

use super::{Engine, RunError, RunView};
use crate::{
    event::Kind,
    schedule::{
        Amount, Machine, Need,
        waiting::{Holder, Reason, Who, reasons},
    },
};

/// A node that has all its inputs and does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub node: String,
    /// Empty where there is room for it: then better ones go first, or it starts any moment.
    pub reasons: Vec<Reason>,
}

impl Engine {
    /// The ready nodes of a run that is worked on, and what each waits for; none of one that is not.
    ///
    /// # Errors
    /// When the store or the run's DAG cannot be read.
    pub fn waiting(&self, run: &RunView) -> Result<Vec<Waiting>, RunError> {
        let first = self.store.events_after(&run.id, 0, 1)?;
        let limit = first.iter().filter(|event| event.kind == Kind::RunStarted);
        let limit = limit.filter_map(|event| event.data.get("limit")).find_map(Machine::from_json);
        let (Some(limit), "running") = (limit, run.status.as_str()) else { return Ok(Vec::new()) };
        let dag = self.dag(&run.id)?;
        let rows = self.store.nodes(&run.id)?;
        let node = |id: &str| dag.nodes.iter().find(|node| node.id == id);
        let in_state = |state: &'static str| {
            rows.iter().filter(move |row| row.state == state).filter_map(|row| node(&row.node))
        };
        let own = placed(in_state("running"), &limit);
        let machine = Machine {
            cores: limit.cores.max(Machine::here().cores),
            memory: limit.memory.max(Machine::here().memory),
            ..limit.clone()
        };
        let mut all = own.clone();
        all.extend(self.others(&run.id, &machine));
        let waiting = in_state("ready").map(|node| {
            let need = Need::of(node);
            let mut found = reasons(&limit, &need, &own);
            if found.is_empty() {
                found = reasons(&machine, &need, &all);
            }
            Waiting { node: node.id.clone(), reasons: found }
        });
        Ok(waiting.collect())
    }

    /// What other runs hold.
    #[cfg(target_os = "linux")]
    fn others(&self, run: &str, machine: &Machine) -> Vec<Holder> {
        let Some(folder) = &self.ledger else { return Vec::new() };
        let mut holders = crate::schedule::ledger::holders(folder, &self.scope(), machine);
        holders.retain(|holder| !matches!(&holder.who, Who::Run { run: of, .. } if of == run));
        holders
    }

    #[cfg(not(target_os = "linux"))]
    fn others(&self, _: &str, _: &Machine) -> Vec<Holder> {
        Vec::new()
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
