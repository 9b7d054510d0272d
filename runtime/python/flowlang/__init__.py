"""What a function that is an operator of Flow may ask of, and tell, the workflow that runs it.

Everything here works outside of a workflow too, so that a function can be tested by itself: what would be told goes to
stderr, and the checkpoint is a temporary folder.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Dict, Optional

__all__ = ["attempt", "checkpoint", "cores", "log", "memory", "metric", "progress"]
__version__ = "0.1.0"

_lock = threading.Lock()
_call: Optional[Dict[str, Any]] = None
_checkpoint: Optional[Path] = None


def progress(done: int, total: int) -> None:
    """Say that ``done`` of ``total`` steps are done."""
    _tell({"progress": [max(int(done), 0), max(int(total), 0)]})


def metric(name: str, value: float) -> None:
    """Tell a number, such as a loss: it is seen at once, and the last one of a name stays with the node."""
    number = float(value)
    if math.isfinite(number):
        _tell({"metric": [str(name), number]})
    else:
        log(f"{name} is {number}")


def log(text: object) -> None:
    """Add a line to the node's log."""
    _tell({"log": str(text)})


def checkpoint() -> Path:
    """The folder in which later attempts of this node find what this one has left.

    Write a file under another name first and rename it with ``os.replace``: the process may end at any moment.
    The folder goes when the node has finished.
    """
    global _checkpoint
    if _checkpoint is None:
        path = _own_call().get("checkpoint")
        _checkpoint = Path(path) if path else Path(tempfile.mkdtemp(prefix="flow-checkpoint-"))
        _checkpoint.mkdir(parents=True, exist_ok=True)
    return _checkpoint


def attempt() -> int:
    """Which attempt of the node this is; 1 is the first."""
    return int(_own_call().get("attempt", 1))


def cores() -> int:
    """How many cores the function may keep busy."""
    return int(_own_call().get("cores") or os.cpu_count() or 1)


def memory() -> Optional[int]:
    """How many bytes of memory the process and its children may use; it is stopped when they use more."""
    limit = _own_call().get("memory")
    return None if limit is None else int(limit)


def _own_call() -> Dict[str, Any]:
    """What this process was called with; nothing outside of a workflow."""
    global _call
    if _call is None:
        path = os.environ.get("FLOW_CALL")
        _call = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    return _call


def _tell(message: Dict[str, Any]) -> None:
    line = json.dumps(message, ensure_ascii=False)
    descriptor = _own_call().get("messages")
    if descriptor is None:
        print(f"flowlang: {line}", file=sys.stderr)
        return
    data = line.encode("utf-8", "replace") + b"\n"
    with _lock:
        try:
            while data:
                data = data[os.write(int(descriptor), data) :]
        except OSError:
            # Closed by the function, or nobody listens any more: no reason to lose the work.
            pass
