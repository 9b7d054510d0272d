//! What holds for every DAG, every order of events and every fault.

use std::{collections::HashSet, sync::Arc};

use flow_ir::policy::OnFailure;
use proptest::prelude::*;

use super::{
    super::{graph::Graph, *},
    machine::{Line, Machine},
    plan::{Plan, plans},
};

/// What another process would make of what was written down.
fn past(graph: &Arc<Graph>, seed: u64, log: &[Line]) -> Past {
    let mut past = Past::new(graph.clone(), seed);
    for (id, attempt, step) in log {
        let node = past.find(id).unwrap_or_else(|| panic!("no node `{id}`"));
        match step {
            Step::Finished | Step::Cached => past.reach(node, *attempt, NodeState::Finished),
            Step::Failed { is_blocked } => {
                past.reach(node, *attempt, NodeState::Failed);
                if *is_blocked {
                    past.block(node);
                }
            }
            Step::Skipped => past.reach(node, *attempt, NodeState::Skipped),
            Step::Running | Step::Finishing => past.reach(node, *attempt, NodeState::Running),
            Step::Ready | Step::Retrying { .. } | Step::Cancelled(_) => {
                past.reach(node, attempt - 1, NodeState::Ready);
            }
        }
    }
    past
}

fn finished(log: &[Line]) -> HashSet<&str> {
    let mut finished = HashSet::new();
    for (id, _, step) in log {
        match step {
            Step::Finished | Step::Cached => finished.insert(&**id),
            _ => finished.remove(&**id),
        };
    }
    finished
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_and_no_node_is_lost(plan in plans()) {
        let mut machine = Machine::new(&plan);
        machine.run(plan.cancel_at, u32::MAX);
        let state = &machine.state;
        let root = plan.nodes.len() as u32;
        let blocks = |node: u32| state.node(node) == NodeState::Failed
            && state.on_failure(node) == OnFailure::BlockDependents;
        for node in 0..root {
            let state_of = state.node(node);
            if state.status() == RunStatus::Finished {
                let is_over = matches!(state_of, NodeState::Finished | NodeState::Failed);
                prop_assert!(is_over, "{state_of:?}");
            }
            if !state_of.is_end() {
                prop_assert_eq!(state_of, NodeState::Pending);
                prop_assert!((0..root).any(blocks), "pending for no reason");
            }
        }
        if plan.faults == 0 && plan.cancel_at.is_none() {
            prop_assert_eq!(state.status(), RunStatus::Finished);
        }
    }

    #[test]
    fn an_interrupted_run_finishes_what_is_left(plan in plans(), stop_at in 1u32..200) {
        let plan = Plan { faults: 0, cancel_at: None, ..plan };
        let graph = Arc::new(Graph::new(&plan.dag()).unwrap());
        let mut first = Machine::new(&plan);
        first.run(None, stop_at);
        let had_finished = finished(&first.log);
        let mut second = Machine::of(past(&graph, plan.seed, &first.log).resume(), &plan);
        for (number, state) in (0..second.state.len() as u32).map(|node| (node, second.state.node(node))) {
            let id = second.state.id(number);
            prop_assert_eq!(state == NodeState::Finished, had_finished.contains(&*id), "{}", id);
        }
        second.run(None, u32::MAX);
        prop_assert_eq!(second.state.status(), RunStatus::Finished);
        for (id, attempt, step) in &second.log {
            let before = first.log.iter().filter(|(other, ..)| other == id).map(|(_, attempt, _)| *attempt).max();
            if *step == Step::Running {
                prop_assert!(before.is_none_or(|before| *attempt >= before), "an attempt of {} is made twice", id);
            }
        }
    }

    #[test]
    fn a_retry_revives_what_failed_and_nothing_else(plan in plans()) {
        let graph = Arc::new(Graph::new(&plan.dag()).unwrap());
        let mut first = Machine::new(&Plan { cancel_at: None, ..plan.clone() });
        first.run(None, u32::MAX);
        let mut past = past(&graph, plan.seed, &first.log);
        let effects: Vec<Arc<str>> = (0..past.state().len() as u32)
            .filter(|node| past.state().node(*node) == NodeState::Finished && past.state().facts(*node).effect)
            .filter(|node| !past.state().kind(*node).is_control())
            .map(|node| past.state().id(node))
            .collect();
        past.revive();
        let valid: Vec<u32> = (0..past.state().len() as u32)
            .filter(|node| past.state().node(*node) == NodeState::Finished)
            .collect();
        let mut second = Machine::of(past.resume(), &Plan { faults: 0, ..plan.clone() });
        second.run(None, u32::MAX);
        for node in valid {
            let id = second.state.id(node);
            let ran = second.log.iter().any(|(other, _, step)| *other == id && *step == Step::Ready);
            let was_lost = second.log.iter().any(|(other, _, step)| {
                *other == id && matches!(step, Step::Retrying { .. })
            });
            prop_assert!(!ran || was_lost, "{} ran again", id);
        }
        for id in effects {
            let lost = second.log.iter().any(|(other, _, step)| {
                *other == id && matches!(step, Step::Retrying { .. })
            });
            let ran = second.log.iter().any(|(other, _, step)| *other == id && *step == Step::Running);
            prop_assert!(!ran || lost, "the effect of {} is done twice", id);
        }
    }
}
