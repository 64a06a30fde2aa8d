"""The command line, ``cascade-core VERB ...`` or ``python -m cascade_core VERB ...``; the verbs are in `commands`.

Bad input ends with exit status 2 and one line on standard error, a fault of ours with 3; where only some of many files
are bad, each has its line, the others are worked on, and the status is 1; so it is where a check does not pass.
Results go to standard output, progress to standard error; where nobody reads on, the program ends quietly.  Drops are
typed as `1%`, `1pt` or 0.01.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module

from cascade_core.commands.common import PROGRAM, Incomplete, Parser
from cascade_core.commands.terminal import Readable, line, remark
from cascade_core.support.extras import MissingExtra
from cascade_core.support.stopping import asked_by, stoppable

INCOMPLETE, BAD_INPUT, FAULT, STOPPED, PIPE_CLOSED = 1, 2, 3, 128, 141
"""Exit statuses; of a signal that stopped it the number is added: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""

VERBS_BY_FILE = {
    "recording": ("exits", "build", "precompute"),
    "fronts": ("front",),
    "deploying": ("classify", "bundle", "profile"),
    "runs": ("join", "import", "show", "prepare"),
    "grouping": ("group",),
    "counting": ("count",),
    "cost_flags": ("costs",),
    "choosing": ("choose", "compare", "evaluate"),
    "checking": ("check",),
    "watching": ("watch",),
    "showing": ("report",),
    "publishing": ("site",),
    "figures": ("figure",),
    "page": ("page",),
}
"""Which file of `commands` adds which verbs, in the order in which help lists them."""


def parser(verb: str = "") -> Parser:
    """The command line's parser: of all verbs, or where `verb` is one, of its file's, so that no other is imported."""
    result = Parser(
        prog=PROGRAM,
        description="Cascaded (early-exit) inference: precompute, choose thresholds, evaluate them.",
    )
    verbs = result.add_subparsers(metavar="VERB", required=True)
    for file in [file for file, names in VERBS_BY_FILE.items() if verb in names] or VERBS_BY_FILE:
        import_module(f"cascade_core.commands.{file}").add(verbs)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold what the terminal cannot show.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        with _readable():
            return _run(arguments)
    except OSError as error:
        # Nobody reads on, or there is no space: what is left to be printed must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED if isinstance(error, BrokenPipeError) else _failed(error)


@contextmanager
def _readable() -> Iterator[None]:
    """What is printed by whomever is visible, on the streams that there are; at the end all of it is sent."""
    streams = ((sys.stdout, "standard output", redirect_stdout), (sys.stderr, "standard error", redirect_stderr))
    with ExitStack() as stack:
        for stream, name, redirected in streams:
            if stream is not None:
                readable = Readable(stream, name)
                stack.callback(readable.flush)
                stack.enter_context(redirected(readable))
        yield


def _run(arguments: Sequence[str] | None) -> int:
    """Run one verb; return the exit status, with one line on what went wrong."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        with stoppable(), warnings.catch_warnings():
            args = parser(*given[:1]).parse_args(given)
            warnings.showwarning = _say
            return args.function(args) or 0
    except BrokenPipeError:
        raise
    except (ValueError, OSError, MissingExtra, MemoryError) as error:
        return _failed(error)
    except Incomplete as rest:
        remark(f"error: {rest}")
        return INCOMPLETE
    except KeyboardInterrupt as stop:
        remark(str(stop) or "stopped")
        return STOPPED + asked_by(stop)
    # What no room foresaw still ends in one line; the traceback is one setting away.
    except Exception as error:
        if os.environ.get("CASCADE_TRACEBACK"):
            traceback.print_exc()
            return FAULT
        fault = f"{type(error).__name__}: {line(error)[:300]}; a fault of this program, CASCADE_TRACEBACK=1 shows where"
        remark(f"error: {fault}")
        return FAULT


def _failed(error: Exception) -> int:
    """Say in one line what is wrong with what came in."""
    remark(f"error: {line(error) or type(error).__name__}")
    return BAD_INPUT


def _say(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line on standard error."""
    remark(f"note: {line(message)}")


if __name__ == "__main__":
    sys.exit(main())
