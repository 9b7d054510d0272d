//! What there is to draw of a DAG, whoever draws it: cards and links, regions within cards, and one card for many
//! nodes where a DAG is large.

mod build;
mod card;
mod face;
mod fold;
mod formula;
mod tally;
#[cfg(test)]
mod tests;

pub(super) use self::{
    build::scene,
    card::{Body, Card, Gives, Link, Scene, Shape},
    tally::{State, Tallies},
};
