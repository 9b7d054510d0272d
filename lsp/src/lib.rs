//! An editor's messages in; what is wrong, and how to mend it, out.
//!
//! Data visits the modules in this order: [`server`] takes messages and is the only place that knows the Language
//! Server Protocol; [`workspace`] keeps the texts that count now, with the [`disk`]'s for what is not open;
//! [`features`] answers questions about them and knows no protocol.
//!
//! One thread owns all that is known and takes messages in their order. A check in the background gives way to
//! the next message. This crate opens no file: whoever starts it hands in a [`disk::Disk`].
#![warn(clippy::indexing_slicing, clippy::string_slice)]

pub mod disk;
pub mod features;
pub mod server;
pub mod workspace;
