//! The language server: the only place that knows the Language Server Protocol (3.17).
//!
//! A message comes in by [`wire`], is told apart in [`route`], handled in [`handlers`] and, where it concerns the
//! texts, taken by the one thread of the [`actor`], which publishes diagnostics on its own account.

mod actor;
mod client;
mod convert;
mod handlers;
mod position;
mod route;
mod wire;

use std::{
    io::{self, BufRead, Write},
    sync::mpsc,
    thread,
};

use tower_lsp::LspService;

use self::{actor::Actor, handlers::Handlers};
use crate::disk::Disk;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client said `shutdown` before it left.
    Orderly,
    /// It left without a word.
    Abrupt,
}

/// The checker descends into nested expressions; the depth that it allows fits several times.
const ACTOR_STACK_BYTES: usize = 16 << 20;

/// Serves one client until it says `exit` or `input` ends. Nothing but the protocol is written to `output`.
///
/// The threads that read and write may outlive this by a message that never ends; so it is to be followed by
/// the end of the process.
///
/// # Errors
/// The operating system gives no thread.
pub fn serve(
    disk: Box<dyn Disk>,
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<Ending> {
    let (frames_in, frames) = futures::channel::mpsc::unbounded();
    let (outbox, written) = mpsc::channel();
    let (mailbox, messages) = actor::mailbox();
    let (service, socket) = LspService::new(|client| Handlers::new(client, mailbox.clone()));
    let actor = Actor::new(disk, service.inner().client(), mailbox.interrupt());
    spawn("reader", 0, move || read(input, &frames_in))?;
    spawn("actor", ACTOR_STACK_BYTES, move || actor.run(&messages))?;
    let writer = spawn("writer", 0, move || write(output, &written))?;
    let ending = futures::executor::block_on(route::route(service, socket, frames, outbox));
    // What was said last must have left before the process ends; a panic there would have been told of.
    let _ = writer.join();
    Ok(ending)
}

fn spawn(
    name: &str,
    stack_bytes: usize,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<thread::JoinHandle<()>> {
    let mut builder = thread::Builder::new().name(name.to_owned());
    if stack_bytes > 0 {
        builder = builder.stack_size(stack_bytes);
    }
    builder.spawn(work)
}

fn read(mut input: impl BufRead, frames: &futures::channel::mpsc::UnboundedSender<wire::Frame>) {
    while let Ok(Some(frame)) = wire::read(&mut input) {
        if frames.unbounded_send(frame).is_err() {
            break;
        }
    }
}

fn write(mut output: impl Write, messages: &mpsc::Receiver<serde_json::Value>) {
    while let Ok(message) = messages.recv() {
        // A client that has gone away reads nothing; the end of its output tells us.
        if wire::write(&mut output, &message).is_err() {
            break;
        }
    }
}
