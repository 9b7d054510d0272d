//! What nodes gave: always its references, and the data while somebody may still want it.

use std::sync::{Arc, Mutex, PoisonError};

use flow_ir::{hash::Hash, node::PortRef};

use super::{Driver, World};
use crate::{
    artifact::{ArtifactError, Content, Reference, Summary},
    decide::Graph,
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
        self.keep_contents(node, contents)
    }

    /// Hands over what is small of what a node gave; returns what is still to be made durable.
    pub(super) fn keep_contents(&mut self, node: u32, contents: Vec<Content>) -> Vec<Content> {
        let mut large = Vec::new();
        for content in contents {
            self.lost.remove(&content.hash());
            match content {
                Content::Small { hash, bytes } => self.batch.contents.push((hash, bytes)),
                content @ Content::Large { .. } => large.push(content),
            }
        }
        let mut outputs = self.nodes[node as usize].outputs.iter();
        if outputs.any(|output| matches!(output.reference.summary, Summary::List { .. })) {
            // A list is read from the store, and so are its elements, perhaps in this very turn.
            self.batch.is_urgent = true;
            self.send();
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
}
