//! Tables from files, and from rows that are written down.

mod cell;
mod chunks;
pub mod csv;
mod records;
pub mod rows;
