#!/usr/bin/env python3
"""Writes a project whose tests plan workflows of some thirty nodes each: 20 modules with 10 tests.

    python3 tests/perf/many_tests.py FOLDER && flowc test FOLDER
"""

import sys
from pathlib import Path

MODULE = """\
use std.metrics
use std.tree

schema Ride{m} {{ distance: Float, minutes: Float, city: Category, tipped: Label<Bool> }}

fn speed(distance: Float, minutes: Float) -> Float {{ distance / minutes * 60.0 }}

workflow tips{m}(
    rides: Dataset<Ride{m}>,
    depths: List<Int in 1..=16> = [2, 4, 6, 8],
    seeds: List<Int> = [1, 2, 3],
) -> (reports: List<ClassificationReport>) {{
    let clean = rides.where(.distance > {m}.0).derive(speed: speed(.distance, .minutes))
    let reports = for seed in seeds {{
        let (train, test) = clean.split(80%, seed: seed)
        for depth in depths {{
            let model = tree.gbdt(train, depth: depth) with (memory: 1GiB, timeout: 10min)
            metrics.classification(model, test)
        }}
    }}
    (reports: concat(reports))
}}
"""

TEST = """
test "module {m}: {n} trees are grown on training rows" {{
    let dag = plan(tips{m}(depths: [{depths}]))
    assert dag.count("std.tree.gbdt") == {trees} and dag.depth == 6
    for seed in 0..3 {{
        for depth in 0..{n} {{
            let model = "reports[{{seed}}].for[{{depth}}].model"
            assert not dag.feeds("reports[{{seed}}].split.test", model)
            assert dag.node(model).policy.timeout == 10min
        }}
    }}
    assert dag.matches("golden/tips{m}-{n}.dag")
}}
"""


def write(folder, modules=20, tests=10):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flow.toml").write_text('name = "many"\n')
    for m in range(modules):
        text = MODULE.format(m=m)
        for n in range(1, tests + 1):
            depths = ", ".join(str(depth) for depth in range(1, n + 1))
            text += TEST.format(m=m, n=n, trees=3 * n, depths=depths)
        (folder / f"tips{m}.flow").write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
