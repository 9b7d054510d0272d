//! What stands in for operators: how long they take, and what they give.

use flow_ir::node::{Node, Port};

use super::stub;
use crate::{artifact::Reference, operator::Datum, task::Failure};

/// Answers for all operators of a simulated run.
pub trait Answers {
    fn answer(&mut self, call: &Asked<'_>) -> Answer;
}

/// An operator that would be called.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The node's id in its run: `candidates[2].gbdt`.
    pub id: &'a str,
    pub node: &'a Node,
    /// From 1.
    pub attempt: u32,
    /// Since the run began, in microseconds.
    pub time: i64,
}

/// What an operator does.
#[derive(Clone, Debug)]
pub struct Answer {
    /// After so many microseconds. Where its timeout is shorter it is stopped then, whatever the result.
    pub after: i64,
    /// One for each output, in their order.
    pub result: Result<Vec<Made>, Failure>,
}

/// An output that nobody computed.
#[derive(Clone, Debug)]
pub enum Made {
    Datum(Datum),
    /// Of an artifact that is elsewhere, or nowhere.
    Reference(Reference),
}

impl Answer {
    /// Ends well after so many microseconds, with the simplest outputs that fit the ports: zeros, empty texts,
    /// lists of one such element, tables without rows.
    pub fn simplest(node: &Node, after: i64) -> Self {
        Self { after, result: Ok(node.outputs.iter().map(|port| Made::simplest(&node.id, port)).collect()) }
    }

    pub fn failure(after: i64, message: impl Into<String>) -> Self {
        Self { after, result: Err(Failure::operator(message)) }
    }
}

impl Made {
    /// The simplest that fits a port.
    pub fn simplest(node: &str, port: &Port) -> Self {
        match stub::value(&port.ty) {
            Some(value) => Self::Datum(Datum::Value(value)),
            None => Self::Reference(stub::reference(node, port)),
        }
    }
}

/// Everything works at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Instant;

impl Answers for Instant {
    fn answer(&mut self, call: &Asked<'_>) -> Answer {
        Answer::simplest(call.node, 0)
    }
}
