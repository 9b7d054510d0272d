//! What waits for the writer's thread, which sleeps until there is a transaction's worth of it.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::{Duration, Instant},
};

use crate::store::{Batch, CommandKind, StoreError};

/// A batch waits no longer than this for others to share its transaction: with the writing, and drawing what it
/// says, an event is on a screen within a tenth of a second.
const WINDOW: Duration = Duration::from_millis(25);

/// Nor for more events than this. Twice as many take hardly less time in all, and let the writer begin later.
const EVENTS: usize = 8192;

#[derive(Debug)]
pub enum Message {
    Append(Box<Batch>),
    Flush(Sender<Result<(), StoreError>>),
    Claim(String, Sender<Result<u32, StoreError>>),
    Command(String, CommandKind, Sender<Result<i64, StoreError>>),
}

/// In the order they came.
#[derive(Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// In all of them.
    events: usize,
    /// Of the messages, somebody waits for one.
    is_urgent: bool,
    /// Nothing more will come.
    is_closed: bool,
    /// Nobody takes any more.
    has_ended: bool,
}

impl Queue {
    /// Gives the message back where nobody takes any more.
    pub fn push(&self, message: Message) -> Result<(), Box<Message>> {
        let mut state = self.lock();
        if state.has_ended {
            return Err(Box::new(message));
        }
        let was_due = state.is_due();
        state.add(message);
        // The writer wakes for the first message, to see how long it may wait, and when it need wait no longer.
        if state.messages.len() == 1 || !was_due && state.is_due() {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// What belongs into the next transaction; a message that is no part of one comes last. Waits until there is
    /// something; none when nothing more will come.
    pub fn take(&self) -> Option<Vec<Message>> {
        let mut state = self.lock();
        while state.messages.is_empty() && !state.is_closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let deadline = Instant::now() + WINDOW;
        while !state.is_due()
            && let Some(wait) = deadline.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
        {
            (state, _) = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
        let is_last = |message: &Message| matches!(message, Message::Claim(..) | Message::Command(..));
        let count = state.messages.iter().position(is_last).map_or(state.messages.len(), |last| last + 1);
        let taken: Vec<Message> = state.messages.drain(..count).collect();
        let rest = std::mem::take(&mut state.messages);
        (state.events, state.is_urgent) = (0, false);
        rest.into_iter().for_each(|message| state.add(message));
        (!taken.is_empty()).then_some(taken)
    }

    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// For the one who takes: however it ends, what comes later is refused, and who waits for an answer to what
    /// was not taken learns that there will be none.
    pub fn end_on_drop(&self) -> impl Drop {
        EndsOnDrop(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, message: Message) {
        match &message {
            Message::Append(batch) => {
                self.events += batch.events.len();
                self.is_urgent |= batch.is_urgent;
            }
            Message::Flush(_) | Message::Claim(..) | Message::Command(..) => self.is_urgent = true,
        }
        self.messages.push_back(message);
    }

    /// Whether nothing more is to be waited for.
    fn is_due(&self) -> bool {
        self.is_urgent || self.is_closed || self.events >= EVENTS
    }
}

struct EndsOnDrop<'a>(&'a Queue);

impl Drop for EndsOnDrop<'_> {
    fn drop(&mut self) {
        let messages = {
            let mut state = self.0.lock();
            state.has_ended = true;
            std::mem::take(&mut state.messages)
        };
        for message in messages {
            if let Message::Append(batch) = message
                && let Some(then) = batch.then
            {
                then(Err(StoreError::Write { reason: "its writer has stopped".to_owned() }));
            }
        }
    }
}
