"""Dask on two threads of this process: `python dask_threads.py SHAPE NODES`. Keeps nothing."""

import sys
from pathlib import Path

import dask.threaded
from dask._task_spec import Task, TaskRef

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from graphs import leaves, parents


def noop(number, *_):
    return number


shape, nodes = sys.argv[1], int(sys.argv[2])
graph = parents(shape, nodes)
tasks = {n: Task(n, noop, n, *map(TaskRef, before)) for n, before in enumerate(graph)}
last = leaves(graph)
assert list(dask.threaded.get(tasks, last, num_workers=2)) == last
