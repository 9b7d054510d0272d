#!/usr/bin/env python3
"""Writes a project of many modules, and times a cold `flowc check` of it.

    python3 tests/perf/project.py FLOWC [FOLDER] [--modules 500] [--lines 100000]

Each module holds schemas, constants, fns, enums and workflows that train and measure, and imports two
modules before it; nothing in it is wrong. The text is the same at every call. Without FOLDER it is
written to a temporary one.
"""

import argparse
import pathlib
import subprocess
import tempfile
import time

HEAD = """//! Module {n} of a generated project.

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

"""

# 50 lines, `k` of a module `n`.
BLOCK = """/// Rides of kind {k}.
schema Ride{k} {{
    ride_id:  Id<Int>,
    city:     Category,
    distance: Float,
    minutes:  Float?,
    fare:     Float from "total fare",
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
    rides: Dataset<Ride{k}> = data.csv("rides{k}.csv"),
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

"""


def module(n: int, lines: int) -> str:
    before = sorted({m for m in (n - 1, n // 2) if 0 <= m < n})
    imports = "".join(f"use parts.m{m}.{{speed0, LIMIT_{m}}}\n" if m == n - 1 else f"use parts.m{m}\n" for m in before)
    # Two modules may not be imported under one name, and none without use.
    text = HEAD.format(n=n, imports=imports)
    k = 0
    while text.count("\n") < lines:
        speed = f"speed{k}"
        limit = "0.0"
        if k == 1:
            other = [m for m in before if m != n - 1]
            speed = f"m{other[0]}.speed0" if other else speed
            limit = f"LIMIT_{n - 1}" if n else limit
        if k == 2 and n:
            speed = "speed0"
        text += BLOCK.format(n=n, k=k, speed=speed, limit=limit)
        k += 1
    return text.replace(f"{{speed0, LIMIT_{n - 1}}}", f"{{LIMIT_{n - 1}}}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("flowc")
    arguments.add_argument("folder", nargs="?")
    arguments.add_argument("--modules", type=int, default=500)
    arguments.add_argument("--lines", type=int, default=100_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(given.folder or temporary)
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        (folder / "flow.toml").write_text('name = "generated"\n')
        total = 0
        for n in range(given.modules):
            text = module(n, given.lines // given.modules)
            total += text.count("\n")
            (folder / "parts" / f"m{n}.flow").write_text(text)
        seconds = []
        for _ in range(3):
            begun = time.perf_counter()
            subprocess.run([given.flowc, "check", "--project", str(folder)], check=True, cwd=folder)
            seconds.append(time.perf_counter() - begun)
        print(f"check, cold, {given.modules} modules, {total:,} lines: {min(seconds):.2f} s (best of 3)")


if __name__ == "__main__":
    main()
