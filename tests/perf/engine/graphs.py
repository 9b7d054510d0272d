"""The graphs that everybody runs: a name of each shape, and for each node the nodes that it waits for.

A node that does nothing gives its number on. `python graphs.py SHAPE NODES` prints the graph as a `.flow` file.
"""

import sys

SHAPES = ("fan-out", "chain", "layers")
LAYERS = 100


def parents(shape, nodes):
    """For each node the numbers of those it waits for, all of them smaller than its own."""
    if shape == "fan-out":
        return [[]] + [[0] for _ in range(1, nodes)]
    if shape == "chain":
        return [[]] + [[number - 1] for number in range(1, nodes)]
    width = max(1, nodes // min(LAYERS, nodes))
    graph = []
    for number in range(nodes):
        layer, place = divmod(number, width)
        before = (layer - 1) * width
        graph.append(sorted({before + place, before + place * 7 % width}) if layer else [])
    return graph


def leaves(graph):
    """The nodes that nobody waits for."""
    waited_for = {parent for parents_ in graph for parent in parents_}
    return [number for number in range(len(graph)) if number not in waited_for]


def flow(shape, nodes, first=0):
    """As a workflow of `debug.noop`. Each node has a value of its own, from `first` on: none is the cache's."""
    head = f"//! {nodes} nodes that do nothing.\n\nuse std.debug\n\n"
    if shape == "fan-out":
        return head + (
            "workflow work() -> (leaves: List<Int>) {\n"
            f"    let root = debug.noop({first})\n"
            f"    let leaves = for number in {first + 1}..{first + nodes} {{ debug.noop(number, after: root) }}\n"
            "    (leaves)\n}\n"
        )
    if shape == "chain":
        links = [f"    let n0 = debug.noop({first})\n"]
        links += [f"    let n{n} = debug.noop({first + n}, after: n{n - 1})\n" for n in range(1, nodes)]
        return head + f"workflow work() -> (last: Int) {{\n{''.join(links)}    (last: n{nodes - 1})\n}}\n"
    width = max(1, nodes // min(LAYERS, nodes))
    layers = [f"    let l0 = for n in 0..{width} {{ debug.noop({first} + n) }}\n"]
    for layer in range(1, nodes // width):
        before, start = f"l{layer - 1}", first + layer * width
        after = f"(a: {before}[n], b: {before}[n * 7 % {width}])"
        layers.append(f"    let l{layer} = for n in 0..{width} {{ debug.noop({start} + n, after: {after}) }}\n")
    return head + f"workflow work() -> (last: List<Int>) {{\n{''.join(layers)}    (last: l{nodes // width - 1})\n}}\n"


def flow_commands(shape, nodes):
    """As a workflow of commands that do nothing but make their output, each in a process of its own."""
    graph = parents(shape, nodes)
    lines = []
    for number, before in enumerate(graph):
        after = ", ".join(f"a{parent}: n{parent}" for parent in before)
        after = f", after: ({after})" if after else ""
        lines.append(f"    let n{number} = nothing({number}{after})\n")
    done = ", ".join(f"n{number}" for number in leaves(graph))
    return (
        f"//! {nodes} processes that do nothing.\n\n"
        'operator nothing(number: Int) -> File = command ["touch", out.value]\n\n'
        f"workflow work() -> (done: List<File>) {{\n{''.join(lines)}    (done: [{done}])\n}}\n"
    )


def ninja(shape, nodes):
    """As a file for ninja, whose edges are processes that do nothing but make their output."""
    text = ["rule nothing\n  command = touch $out\n"]
    for number, before in enumerate(parents(shape, nodes)):
        text.append(f"build n{number}: nothing {' '.join(f'n{parent}' for parent in before)}\n")
    return "".join(text)


if __name__ == "__main__":
    print(flow(sys.argv[1], int(sys.argv[2])), end="")
