//! What a run needs from outside, and what it hears from there.

use std::{io, sync::mpsc::Sender};

use flow_ir::{hash::Hash, node::Port};

use super::{job::Job, prepare::FileHash};
use crate::{
    artifact::{ArtifactError, Artifacts, Content, Encoded, Reference, encode_list},
    operator::{Datum, Usage},
    store::{FileStamp, RunCommand, StoreError},
    task::{Executed, Failure, finish},
};

/// Time, work and files. Whatever takes time answers with a [`Message`]; the rest returns at once.
pub trait World {
    /// Microseconds since 1970-01-01T00:00:00Z; never less than it was.
    fn now(&self) -> i64;

    /// Where messages can be left from other threads.
    fn outbox(&self) -> Sender<Message>;

    /// Runs an operator; answered by [`Message::Done`].
    fn launch(&mut self, job: Job);

    /// Asks what was launched to stop. It answers all the same.
    fn stop(&mut self, node: u32, attempt: u32);

    /// Gives large outputs their names, durably; answered by [`Message::Stored`].
    fn publish(&mut self, node: u32, attempt: u32, contents: Vec<Content>);

    /// Where artifacts lie.
    fn artifacts(&self) -> &Artifacts;

    /// Answered by [`Message::Hashed`]. Without files, none can be known.
    fn hash_files(&mut self, paths: Vec<String>) {
        let unknown = paths.into_iter().map(|path| (path, FileHash::Unknown)).collect();
        let _ = self.outbox().send(Message::Hashed(unknown));
    }

    /// What a file is like now; none where there is no such file.
    fn stamp(&self, _path: &str) -> Option<FileStamp> {
        None
    }

    /// Checks what a node gave against its ports, and writes what is large, without its name yet.
    fn encode(&self, op: &str, outputs: Vec<Datum>, ports: &[Port]) -> Result<Vec<Encoded>, Failure> {
        finish(op, outputs, ports, self.artifacts().folder())
    }

    /// Reads an artifact.
    fn load(&self, reference: &Reference) -> Result<Datum, ArtifactError> {
        self.artifacts().load(reference)
    }

    /// Makes a list of artifacts; what is large is written without its name yet.
    fn list(&self, elements: &[Reference]) -> Result<(Reference, Content), Failure> {
        let list = encode_list(elements, self.artifacts().folder());
        list.map_err(|error| Failure::operator(error.to_string()))
    }

    /// What a list is made of.
    fn elements(&self, list: &Reference) -> Result<Vec<Reference>, ArtifactError> {
        self.artifacts().elements(list)
    }

    /// Whether an artifact is there with its size.
    fn is_there(&self, reference: &Reference) -> bool {
        self.artifacts().is_there(reference).unwrap_or_default()
    }

    /// Removes a content that was found corrupt, so that it can be written again.
    fn remove(&mut self, hash: Hash) -> io::Result<()> {
        self.artifacts().remove(hash)
    }
}

/// What happened outside.
#[derive(Debug)]
pub enum Message {
    /// What an operator came to.
    Done { node: u32, attempt: u32, result: Result<Executed, Failure>, usage: Option<Usage> },
    /// Large outputs are durable, or cannot be.
    Stored { node: u32, attempt: u32, result: Result<(), ArtifactError> },
    /// The content of files, or that it cannot be known.
    Hashed(Vec<(String, FileHash)>),
    /// All events up to this one are durable; or none of those handed over will ever be.
    Durable(Result<u64, StoreError>),
    /// The run is to stop.
    Cancel,
    /// More may fit than did.
    Lent,
    /// Nothing, but that something may be due earlier than it was.
    Look,
    /// Another process wants something of the run; may come twice.
    Command(RunCommand),
}
