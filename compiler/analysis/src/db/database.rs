//! The one implementation of [`Db`], with a log of what ran.

use std::sync::{Arc, Mutex};

/// What queries ask for.
#[salsa::db]
pub trait Db: salsa::Database {}

#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
    log: Option<Log>,
}

/// The names and keys of the queries that ran, while someone listens.
type Log = Arc<Mutex<Option<Vec<String>>>>;

impl Database {
    /// One that can tell what ran. It is slower, since salsa then tells of every answer that it looks at.
    pub fn recording() -> Self {
        let log = Log::default();
        let events = Arc::clone(&log);
        let listen = move |event: salsa::Event| {
            if let salsa::EventKind::WillExecute { database_key } = event.kind
                && let Ok(mut log) = events.lock()
                && let Some(log) = log.as_mut()
            {
                log.push(format!("{database_key:?}"));
            }
        };
        Self { storage: salsa::Storage::new(Some(Box::new(listen))), log: Some(log) }
    }

    /// Runs `work` and tells which queries ran in it, as `checked_body(Id(3))`; `None` where nothing is recorded.
    pub fn executed<T>(&self, work: impl FnOnce() -> T) -> (T, Option<Vec<String>>) {
        self.set_log(Some(Vec::new()));
        let result = work();
        (result, self.set_log(None))
    }

    fn set_log(&self, log: Option<Vec<String>>) -> Option<Vec<String>> {
        self.log.as_ref()?.lock().ok().and_then(|mut held| std::mem::replace(&mut *held, log))
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {}
