"""Values as constants of a `flow-dag/1`, and as plain JSON."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
from pathlib import Path, PurePath
from typing import Any

from flowlang.errors import CallError

_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def decode(value: Any) -> Any:
    """A value of a call, as Python has it."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "float":
        return _special(content) if isinstance(content, str) else float(content)
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "date":
        return dt.date.fromisoformat(content)
    if kind == "time":
        return dt.datetime.fromisoformat(content.replace("Z", "+00:00"))
    if kind == "duration":
        return _duration(content)
    if kind == "file":
        return content if "://" in content else Path(content)
    if kind == "enum":
        return content[1]
    if kind == "record":
        return {name: decode(field) for name, field in content.items()}
    return content  # a size in bytes, a column's name


def encode(value: Any, name: str) -> Any:
    """A value that a function gave, as plain JSON; its type is flowc's to check."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        number = float(value)
        return number if math.isfinite(number) else ("nan" if math.isnan(number) else f"{number}")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, dt.datetime):
        utc = value.astimezone(dt.timezone.utc) if value.tzinfo else value
        return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return f"{value // dt.timedelta(microseconds=1)}us"
    if isinstance(value, PurePath):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: encode(getattr(value, field.name), name) for field in fields}
    if hasattr(value, "_asdict"):
        return encode(value._asdict(), name)
    if isinstance(value, dict):
        return {str(key): encode(item, name) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item, name) for item in value]
    if hasattr(value, "tolist"):  # scalars and arrays of numpy
        return encode(value.tolist(), name)
    raise CallError(f"output `{name}` is a value, and the function gave a `{type(value).__name__}`, which is none")


def _special(text: str) -> float:
    return float("nan") if text.startswith("nan") else float(text)


def _duration(text: str) -> dt.timedelta:
    count = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return dt.timedelta(microseconds=int(count) * _UNITS[text[len(count) :]])
