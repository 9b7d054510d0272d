//! Tells messages apart and sees that each request is answered.
//!
//! The library has a loop of its own, which ends at the first message that it cannot read; this one answers it
//! and goes on, and starts every handler in the order of the messages.

use std::sync::mpsc::Sender;

use futures::{
    FutureExt, SinkExt, StreamExt, channel::mpsc::UnboundedReceiver, future::BoxFuture, select,
    stream::FuturesUnordered,
};
use serde_json::Value as Json;
use tower_lsp::{
    ClientSocket, ExitedError, LspService,
    jsonrpc::{Error, Id, Request, Response},
};
use tower_service::Service;

use super::{Ending, handlers::Handlers, wire::Frame};

type Answer = Result<Option<Response>, ExitedError>;

/// Takes messages until the client leaves.
pub async fn route(
    mut service: LspService<Handlers>,
    socket: ClientSocket,
    mut frames: UnboundedReceiver<Frame>,
    outbox: Sender<Json>,
) -> Ending {
    let (mut ours, mut answers_to_ours) = socket.split();
    let mut running: FuturesUnordered<BoxFuture<'static, Answer>> = FuturesUnordered::new();
    let mut ending = Ending::Abrupt;
    loop {
        select! {
            frame = frames.next() => match frame.map(read) {
                None => break,
                Some(Message::Unreadable(answer)) => send(&outbox, &answer),
                Some(Message::Response(response)) => {
                    // Fails only when all is over.
                    let _ = answers_to_ours.send(response).await;
                }
                Some(Message::Request(request)) => {
                    let is_exit = request.method() == "exit";
                    let is_shutdown = request.method() == "shutdown";
                    let mut handler = service.call(request);
                    // Up to where it waits for somebody, a handler runs here and now: in the messages' order.
                    match (&mut handler).now_or_never() {
                        Some(answer) => {
                            if is_shutdown && matches!(&answer, Ok(Some(answer)) if answer.is_ok()) {
                                ending = Ending::Orderly;
                            }
                            answer_with(&outbox, answer);
                        }
                        None => running.push(handler),
                    }
                    if is_exit {
                        break;
                    }
                }
            },
            answer = running.select_next_some() => answer_with(&outbox, answer),
            request = ours.select_next_some() => send(&outbox, &request),
        }
    }
    ending
}

enum Message {
    Request(Request),
    Response(Response),
    /// With what to answer.
    Unreadable(Response),
}

fn read(frame: Frame) -> Message {
    let json = match frame {
        Frame::Message(json) => json,
        Frame::Unreadable(why) => {
            let error = Error { message: why.into(), ..Error::parse_error() };
            return Message::Unreadable(Response::from_error(Id::Null, error));
        }
    };
    let id = json.get("id").cloned().and_then(|id| serde_json::from_value(id).ok()).unwrap_or_default();
    let message = if json.get("method").is_some() {
        serde_json::from_value(json).map(Message::Request)
    } else {
        serde_json::from_value(json).map(Message::Response)
    };
    message.unwrap_or_else(|error| {
        let error = Error { message: error.to_string().into(), ..Error::invalid_request() };
        Message::Unreadable(Response::from_error(id, error))
    })
}

fn answer_with(outbox: &Sender<Json>, answer: Answer) {
    if let Ok(Some(answer)) = answer {
        send(outbox, &answer);
    }
}

fn send(outbox: &Sender<Json>, message: &impl serde::Serialize) {
    if let Ok(message) = serde_json::to_value(message) {
        // Where nobody writes any more, nobody reads.
        let _ = outbox.send(message);
    }
}
