//! The operators, called as the runtime calls them. One binary, since each would link DataFusion.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod csv;
mod debug;
mod model;
mod query;
mod support;
mod table;
