//! What nodes gave: always its references, and the data while somebody may still want it.

use std::sync::{Arc, Mutex, PoisonError};

use flow_ir::{
    hash::Hash,
    node::{NodeKind, PortRef},
};

use super::{Driver, World, nodes};
use crate::{
    artifact::{ArtifactError, Content, Reference},
    decide::{Event, Graph},
    operator::{Datum, Usage},
    task::{Executed, Failure},
};

/// What is known of a node beyond its state.
pub struct NodeData {
    /// One for each port, as soon as they are available.
    pub outputs: Vec<Output>,
    /// Consumers that may still want the data.
    pub consumers: u32,
    /// It has told its producers that it wants no more.
    pub has_released: bool,
    /// Of the cache.
    pub key: Option<Hash>,
    /// Those whose contents are a part of the key.
    pub files: Vec<String>,
    /// Of an external operator: a part of the key, too.
    pub code: Option<Hash>,
    /// What the cache knew it to give, and is not there.
    pub lost: Option<Hash>,
    pub elapsed: Option<std::time::Duration>,
    pub metrics: Vec<(String, f64)>,
    pub usage: Option<Usage>,
    pub failure: Option<Failure>,
    /// Microseconds that it waits for a signal.
    pub limit: Option<i64>,
    /// A loop whose condition still held when it had run as often as it may.
    pub ended_at_max: bool,
}

pub struct Output {
    pub reference: Reference,
    slot: Option<Arc<Slot>>,
}

impl Output {
    pub fn new(reference: Reference, slot: Option<Arc<Slot>>) -> Self {
        Self { reference, slot }
    }

    pub fn in_memory(reference: Reference, datum: Option<Datum>) -> Self {
        let slot = Slot { reference: reference.clone(), datum: Mutex::new(datum) };
        Self { reference, slot: Some(Arc::new(slot)) }
    }

    pub fn leave_memory(&mut self) {
        self.slot = None;
    }
}

/// The data of one output, shared by its consumers; read back when the first one asks.
pub struct Slot {
    pub reference: Reference,
    datum: Mutex<Option<Datum>>,
}

impl NodeData {
    pub fn for_all(graph: &Graph) -> Vec<Self> {
        let nodes = 0..u32::try_from(graph.len()).unwrap_or(u32::MAX);
        let new = |node| Self {
            outputs: Vec::new(),
            consumers: u32::try_from(graph.consumers(node)).unwrap_or(u32::MAX),
            has_released: false,
            key: None,
            files: Vec::new(),
            code: None,
            lost: None,
            elapsed: None,
            metrics: Vec::new(),
            usage: None,
            failure: None,
            limit: None,
            ended_at_max: false,
        };
        nodes.map(new).collect()
    }
}

impl Slot {
    /// The data; read by `load` where it is not in memory.
    pub fn get(
        &self,
        load: impl FnOnce(&Reference) -> Result<Datum, ArtifactError>,
    ) -> Result<Datum, ArtifactError> {
        let mut datum = self.datum.lock().unwrap_or_else(PoisonError::into_inner);
        match &*datum {
            Some(datum) => Ok(datum.clone()),
            None => Ok(datum.insert(load(&self.reference)?).clone()),
        }
    }
}

impl<W: World> Driver<W> {
    /// The reference behind a port; none where its node failed and others continue without it.
    pub(super) fn reference(&self, port: PortRef) -> Option<&Reference> {
        let outputs = &self.nodes.get(port.node.0 as usize)?.outputs;
        outputs.get(port.port as usize).map(|output| &output.reference)
    }

    /// The data behind a port, to be read when it is needed.
    pub(super) fn slot(&mut self, port: PortRef) -> Option<Arc<Slot>> {
        let outputs = &mut self.nodes.get_mut(port.node.0 as usize)?.outputs;
        let output = outputs.get_mut(port.port as usize)?;
        let reference = &output.reference;
        let slot = output
            .slot
            .get_or_insert_with(|| Arc::new(Slot { reference: reference.clone(), datum: Mutex::new(None) }));
        Some(slot.clone())
    }

    /// Takes what an operator gave; returns what is still to be made durable.
    pub(super) fn keep(&mut self, node: u32, executed: Executed) -> Vec<Content> {
        let data = &mut self.nodes[node as usize];
        data.elapsed = Some(executed.elapsed);
        data.metrics = executed.metrics;
        data.failure = None;
        data.outputs.clear();
        let mut contents = Vec::new();
        for encoded in executed.outputs {
            contents.extend(encoded.contents);
            let output = Output::in_memory(encoded.reference, encoded.datum);
            data.outputs.push(if data.consumers > 0 { output } else { Output::new(output.reference, None) });
        }
        self.keep_contents(contents)
    }

