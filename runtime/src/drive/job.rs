//! The work of one node, ready to be done on another thread.

use std::{sync::Arc, time::Duration};

use flow_ir::{
    dag::Dag,
    node::{Node, PortRef},
};

use super::{data::Slot, nodes::Path, region::Bound};
use crate::{
    artifact::{ArtifactError, Artifacts, Reference},
    operator::{Context, Datum, Operator},
    task::{Envelope, EnvelopeError, Executed, Failure, Identity, Resolve, Source, execute, parameter},
};

/// The data that a node reads.
#[derive(Default)]
pub(super) struct Slots {
    /// Behind ports of its scope; none where the port's node failed and others continue without it.
    pub ports: Vec<(PortRef, Option<Arc<Slot>>)>,
    /// Behind the parameters of its region.
    pub around: Vec<Arc<Slot>>,
}

/// An operator to be called, with all that it needs.
pub struct Job {
    pub(super) dag: Arc<Dag>,
    /// Where the node stands in the DAG.
    pub(super) path: Path,
    /// What the parameters of its region are bound to.
    pub(super) bound: Option<Arc<Bound>>,
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
        self.path.node(&self.dag)
    }

    /// Whether personal data is in what its operator reads, where that runs outside of this process.
    pub fn shows_personal(&self) -> bool {
        self.path.shows_personal(&self.dag)
    }

    /// How long it may take.
    pub fn limit(&self) -> Option<Duration> {
        self.timeout.and_then(|timeout| u64::try_from(timeout).ok()).map(Duration::from_micros)
    }

    /// Reads the inputs, calls the operator, checks and writes what it gives.
    pub fn run(&self, artifacts: &Artifacts, context: &dyn Context) -> Result<Executed, Failure> {
        let envelope = self.envelope().map_err(Failure::operator)?;
        let mut load = |reference: &Reference| self.slots.find(reference, |missing| artifacts.load(missing));
        execute(&envelope, &*self.body, &mut load, artifacts.folder(), context)
    }

    /// The task as another process would get it.
    pub fn envelope(&self) -> Result<Envelope, String> {
        let node = self.of().ok_or("it is no task")?;
        let operator = node.operator().ok_or("it is no task")?;
        let identity = self.identity.clone();
        let mut envelope =
            Envelope::new(node, &operator, identity, self).map_err(|error| error.to_string())?;
        envelope.is_personal = self.shows_personal();
        envelope.deadline = self.timeout.and_then(|timeout| self.now.checked_add(timeout));
        Ok(envelope)
    }
}

impl Resolve for Job {
    fn parameter(&self, name: &str) -> Result<Source, EnvelopeError> {
        match &self.bound {
            None => parameter(&self.dag, name).cloned().map(Source::Value),
            Some(bound) => bound.parameter(name).cloned(),
        }
    }

    fn port(&self, port: PortRef) -> Option<Reference> {
        let (_, slot) = self.slots.ports.iter().find(|(of, _)| *of == port)?;
        slot.as_ref().map(|slot| slot.reference.clone())
    }
}

impl Slots {
    /// From memory where it is there, else by `load`.
    pub fn find(
        &self,
        reference: &Reference,
        load: impl FnOnce(&Reference) -> Result<Datum, ArtifactError>,
    ) -> Result<Datum, ArtifactError> {
        match self.all().find(|slot| slot.reference == *reference) {
            Some(slot) => slot.get(load),
            None => load(reference),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.ports.iter().filter_map(|(_, slot)| slot.as_ref()).chain(&self.around)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("identity", &self.identity).finish_non_exhaustive()
    }
}
