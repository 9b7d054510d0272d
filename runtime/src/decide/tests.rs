//! Random DAGs, random orders of events, random faults; and the cases worth a name.

use std::sync::Arc;

use flow_ir::{
    dag::Dag,
    hash::Hash,
    node::{Input, Node, NodeIndex, NodeKind, OperatorPlace, OperatorRef, Port, PortRef},
    policy::{OnFailure, Policy},
    types::Type,
};
use proptest::prelude::*;

use super::*;

/// The nodes before it that it waits for, and whether that is an `after` alone; `on_failure`; `retry`; `effect`.
type PlannedNode = (Vec<(usize, bool)>, OnFailure, u32, bool);

/// What a simulated machine may do wrong.
#[derive(Clone, Debug)]
struct Plan {
    nodes: Vec<PlannedNode>,
    /// Of whatever the simulation may choose.
    seed: u64,
    cancel_at: Option<u16>,
    faults: u8,
}

fn plans() -> impl Strategy<Value = Plan> {
    let policy = prop_oneof![
        3 => Just(OnFailure::CancelDependents),
        1 => Just(OnFailure::BlockDependents),
        1 => Just(OnFailure::Continue)
    ];
    let node = (
        prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..4),
        policy,
        0u32..3,
        prop::bool::weighted(0.1),
    );
    (prop::collection::vec(node, 0..24), any::<u64>(), prop::option::weighted(0.2, 0u16..80), 0u8..80)
        .prop_map(|(nodes, seed, cancel_at, faults)| {
            let nodes = nodes
                .into_iter()
                .enumerate()
                .map(|(index, (producers, policy, retry, effect))| {
                    let producers = producers
                        .into_iter()
                        .filter(|_| index > 0)
                        .map(|(producer, after)| (producer.index(index.max(1)), after))
                        .collect();
                    (producers, policy, retry, effect)
                })
                .collect();
            Plan { nodes, seed, cancel_at, faults }
        })
}

fn dag(plan: &Plan) -> Dag {
    let nodes = plan.nodes.iter().enumerate().map(|(index, (producers, on_failure, retry, effect))| {
        let inputs = producers
            .iter()
            .filter(|(_, after)| !after)
            .enumerate()
            .map(|(position, (producer, _))| {
                (format!("in{position}"), Input::Port(PortRef { node: NodeIndex(*producer as u32), port: 0 }))
            })
            .collect();
        let after = producers
            .iter()
            .filter(|(_, after)| *after)
            .map(|(producer, _)| NodeIndex(*producer as u32))
            .collect();
        Node {
            id: format!("n{index}"),
            kind: NodeKind::Task(OperatorRef {
                name: "test".into(),
                version: 1,
                signature: Hash::of(b""),
                place: OperatorPlace::Native,
            }),
            inputs,
            after,
            outputs: vec![Port { name: "value".into(), ty: Type::Int }],
            policy: Policy { on_failure: *on_failure, retry: *retry, ..Policy::default() },
            effect: *effect,
            deterministic: true,
        }
    });
    Dag { workflow: "test".into(), parameters: vec![], nodes: nodes.collect(), outputs: vec![], origin: None }
}

