//! Why the store cannot do what it is asked.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the store `{path}`: {reason}")]
    Open { path: String, reason: String },
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
    #[error("another process has taken over run {run}")]
    Fenced { run: String },
    #[error("run {run} has been removed from the store")]
    Gone { run: String },
    #[error("run {run} was started with the idempotency key `{key}` already")]
    KeyTaken { run: String, key: String },
}
