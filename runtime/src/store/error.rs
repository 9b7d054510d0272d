//! Why the store cannot do what it is asked.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store `{path}`: {reason}")]
    Open { path: String, reason: String },
    /// Something else has its name, or that of the folder it lies in.
    #[error("the store cannot be in `{path}`, which is {found}")]
    Occupied { path: String, found: &'static str },
    #[error(
        "the store `{path}` was written by a newer flowc (format {found}; this one knows {known}): update flowc"
    )]
    Newer { path: String, found: i64, known: i64 },
    /// Its tables are not what was written.
    #[error("the store is damaged: {reason}")]
    Damaged { reason: String },
    #[error("cannot read the store: {reason}")]
    Read { reason: String },
    #[error("cannot write to the store: {reason}")]
    Write { reason: String },
    /// The disk has no room.
    #[error("cannot write to the store: {reason}")]
    Full { reason: String },
    /// Another process has had it for longer than anybody needs it.
    #[error("another process holds the store, and does not let it go")]
    Busy,
    #[error("another process has taken over run {run}")]
    Fenced { run: String },
    #[error("run {run} has been removed from the store")]
    Gone { run: String },
    #[error("run {run} was started with the idempotency key `{key}` already")]
    KeyTaken { run: String, key: String },
}
