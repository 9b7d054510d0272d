"""Prefect with the server that it starts for itself, whose SQLite keeps each task's states. Tasks on two threads."""

import os
import sys
import tempfile
from pathlib import Path

os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="prefect-", dir=".")
os.environ["PREFECT_LOGGING_LEVEL"] = "CRITICAL"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from graphs import leaves, parents


@task
def noop(number):
    return number


@flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
def work(graph):
    futures = []
    for number, before in enumerate(graph):
        futures.append(noop.submit(number, wait_for=[futures[parent] for parent in before]))
    return [futures[number].result() for number in leaves(graph)]


if __name__ == "__main__":
    shape, nodes = sys.argv[1], int(sys.argv[2])
    graph = parents(shape, nodes)
    assert work(graph) == leaves(graph)
