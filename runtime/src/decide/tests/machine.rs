//! A machine that does what the decider commands, in any order, twice, late, and wrong; and holds it to what must
//! never happen.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    super::{
        graph::{Graph, Kind},
        *,
    },
    plan::Plan,
};

/// A transition as it would be written down.
pub type Line = (Arc<str>, u32, Step);

pub struct Machine {
    pub state: State,
    pub log: Vec<Line>,
    /// Of each node.
    last: HashMap<u32, Step>,
    /// When it began, or since.
    finished: HashSet<u32>,
    random: u64,
    faults: usize,
    waiting: Vec<Event>,
    delivered: Vec<Event>,
    ends: u32,
    turns: u32,
}

impl Machine {
    pub fn new(plan: &Plan) -> Self {
        let graph = Arc::new(Graph::new(&plan.dag()).unwrap());
        Self::of(State::new(graph, plan.seed), plan)
    }

    pub fn of(state: State, plan: &Plan) -> Self {
        let nodes = 0..state.len() as u32;
        Self {
            finished: nodes.filter(|node| state.node(*node) == NodeState::Finished).collect(),
            state,
            log: Vec::new(),
            last: HashMap::new(),
            random: plan.seed,
            faults: usize::from(plan.faults),
            waiting: vec![Event::Start],
            delivered: Vec::new(),
            ends: 0,
            turns: 0,
        }
    }

    fn choose(&mut self, below: usize) -> usize {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below.max(1)
    }

    fn is_unlucky(&mut self, share: usize) -> bool {
        self.choose(100) * share < self.faults
    }

    /// Runs to the end, or until `stop_at` turns.
    pub fn run(&mut self, cancel_at: Option<u16>, stop_at: u32) {
        while self.turns < stop_at {
            if cancel_at.is_some_and(|at| u32::from(at) == self.turns) {
                self.waiting.push(Event::Cancel);
            }
            self.turns += 1;
            assert!(self.turns < 200_000, "the run does not end");
            if self.waiting.is_empty() {
                if self.state.status() != RunStatus::Running {
                    break;
                }
                // Whoever still waits does so for a signal.
                assert!(!self.state.listeners.is_empty(), "the run stands still");
                self.waiting.extend(["a", "b", "c"].map(|name| Event::Signal { name: name.into() }));
            }
            let next = self.choose(self.waiting.len());
            let event = self.waiting.swap_remove(next);
            // Every event may come twice, and late.
            let event = match self.delivered.len() {
                count if count > 0 && self.choose(8) == 0 => {
                    self.waiting.push(event);
                    let again = self.choose(count);
                    self.delivered[again].clone()
                }
                _ => event,
            };
            self.deliver(event);
        }
        if self.turns < stop_at {
            assert_eq!(self.ends, 1, "a run ends once");
        }
    }

