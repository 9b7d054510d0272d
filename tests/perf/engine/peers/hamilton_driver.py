"""Hamilton's driver, in this thread. Keeps nothing; its cache is off."""

import inspect
import os
import sys
from pathlib import Path

os.environ["HAMILTON_TELEMETRY_ENABLED"] = "false"
from hamilton import ad_hoc_utils, driver

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from graphs import leaves, parents


def function(number, before):
    def node(**_):
        return number

    names = [f"n{parent}" for parent in before]
    node.__name__ = f"n{number}"
    node.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=int) for name in names],
        return_annotation=int,
    )
    node.__annotations__ = {**dict.fromkeys(names, int), "return": int}
    return node


shape, nodes = sys.argv[1], int(sys.argv[2])
graph = parents(shape, nodes)
sys.setrecursionlimit(20 * nodes + 1000)
functions = [function(number, before) for number, before in enumerate(graph)]
module = ad_hoc_utils.create_temporary_module(*functions, module_name="work")
last = leaves(graph)
result = driver.Builder().with_modules(module).build().execute([f"n{number}" for number in last])
assert [result[f"n{number}"] for number in last] == last
