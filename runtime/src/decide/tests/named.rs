//! Cases worth a name, without regions.

use std::sync::Arc;

use flow_ir::policy::OnFailure;

use super::{
    super::*,
    plan::{Plan, PlannedNode, plan, task},
};

/// A node that reads the node before it, with this policy.
fn chain(policies: &[(OnFailure, u32)]) -> Plan {
    let node = |(index, (policy, retry)): (usize, &(OnFailure, u32))| PlannedNode {
        producers: index.checked_sub(1).map(|producer| (producer, false)).into_iter().collect(),
        on_failure: *policy,
        retry: *retry,
        ..task()
    };
    plan(policies.iter().enumerate().map(node).collect())
}

fn state(plan: &Plan, seed: u64) -> State {
    State::new(Arc::new(Graph::new(&plan.dag()).unwrap()), seed)
}

/// Runs node after node; `fails` says which attempts fail.
fn run(plan: &Plan, seed: u64, fails: impl Fn(u32, u32) -> bool) -> (State, Vec<Command>) {
    let mut state = state(plan, seed);
    let mut events = vec![Event::Start];
    let mut all = Vec::new();
    while let Some(event) = events.pop() {
        let mut commands = Vec::new();
        state.step(&event, &mut commands);
        for command in &commands {
            match *command {
                Command::Start { node, attempt } => events.push(Event::Launched { node, attempt }),
                Command::Record { node, attempt, step: Step::Running } if fails(node, attempt) => {
                    events.push(Event::Failed { node, attempt });
                }
                Command::Record { node, attempt, step: Step::Running } => {
                    events.push(Event::Stored { node, attempt });
                    events.push(Event::Computed { node, attempt });
                }
                Command::Wait { node, attempt, .. } => events.push(Event::Due { node, attempt }),
                _ => {}
            }
        }
        all.extend(commands);
    }
    (state, all)
}

#[test]
fn retries_double_their_delay_and_then_succeed() {
    let delays = |seed| {
        let (state, commands) =
            run(&chain(&[(OnFailure::CancelDependents, 3)]), seed, |_, attempt| attempt < 4);
        assert_eq!((state.status(), state.attempt(0)), (RunStatus::Finished, 4));
        let delay = |command: &Command| match command {
            Command::Wait { delay, .. } => Some(*delay),
            _ => None,
        };
        commands.iter().filter_map(delay).collect::<Vec<i64>>()
    };
    for seed in 0..20 {
        let delays = delays(seed);
        for (delay, longest) in delays.iter().zip([1_000_000, 2_000_000, 4_000_000]) {
            assert!((longest / 2..longest).contains(delay), "{delays:?}");
        }
    }
    assert_eq!(delays(7), delays(7));
    assert_ne!(delays(7), delays(8), "runs do not retry in step");
}

#[test]
fn each_policy_ends_the_run_in_its_way() {
    use OnFailure::{BlockDependents, CancelDependents, Continue};
    let end = |policy| {
        let plan = chain(&[(policy, 0), (CancelDependents, 0), (CancelDependents, 0)]);
        let (state, _) = run(&plan, 0, |node, _| node == 0);
        (state.status(), state.node(2))
    };
    assert_eq!(end(CancelDependents), (RunStatus::Failed, NodeState::Cancelled));
    assert_eq!(end(BlockDependents), (RunStatus::Blocked, NodeState::Pending));
    assert_eq!(end(Continue), (RunStatus::Finished, NodeState::Finished));
}

#[test]
fn a_lost_input_is_made_again_and_nothing_else() {
    let mut state = state(&chain(&[(OnFailure::CancelDependents, 0); 3]), 0);
    let mut commands = Vec::new();
    for event in [
        Event::Start,
        Event::Hit { node: 0, attempt: 1 },
        Event::Hit { node: 1, attempt: 1 },
        Event::Launched { node: 2, attempt: 1 },
        Event::InputLost { node: 2, attempt: 1, producer: 1, producer_attempt: 1 },
    ] {
        commands.clear();
        state.step(&event, &mut commands);
    }
    assert!(commands.contains(&Command::Start { node: 1, attempt: 2 }));
    assert_eq!(
        [0, 1, 2].map(|node| state.node(node)),
        [NodeState::Finished, NodeState::Ready, NodeState::Pending]
    );
    for event in [
        Event::Launched { node: 1, attempt: 2 },
        Event::Computed { node: 1, attempt: 2 },
        Event::Stored { node: 1, attempt: 2 },
        Event::Launched { node: 2, attempt: 2 },
        Event::Computed { node: 2, attempt: 2 },
        Event::Stored { node: 2, attempt: 2 },
    ] {
        state.step(&event, &mut commands);
    }
    assert_eq!(state.status(), RunStatus::Finished);
    assert_eq!(state.attempt(0), 1);
}

#[test]
fn an_answer_of_an_earlier_attempt_changes_nothing() {
    let mut state = state(&chain(&[(OnFailure::CancelDependents, 1)]), 0);
    let mut commands = Vec::new();
    for event in [
        Event::Start,
        Event::Launched { node: 0, attempt: 1 },
        Event::Failed { node: 0, attempt: 1 },
        Event::Due { node: 0, attempt: 2 },
        Event::Launched { node: 0, attempt: 2 },
    ] {
        state.step(&event, &mut commands);
    }
    commands.clear();
    state.step(&Event::Computed { node: 0, attempt: 1 }, &mut commands);
    assert_eq!((commands.as_slice(), state.node(0)), (&[][..], NodeState::Running));
}

#[test]
fn a_timeout_asks_to_stop_and_an_answer_after_it_is_dropped() {
    for late in [Event::Computed { node: 0, attempt: 1 }, Event::Stopped { node: 0, attempt: 1 }] {
        let mut state = state(&plan(vec![PlannedNode { timeout: true, ..task() }]), 0);
        let mut commands = Vec::new();
        state.step(&Event::Start, &mut commands);
        state.step(&Event::Launched { node: 0, attempt: 1 }, &mut commands);
        assert!(commands.contains(&Command::Timeout { node: 0, attempt: 1, delay: 5_000_000 }));
        commands.clear();
        state.step(&Event::TimedOut { node: 0, attempt: 1 }, &mut commands);
        state.step(&Event::TimedOut { node: 0, attempt: 1 }, &mut commands);
        assert_eq!(commands, [Command::Stop { node: 0, attempt: 1 }]);
        assert_eq!(state.node(0), NodeState::Running, "it keeps what it has taken until it has stopped");
        state.step(&late, &mut commands);
        assert_eq!((state.node(0), state.status()), (NodeState::Failed, RunStatus::Failed));
    }
}

#[test]
fn a_graph_that_runs_backwards_is_refused() {
    let mut dag = chain(&[(OnFailure::CancelDependents, 0); 2]).dag();
    dag.nodes.swap(0, 1);
    assert_eq!(
        Graph::new(&dag).unwrap_err().to_string(),
        "node `n1` reads node 0, which does not stand before it"
    );
}
