//! A run as OpenTelemetry spans, sent to a collector with OTLP over HTTP, in JSON.
//!
//! [`span`] makes spans of events, [`json`] writes them as the protocol has it, [`export`] sends them in batches.

mod export;
mod json;
mod span;
#[cfg(test)]
mod tests;

pub use export::Exporter;
