#!/usr/bin/env python3
"""How long planning takes: `flowc plan`'s stated limits, and snakemake's dry run beside it on graphs of as many steps.

    cargo build --release && python3 tests/perf/plan/compare.py [--runs 7] [--without-peer]

Prints Markdown tables, and fails where a stated limit is not held. Whole processes, medians; contestants take turns, so
that all see the same machine. snakemake comes from $SNAKEMAKE, else from a virtual environment that this makes beside the
build. Both are given a fan-out of chains of two and one node at the end that reads all of them. `flowc plan` checks the
text, evaluates and plans it, asks the cache for each node, and prints; `snakemake -n -q` reads its file, makes its jobs,
looks for their files, and prints.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FLOWC = Path(os.environ.get("FLOWC", TARGET / "release" / "flowc"))
SNAKEMAKE_VERSION = "9.27.1"

# nodes, seconds, bytes
LIMITS = [(1_000, None, None), (20_000, 0.3, 1 << 30), (100_000, 2.0, 1 << 30)]
PEER_NODES = [1_000, 20_000]

FLOW = """use std.debug

workflow plan(n: Int = {chains}) -> (all: List<Int>) {{
    let all = for i in 0..n {{ debug.noop(debug.noop(i)) }}
    (all: debug.noop(all))
}}
"""

SNAKEFILE = """
N = {chains}
rule all:
    input: "all"
rule gather:
    input: expand("second/{{i}}", i=range(N))
    output: "all"
    shell: "true"
rule second:
    input: "first/{{i}}"
    output: "second/{{i}}"
    shell: "true"
rule first:
    output: "first/{{i}}"
    shell: "true"
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--without-peer", action="store_true", help="only what flowc promises")
    arguments = parser.parse_args()
    if not FLOWC.exists():
        sys.exit(f"{FLOWC} is not there: cargo build --release")
    peer = None if arguments.without_peer else snakemake()
    with tempfile.TemporaryDirectory(prefix="flow-perf-") as folder:
        held, ours = limits(Path(folder), arguments.runs)
        if peer:
            compare(Path(folder), arguments.runs, peer, ours)
    sys.exit(0 if held else 1)


def limits(folder, runs):
    for nodes, _, _ in LIMITS:
        (folder / f"plan{nodes}.flow").write_text(FLOW.format(chains=nodes // 2))
    times = {nodes: [] for nodes, _, _ in LIMITS}
    sizes = {nodes: 0 for nodes, _, _ in LIMITS}
    for _ in range(runs + 1):
        for nodes, _, _ in LIMITS:
            seconds, size = measured([FLOWC, "plan", f"plan{nodes}.flow"], folder)
            times[nodes].append(seconds)
            sizes[nodes] = max(sizes[nodes], size)
    print(f"| flowc plan | median of {runs} | slowest | a node | limit | memory | limit | |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    held = True
    medians = {}
    for nodes, limit, room in LIMITS:
        # The first is the warm-up.
        kept = times[nodes][1:]
        median = medians[nodes] = statistics.median(kept)
        fits = (limit is None or median <= limit) and (room is None or sizes[nodes] <= room)
        held &= fits
        print(
            f"| {nodes:,} nodes | {median * 1e3:.1f} ms | {max(kept) * 1e3:.1f} ms | {median / nodes * 1e6:.1f} µs "
            f"| {f'{limit * 1e3:.0f} ms' if limit else ''} | {sizes[nodes] >> 20} MiB "
            f"| {f'{room >> 20} MiB' if room else ''} | {'ok' if fits else 'OVER'} |"
        )
    straight = (medians[100_000] / 100_000) / (medians[20_000] / 20_000)
    print(f"\nA node of 100,000 costs {straight:.2f} times one of 20,000.\n")
    return held, medians


def compare(folder, runs, peer, ours):
    print(f"| snakemake {SNAKEMAKE_VERSION} -n | median of {runs} | slowest | memory | snakemake : flowc |")
    print("|---|--:|--:|--:|--:|")
    for nodes in PEER_NODES:
        place = folder / f"snake{nodes}"
        place.mkdir()
        (place / "Snakefile").write_text(SNAKEFILE.format(chains=nodes // 2))
        times, size = [], 0
        for _ in range(runs):
            seconds, room = measured([peer, "-n", "-q", "--cores", "1"], place)
            times.append(seconds)
            size = max(size, room)
        median = statistics.median(times)
        print(
            f"| {nodes:,} steps | {median:.2f} s | {max(times):.2f} s | {size >> 20} MiB "
            f"| {median / ours[nodes]:.0f} |"
        )
    print()


def measured(command, folder):
    """Seconds, and the most bytes that the process held."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in command)} failed:\n{output.decode(errors='replace')[-2000:]}")
    return seconds, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def snakemake():
    named = os.environ.get("SNAKEMAKE")
    if named:
        return Path(named)
    place = TARGET / "plan-peer"
    program = place / "bin" / "snakemake"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([place / "bin" / "pip", "install", "-q", f"snakemake=={SNAKEMAKE_VERSION}"], check=True)
    return program


if __name__ == "__main__":
    main()