/// Drives the decider as a machine would, and holds it to what must never happen.
fn simulate(plan: &Plan) -> State {
    let dag = dag(plan);
    let graph = Arc::new(Graph::new(&dag).unwrap());
    let mut state = State::new(graph);
    let mut random = plan.seed;
    let mut choose = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below.max(1)
    };
    let mut waiting: Vec<Event> = vec![Event::Start];
    let mut delivered: Vec<Event> = Vec::new();
    let mut has_finished = vec![false; dag.nodes.len()];
    let mut ends = 0;
    for turn in 0.. {
        assert!(turn < 20_000, "the run does not end");
        if plan.cancel_at == Some(turn) {
            waiting.push(Event::Cancel);
        }
        if waiting.is_empty() {
            break;
        }
        let event = waiting.swap_remove(choose(waiting.len()));
        // Every event may come twice, and late.
        let event = match delivered.len() {
            count if count > 0 && choose(8) == 0 => {
                waiting.push(event);
                delivered[choose(count)].clone()
            }
            _ => event,
        };
        let mut commands = Vec::new();
        state.step(&event, &mut commands);
        delivered.push(event);
        for command in commands {
            match command {
                Command::Start { node, attempt } => {
                    assert_starts_after_its_inputs(&dag, &state, node);
                    waiting.push(match choose(4) {
                        0 if !dag.nodes[node as usize].effect => Event::Hit { node, attempt },
                        1 if choose(100) < usize::from(plan.faults) / 4 => Event::Failed { node, attempt },
                        _ => Event::Launched { node, attempt },
                    });
                }
                Command::Record { node, attempt, step: Step::Running } => {
                    let lost = dag.nodes[node as usize].inputs.first().and_then(|(_, input)| match input {
                        Input::Port(port) if choose(10) == 0 => Some(port.node.0),
                        _ => None,
                    });
                    waiting.push(match lost {
                        Some(producer) if turn < 5_000 => Event::InputLost {
                            node,
                            attempt,
                            producer,
                            producer_attempt: state.attempt(producer),
                        },
                        _ if choose(100) < usize::from(plan.faults) => Event::Failed { node, attempt },
                        _ => Event::Computed { node, attempt },
                    });
                }
                Command::Record { node, attempt, step: Step::Finishing } => {
                    waiting.push(match choose(50) {
                        0 if plan.faults > 0 => Event::Failed { node, attempt },
                        _ => Event::Stored { node, attempt },
                    });
                }
                Command::Record { node, step: Step::Finished | Step::Cached, .. } => {
                    dag.nodes[node as usize].for_each_dependency(|producer| {
                        let done = has_finished[producer.0 as usize] || is_done(&dag, &state, producer.0);
                        assert!(done, "finished before what it rests on");
                    });
                    has_finished[node as usize] = true;
                }
                Command::Record { .. } => {}
                Command::Stop { node, attempt } => {
                    if choose(2) == 0 {
                        waiting.push(Event::Stopped { node, attempt });
                    }
                }
                Command::Wait { node, attempt, .. } => waiting.push(Event::Due { node, attempt }),
                Command::End(_) => ends += 1,
            }
        }
        assert_counts(&state, dag.nodes.len());
    }
    assert_eq!(ends, 1, "a run ends once");
    state
}

fn is_done(dag: &Dag, state: &State, node: u32) -> bool {
    match state.node(node) {
        NodeState::Finished => true,
        NodeState::Failed => dag.nodes[node as usize].policy.on_failure == OnFailure::Continue,
        _ => false,
    }
}

fn assert_starts_after_its_inputs(dag: &Dag, state: &State, node: u32) {
    let consumer = &dag.nodes[node as usize];
    for (_, input) in &consumer.inputs {
        input.for_each_port(&mut |port| {
            let from_memory = state.node(port.node.0) == NodeState::Finishing && !consumer.effect;
            assert!(from_memory || is_done(dag, state, port.node.0), "started before its input");
        });
    }
    for after in &consumer.after {
        assert!(is_done(dag, state, after.0), "started before what it comes after");
    }
}

