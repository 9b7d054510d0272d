//! Where a node and a run may stand.

/// Where a node stands. One attempt goes through these strictly in order; a new attempt begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// Waits for its inputs, or for the delay before another attempt.
    Pending,
    /// Waits for resources.
    Ready,
    Running,
    /// Its outputs are there, but not yet durable, or not yet all it rests on is.
    Finishing,
    Finished,
    Failed,
    /// It stands in the arm of a conditional that was not taken.
    Skipped,
    Cancelled,
}

/// Where a run stands, or an instance of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunStatus {
    Running,
    Finished,
    /// What remains waits for a node that failed under `block_dependents`.
    Blocked,
    Failed,
    Cancelled,
    /// Its process died before its end. Only who looks at it from outside sees that: it is recorded as running.
    Interrupted,
}

/// How many nodes stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub pending: u32,
    pub ready: u32,
    pub running: u32,
    pub finishing: u32,
    /// Those from the cache included.
    pub finished: u32,
    pub cached: u32,
    pub failed: u32,
    pub skipped: u32,
    pub cancelled: u32,
}

impl NodeState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Finishing => "finishing",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Ready,
            Self::Running,
            Self::Finishing,
            Self::Finished,
            Self::Failed,
            Self::Skipped,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }

    /// Whether an operator has been called, or something kept has stood in for it.
    pub fn has_begun(self) -> bool {
        matches!(self, Self::Running | Self::Finishing | Self::Finished | Self::Failed)
    }

    /// Whether nothing more happens to the node in this run, but for a lost output or another attempt of the node
    /// whose region it stands in.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Skipped | Self::Cancelled)
    }
}

impl RunStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Running, Self::Finished, Self::Blocked, Self::Failed, Self::Cancelled, Self::Interrupted]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl Counts {
    /// Of all nodes.
    pub fn total(&self) -> u32 {
        let Self { pending, ready, running, finishing, finished, failed, skipped, cancelled, .. } = self;
        pending + ready + running + finishing + finished + failed + skipped + cancelled
    }

    /// Whether some node is under way.
    pub(super) fn is_active(&self) -> bool {
        self.ready + self.running + self.finishing > 0
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.pending += other.pending;
        self.ready += other.ready;
        self.running += other.running;
        self.finishing += other.finishing;
        self.finished += other.finished;
        self.cached += other.cached;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.cancelled += other.cancelled;
    }

    pub(super) fn of(&mut self, state: NodeState) -> &mut u32 {
        match state {
            NodeState::Pending => &mut self.pending,
            NodeState::Ready => &mut self.ready,
            NodeState::Running => &mut self.running,
            NodeState::Finishing => &mut self.finishing,
            NodeState::Finished => &mut self.finished,
            NodeState::Failed => &mut self.failed,
            NodeState::Skipped => &mut self.skipped,
            NodeState::Cancelled => &mut self.cancelled,
        }
    }
}

impl std::fmt::Display for NodeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::fmt::Display for RunStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
