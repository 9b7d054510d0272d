"""What a person reads when a function fails."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional

# Where the name of the package is not that of the module.
_PACKAGES = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


class CallError(Exception):
    """A mistake between the workflow and the function: its message stands alone."""

    def __init__(self, message: str, help: Optional[str] = None) -> None:
        super().__init__(message)
        self.help = help


def install(module: str) -> str:
    """The command that installs a module for this interpreter."""
    top = module.split(".")[0]
    package = _PACKAGES.get(top, top)
    if importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return f"uv pip install --python {sys.executable} {package}"
    return f"{sys.executable} -m pip install {package}"


def report(error: BaseException, call: Dict[str, Any]) -> None:
    """Writes `error.json` for flowc, and the traceback to stderr."""
    frames = _own_frames(error)
    help: Optional[str] = None
    if isinstance(error, CallError):
        message, help = str(error), error.help
    elif isinstance(error, ModuleNotFoundError) and error.name:
        message = f"Python ({sys.executable}) has no module `{error.name}`{_place(frames)}"
        help = f"`{install(error.name)}` installs it"
    elif isinstance(error, SystemExit):
        message = f"the function ended the process with exit code {error.code}, and gave nothing{_place(frames)}"
    elif isinstance(error, MemoryError):
        message = f"there was no memory left{_place(frames)}"
    else:
        text = " ".join(str(error).split())
        name = type(error).__name__
        message = f"{name}: {text}{_place(frames)}" if text else f"{name}{_place(frames)}"
    if not isinstance(error, CallError):
        _print(error, frames)
    told = json.dumps({"message": _shortened(message), "help": help})
    try:
        (Path(call["folder"]) / "error.json").write_text(told, encoding="utf-8")
    except OSError as problem:
        print(f"{message}\nthis could not be written down: {problem}", file=sys.stderr)


def _own_frames(error: BaseException) -> List[traceback.FrameSummary]:
    """The frames of the user's, without those of this package and of the import machinery."""
    here = os.path.dirname(os.path.abspath(__file__))
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if not os.path.abspath(frame.filename).startswith(here)
        and not frame.filename.startswith("<frozen")
        and os.path.basename(os.path.dirname(frame.filename)) != "importlib"
    ]
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        own.append(traceback.FrameSummary(error.filename, error.lineno, "<module>", lookup_line=False))
    return own


def _place(frames: List[traceback.FrameSummary]) -> str:
    """The innermost frame that is no installed package's."""
    for frame in reversed(frames):
        if "site-packages" not in frame.filename and "dist-packages" not in frame.filename:
            name = os.path.basename(frame.filename)
            function = f" in `{frame.name}`" if frame.name.isidentifier() else ""
            return f" ({name}, line {frame.lineno}{function})"
    return ""


def _print(error: BaseException, frames: List[traceback.FrameSummary]) -> None:
    causes = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if causes is not None:
        traceback.print_exception(type(causes), causes, causes.__traceback__)
        print("\nwhich led to:\n", file=sys.stderr)
    print("Traceback (most recent call last):", file=sys.stderr)
    sys.stderr.writelines(traceback.format_list(frames))
    sys.stderr.writelines(traceback.format_exception_only(type(error), error))
    sys.stderr.flush()


def _shortened(text: str) -> str:
    return text if len(text) <= 1000 else text[:1000] + "…"
