//! What a workflow is asked with: flags and `--params` in, values by name out.
//!
//! `describe` says which flags there are, `bind` decides between flag, file and default, `text` reads what was typed.

mod bind;
mod describe;
mod text;

pub use bind::{Given, ParameterError, bind};
pub use describe::{Description, describe, type_in_words};
