"""One call: inputs as the function wants them, the function, and outputs as the operator promised them."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pickle
import re
import shutil
import typing
from pathlib import Path, PurePath
from typing import Any, Callable, Dict, List

from flowlang import tables
from flowlang.errors import CallError
from flowlang.values import decode, encode


def run(call: Dict[str, Any]) -> None:
    """Calls the function that ``call`` names, and writes what it gives."""
    function = find(call["function"])
    hints = _hints(function)
    inputs = {name: load(item, hints.get(name)) for name, item in call["inputs"].items()}
    _check_parameters(function, call["function"], inputs)
    result = function(**inputs)
    if inspect.iscoroutine(result):
        import asyncio

        result = asyncio.run(result)
    save(result, call["outputs"])


def find(name: str) -> Callable[..., Any]:
    """``module:function``, where the function may be an attribute of a class."""
    module_name, _, path = name.partition(":")
    found: Any = importlib.import_module(module_name)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise CallError(f"Python's module `{module_name}` ({_file(found)}) has no `{path}`") from None
    if not callable(found):
        raise CallError(f"`{name}` is a `{type(found).__name__}`, which cannot be called")
    return found  # type: ignore[no-any-return]


def load(item: Dict[str, Any], annotation: Any) -> Any:
    """An input, as its annotation asks for it."""
    if "value" in item:
        value = decode(item["value"])
        return str(value) if annotation in (str, "str") and isinstance(value, PurePath) else value
    if "table" in item:
        return tables.load(item["table"], annotation)
    if "list" in item:
        (element, *_) = typing.get_args(annotation) or (None,)
        return [load(of, element) for of in item["list"]]
    if "record" in item:
        return {name: load(of, None) for name, of in item["record"].items()}
    return _load_blob(Path(item["blob"]), item["format"], annotation)


def save(result: Any, outputs: List[Dict[str, Any]]) -> None:
    """Writes what a function gave, output by output."""
    outputs = [output for output in outputs if output["type"] != "Nothing"]
    for output, value in zip(outputs, _by_output(result, outputs)):
        if value is None and output["optional"]:
            continue
        _save_one(value, output, output["kind"], Path(output["path"]), output["name"])


def _by_output(result: Any, outputs: List[Dict[str, Any]]) -> List[Any]:
    names = [output["name"] for output in outputs]
    if not outputs:
        return []
    if hasattr(result, "_asdict"):
        result = result._asdict()
    is_by_name = isinstance(result, dict) and set(result) == set(names)
    if len(outputs) == 1:
        only_name = names[0] != "value" and is_by_name and outputs[0]["kind"] != "table"
        return [result[names[0]] if only_name else result]
    wanted = ", ".join(f"`{name}`" for name in names)
    if is_by_name:
        return [result[name] for name in names]
    if isinstance(result, dict):
        given = ", ".join(f"`{name}`" for name in result)
        raise CallError(f"the operator has the outputs {wanted}, and the function gave {given}")
    if isinstance(result, (tuple, list)) and len(result) == len(outputs):
        return list(result)
    given = f"{len(result)} values" if isinstance(result, (tuple, list)) else f"a `{type(result).__name__}`"
    raise CallError(
        f"the operator has the outputs {wanted}, and the function gave {given}",
        "return a dict by their names, or a tuple in their order",
    )


def _save_one(value: Any, output: Dict[str, Any], kind: str, path: Path, name: str) -> None:
    if value is None and kind != "value":
        raise CallError(f"the function gave nothing for output `{name}`")
    if kind == "table":
        tables.save(value, path, name, output.get("columns", ()))
    elif kind == "blob":
        _save_blob(value, path, name)
    elif kind == "list":
        of = output["of"]
        suffix = ".arrow" if of == "table" else ""
        for index, item in enumerate(value):
            _save_one(item, output, of, path / f"{index}{suffix}", f"{name}[{index}]")
    elif kind == "file":
        source = Path(os.fspath(value))
        if not source.is_file():
            raise CallError(f"output `{name}` is a File, and there is no file `{source}`")
        if source != path:
            shutil.copyfile(source, path.with_name(path.name + _suffix(source)))
    else:
        path.write_text(json.dumps(encode(value, name), ensure_ascii=False), encoding="utf-8")


def _suffix(path: Path) -> str:
    """``.csv``, ``.tar.gz``: what the file's readers tell it by; nothing where that is no plain word."""
    suffixes = path.suffixes[-2:]
    if len(suffixes) == 2 and suffixes[1] not in (".gz", ".bz2", ".xz", ".zst"):
        suffixes = suffixes[1:]
    suffix = "".join(suffixes)
    return suffix if re.fullmatch(r"[A-Za-z0-9._+-]{2,40}", suffix) else ""


def _load_blob(path: Path, format: str, annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, PurePath):
        return path
    if format.endswith("/pickle") and annotation is not bytes:
        with path.open("rb") as file:
            return pickle.load(file)
    return path.read_bytes()


def _save_blob(value: Any, path: Path, name: str) -> None:
    if isinstance(value, (bytes, bytearray, memoryview)):
        path.write_bytes(value)
        return
    if isinstance(value, PurePath):
        if not Path(value).is_file():
            raise CallError(f"output `{name}`: there is no file `{value}`")
        shutil.copyfile(value, path)
        return
    try:
        with path.open("wb") as file:
            pickle.dump(value, file, protocol=5)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise CallError(
            f"output `{name}`: a `{type(value).__name__}` cannot be pickled: {error}",
            "give its bytes, or the pathlib.Path of a file that it was saved to",
        ) from error
    path.with_suffix(".format").write_text("pickle", encoding="utf-8")


def _check_parameters(function: Callable[..., Any], name: str, inputs: Dict[str, Any]) -> None:
    """A mistake in the names is the workflow's and the function's together: it is told before the call."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of some functions written in C nobody knows
        return
    try:
        signature.bind(**inputs)
    except TypeError as error:
        given = ", ".join(f"`{name}`" for name in inputs)
        raise CallError(
            f"`{name}` is called with {given or 'nothing'}, and is written as {signature}: {error}",
            "parameters of the function are named as those of the operator",
        ) from None


def _hints(function: Callable[..., Any]) -> Dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # a name that only type checkers import: its text says enough
        return dict(getattr(function, "__annotations__", {}))


def _file(module: Any) -> str:
    return str(getattr(module, "__file__", None) or "built in")
