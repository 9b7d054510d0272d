//! What the decider hears and what it says: events in, commands out.

use super::status::RunStatus;

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
    /// An input could not be read back: `producer`, in that attempt of its, must run again first.
    InputLost {
        node: u32,
        attempt: u32,
        producer: u32,
        producer_attempt: u32,
    },
    /// The delay of a [`Command::Wait`] has passed.
    Due {
        node: u32,
        attempt: u32,
    },
    Cancel,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A transition, to be written down and told.
    Record { node: u32, attempt: u32, step: Step },
    /// May run as soon as there are resources.
    Start { node: u32, attempt: u32 },
    /// Ask the running operator to stop.
    Stop { node: u32, attempt: u32 },
    /// Answer [`Event::Due`] after so many microseconds.
    Wait { node: u32, attempt: u32, delay: i64 },
    /// Nothing more will happen.
    End(RunStatus),
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
    Failed,
    Cancelled(Cause),
}

/// Why a node was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The run was.
    Run,
    /// It depends on this node, which failed.
    Node(u32),
}
