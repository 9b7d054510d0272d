//! Changes programs at random and hands them to the lexer, the parser, the formatter and the checker, until the time
//! is up: `cargo run --release -p flow-analysis --example mutate -- --seconds 600 --seed 1`. Tells the slowest and
//! writes down what fails. `--seeds FOLDER` writes the programs it starts from.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a tool for tests"
)]

#[path = "../../../tests/fuzz/mutations.rs"]
mod mutations;
#[path = "../../../tests/fuzz/seeds.rs"]
mod seeds;
#[path = "../../../tests/fuzz/targets.rs"]
mod targets;

use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let programs = seeds::seeds();
    if let Some(folder) = option("--seeds") {
        std::fs::create_dir_all(folder).unwrap();
        for (index, program) in programs.iter().enumerate() {
            std::fs::write(format!("{folder}/{index:04}.flow"), program).unwrap();
        }
        return;
    }
    let seconds = option("--seconds").map_or(60, |seconds| seconds.parse().unwrap());
    let first: u64 = option("--seed").map_or(0, |seed| seed.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut failed = 0;
    let mut slowest = (Duration::ZERO, "", 0);
    let mut seed = first << 32;
    while Instant::now() < end {
        let text = mutations::mutated(&programs, seed);
        for (name, target) in targets::TARGETS {
            let start = Instant::now();
            if std::panic::catch_unwind(|| target(&text)).is_err() {
                failed += 1;
                let path = std::env::temp_dir().join(format!("flow-{name}-{seed}.flow"));
                std::fs::write(&path, &text).unwrap();
                println!("{name} fails with seed {seed}: {}", path.display());
            }
            if start.elapsed() > slowest.0 {
                slowest = (start.elapsed(), name, seed);
                println!("slowest: {name}, {:?} for {} bytes, seed {seed}", slowest.0, text.len());
            }
        }
        seed += 1;
    }
    println!(
        "{} texts, {failed} failures; slowest: {} {:?}, seed {}",
        seed - (first << 32),
        slowest.1,
        slowest.0,
        slowest.2
    );
    assert_eq!(failed, 0, "see the texts above");
}
