#!/usr/bin/env python3
"""What a node costs: flowc's stated limits, and public engines beside it on the same graphs of nodes that do nothing.

    cargo build --release && python3 tests/perf/engine/compare.py [--runs 7] [--without-peers]

Prints Markdown tables, and fails where a stated limit is not held. Whole processes, medians; contestants take turns, so
that all see the same machine. The peers come from $PEERS_PYTHON, else from a virtual environment that this makes beside
the build. README.md says what each of them keeps.
"""

import argparse
import json
import os
import pty
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import graphs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FLOWC = Path(os.environ.get("FLOWC", TARGET / "release" / "flowc"))

NODES = 20_000
NODE_LIMIT = 50e-6
MEMORY_LIMIT = 500 << 20
COMMAND_LIMIT = 5e-3
SCREEN_LIMIT = 0.1

# name, nodes, nodes of the small run that is taken off, shapes, and whether it is measured three times only
PEERS = [
    ("dask_sync", 20_000, 10, graphs.SHAPES, False),
    ("dask_threads", 20_000, 10, graphs.SHAPES, False),
    ("hamilton_driver", 1_000, 10, graphs.SHAPES, False),
    ("luigi_tasks", 1_000, 10, graphs.SHAPES, True),
    ("dask_cluster", 1_000, 10, graphs.SHAPES, True),
    ("dagster_job", 60, 10, ("fan-out", "chain"), True),
    ("prefect_flow", 200, 10, ("fan-out", "chain"), True),
    ("metaflow_flow", 12, 4, ("fan-out", "chain"), True),
]
SLOW_RUNS = 3
COMMANDS = 300


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--without-peers", action="store_true", help="only what flowc promises, and no ninja")
    parser.add_argument("--only", nargs="*", help="these peers alone")
    arguments = parser.parse_args()
    if not FLOWC.exists():
        sys.exit(f"{FLOWC} is not there: cargo build --release")
    peers = None if arguments.without_peers else peers_python()
    with tempfile.TemporaryDirectory(prefix="flow-perf-") as folder:
        folder = Path(folder)
        # What this measures shares its resources with nobody else's runs.
        os.environ["FLOW_LEDGER"] = str(folder / "ledger")
        print(f"{os.cpu_count()} cores; a write of 4 KiB and its sync take {sync_seconds(folder) * 1e3:.2f} ms\n")
        held = limits(folder, arguments.runs)
        held &= commands(folder, arguments.runs, peers)
        held &= screen(folder, arguments.runs)
        if peers:
            compare(folder, arguments.runs, peers, arguments.only)
    sys.exit(0 if held else 1)


# What is promised.


