//! What the lexer and the parser promise.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its case has failed")]

mod depth;
mod golden;
mod grammar;
mod outline;
mod properties;
