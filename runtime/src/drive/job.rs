//! The work of one node, ready to be done on another thread.

use std::{sync::Arc, time::Duration};

use flow_ir::{
    dag::Dag,
    node::{Node, NodeKind, PortRef},
};

use super::data::Slot;
use crate::{
    artifact::{ArtifactError, Artifacts, Reference},
    operator::{Context, Datum, Operator},
    task::{Envelope, EnvelopeError, Executed, Failure, Identity, Resolve, Source, execute, parameter},
};

/// The data behind ports; none where the port's node failed and others continue without it.
pub(super) type Slots = Vec<(PortRef, Option<Arc<Slot>>)>;

/// An operator to be called, with all that it needs.
pub struct Job {
    pub(super) dag: Arc<Dag>,
    pub node: u32,
    pub identity: Identity,
    /// How many it may keep busy.
    pub threads: usize,
    /// Bytes that it should keep to.
    pub memory: u64,
    /// The indices of the GPUs that it may use.
    pub gpus: Vec<u32>,
    /// Microseconds.
    pub timeout: Option<i64>,
    /// When it was launched, in microseconds since 1970.
    pub(super) now: i64,
    pub(super) slots: Slots,
    pub(super) body: Arc<dyn Operator>,
}

impl Job {
    /// The node whose work it is.
    pub fn of(&self) -> Option<&Node> {
        self.dag.nodes.get(self.node as usize)
    }

    /// How long it may take.
    pub fn limit(&self) -> Option<Duration> {
        self.timeout.and_then(|timeout| u64::try_from(timeout).ok()).map(Duration::from_micros)
    }

    /// Reads the inputs, calls the operator, checks and writes what it gives.
    pub fn run(&self, artifacts: &Artifacts, context: &dyn Context) -> Result<Executed, Failure> {
        let envelope = self.envelope().map_err(Failure::operator)?;
        let mut load =
            |reference: &Reference| find(&self.slots, reference, |missing| artifacts.load(missing));
        execute(&envelope, &*self.body, &mut load, artifacts.folder(), context)
    }

    /// The task as another process would get it.
    pub fn envelope(&self) -> Result<Envelope, String> {
        let node = self.dag.nodes.get(self.node as usize);
        let Some((node, NodeKind::Task(operator))) = node.map(|node| (node, &node.kind)) else {
            return Err("it is no task".to_owned());
        };
        let identity = self.identity.clone();
        let mut envelope =
            Envelope::new(node, operator, identity, self).map_err(|error| error.to_string())?;
        envelope.deadline = self.timeout.and_then(|timeout| self.now.checked_add(timeout));
        Ok(envelope)
    }
}

impl Resolve for Job {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        parameter(&self.dag, name).cloned().map(Source::Value)
    }

    fn port(&self, port: PortRef) -> Option<Reference> {
        let (_, slot) = self.slots.iter().find(|(of, _)| *of == port)?;
        slot.as_ref().map(|slot| slot.reference.clone())
    }
}

/// From memory where it is there, else by `load`.
pub(super) fn find(
    slots: &Slots,
    reference: &Reference,
    load: impl FnOnce(&Reference) -> Result<Datum, ArtifactError>,
) -> Result<Datum, ArtifactError> {
    let slot = slots.iter().filter_map(|(_, slot)| slot.as_ref()).find(|slot| slot.reference == *reference);
    match slot {
        Some(slot) => slot.get(load),
        None => load(reference),
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("identity", &self.identity).finish_non_exhaustive()
    }
}
