"""Luigi with its local scheduler, working in the calling process; each task leaves an empty file, not synced."""

import logging
import sys
import tempfile
from pathlib import Path

import luigi

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from graphs import leaves, parents

shape, nodes = sys.argv[1], int(sys.argv[2])
GRAPH = parents(shape, nodes)
FOLDER = tempfile.mkdtemp(prefix="luigi-", dir=".")


class Node(luigi.Task):
    number = luigi.IntParameter()

    def requires(self):
        return [Node(number=parent) for parent in GRAPH[self.number]]

    def output(self):
        return luigi.LocalTarget(f"{FOLDER}/{self.number}")

    def run(self):
        self.output().open("w").close()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    tasks = [Node(number=number) for number in leaves(GRAPH)]
    assert luigi.build(tasks, local_scheduler=True, workers=1, no_lock=True)
