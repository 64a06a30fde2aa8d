"""The command line, ``cascade-core VERB ...`` or ``python -m cascade_core VERB ...``; the verbs are in `commands`.

Bad input ends with exit status 2 and one line on standard error; where only some of many files are bad, each has its
line, the others are worked on, and the status is 1.  Results go to standard output, progress to standard error.
Accuracies, drops and epsilons are fractions, as in code: 0.01 is one point.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence

from cascade_core.commands import choosing, cost_flags, deploying, figures, page, recording, runs, showing
from cascade_core.commands.common import PROGRAM, Incomplete, Parser
from cascade_core.support.extras import MissingExtra


def parser() -> Parser:
    """The command line's parser."""
    result = Parser(
        prog=PROGRAM,
        description="Cascaded (early-exit) inference: precompute, choose thresholds, evaluate them.",
    )
    verbs = result.add_subparsers(metavar="VERB", required=True)
    for group in (recording, deploying, runs, cost_flags, choosing, showing, figures, page):
        group.add(verbs)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold what the terminal cannot show.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    args = parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _say
            args.function(args)
    except (ValueError, OSError, MissingExtra) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    except Incomplete as rest:
        print(f"error: {rest}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped", file=sys.stderr)
        return 130
    # What no room foresaw still ends in one line; the traceback is one setting away.
    except Exception as error:
        if os.environ.get("CASCADE_TRACEBACK"):
            raise
        reason = " ".join(str(error).split())[:300]
        print(f"error: {type(error).__name__}: {reason}; CASCADE_TRACEBACK=1 shows where", file=sys.stderr)
        return 2
    return 0


def _say(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line on standard error."""
    print("note: " + " ".join(str(message).split()), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
