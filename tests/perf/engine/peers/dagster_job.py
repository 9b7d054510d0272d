"""Dagster in this process, with an instance whose SQLite keeps each op's events, and its outputs as files."""

import logging
import os
import sys
import tempfile
from pathlib import Path

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
os.environ["DAGSTER_HOME"] = str(Path(tempfile.mkdtemp(prefix="dagster-", dir=".")).resolve())
Path(os.environ["DAGSTER_HOME"], "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
from dagster import DagsterInstance, DependencyDefinition, GraphDefinition, In, MultiDependencyDefinition, Nothing, op
from dagster import fs_io_manager

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from graphs import parents


def noop(number):
    @op(name=f"n{number}", ins={"before": In(Nothing)})
    def node():
        return number

    return node


if __name__ == "__main__":
    shape, nodes = sys.argv[1], int(sys.argv[2])
    logging.disable(logging.CRITICAL)
    graph = parents(shape, nodes)
    dependencies = {
        f"n{number}": {"before": MultiDependencyDefinition([DependencyDefinition(f"n{parent}") for parent in before])}
        for number, before in enumerate(graph)
    }
    work = GraphDefinition(name="work", node_defs=[noop(number) for number in range(nodes)], dependencies=dependencies)
    job = work.to_job(resource_defs={"io_manager": fs_io_manager})
    with DagsterInstance.get() as instance:
        assert job.execute_in_process(instance=instance, raise_on_error=True).success
