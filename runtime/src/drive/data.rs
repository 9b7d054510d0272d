//! What nodes gave: always its references, and the data while somebody may still want it.

use std::sync::{Arc, Mutex, PoisonError};

use flow_ir::{hash::Hash, node::PortRef};

use super::{Driver, World};
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
}

pub struct Output {
    pub reference: Reference,
    slot: Option<Arc<Slot>>,
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
        let mut large = Vec::new();
        for encoded in executed.outputs {
            for content in encoded.contents {
                self.lost.remove(&content.hash());
                match content {
                    Content::Small { hash, bytes } => self.batch.contents.push((hash, bytes)),
                    content @ Content::Large { .. } => large.push(content),
                }
            }
            let reference = encoded.reference;
            let slot = (data.consumers > 0)
                .then(|| Arc::new(Slot { reference: reference.clone(), datum: Mutex::new(encoded.datum) }));
            data.outputs.push(Output { reference, slot });
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
        for producer in self.setup.graph.producers(node) {
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
            for producer in self.setup.graph.producers(node) {
                self.nodes[producer as usize].consumers += 1;
            }
        }
    }

    /// An input is missing or corrupt: its node must run again, unless it has an effect.
    pub(super) fn input_lost(&mut self, node: u32, attempt: u32, of: Hash, error: &ArtifactError) {
        let gave = |producer: &u32| {
            let outputs = &self.nodes[*producer as usize].outputs;
            outputs.iter().any(|output| output.reference.hash == of)
        };
        let loss = || Failure::Input { of, error: error.clone() };
        let Some(producer) = self.setup.graph.producers(node).find(gave) else {
            return self.fail(node, attempt, loss());
        };
        if self.setup.dag.nodes.get(producer as usize).is_some_and(|node| node.effect) {
            let message = format!(
                "{error}; `{}`, which gave it, has an effect and is not run twice",
                self.ids[producer as usize]
            );
            return self.fail(node, attempt, Failure::operator(message));
        }
        let hashes = [error.hash(), of];
        self.lost.extend(hashes);
        self.batch.lost.extend(hashes);
        if let Err(cannot) = self.world.remove(error.hash()) {
            let message = format!("{error}; it cannot be replaced: {cannot}");
            return self.fail(node, attempt, Failure::operator(message));
        }
        self.nodes[producer as usize].lost = Some(error.hash());
        self.nodes[producer as usize].failure = Some(loss());
        self.nodes[node as usize].failure = Some(loss());
        let producer_attempt = self.setup.state.attempt(producer);
        self.step(&Event::InputLost { node, attempt, producer, producer_attempt });
    }
}
