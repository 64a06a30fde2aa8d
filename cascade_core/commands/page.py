"""The verb `page`, which opens the dashboard on a folder of runs."""

from __future__ import annotations

import argparse
import os
import runpy
import signal
import sys
from pathlib import Path

from cascade_core.commands.common import FromTimeToTime, Parsers, add_verb
from cascade_core.commands.terminal import remark
from cascade_core.storage.home import HOME
from cascade_core.storage.log_files import LOGS
from cascade_core.storage.mirror import copies_of, fetch
from cascade_core.support import checks
from cascade_core.support.extras import require
from cascade_core.support.files import readable
from cascade_core.support.remote import Place, place


def page(args: argparse.Namespace) -> None:
    """Open the dashboard on a folder of runs; Ctrl-C ends it."""
    require("page")
    if args.folder is not None:
        os.environ["CASCADE_CACHE"] = _folder(args.folder)
    if args.watch:
        for path in args.watch:
            if not path.exists():
                raise ValueError(f"Expected a log or a folder of logs but there is none at {path}")
        os.environ[LOGS] = os.pathsep.join(str(path.resolve()) for path in args.watch)
    port = [] if args.port is None else ["--server.port", str(checks.whole("--port", args.port, 1, 65535))]
    # The server stops its work at these, and then has them handled as they were to be before it started.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # Streamlit ends its server at SIGTERM as at Ctrl-C, and knows no other.
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    # As `python -m streamlit run` starts it, in this process, so that signals reach it; settings lie beside the script.
    # What it prints has colours of its own.
    sys.stdout, sys.argv = sys.__stdout__, ["streamlit", "run", str(HOME / "dashboard.py"), *port]
    runpy.run_module("streamlit", run_name="__main__")


def _folder(folder: Place) -> str:
    """A folder as the page takes it; the runs of one that lies elsewhere are here by then.

    Raises:
        ValueError: There is none.
        BadFile, OSError: It cannot be read.
    """
    with readable(folder):
        there = folder.is_dir()
    if not there:
        raise ValueError(f"Expected a folder of runs but {folder} is none")
    if isinstance(folder, Path):
        return str(folder.resolve())
    told = FromTimeToTime()
    remark(f"reading the runs of {folder}")
    fetch(folder, copies_of(folder), lambda name, number, of: told(f"reading {name}, {number:,} of {of:,} files"))
    return str(folder)


def add(verbs: Parsers) -> None:
    """Add this verb."""
    parser = add_verb(verbs, "page", page, "page results --port 8600")
    parser.add_argument(
        "folder",
        type=place,
        nargs="?",
        metavar="FOLDER",
        help="a folder of runs, or its address, such as s3://BUCKET/FOLDER (default: those that are shipped)",
    )
    about = "a log of exits, or a folder of logs, that the view Watch follows"
    parser.add_argument("--watch", type=Path, action="append", metavar="LOG", help=about)
    parser.add_argument("--port", type=int, help="where it listens on this computer (default 8501, or the next free)")
