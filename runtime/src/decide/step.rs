//! What the decider hears and what it says: events in, commands out.

use std::sync::Arc;

use super::{graph::Part, status::RunStatus};

/// What happened. An event may come twice or late: one that does not fit the node's present attempt
/// and state changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Start,
    /// Resources were found and the operator called.
    Launched {
        node: u32,
        attempt: u32,
    },
    /// The cache holds the node's outputs.
    Hit {
        node: u32,
        attempt: u32,
    },
    /// The operator returned; its outputs are in memory and their hashes known.
    Computed {
        node: u32,
        attempt: u32,
    },
    /// The outputs are durable.
    Stored {
        node: u32,
        attempt: u32,
    },
    Failed {
        node: u32,
        attempt: u32,
    },
    /// The operator obeyed a [`Command::Stop`].
    Stopped {
        node: u32,
        attempt: u32,
    },
    /// An input could not be read back: `producer`, in that attempt of its, must run again first. It stands in the
    /// same scope as the node, or in one around it.
    InputLost {
        node: u32,
        attempt: u32,
        producer: u32,
        producer_attempt: u32,
    },
    /// A finished node's outputs could not be read back, by nobody that waits for it.
    OutputLost {
        node: u32,
        attempt: u32,
    },
    /// The answer to a [`Command::Ask`].
    Told {
        node: u32,
        attempt: u32,
        told: Told,
    },
    /// The delay of a [`Command::Wait`] has passed.
    Due {
        node: u32,
        attempt: u32,
    },
    /// That of a [`Command::Timeout`] has.
    TimedOut {
        node: u32,
        attempt: u32,
    },
    /// A signal has come for the run; it holds for all nodes that wait for it, now and later.
    Signal {
        name: Arc<str>,
    },
    Cancel,
}

/// What the inputs of a control node say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The condition of a conditional; or that of a loop, after so many iterations.
    Holds { iteration: u64, holds: bool },
    /// Of the list that a map goes over.
    Length(u64),
    /// How long to wait, in microseconds.
    Delay(i64),
    /// Which signal to wait for, and how many microseconds at most.
    Signal { name: Arc<str>, timeout: Option<i64> },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A transition, to be written down and told.
    Record { node: u32, attempt: u32, step: Step },
    /// May run as soon as there are resources. A control node needs none.
    Start { node: u32, attempt: u32 },
    /// Ask the running operator to stop.
    Stop { node: u32, attempt: u32 },
    /// Answer [`Event::Due`] after so many microseconds.
    Wait { node: u32, attempt: u32, delay: i64 },
    /// Answer [`Event::TimedOut`] after so many microseconds.
    Timeout { node: u32, attempt: u32, delay: i64 },
    /// An instance of a region begins, perhaps not for the first time. [`super::State::instance`] describes it.
    Open { scope: u32 },
    /// Answer [`Event::Told`]: what its inputs say, or for a loop the condition's instance of this iteration.
    Ask { node: u32, attempt: u32, iteration: u64 },
    /// Put a control node's outputs together; answered as if an operator had run.
    Gather { node: u32, attempt: u32, from: Gather },
    /// A signal came for the first time.
    Signalled { name: Arc<str> },
    /// Nothing more will happen.
    End(RunStatus),
}

/// Where a control node's outputs come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// The inputs of the same names.
    Inputs,
    /// The outputs of the instance of that region.
    Instance(Part),
    /// Lists of the outputs of so many instances.
    Elements(u64),
    /// The state after so many iterations; `at_max` where the condition still holds.
    State { iterations: u64, at_max: bool },
}

/// A transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Ready,
    Running,
    Finishing,
    Finished,
    /// Finished by what an earlier run left.
    Cached,
    /// Pending again, for the attempt the record names, after so many microseconds.
    Retrying {
        delay: i64,
    },
    /// `is_blocked`: what depends on it stays pending whatever its policy, since nodes in its regions do.
    Failed {
        is_blocked: bool,
    },
    Skipped,
    Cancelled(Cause),
}

/// Why a node was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The run was.
    Run,
    /// It depends on this node, which failed, or stands in one of its regions.
    Node(u32),
}
