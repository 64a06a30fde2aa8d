"""What a session remembers, and the keys of all elements: no other file touches `st.session_state`, or makes up a key.

A `Value` outlives the run of the page that set it; one that a widget shows lends the widget its key, and may be set
until the widget is drawn.  A `Key` is of an element whose value only the line that draws it reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from math import inf
from typing import Any, Generic, TypeVar

import streamlit as st

from cascade_core.analysis.sample_filter import ORDERS
from cascade_core.policies import SWEEPS
from cascade_core.policies.answers import ANSWERS as ANSWERS_OFFERED
from cascade_core.simulation.certificates import AMONG as AMONG_OFFERED
from cascade_core.simulation.certificates import Among
from cascade_core.simulation.groups import CLASS
from cascade_core.simulation.scores import of_softmaxes

T = TypeVar("T")


@dataclass(frozen=True)
class Value(Generic[T]):
    """A value of the session that is running, `default` until it is set."""

    key: str
    default: T

    def get(self) -> T:
        """The value."""
        value: T = st.session_state.get(self.key, self.default)
        return value

    def is_set(self) -> bool:
        """Whether it was set, and has not been forgotten with its widget."""
        return self.key in st.session_state

    def set(self, value: T) -> None:
        """Replace the value."""
        st.session_state[self.key] = value

    def take(self) -> T:
        """The value, which is the default again afterwards."""
        value: T = st.session_state.pop(self.key, self.default)
        return value

    def keep(self) -> None:
        """Have it outlive the widget that shows it, which may leave the page; called before that is drawn."""
        self.set(self.get())


RUN = Value[str | None]("run", None)
RUN_KIND = Value[str | None]("run:kind", None)
"""Of the run, see `Run.kind`: it follows from it."""

VIEW = Value("view", "explore")
POLICY = Value("policy", next(iter(SWEEPS)))
SCORE = Value("score", of_softmaxes()[0])
ANSWERS = Value("answers", ANSWERS_OFFERED[0])
SEED = Value("seed", 0)
IN_SAMPLE = Value("in_sample", False)
JUDGE_ON = Value("judge_on", "")
"""Name of another run that thresholds are judged on too; empty for none."""

COST = Value("cost", "MACs")
COST_WISHED = Value[str | None]("cost:wished", None)
BATCH = Value("batch", 1)
COSTS = Value("costs", "")
"""What the user typed that stages cost, as JSON; empty where that of the run holds."""

PRICE = Value[float | None]("price", None)
"""Of a wrong answer, in the unit of costs."""

AT = Value[float | None]("at", None)
HAND = Value[tuple[float, ...] | None]("hand", None)
"""Where the live panel stands: the slider's value in its own unit, None where it opens; and thresholds set by hand."""

COMPARED_RUNS = Value[Sequence[str] | None]("with", None)
COMPARED_POLICIES = Value[Sequence[str] | None]("policies", None)
"""Runs and policies that are compared; None before any was chosen."""

TOP_K = Value("top_k", 1)
HOLD = Value("hold", "drop")
"""How many of the likeliest answers may be the right one; and what stays, the drop or the cost, where one thing is
compared with another: the position while something else is looked at, and the second panel's beside the first."""

PUBLISHED = Value("published", "auto")
"""Which published results are shown: those on the same data, none, or a series by its name."""

SAID = Value("said", ("", 0.0))
PLACE = Value[Any]("place", None)
BEFORE = Value("place:before", "")
"""`place.Place` that is kept while something else is looked at, and the numbers of before, in words."""

PUT_UP = Value("live:put-up", False)
"""Whether the browser has had time to put up its first live panel."""

GONE = Value[str | None]("gone", None)
"""The run that was looked at and is no longer there."""

ARRIVED = Value[bool]("link:arrived", False)
"""Whether a link, or Back, has given the values, and the page has not been drawn since."""

