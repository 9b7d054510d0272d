"""Metaflow: each step is a process of its own, and leaves its results as files. `python metaflow_flow.py SHAPE NODES`.

The shape must stand in the class, so the flow is written to a file and run from there.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

shape, nodes = sys.argv[1], int(sys.argv[2])
steps = []
if shape == "chain":
    for number in range(1, nodes - 1):
        following = f"n{number + 1}" if number < nodes - 2 else "end"
        steps.append(f"    @step\n    def n{number}(self):\n        self.next(self.{following})\n")
    begin = "self.next(self.n1)" if nodes > 2 else "self.next(self.end)"
    end = "def end(self):\n        pass\n"
else:
    begin = f"self.numbers = list(range({max(1, nodes - 3)}))\n        self.next(self.leaf, foreach='numbers')"
    steps.append("    @step\n    def leaf(self):\n        self.next(self.join)\n")
    steps.append("    @step\n    def join(self, inputs):\n        self.next(self.end)\n")
    end = "def end(self):\n        pass\n"
Path("work_flow.py").write_text(
    "from metaflow import FlowSpec, step\n\n\nclass Work(FlowSpec):\n"
    f"    @step\n    def start(self):\n        {begin}\n\n{''.join(steps)}\n    @step\n    {end}\n\nif __name__ == '__main__':\n    Work()\n"
)
environment = {**os.environ, "METAFLOW_HOME": str(Path("home").resolve()), "METAFLOW_USER": "nobody", "METAFLOW_DEFAULT_METADATA": "local"}
command = [sys.executable, "work_flow.py", "--quiet", "run", "--max-workers", "2"]
sys.exit(subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode)
