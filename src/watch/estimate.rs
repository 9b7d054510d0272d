//! How long a run may still take, as far as its past says.

use flow_ir::node::NodeKind;

use super::board::{Board, Stand};

/// The share of what is left to do that must be known for an estimate to be worth saying.
const KNOWN: f64 = 0.8;

/// Microseconds; none where too little is known. What is left cannot take less than the work shared out over the
/// cores, nor less than the longest chain of it: the greater of the two, which a good schedule comes near.
pub fn remaining(board: &Board, now: i64) -> Option<i64> {
    let (mut known, mut left) = (0_u32, 0_u32);
    let mut work = 0.0;
    let mut longest = 0;
    // When each node may end, counted from now; every node stands after those it waits for.
    let mut ends = vec![0; board.dag.nodes.len()];
    for (index, seat) in board.seats.iter().enumerate() {
        if seat.stand.is_over() {
            continue;
        }
        left += 1;
        let took = took(board, index, now);
        known += u32::from(took.is_some());
        let took = took.unwrap_or_default();
        let Some(node) = board.node(index) else { continue };
        // What runs others uses no core for itself, and theirs count on their own.
        if node.kind.regions().is_empty() {
            work += took as f64 * f64::from(node.policy.cpu.clamp(1, board.cores));
        }
        if index >= board.dag.nodes.len() {
            // The node around it is the link of the chain.
            longest = longest.max(took);
            continue;
        }
        let mut start = 0;
        node.for_each_dependency(|dependency| {
            start = start.max(ends.get(dependency.0 as usize).copied().unwrap_or_default());
        });
        if let Some(end) = ends.get_mut(index) {
            *end = start + took;
            longest = longest.max(*end);
        }
    }
    if left == 0 || f64::from(known) < KNOWN * f64::from(left) {
        return None;
    }
    let shared = super::board::microseconds(work / f64::from(board.cores) / 1e6);
    Some(longest.max(shared))
}

/// What a node may take in all, from its earlier runs or those of its operator in this one.
pub fn expected(board: &Board, index: usize) -> Option<i64> {
    let node = board.node(index)?;
    if matches!(node.kind, NodeKind::Expression(_)) {
        return Some(0);
    }
    if let Some(past) = board.durations.of(&board.seats.get(index)?.id) {
        return i64::try_from(past.mean().as_micros()).ok();
    }
    let (count, total) = board.learned.get(node.op())?;
    total.checked_div(i64::from(*count))
}

/// What a node may still take.
fn took(board: &Board, index: usize, now: i64) -> Option<i64> {
    let seat = board.seats.get(index)?;
    let expected = expected(board, index);
    if seat.stand != Stand::Running {
        return expected;
    }
    let elapsed = now - seat.since;
    match seat.progress {
        // Its own word counts for more than its past, once there is enough of it.
        Some((done, total)) if done > 0 && done <= total && (elapsed > 2_000_000 || expected.is_none()) => {
            let share = done as f64 / total as f64;
            Some(super::board::microseconds(elapsed as f64 * (1.0 - share) / share / 1e6))
        }
        _ => expected.map(|expected| (expected - elapsed).max(0)),
    }
}
