//! What must be known before a node starts: its key, and whether the cache has what it would give.

use std::collections::BTreeSet;

use flow_ir::{
    hash::Hash,
    key::{KeyFacts, Known, NUMERICS_CPU, node_key},
    node::{Input, NodeKind, OperatorPlace, PortRef},
    value::Value,
};

use super::{Driver, World, nodes, region::Within};
use crate::{
    artifact::{ArtifactError, Reference, Summary},
    decide::{Event, NodeState},
    store::{FileMemo, FileStamp, StoreError},
};

/// What stands in a file, or that it cannot be known: then what reads it is not cached.
#[derive(Clone, Debug)]
pub enum FileHash {
    Content(Hash, Option<FileStamp>),
    Unknown,
}

enum Key {
    /// Of the cache.
    Known(Hash),
    /// Neither read from the cache nor written to it.
    None,
    /// These must be hashed first.
    Files(Vec<String>),
}

impl<W: World> Driver<W> {
    /// Looks at all nodes that have become ready: those the cache has are finished with, the rest may start.
    pub(super) fn prepare(&mut self) -> Result<(), StoreError> {
        let mut keyed = Vec::new();
        for (node, attempt) in std::mem::take(&mut self.fresh) {
            if !self.setup.state.is_at(node, attempt, NodeState::Ready) {
                continue;
            }
            match self.key(node)? {
                Key::Known(key) => {
                    self.nodes[node as usize].key = Some(key);
                    if self.setup.use_cache {
                        keyed.push((node, attempt, key));
                    } else {
                        self.start(node, attempt);
                    }
                }
                Key::None => {
                    self.nodes[node as usize].key = None;
                    self.start(node, attempt);
                }
                Key::Files(paths) => {
                    self.hashing.push((node, attempt));
                    self.world.hash_files(paths);
                }
            }
        }
        let keys: Vec<Hash> = keyed.iter().map(|(_, _, key)| *key).collect();
        let found = self.setup.store.cached(&keys)?;
        for ((node, attempt, _), found) in keyed.into_iter().zip(found) {
            let Some(references) = found.filter(|found| self.fits(node, found)) else {
                self.start(node, attempt);
                continue;
            };
            let lost = self.missing(&references).or_else(|| self.damaged(node, &references));
            self.nodes[node as usize].lost = lost;
            if self.nodes[node as usize].lost.is_none() {
                self.keep_references(node, references);
                self.step(&Event::Hit { node, attempt });
            } else {
                self.start(node, attempt);
            }
        }
        Ok(())
    }

    pub(super) fn hashed(&mut self, files: Vec<(String, FileHash)>) {
        for (path, hash) in files {
            if let FileHash::Content(hash, Some(stamp)) = &hash {
                self.batch.files.push(FileMemo { path: path.clone(), stamp: *stamp, hash: *hash });
            }
            self.files.insert(path, hash);
        }
        self.fresh.append(&mut self.hashing);
    }

    fn start(&mut self, node: u32, attempt: u32) {
        match nodes::node(&self.setup.dag, &self.setup.state, node).map(|node| &node.kind) {
            Some(NodeKind::Expression(_)) => self.evaluate(node, attempt),
            Some(NodeKind::Task(_) | NodeKind::Query { .. }) | None => {
                self.setup.scheduler.add(node, attempt)
            }
            Some(_) => self.step(&Event::Launched { node, attempt }),
        }
    }

    fn fits(&self, node: u32, references: &[Reference]) -> bool {
        nodes::node(&self.setup.dag, &self.setup.state, node)
            .is_some_and(|node| node.outputs.len() == references.len())
    }

    fn missing(&self, references: &[Reference]) -> Option<Hash> {
        let is_missing =
            |reference: &&Reference| self.lost.contains(&reference.hash) || !self.world.is_there(reference);
        references.iter().find(is_missing).map(|reference| reference.hash)
    }

    /// What nobody in the run may read is looked at in full before it is given as the run's: the bytes of an input
    /// are checked by who reads it.
    fn damaged(&mut self, node: u32, references: &[Reference]) -> Option<Hash> {
        if !self.gives_output(node) {
            return None;
        }
        let (of, error) = references.iter().find_map(|reference| {
            let error = self.world.load(reference).err().filter(ArtifactError::is_lost)?;
            Some((reference.hash, error))
        })?;
        for hash in [of, error.hash()] {
            self.lost.insert(hash);
            self.batch.lost.push(hash);
        }
        // Where it cannot be removed it is not replaced either, and reading it is the error that it was.
        let _ = self.world.remove(error.hash());
        Some(error.hash())
    }

    /// Whether the workflow gives what the node gives, itself or through the nodes that run the regions around it.
    fn gives_output(&self, node: u32) -> bool {
        let state = &self.setup.state;
        let scope = state.scope(node);
        let instance = state.instance(scope);
        let first = instance.as_ref().map_or(0, |instance| instance.nodes.start);
        let mut is_read = false;
        for output in nodes::outputs(&self.setup.dag, state, scope) {
            output.input.for_each_port(&mut |port| is_read |= first + port.node.0 == node);
        }
        is_read && instance.is_none_or(|instance| self.gives_output(instance.place.node))
    }

