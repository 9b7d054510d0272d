"""Unit tests of the package: `python -m unittest discover runtime/python/tests`."""

import datetime as dt
import importlib.util
import json
import math
import os
import pickle
import sys
import tempfile
import unittest
from collections import namedtuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import flowlang
from flowlang import calls, errors, tables, values

HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None
HAS_PANDAS = importlib.util.find_spec("pandas") is not None
HAS_POLARS = importlib.util.find_spec("polars") is not None


class Values(unittest.TestCase):
    def test_constants_of_a_dag(self):
        for constant, value in [
            (6, 6),
            ("a", "a"),
            (None, None),
            ({"float": 0.5}, 0.5),
            ({"float": "-inf"}, -math.inf),
            ({"bytes": "00ff"}, b"\x00\xff"),
            ({"date": "2026-11-20"}, dt.date(2026, 11, 20)),
            ({"time": "2026-11-20T09:30:00Z"}, dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.timezone.utc)),
            ({"duration": "-90s"}, dt.timedelta(seconds=-90)),
            ({"duration": "2min"}, dt.timedelta(minutes=2)),
            ({"file": "/data/a.csv"}, Path("/data/a.csv")),
            ({"file": "https://example.org/a.csv"}, "https://example.org/a.csv"),
            ({"enum": ["std.tree.Loss", "auto"]}, "auto"),
            ({"column": "minutes"}, "minutes"),
            ([1, {"record": {"a": {"size": 5}}}], [1, {"a": 5}]),
        ]:
            self.assertEqual(values.decode(constant), value)
        self.assertTrue(math.isnan(values.decode({"float": "nan"})))

    def test_what_a_function_gives(self):
        Point = namedtuple("Point", "x y")
        berlin = dt.timezone(dt.timedelta(hours=1))
        for value, text in [
            (True, True),
            (0.5, 0.5),
            (math.nan, "nan"),
            (-math.inf, "-inf"),
            (b"\x00\xff", "00ff"),
            (dt.date(2026, 11, 20), "2026-11-20"),
            (dt.datetime(2026, 11, 20, 10, 30, tzinfo=berlin), "2026-11-20T09:30:00.000000Z"),
            (dt.timedelta(seconds=1.5), "1500000us"),
            (Path("a/b"), "a/b"),
            (Point(1, None), {"x": 1, "y": None}),
            ((1, 2), [1, 2]),
        ]:
            self.assertEqual(values.encode(value, "x"), text)
        with self.assertRaisesRegex(errors.CallError, "output `x` is a value, and the function gave a `object`"):
            values.encode(object(), "x")

    @unittest.skipUnless(importlib.util.find_spec("numpy"), "numpy is not installed")
    def test_numbers_of_numpy(self):
        import numpy as np

        self.assertEqual(values.encode(np.float32(0.5), "x"), 0.5)
        self.assertEqual(values.encode(np.int64(7), "x"), 7)
        self.assertEqual(values.encode(np.array([[1.0, math.inf]]), "x"), [[1.0, "inf"]])
        self.assertEqual(values.encode({"a": np.bool_(True)}, "x"), {"a": True})


