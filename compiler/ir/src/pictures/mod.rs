//! Pictures of a DAG: one to look at, and two for other tools to draw.
//!
//! `scene` decides what there is to draw, the same for all three: a card for each node, for many nodes that are alike
//! one, regions within cards. `layered` gives cards their places, `svg` draws them; `dot` and `mermaid` write
//! the scene in words of those tools.

mod dot;
mod layered;
mod mermaid;
mod scene;
mod state;
mod svg;
#[cfg(test)]
mod tests;

pub use state::NodeState;