fn assert_counts(state: &State, nodes: usize) {
    let counts = state.counts();
    let Counts { pending, ready, running, finishing, finished, failed, cancelled, cached } = counts;
    assert_eq!(pending + ready + running + finishing + finished + failed + cancelled, nodes as u32);
    let cached_nodes = (0..nodes as u32).filter(|node| state.node(*node) == NodeState::Finished).count();
    assert!(cached as usize <= cached_nodes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_and_no_node_is_lost(plan in plans()) {
        let state = simulate(&plan);
        let dag = dag(&plan);
        let failed = |node: u32| state.node(node) == NodeState::Failed;
        for node in 0..dag.nodes.len() as u32 {
            let state_of = state.node(node);
            if state.status() == RunStatus::Finished {
                prop_assert!(state_of == NodeState::Finished || failed(node), "{state_of:?}");
            }
            if !state_of.is_end() {
                prop_assert_eq!(state_of, NodeState::Pending);
                let behind_a_block = (0..dag.nodes.len() as u32).any(|other| failed(other)
                    && dag.nodes[other as usize].policy.on_failure == OnFailure::BlockDependents);
                prop_assert!(behind_a_block, "pending for no reason");
            }
        }
        if plan.faults == 0 && plan.cancel_at.is_none() {
            prop_assert_eq!(state.status(), RunStatus::Finished);
        }
    }

    #[test]
    fn an_interrupted_run_finishes_what_is_left(plan in plans(), finished in any::<u32>()) {
        let plan = Plan { faults: 0, cancel_at: None, ..plan };
        let dag = dag(&plan);
        // Nothing finishes before what it rests on.
        let mut reached: Vec<(u32, NodeState)> = Vec::new();
        for (index, node) in dag.nodes.iter().enumerate() {
            let mut rests = true;
            node.for_each_dependency(|producer| rests &= reached[producer.0 as usize].1 == NodeState::Finished);
            let finished = rests && finished >> (index % 32) & 1 == 1;
            reached.push((1, if finished { NodeState::Finished } else { NodeState::Running }));
        }
        let mut state = State::resumed(Arc::new(Graph::new(&dag).unwrap()), &reached);
        let mut events = vec![Event::Start];
        while let Some(event) = events.pop() {
            let mut commands = Vec::new();
            state.step(&event, &mut commands);
            for command in commands {
                match command {
                    Command::Start { node, attempt } => {
                        prop_assert!(reached[node as usize].1 != NodeState::Finished, "ran twice");
                        prop_assert_eq!(attempt, 2);
                        events.push(Event::Stored { node, attempt });
                        events.push(Event::Computed { node, attempt });
                        events.push(Event::Launched { node, attempt });
                    }
                    Command::End(status) => prop_assert_eq!(status, RunStatus::Finished),
                    _ => {}
                }
            }
        }
        prop_assert_eq!(state.status(), RunStatus::Finished);
    }
}

/// A node that reads the node before it, with this policy.
fn chain(policies: &[(OnFailure, u32)]) -> Plan {
    let nodes = policies
        .iter()
        .enumerate()
        .map(|(index, (policy, retry))| {
            (
                index.checked_sub(1).map(|producer| (producer, false)).into_iter().collect(),
                *policy,
                *retry,
                false,
            )
        })
        .collect();
    Plan { nodes, seed: 3, cancel_at: None, faults: 0 }
}

/// Runs node after node; `fails` says which attempts fail.
fn run(plan: &Plan, fails: impl Fn(u32, u32) -> bool) -> (State, Vec<Command>) {
    let mut state = State::new(Arc::new(Graph::new(&dag(plan)).unwrap()));
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
    let (state, commands) = run(&chain(&[(OnFailure::CancelDependents, 3)]), |_, attempt| attempt < 4);
    let delays: Vec<i64> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Wait { delay, .. } => Some(*delay),
            _ => None,
        })
        .collect();
    assert_eq!(delays, [1_000_000, 2_000_000, 4_000_000]);
    assert_eq!(state.status(), RunStatus::Finished);
    assert_eq!(state.attempt(0), 4);
}

#[test]
fn each_policy_ends_the_run_in_its_way() {
    use OnFailure::{BlockDependents, CancelDependents, Continue};
    let end = |policy| {
        let (state, _) =
            run(&chain(&[(policy, 0), (CancelDependents, 0), (CancelDependents, 0)]), |node, _| node == 0);
        (state.status(), state.node(2))
    };
    assert_eq!(end(CancelDependents), (RunStatus::Failed, NodeState::Cancelled));
    assert_eq!(end(BlockDependents), (RunStatus::Blocked, NodeState::Pending));
    assert_eq!(end(Continue), (RunStatus::Finished, NodeState::Finished));
}

#[test]
fn a_lost_input_is_made_again_and_nothing_else() {
    let plan = chain(&[(OnFailure::CancelDependents, 0); 3]);
    let mut state = State::new(Arc::new(Graph::new(&dag(&plan)).unwrap()));
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
    let plan = chain(&[(OnFailure::CancelDependents, 1)]);
    let mut state = State::new(Arc::new(Graph::new(&dag(&plan)).unwrap()));
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
fn a_graph_that_runs_backwards_is_refused() {
    let mut dag = dag(&chain(&[(OnFailure::CancelDependents, 0); 2]));
    dag.nodes.swap(0, 1);
    assert_eq!(
        Graph::new(&dag).unwrap_err().to_string(),
        "node `n1` reads node 0, which does not stand before it"
    );
}