    /// Hands over what is small; returns what is still to be made durable.
    pub(super) fn keep_contents(&mut self, contents: Vec<Content>) -> Vec<Content> {
        let mut large = Vec::new();
        for content in contents {
            self.lost.remove(&content.hash());
            match content {
                Content::Small { hash, bytes } => self.batch.contents.push((hash, bytes)),
                content @ Content::Large { .. } => large.push(content),
            }
        }
        large
    }

    /// Takes what an earlier run left, without reading it.
    pub(super) fn keep_references(&mut self, node: u32, references: Vec<Reference>) {
        let outputs = references.into_iter().map(|reference| Output { reference, slot: None });
        self.nodes[node as usize].outputs = outputs.collect();
    }

    /// The node wants no more of its inputs: what nobody wants leaves memory.
    pub(super) fn release_inputs(&mut self, node: u32) {
        if std::mem::replace(&mut self.nodes[node as usize].has_released, true) {
            return;
        }
        for producer in self.setup.state.producers(node) {
            let data = &mut self.nodes[producer as usize];
            data.consumers -= 1;
            if data.consumers == 0 {
                for output in &mut data.outputs {
                    output.slot = None;
                }
            }
        }
    }

    /// The node runs again, and wants its inputs once more.
    pub(super) fn want_inputs(&mut self, node: u32) {
        if std::mem::replace(&mut self.nodes[node as usize].has_released, false) {
            for producer in self.setup.state.producers(node) {
                self.nodes[producer as usize].consumers += 1;
            }
        }
    }

    /// An input is missing or corrupt: its node must run again, unless it has an effect.
    pub(super) fn input_lost(&mut self, node: u32, attempt: u32, of: Hash, error: &ArtifactError) {
        let loss = || Failure::Input { of, error: error.clone() };
        let Some(producer) = self.giver(node, of) else {
            return self.fail(node, attempt, loss());
        };
        let mut givers = self.givers_before(producer, of);
        givers.extend(self.givers_within(producer, of));
        givers.push(producer);
        if let Some(giver) = givers.iter().find(|giver| self.has_effect(**giver)) {
            let giver = &self.ids[*giver as usize];
            let message = format!("{error}; `{giver}`, which gave it, has an effect and is not run twice");
            return self.fail(node, attempt, Failure::operator(message));
        }
        let hashes = [error.hash(), of];
        self.lost.extend(hashes);
        self.batch.lost.extend(hashes);
        if let Err(cannot) = self.world.remove(error.hash()) {
            let message = format!("{error}; it cannot be replaced: {cannot}");
            return self.fail(node, attempt, Failure::operator(message));
        }
        for giver in givers {
            self.nodes[giver as usize].lost = Some(error.hash());
            self.nodes[giver as usize].failure = Some(loss());
            if giver != producer {
                let attempt = self.setup.state.attempt(giver);
                self.step(&Event::OutputLost { node: giver, attempt });
            }
        }
        self.nodes[node as usize].failure = Some(loss());
        let producer_attempt = self.setup.state.attempt(producer);
        self.step(&Event::InputLost { node, attempt, producer, producer_attempt });
    }

    /// The node that gave an artifact which this one reads: of its own scope, or of one around it.
    fn giver(&self, node: u32, of: Hash) -> Option<u32> {
        let state = &self.setup.state;
        let found = state.producers(node).find(|producer| self.gave(*producer, of));
        found.or_else(|| self.giver(state.instance(state.scope(node))?.place.node, of))
    }

    /// The nodes from which this one has it, where it makes nothing by itself: it gave on what it read.
    fn givers_before(&self, node: u32, of: Hash) -> Vec<u32> {
        let state = &self.setup.state;
        let is_control = nodes::node(&self.setup.dag, state, node)
            .is_some_and(|node| !matches!(node.kind, NodeKind::Task(_) | NodeKind::Expression(_)));
        let Some(before) = self.giver(node, of).filter(|_| is_control) else { return Vec::new() };
        let mut givers = self.givers_before(before, of);
        givers.extend(self.givers_within(before, of));
        givers.push(before);
        givers
    }

    /// The nodes in the regions of this one that gave it what it gave.
    fn givers_within(&self, node: u32, of: Hash) -> Vec<u32> {
        let state = &self.setup.state;
        let instances =
            state.places(node).into_iter().filter_map(|place| state.instance(state.scope_at(place)?));
        let mut givers = Vec::new();
        for inner in instances.flat_map(|instance| instance.nodes).filter(|inner| self.gave(*inner, of)) {
            givers.extend(self.givers_within(inner, of));
            givers.push(inner);
        }
        givers
    }

    fn gave(&self, node: u32, of: Hash) -> bool {
        let outputs = self.nodes.get(node as usize).map(|data| data.outputs.as_slice()).unwrap_or_default();
        outputs.iter().any(|output| output.reference.hash == of)
    }
}
