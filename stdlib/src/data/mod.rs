//! Tables from files.

mod cell;
mod chunks;
pub mod csv;
mod records;