BESIDE_RUN = Value[str | None]("beside", None)
BESIDE_POLICY = Value[str | None]("beside-policy", None)
"""Of the second panel: its run and policy, None before any was chosen."""

BESIDE_START = Value[Mapping[str, Any] | None]("beside:start", None)
"""Of the two panels: where the first was sent, and where it was heard from last."""


def looked_at(value: Value[Any]) -> Value[str | None]:
    """The run, or the policy, that was looked at when `value` was chosen to be compared with it."""
    return Value(f"{value.key}:beside", None)


COMPARED_CERTAIN = Value("compared:certain", False)
COMPARED_SPREAD = Value("compared:spread", False)
COMPARED_BEFORE = Value[frozenset[Any]]("compared:before", frozenset())
"""Of the comparison: what is drawn beside its curves, and questions whose answers are at hand."""

LINK_READ = Value("link:read", False)
LINK_KEPT = Value[Mapping[str, Any]]("link:kept", {})
LINK_FAULTS = Value[Sequence[str]]("link:faults", ())
"""Whether the page's address has been read, all that links name as it was last, and lines on what did not fit."""

ADDRESS = Value[Mapping[str, Any]]("address", {})
BACK_HEARD = Value[Mapping[str, Any]]("address:heard", {})
BACK = Value[str | None]("address:back", None)
BACK_TURN = Value("address:turn", 0)
"""Of the components that keep the browser's history: what follows the page, what was heard, the query of a Back that
has not been gone to yet, and the number of the last one."""

WRITTEN = Value[Sequence[tuple[str, str]]]("address:written", ())
"""What the browser was last told to have as the address's query."""

TABS = {
    "thresholds": "Thresholds",
    "curve": "Curve in detail",
    "residual": "Residual accuracy",
    "stages": "Stages",
    "positions": "All positions",
}
DETAILS = Value("details", TABS["thresholds"])
"""Titles of the tabs below the live panel, by the names that links have for them; and which is open, by its title."""

IN_EVERY = Value("in_every", "")
AMONG = Value[Among]("among", AMONG_OFFERED[0])
"""By what groups are, in each of which the limit on the drop is to hold; empty: in all samples together.  And among
whom of them it is certified."""

BY = Value("by", CLASS)
"""What *Groups* divides samples by: "class", or a column of the run."""

PICTURE_FORMATS = ("SVG", "PNG")
PICTURE_FORMAT = Value("pictures", PICTURE_FORMATS[0])
"""How charts are saved."""

LIVE = "live"
PANEL = Value[Mapping[str, Any] | None](LIVE, None)
"""Key of the live panel, and what it sent last."""

RELEASED = Value[Mapping[str, Any] | None](f"{LIVE}:released", None)
SENT = Value[Mapping[str, Any]](f"{LIVE}:sent", {})
ZOOM = Value[object](f"{LIVE}:zoom", None)
"""Of the live panel: where it was let go, where Python sent it, and which axes were zoomed then, as browsers say it."""

PINS = Value[tuple[Any, ...]]("pins", ())
"""`bookmarks.Pin`, in the user's order."""

CHOICE_FILE = Value[Any]("choice", None)
"""Of the place for a thresholds JSON: its uploader."""

OWN_RUNS = Value[Sequence[Any]]("own_runs", ())
"""`upload.Own`, oldest first."""

OWN_FILE = Value[Any]("own_file", None)
OWN_FAULT = Value("own_said", "")
OWN_MACS_FAULT = Value("own_said_of_macs", "")
OWN_NEWS = Value("own_news", False)
"""Of the place for the user's softmaxes: its uploader, what was wrong with the last file or the last MACs, and whether
the whole page has yet to hear that its runs are others."""


ODD_SHOWN = Value("odd:shown", "")
"""Digest of the run whose plain network is no better than chance, and that the user wants to see all the same."""