    fn key(&mut self, node: u32) -> Result<Key, StoreError> {
        let dag = self.setup.dag.clone();
        let Some(of) = nodes::node(&dag, &self.setup.state, node) else { return Ok(Key::None) };
        if of.effect || !of.policy.cache {
            return Ok(Key::None);
        }
        let mut paths = BTreeSet::new();
        let scope = self.setup.state.scope(node);
        for (_, input) in &of.inputs {
            self.files_of(scope, input, &mut paths);
        }
        let mut unknown = Vec::new();
        for path in &paths {
            match self.file(path)? {
                Some(FileHash::Content(..)) => {}
                Some(FileHash::Unknown) => return Ok(Key::None),
                None => unknown.push(path.clone()),
            }
        }
        let facts = Facts { within: self.within(scope) };
        let code = match &of.kind {
            NodeKind::Task(operator) if operator.place != OperatorPlace::Native => {
                facts.environment(&operator.place)
            }
            _ => None,
        };
        let data = &mut self.nodes[node as usize];
        data.files = paths.into_iter().collect();
        data.code = code;
        if !unknown.is_empty() {
            return Ok(Key::Files(unknown));
        }
        Ok(node_key(of, &Facts { within: self.within(scope) }).map_or(Key::None, |key| Key::Known(key.0)))
    }

    /// Whatever files the input names, be it through the value of another node.
    fn files_of(&self, scope: u32, input: &Input, paths: &mut BTreeSet<String>) {
        match input {
            Input::Constant(value) => files_in(value, paths),
            Input::Parameter(name) => {
                let mut named = Vec::new();
                let known = self.within(scope).known(name, &mut |reference| {
                    named.extend(value_of(reference).cloned());
                    Some(reference.hash)
                });
                known.iter().for_each(|known| files_in_known(known, paths));
                named.iter().for_each(|value| files_in(value, paths));
            }
            Input::Port(port) => {
                let reference = self.reference(self.numbered(scope, *port));
                reference.and_then(value_of).into_iter().for_each(|value| files_in(value, paths));
            }
            Input::Expression { bindings: inputs, .. } | Input::Record(inputs) => {
                for (_, input) in inputs {
                    self.files_of(scope, input, paths);
                }
            }
            Input::List(inputs) => {
                for input in inputs {
                    self.files_of(scope, input, paths);
                }
            }
        }
    }

    /// What is known of a file without reading it.
    fn file(&mut self, path: &str) -> Result<Option<FileHash>, StoreError> {
        if let Some(known) = self.files.get(path) {
            return Ok(Some(known.clone()));
        }
        let Some(stamp) = self.world.stamp(path) else { return Ok(None) };
        let Some(hash) = self.setup.store.file(path, stamp)? else { return Ok(None) };
        let known = FileHash::Content(hash, None);
        self.files.insert(path.to_owned(), known.clone());
        Ok(Some(known))
    }
}

/// What a key must know of this run.
struct Facts<'a, W: World> {
    within: Within<'a, W>,
}

impl<W: World> KeyFacts for Facts<'_, W> {
    fn port(&self, port: PortRef) -> Option<Hash> {
        let Within { driver, scope } = self.within;
        content(driver.reference(driver.numbered(scope, port))?, &|path| self.file(path))
    }

    fn parameter(&self, name: &str) -> Option<Known<'_>> {
        self.within.known(name, &mut |reference| content(reference, &|path| self.file(path)))
    }

    fn file(&self, path: &str) -> Option<Hash> {
        match self.within.driver.files.get(path) {
            Some(FileHash::Content(hash, _)) => Some(*hash),
            _ => None,
        }
    }

    fn environment(&self, place: &OperatorPlace) -> Option<Hash> {
        self.within.driver.setup.environments.get(place).copied()
    }

    fn numerics(&self) -> &str {
        NUMERICS_CPU
    }
}

/// What an artifact counts for in a key: its hash, and the content of the files that it names.
pub fn content(reference: &Reference, file: &dyn Fn(&str) -> Option<Hash>) -> Option<Hash> {
    if let Summary::File { extension } = &reference.summary
        && !extension.is_empty()
    {
        // By that its reader may decide what it is.
        return Some(Hash::of(&[extension.as_bytes(), &reference.hash.0].concat()));
    }
    let mut paths = BTreeSet::new();
    value_of(reference).into_iter().for_each(|value| files_in(value, &mut paths));
    if paths.is_empty() {
        return Some(reference.hash);
    }
    // The artifact has the path alone; what stands in the file counts as well.
    let mut hasher = blake3::Hasher::new();
    hasher.update(&reference.hash.0);
    for path in &paths {
        hasher.update(&file(path)?.0);
    }
    Some(Hash(*hasher.finalize().as_bytes()))
}

/// The value that an artifact's summary tells.
fn value_of(reference: &Reference) -> Option<&Value> {
    match &reference.summary {
        Summary::Value(value) => value.as_ref(),
        _ => None,
    }
}

fn files_in_known(known: &Known<'_>, paths: &mut BTreeSet<String>) {
    match known {
        Known::Value(value) => files_in(value, paths),
        Known::Artifact(_) => {}
        Known::List(elements) => elements.iter().for_each(|element| files_in_known(element, paths)),
        Known::Record(fields) => fields.iter().for_each(|(_, field)| files_in_known(field, paths)),
    }
}

fn files_in(value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::File(path) => {
            paths.insert(path.clone());
        }
        Value::List(values) => values.iter().for_each(|value| files_in(value, paths)),
        Value::Record(fields) => fields.iter().for_each(|(_, value)| files_in(value, paths)),
        _ => {}
    }
}