    pub fn deliver(&mut self, event: Event) {
        let mut commands = Vec::new();
        self.state.step(&event, &mut commands);
        self.delivered.push(event);
        for command in commands {
            self.obey(command);
        }
        assert_eq!(self.state.counts().total() as usize, self.state.len());
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Start { node, attempt } => {
                self.assert_may_start(node);
                let facts = self.state.facts(node);
                let is_plain = !facts.kind.is_control();
                let may_hit = is_plain && !facts.effect;
                let event = match self.choose(4) {
                    0 if may_hit => Event::Hit { node, attempt },
                    1 if is_plain && self.is_unlucky(4) => Event::Failed { node, attempt },
                    _ => Event::Launched { node, attempt },
                };
                self.waiting.push(event);
            }
            Command::Record { node, attempt, step } => self.recorded(node, attempt, step),
            Command::Stop { node, attempt } => {
                if self.choose(2) == 0 {
                    self.waiting.push(Event::Stopped { node, attempt });
                }
            }
            Command::Wait { node, attempt, .. } => self.waiting.push(Event::Due { node, attempt }),
            Command::Timeout { node, attempt, .. } => {
                if self.is_unlucky(1) {
                    self.waiting.push(Event::TimedOut { node, attempt });
                }
            }
            Command::Open { scope } => {
                let place = self.state.instance(scope).unwrap().place;
                assert_eq!(self.last.get(&place.node), Some(&Step::Running));
                assert_eq!(self.state.scope_at(place), Some(scope));
            }
            Command::Ask { node, attempt, iteration } => {
                let told = self.told(node, iteration);
                let event = match self.is_unlucky(8) {
                    true => Event::Failed { node, attempt },
                    false => Event::Told { node, attempt, told },
                };
                self.waiting.push(event);
            }
            Command::Gather { node, attempt, .. } => {
                self.assert_all_ended_within(node);
                let event = match self.is_unlucky(8) {
                    true => Event::Failed { node, attempt },
                    false => Event::Computed { node, attempt },
                };
                self.waiting.push(event);
            }
            Command::Signalled { .. } => {}
            Command::End(_) => self.ends += 1,
        }
    }

    fn told(&mut self, node: u32, iteration: u64) -> Told {
        let choice = self.choose(4);
        let is_faultless = self.faults == 0;
        match self.state.kind(node) {
            Kind::Map { max, .. } => {
                let length = choice as u64 % (max + 2);
                Told::Length(if is_faultless { length.min(*max) } else { length })
            }
            Kind::Wait => Told::Delay(1_000),
            Kind::WaitFor => {
                let name = ["a", "b", "c"][choice % 3].into();
                Told::Signal { name, timeout: (choice == 0 && !is_faultless).then_some(1_000) }
            }
            _ => Told::Holds { iteration, holds: choice > 0 },
        }
    }

    fn recorded(&mut self, node: u32, attempt: u32, step: Step) {
        self.log.push((self.state.id(node), attempt, step));
        self.last.insert(node, step);
        if let Some(instance) = self.state.instance(self.state.scope(node)) {
            let around = self.last.get(&instance.place.node);
            assert_eq!(around, Some(&Step::Running), "{step:?} in a region that does not run");
        }
        match step {
            Step::Running if !self.state.kind(node).is_control() => {
                let first = self.state.producers(node).next();
                let lost = first.filter(|_| self.choose(10) == 0);
                let event = match lost {
                    Some(producer) if self.turns < 5_000 => Event::InputLost {
                        node,
                        attempt,
                        producer,
                        producer_attempt: self.state.attempt(producer),
                    },
                    _ if self.is_unlucky(1) => Event::Failed { node, attempt },
                    _ => self.lost_around(node, attempt).unwrap_or(Event::Computed { node, attempt }),
                };
                self.waiting.push(event);
            }
            Step::Finishing => {
                let event = match self.choose(50) {
                    0 if self.faults > 0 => Event::Failed { node, attempt },
                    _ => Event::Stored { node, attempt },
                };
                self.waiting.push(event);
            }
            Step::Finished | Step::Cached => {
                for producer in self.state.producers(node) {
                    let is_done =
                        self.finished.contains(&producer) || self.state.counts_as_finished(producer);
                    assert!(is_done, "finished before what it rests on");
                }
                self.finished.insert(node);
            }
            _ => {}
        }
    }

    /// An input from around the region that the node stands in cannot be read.
    fn lost_around(&mut self, node: u32, attempt: u32) -> Option<Event> {
        let around = self.state.instance(self.state.scope(node))?.place.node;
        let producer = self.state.producers(around).next()?;
        let is_lost = self.choose(10) == 0 && self.turns < 5_000;
        let producer_attempt = self.state.attempt(producer);
        is_lost.then_some(Event::InputLost { node, attempt, producer, producer_attempt })
    }

    fn assert_may_start(&self, node: u32) {
        let edges = self.state.edges(node);
        for (_, edge, producer) in edges.before(node) {
            let from_memory = self.state.node(producer) == NodeState::Finishing && !edge.strict;
            assert!(from_memory || self.state.counts_as_finished(producer), "started before its input");
        }
    }

    fn assert_all_ended_within(&self, node: u32) {
        for place in self.state.places(node) {
            let instance = self.state.instance(self.state.scope_at(place).unwrap()).unwrap();
            for inner in instance.nodes {
                assert!(
                    self.state.node(inner).is_end() || self.state.node(inner) == NodeState::Pending,
                    "gathered before all had ended"
                );
            }
        }
    }
}
