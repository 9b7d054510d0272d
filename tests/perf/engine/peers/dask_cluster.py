"""Dask's distributed scheduler, with one worker of two threads in this process. Keeps nothing."""

import logging
import sys
from pathlib import Path

from dask._task_spec import Task, TaskRef
from distributed import Client, LocalCluster

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from graphs import leaves, parents


def noop(number, *_):
    return number


if __name__ == "__main__":
    shape, nodes = sys.argv[1], int(sys.argv[2])
    graph = parents(shape, nodes)
    last = leaves(graph)
    logging.disable(logging.CRITICAL)
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            tasks = {f"n{n}": Task(f"n{n}", noop, n, *(TaskRef(f"n{p}") for p in before)) for n, before in enumerate(graph)}
            assert list(client.get(tasks, [f"n{n}" for n in last])) == last