OWN_MEANT = Value("own_meant", False)
OWN_ONE_BASED = Value("own_labels_from_one", False)
OWN_STAGES = Value("own_stages", "")
OWN_CLASSES = Value("own_classes", "")
OWN_MACS = Value("own_macs", "")
OWN_MACS_UP_TO = Value("own_macs_up_to", False)
OWN_BASELINE = Value("own_baseline", "")
OWN_MEANT_FILE = Value("own_meant_file", "")
"""Of the place for the user's softmaxes: how files are meant, as it is typed; see `meant`."""


def own_macs(digest: str, stage: int) -> Value[int]:
    """MACs that the user gives to a stage of a run that the session brought, or, as stage -1, to the plain network."""
    return Value(f"own_macs-{digest}-{stage}", 0)


KIND = Value("kind", "all")
LABEL = Value("label", "")
ANSWER = Value("answer", "")
LEFT = Value("left", "")
SURE_AT = Value("sure_at", "")
LEAST_SURE = Value("least_sure", -inf)
MOST_SURE = Value("most_sure", inf)
ORDER = Value("order", ORDERS[0])
"""Which samples *Samples* shows, and in which order: classes and stages by name, nothing meaning any; the ends of
the confidence are of where they left, or of the stage `SURE_AT` and samples that reach it."""

FILTERS: tuple[Value[Any], ...] = (KIND, LABEL, ANSWER, LEFT, SURE_AT, LEAST_SURE, MOST_SURE, ORDER)

OPENINGS = Value("openings", 0)
"""How often a click has opened samples."""


def clicked(name: str) -> Value[Mapping[str, Any] | None]:
    """What is selected in a chart or table since samples were opened last."""
    return Value(f"{name}:{OPENINGS.get()}", None)


PICTURE_FOLDER = Value("samples:folder", "")
"""Folder of pictures, as the user names it."""

GALLERY = Value[Mapping[str, Any] | None]("gallery", None)
STRIP = Value[Mapping[str, Any] | None]("strip", None)
"""What was clicked in *Samples*' gallery, and in the strip of harmed and helped samples."""

RESTED = Value[Any]("rested", None)
"""`strip.Rest`: which samples were harmed and helped where the slider rested last, and before."""

SAMPLE = Value[str | None]("sample", None)
SAMPLE_OF = Value("try:run", "")
"""The id of the sample that goes through the network, and the digest of the run that it was chosen of."""

TRY_KIND = Value("try:kind", "sample")
"""What goes through the network: a "sample", or an "upload"."""

LOG_PATH = Value("watch:path", "")
LOG_FILE = Value[Any]("watch:file", None)
WATCHED = Value[Any]("watch:held", None)
WATCH_LIMIT = Value[float | None]("watch:limit", None)
RECHOSEN = Value[Any]("watch:rechosen", None)
"""Of *Watch*: the log that the user types, or its uploader; what was uploaded with its `watched_logs.Followed`; the
disagreement that is allowed, in points; and the choice for which thresholds were chosen anew, with them."""

PRICED = Value[tuple[str, float | None]]("price:gone_to", ("", None))
"""What was asked, and the price of a wrong answer, for which the slider was last put at its optimum."""


STOP = Value("stop", -1)
"""Of the pins, the one that the presentation came to last."""


@unique
class Key(StrEnum):
    """Keys of elements whose value only the line that draws them reads, or what such keys begin with."""

    CHROME = "chrome"
    BAR = "bar"
    BUSY = "busy"
    LEAVE = "leave"
    STEP = "step"
    STEPS = "steps"
    TAKE = "take"
    PIN = "pin"
    UNPIN = "unpin"
    SPREAD = "spread"
    DOWNLOAD = "download"
    PAPER = "paper"
    OWN = "own"
    ODD = "odd"
    COST_TABLE = "cost_table"
    COMPARE = "compare"
    SAMPLES = "samples"
    GROUPS = "groups"
    TRY = "try"
    WATCH = "watch"

    def of(self, *which: object) -> str:
        """The key of one of several elements."""
        return ":".join((self, *map(str, which)))
