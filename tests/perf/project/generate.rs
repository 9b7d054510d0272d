//! A project of any size, in which nothing is wrong. The text is the same at every call.
//!
//! Each module holds schemas, constants, fns, enums and workflows that train and measure, and imports two modules
//! before it. All of them read the schema and call the fns of `parts.shared`.

use std::fmt::Write;

/// What every module reads.
pub const SHARED: &str = "parts.shared";

const SHARED_TEXT: &str = "\
/// A trip, as every part of the project knows it.
schema Trip {
    trip_id:  Id<Int>,
    distance: Float,
    minutes:  Float,
}

/// Kilometres as miles.
fn miles(distance: Float) -> Float { distance * 0.6214 }

/// Minutes as hours; the type is the body's.
fn hours(minutes: Float) { minutes / 60.0 }
";

/// The lines of a block, of which modules are made.
pub const BLOCK_LINES: usize = 50;

/// The names and texts of `modules` modules with about `lines` lines in all, `SHARED` first.
pub fn project(modules: usize, lines: usize) -> Vec<(String, String)> {
    let blocks = (lines / modules).div_ceil(BLOCK_LINES).max(1);
    let shared = (SHARED.to_owned(), SHARED_TEXT.to_owned());
    std::iter::once(shared).chain((0..modules).map(|n| (name(n), module(n, blocks)))).collect()
}

/// The name of a module.
pub fn name(n: usize) -> String {
    format!("parts.m{n}")
}

fn module(n: usize, blocks: usize) -> String {
    let mut text = head(n);
    for k in 0..blocks {
        block(&mut text, n, k);
    }
    text
}

fn head(n: usize) -> String {
    let mut imports = String::new();
    if n > 0 {
        let _ = writeln!(imports, "use parts.m{}.{{LIMIT_{}}}", n - 1, n - 1);
    }
    if n > 1 {
        let _ = writeln!(imports, "use parts.m{}", n / 2 - usize::from(n == 2));
    }
    format!(
        "\
//! Module {n} of a generated project.

use parts.shared.{{Trip, hours, miles}}
use std.data
use std.metrics
use std.tree
{imports}
/// How far module {n} goes.
const LIMIT_{n}: Float = {n}.5

/// What module {n} tells apart.
enum Mode{n} {{
    first,
    second,
    third,
}}

/// The trips that are long enough.
workflow trips(trips: Dataset<Trip>) -> (trips: Dataset) {{
    trips.derive(speed: miles(.distance) / hours(.minutes)).where(.speed > LIMIT_{n})
}}

"
    )
}

/// Block `k` of module `n`.
fn block(text: &mut String, n: usize, k: usize) {
    // The second block needs the modules before.
    let (limit, speed) = match (k, n) {
        (1, 2..) => (format!("LIMIT_{}", n - 1), format!("m{}.speed0", n / 2 - usize::from(n == 2))),
        (1, 1) => (format!("LIMIT_{}", n - 1), format!("speed{k}")),
        _ => ("0.0".to_owned(), format!("speed{k}")),
    };
    let _ = write!(
        text,
        "\
/// Rides of kind {k}.
schema Ride{k} {{
    ride_id:  Id<Int>,
    city:     Category,
    distance: Float,
    minutes:  Float?,
    fare:     Float from \"total fare\",
    tipped:   Label<Bool>,
}}

/// Kilometres an hour.
fn speed{k}(distance: Float, minutes: Float) -> Float {{
    // The meter counts minutes.
    distance / minutes * {k}.0
}}

fn weight{k}(mode: Mode{n}) -> Int {{
    match mode {{
        Mode{n}.first => 1,
        Mode{n}.second => {k},
        _ => 3,
    }}
}}

/// Trains on rides of kind {k}.
workflow tips{k}(
    /// Rides with the outcome known.
    rides: Dataset<Ride{k}> = data.csv(\"rides{k}.csv\"),
    /// Share of the rides that trains the model.
    train_share: Fraction = 80%,
    mode: Mode{n} = Mode{n}.second,
    depths: List<Int in 1..=16> = [4, 6, 8],
) -> (model: Classifier, reports: List<ClassificationReport>) {{
    let clean = rides.drop(.ride_id).where(.distance > LIMIT_{n} and .fare > {limit})
    let filled = clean.derive(
        minutes: .minutes ?? 1.0,
        speed: {speed}(.distance, .minutes ?? 1.0),
        large: if .distance > 10.0 {{ 1 }} else {{ weight{k}(mode) }},
    )
    let (train, test) = filled.split(train_share, seed: {k})
    let prepare = (d) => d.derive(ratio: .fare / .distance)
    let models = for depth in depths {{
        tree.gbdt(prepare(train), depth: depth, trees: 20 + {k}) with (cpu: 2, memory: 2GiB)
    }}
    let reports = for model in models {{ metrics.classification(model, prepare(test)) }}
    (model: models[0], reports)
}}

"
    );
}
