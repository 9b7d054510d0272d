//! Cases worth a name: nodes that steer others.

use std::sync::Arc;

use flow_ir::policy::OnFailure;

use super::{
    super::*,
    plan::{PlannedKind, PlannedNode, plan, task},
};

/// What happens in a run, step by step, with what the decider is told.
struct Run {
    state: State,
    /// Of the conditions, in order.
    holds: Vec<bool>,
    length: u64,
    fails: fn(&str, u32) -> bool,
    events: Vec<Event>,
    log: Vec<String>,
    gathered: Vec<Gather>,
}

impl Run {
    fn new(nodes: Vec<PlannedNode>) -> Self {
        Self {
            state: State::new(Arc::new(Graph::new(&plan(nodes).dag()).unwrap()), 0),
            holds: Vec::new(),
            length: 0,
            fails: |_, _| false,
            events: vec![Event::Start],
            log: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// Until nothing happens by itself.
    fn go(&mut self) {
        while !self.events.is_empty() {
            let event = self.events.remove(0);
            let mut commands = Vec::new();
            self.state.step(&event, &mut commands);
            commands.into_iter().for_each(|command| self.obey(command));
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Start { node, attempt } => self.events.push(Event::Launched { node, attempt }),
            Command::Record { node, attempt, step } => {
                let id = self.state.id(node);
                match step {
                    Step::Running if self.state.kind(node).is_control() => {}
                    Step::Running if (self.fails)(&id, attempt) => {
                        self.events.push(Event::Failed { node, attempt });
                    }
                    Step::Running => self.events.push(Event::Computed { node, attempt }),
                    Step::Finishing => self.events.push(Event::Stored { node, attempt }),
                    Step::Finished => self.log.push(id.to_string()),
                    Step::Failed { .. } => self.log.push(format!("{id} failed")),
                    Step::Skipped => self.log.push(format!("{id} skipped")),
                    Step::Cancelled(_) => self.log.push(format!("{id} cancelled")),
                    Step::Ready | Step::Cached | Step::Retrying { .. } => {}
                }
            }
            Command::Ask { node, attempt, iteration } => {
                let told = match self.state.id(node).as_ref() {
                    id if id.starts_with("n0") && self.length > 0 => Told::Length(self.length),
                    _ => Told::Holds { iteration, holds: self.holds.remove(0) },
                };
                self.events.push(Event::Told { node, attempt, told });
            }
            Command::Gather { node, attempt, from } => {
                self.gathered.push(from);
                self.events.push(Event::Computed { node, attempt });
            }
            Command::Wait { node, attempt, .. } if self.state.node(node) == NodeState::Pending => {
                self.events.push(Event::Due { node, attempt });
            }
            _ => {}
        }
    }
}

fn of(kind: PlannedKind) -> PlannedNode {
    PlannedNode { kind, ..task() }
}

fn after(producer: usize) -> PlannedNode {
    PlannedNode { producers: vec![(producer, false)], ..task() }
}

#[test]
fn a_conditional_runs_one_arm_and_skips_the_other() {
    let mut run = Run::new(vec![of(PlannedKind::Conditional(vec![task()], vec![task(), task()])), after(0)]);
    run.holds = vec![false];
    run.go();
    assert_eq!(run.log, ["n0/t0 skipped", "n0/o0", "n0/o1", "n0", "n1"]);
    assert_eq!(run.gathered, [Gather::Instance(Part::Otherwise)]);
    assert_eq!(run.state.status(), RunStatus::Finished);
}

#[test]
fn a_map_runs_its_body_for_each_element() {
    let mut run = Run::new(vec![of(PlannedKind::Map(3, vec![task(), after(0)])), after(0)]);
    run.length = 3;
    run.go();
    let bodies = ["n0[0]/m0", "n0[1]/m0", "n0[2]/m0", "n0[0]/m1", "n0[1]/m1", "n0[2]/m1"];
    assert_eq!(run.log[..6], bodies);
    assert_eq!(run.log[6..], ["n0", "n1"]);
    assert_eq!(run.gathered, [Gather::Elements(3)]);
}

#[test]
fn a_map_longer_than_max_fails_before_the_first_body() {
    let map = PlannedNode { retry: 2, ..of(PlannedKind::Map(3, vec![task()])) };
    let mut run = Run::new(vec![map, after(0)]);
    run.length = 4;
    run.go();
    assert_eq!(run.log, ["n0 failed", "n1 cancelled"]);
    assert_eq!(run.state.len(), 2, "no instance has come into being");
    assert_eq!(run.state.status(), RunStatus::Failed);
}

#[test]
fn a_loop_tests_first_and_says_when_it_ends_at_max() {
    for (holds, iterations, at_max) in [(vec![true, false], 1, false), (vec![true, true, true], 2, true)] {
        let mut run = Run::new(vec![of(PlannedKind::Loop(2, vec![task()], vec![task()]))]);
        run.holds = holds;
        run.go();
        let mut expected = vec!["n0[0]/c0", "n0[0]/b0", "n0[1]/c0", "n0[1]/b0", "n0[2]/c0"];
        expected.truncate(2 * iterations as usize + 1);
        expected.push("n0");
        assert_eq!(run.log, expected);
        assert_eq!(run.gathered, [Gather::State { iterations, at_max }]);
        assert_eq!(run.state.status(), RunStatus::Finished);
    }
}

#[test]
fn a_further_attempt_of_a_region_keeps_what_has_finished_in_it() {
    let body = vec![task(), after(0)];
    let workflow = PlannedNode { retry: 1, ..of(PlannedKind::Workflow(body)) };
    let mut run = Run::new(vec![workflow, after(0)]);
    run.fails = |id, attempt| id == "n0/w1" && attempt == 1;
    run.go();
    assert_eq!(run.log, ["n0/w0", "n0/w1 failed", "n0/w1", "n0", "n1"]);
    let attempts = [0, 1, 2, 3].map(|node| run.state.attempt(node));
    assert_eq!(attempts, [2, 1, 1, 2]);
}

#[test]
fn policies_hold_within_an_instance_and_decide_its_end() {
    let end = |policy, output_reads_it: bool| {
        let failing = PlannedNode { on_failure: policy, ..task() };
        let body = if output_reads_it { vec![failing] } else { vec![failing, after(0)] };
        let mut run = Run::new(vec![of(PlannedKind::Workflow(body)), after(0)]);
        run.fails = |id, _| id == "n0/w0";
        run.go();
        (run.state.node(0), run.state.node(1), run.state.status())
    };
    use NodeState::{Cancelled, Failed, Finished, Pending};
    assert_eq!(end(OnFailure::CancelDependents, false), (Failed, Cancelled, RunStatus::Failed));
    assert_eq!(end(OnFailure::BlockDependents, false), (Failed, Pending, RunStatus::Blocked));
    assert_eq!(end(OnFailure::Continue, false), (Finished, Finished, RunStatus::Finished));
    assert_eq!(end(OnFailure::Continue, true), (Failed, Cancelled, RunStatus::Failed));
}

#[test]
fn a_signal_that_comes_early_or_twice_is_not_lost_and_counts_once() {
    for is_early in [true, false] {
        let mut run = Run::new(vec![of(PlannedKind::WaitFor), after(0)]);
        let mut commands = Vec::new();
        let signal = Event::Signal { name: "go".into() };
        run.state.step(&Event::Start, &mut commands);
        run.state.step(&Event::Launched { node: 0, attempt: 1 }, &mut commands);
        let told = Told::Signal { name: "go".into(), timeout: Some(9) };
        let told = Event::Told { node: 0, attempt: 1, told };
        commands.clear();
        for event in if is_early { [signal.clone(), told] } else { [told, signal.clone()] } {
            run.state.step(&event, &mut commands);
        }
        let gather = Command::Gather { node: 0, attempt: 1, from: Gather::Inputs };
        assert_eq!(commands.iter().filter(|command| **command == gather).count(), 1);
        commands.clear();
        run.state.step(&signal, &mut commands);
        assert_eq!(commands, []);
        run.events = vec![Event::Computed { node: 0, attempt: 1 }];
        run.go();
        assert_eq!(run.log, ["n0", "n1"]);
    }
}

#[test]
fn a_wait_for_a_signal_ends_by_its_timeout_as_its_policy_says() {
    for (policy, status) in [
        (OnFailure::CancelDependents, RunStatus::Failed),
        (OnFailure::BlockDependents, RunStatus::Blocked),
        (OnFailure::Continue, RunStatus::Finished),
    ] {
        let wait = PlannedNode { on_failure: policy, ..of(PlannedKind::WaitFor) };
        let mut run = Run::new(vec![wait, after(0)]);
        let mut commands = Vec::new();
        let told = Told::Signal { name: "go".into(), timeout: Some(9) };
        for event in
            [Event::Start, Event::Launched { node: 0, attempt: 1 }, Event::Told { node: 0, attempt: 1, told }]
        {
            run.state.step(&event, &mut commands);
        }
        assert!(commands.contains(&Command::Timeout { node: 0, attempt: 1, delay: 9 }));
        run.events = vec![Event::TimedOut { node: 0, attempt: 1 }];
        run.go();
        assert_eq!(run.log.first().map(String::as_str), Some("n0 failed"));
        assert_eq!(run.state.status(), status);
    }
}

#[test]
fn a_region_that_runs_out_of_time_stops_what_runs_in_it() {
    let workflow = PlannedNode { timeout: true, ..of(PlannedKind::Workflow(vec![task(), after(0)])) };
    let mut run = Run::new(vec![workflow]);
    let mut commands = Vec::new();
    for event in [
        Event::Start,
        Event::Launched { node: 0, attempt: 1 },
        Event::Launched { node: 1, attempt: 1 },
        Event::TimedOut { node: 0, attempt: 1 },
    ] {
        commands.clear();
        run.state.step(&event, &mut commands);
    }
    assert!(commands.contains(&Command::Stop { node: 1, attempt: 1 }));
    assert_eq!(run.state.node(0), NodeState::Running);
    run.events = vec![Event::Stopped { node: 1, attempt: 1 }];
    run.go();
    assert_eq!(run.log, ["n0/w0 cancelled", "n0 failed"]);
    assert_eq!(run.state.node(2), NodeState::Cancelled);
}

#[test]
fn a_cancelled_run_stops_what_runs_in_regions() {
    let mut run = Run::new(vec![of(PlannedKind::Map(2, vec![of(PlannedKind::Workflow(vec![task()]))]))]);
    let mut commands = Vec::new();
    for event in [
        Event::Start,
        Event::Launched { node: 0, attempt: 1 },
        Event::Told { node: 0, attempt: 1, told: Told::Length(2) },
        Event::Launched { node: 1, attempt: 1 },
        Event::Launched { node: 3, attempt: 1 },
        Event::Cancel,
    ] {
        commands.clear();
        run.state.step(&event, &mut commands);
    }
    assert_eq!(run.state.id(3).as_ref(), "n0[0]/m0/w0");
    assert_eq!(commands.iter().filter(|command| matches!(command, Command::Stop { .. })).count(), 1);
    run.events = vec![Event::Stopped { node: 3, attempt: 1 }];
    run.go();
    assert_eq!(run.log, ["n0[0]/m0/w0 cancelled", "n0[0]/m0 cancelled", "n0 cancelled"]);
    assert_eq!(run.state.status(), RunStatus::Cancelled);
}

#[test]
fn a_kind_that_lacks_what_it_needs_is_refused() {
    let mut dag = plan(vec![of(PlannedKind::Map(3, vec![task()]))]).dag();
    dag.nodes[0].inputs.retain(|(name, _)| name != "over");
    assert_eq!(Graph::new(&dag).unwrap_err().to_string(), "node `n0` is a map, but has no input `over`");
    let mut dag = plan(vec![of(PlannedKind::Conditional(vec![task()], vec![task()]))]).dag();
    dag.nodes[0].kind.nested_mut()[0].nodes[0].id = "o0".into();
    assert_eq!(
        Graph::new(&dag).unwrap_err().to_string(),
        "node `n0` is a conditional, but two nodes in its regions have the id `o0`"
    );
}