def limits(folder, runs):
    print(f"| flowc run, {NODES:,} nodes | median of {runs} | slowest | a node | limit | memory | limit | |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    cases = [(shape, [flow_folder(folder, shape, NODES)]) for shape in graphs.SHAPES]
    at_once = NODES // 10
    together = folder / "together"
    together.mkdir()
    for number in range(10):
        (together / f"work{number}.flow").write_text(graphs.flow("layers", at_once, first=number * at_once))
    cases.append((f"10 runs of {at_once:,} at once", [together / f"work{number}.flow" for number in range(10)]))
    times = {name: [] for name, _ in cases}
    sizes = {name: [] for name, _ in cases}
    for turn in range(runs):
        for name, files in cases:
            project = files[0].parent / str(turn)
            project.mkdir()
            files = [shutil.copy(file, project) for file in files]
            seconds, size = together_seconds([[FLOWC, "run", Path(file).name] for file in files], project)
            times[name].append(seconds)
            sizes[name].append(size)
    held = True
    for name, _ in cases:
        median, size = statistics.median(times[name]), max(sizes[name])
        fits = median / NODES <= NODE_LIMIT and size <= MEMORY_LIMIT
        held &= fits
        print(
            f"| {name} | {median * 1e3:.0f} ms | {max(times[name]) * 1e3:.0f} ms | {median / NODES * 1e6:.1f} µs "
            f"| {NODE_LIMIT * 1e6:.0f} µs | {size >> 20} MiB | {MEMORY_LIMIT >> 20} MiB | {verdict(fits)} |"
        )
    print()
    return held


def commands(folder, runs, peers):
    """External commands: what a node costs over a bare spawn, beside ninja where it is there."""
    ninja = peers and Path(peers).parent / "ninja"
    print(f"| {COMMANDS} processes of `touch` | median of {runs} | a process | over a bare spawn | limit | flowc : ninja | |")
    print("|---|--:|--:|--:|--:|--:|---|")
    held = True
    for shape in ("chain", "fan-out"):
        times = {"flowc": [], "ninja": [], "bare": [], "sync": []}
        for turn in range(runs):
            ours, theirs = folder / f"commands-{shape}-{turn}", folder / f"ninja-{shape}-{turn}"
            for place in (ours, theirs):
                place.mkdir()
            (ours / "work.flow").write_text(graphs.flow_commands(shape, COMMANDS))
            times["flowc"].append(seconds([FLOWC, "run", "-q", "work.flow"], ours)[0])
            if ninja:
                (theirs / "build.ninja").write_text(graphs.ninja(shape, COMMANDS))
                times["ninja"].append(seconds([ninja, "-j2", "--quiet"], theirs)[0])
            times["bare"].append(bare_seconds(folder))
            times["sync"].append(sync_seconds(folder))
        median = {name: statistics.median(values) for name, values in times.items() if values}
        limit = COMMAND_LIMIT + 2 * median["sync"]
        over = median["flowc"] / COMMANDS - median["bare"]
        # Two run at once in a fan-out: there it is what is left of the gain.
        fits = over <= limit
        held &= fits
        ratio = f"{median['flowc'] / median['ninja']:.2f}" if ninja else ""
        print(
            f"| flowc, {shape} | {median['flowc']:.2f} s | {median['flowc'] / COMMANDS * 1e3:.2f} ms | {over * 1e3:.2f} ms "
            f"| {limit * 1e3:.2f} ms | {ratio} | {verdict(fits)} |"
        )
        if ninja:
            over = median["ninja"] / COMMANDS - median["bare"]
            print(
                f"| ninja, {shape} | {median['ninja']:.2f} s | {median['ninja'] / COMMANDS * 1e3:.2f} ms "
                f"| {over * 1e3:.2f} ms | | | |"
            )
        print(f"| bare spawn | | {median['bare'] * 1e3:.2f} ms | | | | |")
    print()
    return held


def screen(folder, runs):
    """From an event to the screen of a terminal, and to a line on a pipe."""
    project = folder / "screen"
    project.mkdir()
    names = [f"step_{letter}" for letter in "abcdefghij"]
    lines = [f"    let {names[0]} = debug.sleep(0, time: 200ms)\n"]
    lines += [f"    let {n} = debug.sleep({i}, time: 200ms, after: {b})\n" for i, (b, n) in enumerate(zip(names, names[1:]), 1)]
    text = f"//! Slow.\n\nuse std.debug\n\nworkflow work() -> (last: Int) {{\n{''.join(lines)}    (last: {names[-1]})\n}}\n"
    (project / "work.flow").write_text(text)
    print(f"| from an event to what is seen | median | slowest | limit | |\n|---|--:|--:|--:|---|")
    held = True
    for name, see in (("a terminal", on_terminal), ("a line of --format json on a pipe", on_pipe)):
        delays = see(project, names)
        fits = max(delays) <= SCREEN_LIMIT
        held &= fits
        print(
            f"| {name} | {statistics.median(delays) * 1e3:.0f} ms | {max(delays) * 1e3:.0f} ms "
            f"| {SCREEN_LIMIT * 1e3:.0f} ms | {verdict(fits)} |"
        )
    print()
    return held


def on_terminal(project, names):
    shutil.rmtree(project / ".flow", ignore_errors=True)
    command = [str(FLOWC), "run", "work.flow", "--events", "events.jsonl"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(project)
        os.execv(command[0], command)
    # How many nodes have finished is what changes with each event of that kind.
    seen, shown = {}, b""
    while True:
        try:
            shown = shown[-64:] + os.read(terminal, 65536)
        except OSError:
            break
        for count in range(1, len(names)):
            if f" {count}/{len(names)} ".encode() in shown:
                seen.setdefault(count, time.time())
    os.waitpid(pid, 0)
    os.close(terminal)
    events = [json.loads(line) for line in open(project / "events.jsonl")]
    finished = [moment(event["time"]) for event in events if event["type"] == "flow.node.finished"]
    return [seen[count] - finished[count - 1] for count in range(1, len(names))]


def on_pipe(project, names):
    shutil.rmtree(project / ".flow", ignore_errors=True)
    command = [FLOWC, "run", "work.flow", "--format", "json"]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    seen, lines = {}, []
    for line in process.stdout:
        lines.append(line)
        seen[len(lines) - 1] = time.time()
    process.wait()
    delays = []
    for place, line in enumerate(lines):
        event = json.loads(line)
        if event["type"] == "flow.node.running":
            delays.append(seen[place] - moment(event["time"]))
    return delays


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# The others.


def compare(folder, runs, python, only):
    print("| engine | shape | nodes | whole process | memory | start | a node | : flowc's |\n|---|---|--:|--:|--:|--:|--:|--:|")
    ours = ("flowc", NODES, 10, graphs.SHAPES, False)
    peers = [ours] + [peer for peer in PEERS if not only or peer[0] in only]
    times, sizes = {}, {}
    for turn in range(runs):
        for name, nodes, few, shapes, is_slow in peers:
            if is_slow and turn >= SLOW_RUNS:
                continue
            for shape in shapes:
                for count in (nodes, few):
                    command, place = contestant(folder, python, name, shape, count)
                    taken, size = seconds(command, place)
                    times.setdefault((name, shape, count), []).append(taken)
                    sizes.setdefault((name, shape), []).append(size)
    cost = {}
    for name, nodes, few, shapes, is_slow in peers:
        for shape in shapes:
            many = statistics.median(times[name, shape, nodes])
            start = statistics.median(times[name, shape, few])
            cost[name, shape] = (many - start) / (nodes - few)
            ratio = cost[name, shape] / cost["flowc", shape]
            label = name + (f" (median of {SLOW_RUNS})" if is_slow else "")
            figures = f"{cost[name, shape] * 1e6:,.0f} µs | {'' if name == 'flowc' else f'{ratio:,.1f}'}"
            starts = times[name, shape, few]
            if many - start < max(starts) - min(starts):
                figures = "less than its start varies |"
            print(
                f"| {label} | {shape} | {nodes:,} | {many:.2f} s | {max(sizes[name, shape]) >> 20} MiB "
                f"| {start:.2f} s | {figures} |"
            )
    print()


def contestant(folder, python, name, shape, nodes):
    place = Path(tempfile.mkdtemp(dir=folder))
    if name == "flowc":
        (place / "work.flow").write_text(graphs.flow(shape, nodes))
        return [FLOWC, "run", "work.flow"], place
    return [python, HERE / "peers" / f"{name}.py", shape, str(nodes)], place


def peers_python():
    if python := os.environ.get("PEERS_PYTHON"):
        return python
    folder = TARGET / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    return python


# How it is measured. Each process has a folder of its own, and nothing is removed before the end: an ext4 without a
# journal looks through all inodes that were freed in the last seconds for each new one.


def flow_folder(folder, shape, nodes):
    project = folder / f"flow-{shape}"
    project.mkdir()
    (project / "work.flow").write_text(graphs.flow(shape, nodes))
    return project / "work.flow"


def seconds(command, folder):
    """Of a whole process, and its largest resident size."""
    return together_seconds([command], folder)


def together_seconds(commands, folder):
    """Of all of them from the first start to the last end, and the sum of their largest resident sizes."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        processes = [
            subprocess.Popen(list(map(str, command)), cwd=folder, stdout=subprocess.DEVNULL, stderr=said)
            for command in commands
        ]
        size, failed = 0, None
        for process in processes:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            size += used.ru_maxrss << 10
            failed = failed or process.returncode != 0 and process
        elapsed = time.perf_counter() - start
        if failed:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, failed.args))} failed:\n{said.read()[-4000:].decode(errors='replace')}")
    return elapsed, size


def bare_seconds(folder):
    """Of starting a process that does nothing and waiting for it, the mean of a hundred."""
    touch = shutil.which("touch")
    start = time.perf_counter()
    for _ in range(100):
        pid = os.posix_spawn(touch, ["touch", str(folder / "bare")], os.environ)
        os.waitpid(pid, 0)
    return (time.perf_counter() - start) / 100


def sync_seconds(folder):
    """Of a write that is made durable, the median of fifty."""
    times = []
    with open(folder / "synced", "wb", buffering=0) as file:
        for _ in range(50):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def verdict(fits):
    return "ok" if fits else "MISSED"


if __name__ == "__main__":
    main()
