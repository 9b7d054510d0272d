"""Tables: Arrow files as data frames, and back."""

from __future__ import annotations

import importlib.util
import typing
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

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


def save(value: Any, path: Path, name: str, columns: Sequence[Dict[str, Any]] = ()) -> None:
    """Writes a table that a function gave; ``columns`` are those of its type."""
    module = type(value).__module__.split(".")[0]
    if module == "polars":
        import polars

        if isinstance(value, polars.LazyFrame):
            value = value.collect()
        if isinstance(value, polars.Series):
            value = value.to_frame()
        if isinstance(value, polars.DataFrame):
            try:
                value.write_ipc(path, compression="uncompressed", compat_level=polars.CompatLevel.oldest())
            except polars.exceptions.PolarsError as error:
                raise _misfit(value, name, columns, str(error)) from error
            return
    table = _as_arrow(value, module, name, columns)
    if table is None:
        kind = type(value).__name__
        raise CallError(
            f"output `{name}` is a Dataset, and the function gave a `{kind}`",
            "give a data frame of pandas or polars, a pyarrow.Table, or a dict of columns",
        )
    pyarrow = _pyarrow()
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _as_arrow(value: Any, module: str, name: str, columns: Sequence[Dict[str, Any]]) -> Optional[Any]:
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
        raise _misfit(value, name, columns, " ".join(text.split())) from error
    return None


def _misfit(value: Any, name: str, columns: Sequence[Dict[str, Any]], reason: str) -> CallError:
    """What to say of a value of which no table can be made: its first cell that does not fit, where there is one."""
    for column in columns:
        cells = _cells(value, column["name"])
        row = None if cells is None or column["arrow"] is None else _first_misfit(cells, column["arrow"])
        if cells is None or row is None:
            continue
        place = f"output `{name}`: row {row + 1} of column `{column['name']}`"
        if column["personal"]:
            return CallError(f"{place} holds what is no {column['type']}; it is personal data, and not shown")
        cell, kind = str(cells[row]), type(cells[row]).__name__
        cell = cell if len(cell) <= 60 else cell[:60] + "…"
        return CallError(f"{place} holds the {kind} `{cell}`, which is no {column['type']}")
    # The library's words may quote a cell.
    if any(column["personal"] for column in columns):
        return CallError(f"output `{name}` cannot be made a table; what does not fit may be personal data, and is not shown")
    return CallError(f"output `{name}` cannot be made a table: {reason}")


def _cells(value: Any, column: str) -> Optional[Sequence[Any]]:
    """The cells of one column, none where there is no such column."""
    if isinstance(value, list):
        return [row.get(column) for row in value]
    try:
        found = value[column]
        return found.tolist() if hasattr(found, "tolist") else list(found)
    except Exception:  # not there, twice there, or no column at all: then that is what is wrong
        return None


def _first_misfit(cells: Sequence[Any], arrow: str) -> Optional[int]:
    """Where the first cell stands that is no value of a type; found by halves, since each try takes its time."""
    pyarrow = _pyarrow()
    ty = pyarrow.type_for_alias(arrow)

    def fits(part: Sequence[Any]) -> bool:
        try:
            pyarrow.array(part, type=ty, from_pandas=True)
        except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
            return False
        return True

    if fits(cells):
        return None
    start, end = 0, len(cells)
    while end - start > 1:
        middle = (start + end) // 2
        if fits(cells[start:middle]):
            start = middle
        else:
            end = middle
    return start


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
    except ModuleNotFoundError as error:
        raise CallError(
            "Python has no module `pyarrow`, by which tables come and go", f"`{install('pyarrow')}` installs it"
        ) from error
    return pyarrow
