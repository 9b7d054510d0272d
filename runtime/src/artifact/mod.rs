//! Artifacts: what nodes give, stored under the hash of its bytes.
//!
//! [`encode`] turns a datum into its one written form and hashes it; [`store`] keeps the bytes, large ones as
//! read-only files, small ones beside the events, short values in what refers to them, and reads them back, checking
//! size and hash: a large table by mapping its file ([`map`]). A [`writer`] writes a table that is never whole in memory;
//! a [`file`] that an operator has made is linked into its place.

mod encode;
mod file;
pub mod map;
mod store;
pub mod table;
pub mod value;
mod writer;

pub use encode::{Content, EncodeError, Encoded, Reference, Summary, encode, encode_list};
pub use file::{MadeFile, is_extension};
pub use store::{ArtifactError, Artifacts, SmallContents};
pub use writer::{TableBuilder, Written};

/// Contents of fewer bytes live in the store's transactions, all others are files.
pub const SMALL: u64 = 64 << 10;