class Outputs(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())

    def output(self, name, kind="value", **more):
        suffix = {"value": ".json", "table": ".arrow"}.get(kind, "")
        path = str(self.folder / (name + suffix))
        return {"name": name, "kind": kind, "type": "Int", "optional": False, "path": path, **more}

    def written(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def test_one_is_what_the_function_returns(self):
        calls.save(7, [self.output("value")])
        self.assertEqual(self.written("value"), 7)
        calls.save({"loss": 1}, [self.output("loss")])
        self.assertEqual(self.written("loss"), 1)
        calls.save(None, [self.output("value", type="Nothing")])
        calls.save(None, [self.output("none", optional=True)])
        self.assertFalse((self.folder / "none.json").exists())

    def test_several_go_by_name_or_by_order(self):
        Both = namedtuple("Both", "b a")
        for result in [{"b": 2, "a": 1}, (1, 2), [1, 2], Both(2, 1)]:
            calls.save(result, [self.output("a"), self.output("b")])
            self.assertEqual((self.written("a"), self.written("b")), (1, 2))
        for result, message in [
            ({"a": 1}, "has the outputs `a`, `b`, and the function gave `a`"),
            ((1, 2, 3), "and the function gave 3 values"),
            (7, "and the function gave a `int`"),
        ]:
            with self.assertRaisesRegex(errors.CallError, message):
                calls.save(result, [self.output("a"), self.output("b")])

    def test_models_are_pickled_and_bytes_are_themselves(self):
        path = self.folder / "model"
        calls.save({"weights": [1]}, [self.output("model", "blob")])
        loaded = calls.load({"blob": str(path), "format": "opaque/x/pickle"}, None)
        self.assertEqual(loaded, {"weights": [1]})
        self.assertEqual(calls.load({"blob": str(path), "format": "opaque/x/pickle"}, Path), path)
        calls.save(b"abc", [self.output("raw", "blob")])
        raw = self.folder / "raw"
        self.assertEqual(calls.load({"blob": str(raw), "format": "opaque/x/bytes"}, None), b"abc")
        self.assertFalse(raw.with_suffix(".format").exists())
        calls.save(raw, [self.output("file", "blob")])
        self.assertEqual((self.folder / "file").read_bytes(), b"abc")
        with self.assertRaisesRegex(errors.CallError, "cannot be pickled"):
            calls.save(lambda: 0, [self.output("model", "blob")])

    def test_lists_are_folders(self):
        (self.folder / "models").mkdir()
        calls.save([b"a", b"b"], [self.output("models", "list", of="blob")])
        self.assertEqual((self.folder / "models" / "1").read_bytes(), b"b")


@unittest.skipUnless(HAS_PYARROW, "pyarrow is not installed")
class Tables(unittest.TestCase):
    def setUp(self):
        self.path = Path(tempfile.mkdtemp()) / "table.arrow"

    def test_annotations_choose_the_library(self):
        self.assertEqual(tables.library("pl.DataFrame"), "polars")
        self.assertEqual(tables.library("polars.LazyFrame"), "polars-lazy")
        self.assertEqual(tables.library("pd.DataFrame"), "pandas")
        self.assertEqual(tables.library(None), "pandas" if HAS_PANDAS else "pyarrow")

    def test_arrow_both_ways(self):
        import pyarrow as pa

        for value in [pa.table({"a": [1, None]}), {"a": [1, None]}, [{"a": 1}, {"a": None}]]:
            tables.save(value, self.path, "x")
            self.assertEqual(tables.load(str(self.path), pa.Table).to_pydict(), {"a": [1, None]})
        with self.assertRaisesRegex(errors.CallError, "output `x` is a Dataset, and the function gave a `str`"):
            tables.save("no table", self.path, "x")
        with self.assertRaisesRegex(errors.CallError, "output `x` cannot be made a table: "):
            tables.save({"a": [1, "b"]}, self.path, "x")

    def told(self, value):
        columns = [
            {"name": "title", "type": "Text", "arrow": "string", "personal": False},
            {"name": "minutes", "type": "Float?", "arrow": "double", "personal": False},
            {"name": "tags", "type": "[Text]", "arrow": None, "personal": False},
            {"name": "age", "type": "Pii<Int>", "arrow": "int64", "personal": True},
        ]
        with self.assertRaises(errors.CallError) as raised:
            tables.save(value, self.path, "rides", columns)
        return str(raised.exception)

    def test_the_first_cell_that_does_not_fit_is_named(self):
        rows = {"title": ["a", "b", None, "d", "e"], "minutes": [1.0, None, math.nan, "long", "longer"], "age": [1] * 5}
        told = "output `rides`: row 4 of column `minutes` holds the str `long`, which is no Float?"
        self.assertEqual(self.told(rows), told)
        self.assertEqual(self.told([dict(zip(rows, row)) for row in zip(*rows.values())]), told)
        # Not the second row, which differs from the first.
        first = self.told({"minutes": ["long", 1.0]})
        self.assertEqual(first, "output `rides`: row 1 of column `minutes` holds the str `long`, which is no Float?")
        long = self.told({"title": ["a", "b", b"c" * 200, 1]})
        self.assertRegex(long, "^output `rides`: row 4 of column `title` holds the int `1`, which is no Text$")

    def test_personal_data_is_not_told(self):
        told = self.told({"minutes": [1.0, 2.0], "age": [41, "forty-two"]})
        self.assertEqual(
            told, "output `rides`: row 2 of column `age` holds what is no Pii<Int>; it is personal data, and not shown"
        )
        # Nor where nobody knows which column it is.
        self.assertNotIn("forty", self.told({"other": [41, "forty-two"]}))

    @unittest.skipUnless(HAS_PANDAS, "pandas is not installed")
    def test_of_pandas_too(self):
        import pandas as pd

        for index in [None, [9, 9, 9, 9]]:
            frame = pd.DataFrame({"minutes": [1.0, pd.NA, 3.0, "long"], "age": 1}, index=index)
            told = "output `rides`: row 4 of column `minutes` holds the str `long`, which is no Float?"
            self.assertEqual(self.told(frame), told)

    @unittest.skipUnless(HAS_POLARS, "polars is not installed")
    def test_of_polars_too(self):
        import polars as pl

        frame = pl.DataFrame({"minutes": pl.Series([1.0, "long"], dtype=pl.Object)})
        told = "output `rides`: row 2 of column `minutes` holds the str `long`, which is no Float?"
        self.assertEqual(self.told(frame), told)

    @unittest.skipUnless(HAS_PANDAS, "pandas is not installed")
    def test_pandas_both_ways(self):
        import pandas as pd

        frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[5, 6])
        tables.save(frame, self.path, "x")
        loaded = tables.load(str(self.path), pd.DataFrame)
        self.assertEqual(list(loaded.columns), ["a", "b"])
        self.assertEqual(loaded["a"].tolist(), [1, 2])
        self.assertTrue(loaded["b"].isna().tolist()[1])

    @unittest.skipUnless(HAS_POLARS, "polars is not installed")
    def test_polars_both_ways(self):
        import polars as pl

        frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
        for value in [frame, frame.lazy()]:
            tables.save(value, self.path, "x")
            self.assertEqual(tables.load(str(self.path), pl.DataFrame).to_dict(as_series=False), frame.to_dict(as_series=False))
        self.assertIsInstance(tables.load(str(self.path), pl.LazyFrame), pl.LazyFrame)


class Functions(unittest.TestCase):
    def test_names_and_parameters(self):
        self.assertIs(calls.find("json:dumps"), json.dumps)
        self.assertEqual(calls.find("pathlib:Path.home"), Path.home)
        with self.assertRaisesRegex(errors.CallError, "has no `dump_all`"):
            calls.find("json:dump_all")
        with self.assertRaisesRegex(errors.CallError, "cannot be called"):
            calls.find("os:sep")
        with self.assertRaisesRegex(errors.CallError, "is called with `a`, and is written as \\(b\\)"):
            calls._check_parameters(lambda b: b, "m:f", {"a": 1})

    def test_outside_of_a_workflow(self):
        self.assertNotIn("FLOW_CALL", os.environ)
        self.assertEqual(flowlang.attempt(), 1)
        self.assertGreaterEqual(flowlang.cores(), 1)
        self.assertIsNone(flowlang.memory())
        self.assertTrue(flowlang.checkpoint().is_dir())
        self.assertEqual(flowlang.checkpoint(), flowlang.checkpoint())
        self.assertEqual(pickle.loads(pickle.dumps(1)), 1)


if __name__ == "__main__":
    unittest.main()
