//! What a seed stands for: a DAG, how its operators behave, and what goes wrong.

use flow_ir::{policy::OnFailure, types::Type};
use flow_runtime::{
    schedule::{Gpu, Machine},
    simulate::Random,
};

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub nodes: Vec<NodePlan>,
    pub machine: Machine,
    pub faults: Vec<Fault>,
    /// How many happenings there are before nothing goes wrong any more.
    pub troubled: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodePlan {
    pub inputs: Vec<usize>,
    pub after: Vec<usize>,
    /// A sum computed by the driver itself, not an operator.
    pub is_expression: bool,
    /// It steers others, or waits.
    pub control: Option<Control>,
    /// Within its regions, too.
    pub inner: Option<Control>,
    pub is_effect: bool,
    pub size: Size,
    /// An output of the workflow reads it.
    pub is_output: bool,
    /// Whatever is done, it fails.
    pub is_broken: bool,
    /// Microseconds.
    pub duration: i64,
    pub timeout: Option<i64>,
    pub retry: u32,
    pub backoff: i64,
    pub on_failure: OnFailure,
    pub cache: bool,
    pub cpu: u32,
    pub memory: u64,
    pub gpu: u32,
    /// It needs a place in the pool.
    pub is_pooled: bool,
    pub priority: i64,
}

/// What a node does that calls no operator. The regions are those of [`crate::region`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    Pass,
    /// So many microseconds.
    Wait(i64),
    /// For the signal, so many microseconds at most.
    WaitFor(Option<i64>),
    Workflow,
    Conditional(bool),
    /// Over so many elements.
    Map(u64),
    /// So many times.
    Loop(u64),
}

impl Control {
    pub fn has_regions(self) -> bool {
        !matches!(self, Self::Pass | Self::Wait(_) | Self::WaitFor(_))
    }
}

/// What an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A number, which stands in the events.
    Short,
    /// It lies beside the events.
    Small,
    /// A file.
    Large,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before a commit.
    CrashBefore,
    /// It dies after a commit, before anybody hears of it.
    CrashAfter,
    /// It dies in between.
    Crash,
    /// The disk is full at a commit.
    DiskFull,
    /// An artifact cannot be written.
    Unpublished,
    /// Another process takes the run over while its owner still lives.
    TakenOver,
    /// An artifact goes.
    Lost,
    /// An artifact's bytes change.
    Damaged,
    /// An operator fails though it would not have to.
    Fails,
    /// An operator does not end.
    Hangs,
    /// It ends, and nobody hears of it.
    Unheard,
    /// It answers once more, later.
    AnswersTwice,
    /// All messages take their time.
    Late,
    /// What is durable is told again.
    ToldTwice,
    /// The run is cancelled by its own process.
    Cancelled,
    /// A cancelled run is resumed.
    Resumed,
    /// A run that has not finished is retried.
    Retried,
    /// Operators do not obey when they are asked to stop.
    Deaf,
}

impl Fault {
    pub const ALL: [Self; 18] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Crash,
        Self::DiskFull,
        Self::Unpublished,
        Self::TakenOver,
        Self::Lost,
        Self::Damaged,
        Self::Fails,
        Self::Hangs,
        Self::Unheard,
        Self::AnswersTwice,
        Self::Late,
        Self::ToldTwice,
        Self::Cancelled,
        Self::Resumed,
        Self::Retried,
        Self::Deaf,
    ];
}

/// The operator that the plan's nodes call; its input `node` says for which.
pub const OP: &str = "work";

