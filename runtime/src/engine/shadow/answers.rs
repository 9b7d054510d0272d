//! Answers from a recorded run: operators take as long as they did, and give or fail as they did. Nothing is
//! executed.

use std::{collections::BTreeMap, sync::Arc};

use flow_ir::{
    dag::Dag,
    node::{Node, NodeKind},
};

use super::{changes::Changes, recording::Recording};
use crate::simulate::{Answer, Answers, Asked, Made};

/// What is known of a node from a recorded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// It does what it did.
    Recorded,
    /// It is no operator's work: it is computed, from what is known of others.
    Computed,
    /// It, or something that it rests on, is another than in the recorded run; it is taken to do as it did.
    Changed,
    /// Likewise, but there the cache had it: it is taken to give what it gave, in no time.
    ChangedSinceCached,
    /// It did not run to an end there. It is taken to work, and to take as long as its operator's calls did
    /// there, in the mean of so many.
    Guessed { calls: u32 },
    /// Neither did it run there, nor its operator: it is taken to work, in no time.
    Unknown,
}

/// Answers for a DAG that may be another than the recorded one.
#[derive(Debug)]
pub struct RecordedAnswers<'a> {
    recording: &'a Recording,
    changes: Changes<'a>,
    /// Of the nodes that were asked for, what was known.
    pub knowledge: BTreeMap<Arc<str>, Knowledge>,
}

impl<'a> RecordedAnswers<'a> {
    pub fn new(recording: &'a Recording, dag: &'a Dag) -> Self {
        Self { recording, changes: Changes::new(dag, &recording.shapes), knowledge: BTreeMap::new() }
    }

    /// What is known of a node, by its id in the run.
    pub fn knowledge(&mut self, id: &str, node: &Node) -> Knowledge {
        if !is_operators_work(&node.kind) {
            return Knowledge::Computed;
        }
        match (self.recording.attempts.get(id), self.recording.ops.get(node.op())) {
            (Some(_), _) if !self.changes.has_changed(id) => Knowledge::Recorded,
            (Some(attempts), _) if attempts.last().is_some_and(|attempt| attempt.is_cached) => {
                Knowledge::ChangedSinceCached
            }
            (Some(_), _) => Knowledge::Changed,
            (None, Some((calls, _))) => Knowledge::Guessed { calls: *calls },
            (None, None) => Knowledge::Unknown,
        }
    }
}

impl Answers for RecordedAnswers<'_> {
    fn answer(&mut self, asked: &Asked<'_>) -> Answer {
        let knowledge = self.knowledge(asked.id, asked.node);
        self.knowledge.insert(asked.id.into(), knowledge);
        let attempts = self.recording.attempts.get(asked.id);
        let place = usize::try_from(asked.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        // Past its recorded attempts it does as in the last.
        let Some(attempt) = attempts.and_then(|attempts| attempts.get(place).or(attempts.last())) else {
            let (calls, total) = self.recording.ops.get(asked.node.op()).copied().unwrap_or_default();
            return Answer::simplest(asked.node, total / i64::from(calls.max(1)));
        };
        match &attempt.result {
            Ok(outputs) => {
                let ports = asked.node.outputs.iter();
                let made = ports.map(|port| match outputs.get(&port.name) {
                    Some(reference) => Made::Reference(reference.clone()),
                    None => Made::simplest(asked.id, port),
                });
                Answer { after: attempt.after, result: Ok(made.collect()) }
            }
            Err(message) => Answer::failure(attempt.after, message.clone()),
        }
    }
}

fn is_operators_work(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Task(_) | NodeKind::Query { .. } => true,
        NodeKind::Expression(_)
        | NodeKind::Pass
        | NodeKind::Wait
        | NodeKind::WaitFor
        | NodeKind::Conditional { .. }
        | NodeKind::Map { .. }
        | NodeKind::Loop { .. }
        | NodeKind::Workflow { .. } => false,
    }
}
