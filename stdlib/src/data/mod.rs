//! Tables from files.

mod cell;
pub mod csv;
mod records;
