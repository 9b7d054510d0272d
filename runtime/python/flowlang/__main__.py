"""Runs the function that `$FLOW_CALL` names: `python -m flowlang`."""

from __future__ import annotations

import sys

from flowlang import _own_call
from flowlang.calls import run
from flowlang.errors import report


def main() -> int:
    call = _own_call()
    if not call:
        print("`python -m flowlang` is started by flowc, with a call in $FLOW_CALL", file=sys.stderr)
        return 2
    try:
        run(call)
    except BaseException as error:  # also SystemExit: a function returns, it does not end the process
        report(error, call)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.exit(code)
