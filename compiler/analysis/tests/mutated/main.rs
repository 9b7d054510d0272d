//! Programs changed at random, through the lexer, the parser, the formatter and the checker: the fuzzers' targets on a
//! fixed number of texts, each within a time limit.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a test, which reads its seeds"
)]

#[path = "../../../../tests/fuzz/mutations.rs"]
mod mutations;
#[path = "../../../../tests/fuzz/seeds.rs"]
mod seeds;
#[path = "../../../../tests/fuzz/targets.rs"]
mod targets;

use std::time::{Duration, Instant};

/// A changed program takes milliseconds; this is for slow, busy machines.
const LIMIT: Duration = Duration::from_secs(20);

/// Of each target.
const TEXTS: u64 = 300;

#[test]
fn mutated_programs() {
    let programs = seeds::seeds();
    assert!(programs.len() > 50, "{}", programs.len());
    for seed in 0..TEXTS {
        let text = mutations::mutated(&programs, seed);
        for (name, target) in targets::TARGETS {
            let start = Instant::now();
            let result = std::panic::catch_unwind(|| target(&text));
            assert!(result.is_ok(), "{name}, seed {seed}:\n{text}");
            assert!(start.elapsed() < LIMIT, "{name}, seed {seed} took {:?}:\n{text}", start.elapsed());
        }
    }
}
