#!/usr/bin/env python3
"""Asserts the stated times of whole commands: release build, median of 7.

    cargo build --release && python3 tests/perf/times.py

Prints a row a command: the median, the slowest, the limit. Fails if a median is over its limit.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import many_tests

ROOT = Path(__file__).resolve().parents[2]
FLOWC = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "flowc"
RUNS = 7


def seconds(command, folder):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    elapsed = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr.decode()}")
    return elapsed


def measure(name, limit, command, folder, before_each=lambda: None):
    times = []
    before_each()
    seconds(command, folder)  # warms the disk's cache
    for _ in range(RUNS):
        before_each()
        times.append(seconds(command, folder))
    median = statistics.median(times)
    verdict = "ok" if median <= limit else "MISSED"
    print(f"| {name} | {median * 1e3:.1f} ms | {max(times) * 1e3:.1f} ms | {limit * 1e3:.0f} ms | {verdict} |")
    return median <= limit


def main():
    if not FLOWC.exists():
        sys.exit(f"{FLOWC} is not there: cargo build --release")
    print("| command | median of 7 | slowest | limit | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copytree(ROOT / "examples" / "iris", folder / "iris", ignore=shutil.ignore_patterns(".flow"))
        shutil.copy(ROOT / "tests" / "perf" / "fan.flow", folder / "fan.flow")
        shutil.copy(ROOT / "tests" / "perf" / "fan_test.flow", folder / "fan_test.flow")
        many_tests.write(folder / "many")
        subprocess.run([FLOWC, "test", "-q", "--bless"], cwd=folder / "many", check=True, capture_output=True)
        forget = lambda: shutil.rmtree(folder / ".flow", ignore_errors=True)
        held = [
            measure("flowc --version", 0.015, [FLOWC, "--version"], folder),
            measure("flowc check iris.flow", 0.050, [FLOWC, "check", "iris/iris.flow"], folder),
            measure("flowc run iris.flow, all cached", 0.100, [FLOWC, "run", "iris/iris.flow"], folder),
            measure("flowc plan fan.flow, 20,000 nodes", 0.3, [FLOWC, "plan", "fan.flow"], folder),
            measure("flowc test, 200 tests of plans", 1.0, [FLOWC, "test"], folder / "many"),
            measure("flowc test fan_test.flow, 20,000 nodes simulated", 0.5, [FLOWC, "test", "fan_test.flow"], folder),
            measure("flowc run fan.flow, 20,000 nodes", 1.0, [FLOWC, "run", "fan.flow"], folder, forget),
        ]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
