//! Stopping a question from another thread.

use std::sync::{Arc, Mutex, PoisonError};

use salsa::{CancellationToken, Database as _};

use crate::db::Database;

/// Stops the work that [`Analysis::interruptible`](crate::Analysis::interruptible) runs. Without such work it
/// does nothing.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    /// What stops the work that runs now.
    running: Arc<Mutex<Option<CancellationToken>>>,
}

/// The work was stopped; what it had found out on the way is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl Interrupt {
    pub fn interrupt(&self) {
        if let Some(token) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            token.cancel();
        }
    }

    /// Runs `work`, which unwinds from its next query once somebody has interrupted it.
    pub(crate) fn guard<T>(&self, db: &Database, work: impl FnOnce() -> T) -> Result<T, Interrupted> {
        // A token is reset when the outermost attachment of its database ends: no other way is there. So all of
        // the work stands in one, and nobody can reach the token any more when it ends.
        let attached = || {
            db.attach(|_| {
                let _disarm = Disarm(self);
                self.arm(Some(db.cancellation_token()));
                work()
            })
        };
        match salsa::Cancelled::catch(std::panic::AssertUnwindSafe(attached)) {
            Ok(result) => Ok(result),
            Err(salsa::Cancelled::Local | salsa::Cancelled::PendingWrite) => Err(Interrupted),
            Err(bug) => std::panic::resume_unwind(Box::new(bug)),
        }
    }

    fn arm(&self, token: Option<CancellationToken>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

/// Forgets the token, however the work ends.
struct Disarm<'a>(&'a Interrupt);

impl Drop for Disarm<'_> {
    fn drop(&mut self) {
        self.0.arm(None);
    }
}
