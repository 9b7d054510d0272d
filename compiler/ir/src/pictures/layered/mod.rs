//! Boxes and edges in, places and routes out: a layered drawing, top to bottom (Sugiyama, Tagawa and Toda 1981).
//!
//! [`rank`] gives each box its layer, [`proper`] cuts edges that pass layers into links from one layer to the
//! next, [`order`] finds an order in each layer with few crossings, [`place`] the x coordinates, [`graph`] the rest.
//! Equal input gives equal places. Nothing here knows what the boxes mean.
#![expect(
    clippy::indexing_slicing,
    reason = "boxes, items and links are counted here, and every index is one that was given out"
)]

mod graph;
mod order;
mod place;
mod proper;
mod rank;
#[cfg(test)]
mod tests;

pub(super) use self::{
    graph::{Edge, Graph, Layout, Point, Run, Size, lay_out},
    rank::ranks,
};
