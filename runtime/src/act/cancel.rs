//! A handle to stop a run from outside: by a signal, a deadline, a closed window.

use std::sync::{Arc, Mutex, PoisonError};

/// Clones stop the same run. A stopped run ends `cancelled`, and a retry takes it up again.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_cancelled: bool,
    is_hurried: bool,
    listeners: Vec<Box<dyn FnOnce() + Send>>,
}

impl Cancel {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop; returns at once.
    pub fn cancel(&self) {
        let listeners = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_cancelled = true;
            std::mem::take(&mut state.listeners)
        };
        for listener in listeners {
            listener();
        }
    }

    /// As [`Self::cancel`], and what runs outside of this process is killed without being asked first.
    pub fn hurry(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_hurried = true;
        self.cancel();
    }

    pub(crate) fn is_hurried(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_hurried
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_cancelled
    }

    /// Calls `listener` when it is cancelled; at once if it is already.
    pub(crate) fn listen(&self, listener: impl FnOnce() + Send + 'static) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_cancelled {
            drop(state);
            listener();
        } else {
            state.listeners.push(Box::new(listener));
        }
    }
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}