/// The one pool there is.
pub const POOL: &str = "pool";

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let random = &mut random;
        let count = match random.below(10) {
            0 => 1 + random.index(3),
            1 => 20 + random.index(20),
            _ => 3 + random.index(10),
        };
        let machine = Machine {
            cores: 1 + random.below(4) as u32,
            memory: 4 + random.below(8),
            gpus: (0..random.below(3) as u32).map(|index| Gpu { index, memory: Some(1000) }).collect(),
            pools: [(POOL.into(), 1 + random.below(2) as u32)].into(),
        };
        let mut nodes: Vec<NodePlan> = Vec::with_capacity(count);
        // Of most kinds of fault a run has none: else hardly any would come far.
        let faults: Vec<Fault> = Fault::ALL.into_iter().filter(|_| random.percent(30)).collect();
        let may_fail = random.percent(50);
        for at in 0..count {
            let mut inputs = Vec::new();
            let mut after = Vec::new();
            for _ in 0..random.below(4) {
                if at > 0 {
                    let near = at - 1 - random.index(at.min(6));
                    if random.percent(85) { &mut inputs } else { &mut after }.push(near);
                }
            }
            let is_sure = inputs.iter().all(|input: &usize| nodes[*input].on_failure != OnFailure::Continue);
            let is_expression = random.percent(12)
                && is_sure
                && !inputs.is_empty()
                && inputs.iter().all(|input| gives_number(&nodes, *input));
            let control = (!is_expression && random.percent(25))
                .then(|| Control::new(random))
                .filter(|control| is_sure || control.has_regions());
            let longest = if random.percent(20) { 5_000_000 } else { 100_000 };
            // What is given on has the size that it had.
            let is_called = !is_expression && control.is_none_or(Control::has_regions);
            let is_effect = !is_expression && random.percent(15) && control.is_none_or(Control::has_regions);
            nodes.push(NodePlan {
                inputs,
                after,
                is_expression,
                control,
                inner: control
                    .filter(|control| control.has_regions() && random.percent(40))
                    .map(|_| Control::new(random)),
                is_effect,
                size: match random.below(10) {
                    0..2 if is_called => Size::Small,
                    2 if is_called => Size::Large,
                    _ => Size::Short,
                },
                is_output: random.percent(25),
                is_broken: !is_expression
                    && may_fail
                    && random.percent(8)
                    && control.is_none_or(Control::has_regions),
                duration: random.between(0, longest),
                timeout: (!is_expression && random.percent(if control.is_some() { 10 } else { 30 }))
                    .then(|| random.between(200_000, 6_000_000)),
                retry: if random.percent(50) { 0 } else { random.below(4) as u32 },
                backoff: random.between(0, 2_000_000),
                on_failure: match random.below(10) {
                    0..6 => OnFailure::CancelDependents,
                    6..8 => OnFailure::BlockDependents,
                    _ => OnFailure::Continue,
                },
                cache: random.percent(70),
                cpu: 1 + random.below(u64::from(machine.cores)) as u32,
                memory: random.below(machine.memory + 1),
                gpu: if random.percent(20) { random.below(machine.gpus.len() as u64 + 1) as u32 } else { 0 },
                is_pooled: random.percent(20),
                priority: random.between(-1, 1),
            });
        }
        Self { seed, nodes, machine, faults, troubled: 20 + random.below(400) }
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Whether every operator ends well as often as it is asked to, so that the outcome is known beforehand.
    pub fn is_certain(&self) -> bool {
        let uncertain = [
            Fault::Fails,
            Fault::Hangs,
            Fault::Unheard,
            Fault::Unpublished,
            Fault::Cancelled,
            Fault::Lost,
            Fault::Damaged,
            Fault::Late,
        ];
        !uncertain.iter().any(|fault| self.has(*fault))
            && self.nodes.iter().all(|node| {
                node.timeout.is_none_or(|timeout| node.control.is_none() && timeout > node.duration * 2)
                    && ![node.control, node.inner]
                        .iter()
                        .any(|control| matches!(control, Some(Control::WaitFor(Some(_)))))
            })
            && !self.nodes.iter().any(|node| node.is_effect)
    }

    /// What a node gives on is what its first input gives.
    pub fn origin(&self, at: usize) -> usize {
        origin(&self.nodes, at)
    }

    /// The type of what a node gives.
    pub fn ty(&self, at: usize) -> Type {
        let at = self.origin(at);
        let ty = element(self.size(at));
        match self.nodes[at].control {
            Some(Control::Map(_)) => Type::List(Box::new(ty)),
            _ => ty,
        }
    }

    /// How much a node's operators give: its own, or those of its regions.
    pub fn size(&self, at: usize) -> Size {
        size(&self.nodes, at)
    }

    /// The list of another map that a map goes over: its first input, where that is one.
    pub fn over(&self, at: usize) -> Option<usize> {
        over(&self.nodes, at)
    }

    /// Whether what a node's regions hold is never run.
    pub fn is_passed_over(&self, at: usize) -> bool {
        match self.nodes[at].control {
            Some(Control::Conditional(false) | Control::Loop(0)) => true,
            Some(Control::Map(count)) => match self.over(at) {
                Some(of) => self.is_passed_over(of),
                None => count == 0,
            },
            _ => false,
        }
    }
}

/// The node that gave what a node gives on.
fn origin(nodes: &[NodePlan], at: usize) -> usize {
    match nodes[at].control {
        Some(Control::Pass | Control::Wait(_) | Control::WaitFor(_)) if !nodes[at].inputs.is_empty() => {
            origin(nodes, nodes[at].inputs[0])
        }
        _ => at,
    }
}

pub fn gives_number(nodes: &[NodePlan], at: usize) -> bool {
    let at = origin(nodes, at);
    size(nodes, at) == Size::Short && !matches!(nodes[at].control, Some(Control::Map(_)))
}

/// The state of a loop must be as large before its first iteration.
fn size(nodes: &[NodePlan], at: usize) -> Size {
    let node = &nodes[at];
    let is_carried = |from: &usize| {
        let first = origin(nodes, *from);
        !matches!(nodes[first].control, Some(Control::Map(_)))
            && size(nodes, first) != Size::Short
            && nodes[*from].on_failure != OnFailure::Continue
    };
    match node.control {
        Some(Control::Loop(_)) if !node.inputs.first().is_some_and(is_carried) => Size::Short,
        _ => node.size,
    }
}

fn over(nodes: &[NodePlan], at: usize) -> Option<usize> {
    let first = *nodes[at].inputs.first()?;
    let of = origin(nodes, first);
    let is_map = |at: usize| matches!(nodes[at].control, Some(Control::Map(_)));
    (is_map(at) && is_map(of) && nodes[first].on_failure != OnFailure::Continue).then_some(of)
}

/// The type of so much.
pub fn element(size: Size) -> Type {
    match size {
        Size::Short => Type::Int,
        Size::Small | Size::Large => Type::Opaque("bytes".into()),
    }
}

impl Control {
    fn new(random: &mut Random) -> Self {
        match random.below(7) {
            0 => Self::Pass,
            1 => Self::Wait(random.between(0, 2_000_000)),
            2 => Self::WaitFor(random.percent(40).then(|| random.between(0, 4_000_000))),
            3 => Self::Workflow,
            4 => Self::Conditional(random.percent(50)),
            5 => Self::Map(random.below(4)),
            _ => Self::Loop(random.below(4)),
        }
    }
}
