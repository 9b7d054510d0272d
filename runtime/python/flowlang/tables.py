"""Tables: Arrow files as data frames, and back."""

from __future__ import annotations

import importlib.util
import typing
from pathlib import Path
from typing import Any, Optional

from flowlang.errors import CallError, install

_LIBRARIES = {"pyarrow": "pyarrow", "pa": "pyarrow", "pandas": "pandas", "pd": "pandas", "polars": "polars", "pl": "polars"}


def library(annotation: Any) -> str:
    """The library whose table an annotation asks for."""
    for part in typing.get_args(annotation) or (annotation,):
        if isinstance(part, str):
            name = part.strip("\"' ").split(".")[0]
        else:
            name = str(getattr(part, "__module__", "")).split(".")[0]
        if name in _LIBRARIES:
            wanted = _LIBRARIES[name]
            if wanted == "polars" and "LazyFrame" in str(part):
                return "polars-lazy"
            return wanted
    return "pandas" if importlib.util.find_spec("pandas") and importlib.util.find_spec("pyarrow") else "pyarrow"


def load(path: str, annotation: Any) -> Any:
    """Reads a table as what the annotation asks for."""
    wanted = library(annotation)
    if wanted.startswith("polars"):
        import polars

        return polars.scan_ipc(path) if wanted == "polars-lazy" else polars.read_ipc(path)
    pyarrow = _pyarrow()
    with pyarrow.memory_map(path) as source:
        table = pyarrow.ipc.open_file(source).read_all()
    if wanted == "pandas":
        import pandas  # noqa: F401  (missing: said as such)

        return table.to_pandas()
    return table


def save(value: Any, path: Path, name: str) -> None:
    """Writes a table that a function gave."""
    module = type(value).__module__.split(".")[0]
    if module == "polars":
        import polars

        if isinstance(value, polars.LazyFrame):
            value = value.collect()
        if isinstance(value, polars.Series):
            value = value.to_frame()
        if isinstance(value, polars.DataFrame):
            value.write_ipc(path, compression="uncompressed", compat_level=polars.CompatLevel.oldest())
            return
    table = _as_arrow(value, module, name)
    if table is None:
        kind = type(value).__name__
        raise CallError(
            f"output `{name}` is a Dataset, and the function gave a `{kind}`",
            "give a data frame of pandas or polars, a pyarrow.Table, or a dict of columns",
        )
    pyarrow = _pyarrow()
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _as_arrow(value: Any, module: str, name: str) -> Optional[Any]:
    pyarrow = _pyarrow()
    try:
        if module == "pandas":
            import pandas

            if isinstance(value, pandas.Series):
                value = value.to_frame()
            if isinstance(value, pandas.DataFrame):
                return pyarrow.Table.from_pandas(value, preserve_index=False).replace_schema_metadata()
        if isinstance(value, pyarrow.Table):
            return value
        if isinstance(value, pyarrow.RecordBatch):
            return pyarrow.Table.from_batches([value])
        if isinstance(value, dict):
            return pyarrow.table(value)
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            return pyarrow.Table.from_pylist(value)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        text = " ".join(str(part) for part in error.args) or str(error)
        raise CallError(f"output `{name}` cannot be made a table: {' '.join(text.split())}") from error
    return None


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
    except ModuleNotFoundError as error:
        raise CallError(
            "Python has no module `pyarrow`, by which tables come and go", f"`{install('pyarrow')}` installs it"
        ) from error
    return pyarrow
