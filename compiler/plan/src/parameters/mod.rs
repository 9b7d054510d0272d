//! What a workflow is asked with: flags and `--params` in, values by name out.

mod bind;
mod describe;
mod text;

pub use bind::{Given, ParameterError, bind};
pub use describe::{Description, describe, type_in_words};
