"""What people do to results before they bring them: harmless habits, and mistakes.

A change alters a content, which `brought_files` then writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.storage import brought
from tests.storage.brought import Truth, softmax

Random = np.random.Generator
Content = dict[str, Any]
"""What is written: "values" (M, N, K) under a "kind", "labels", "stages", "macs" under their name, "ids"."""

Change = Callable[[Content, Truth, Random], None]


def sound(truth: Truth, random: Random) -> Content:
    """The truth, as this project would have it."""
    kind = random.choice(["probs", "logits"])
    names = random.random() < 0.5
    return {
        "kind": kind,
        "values": truth.probs if kind == "probs" else truth.logits,
        "labels": truth.labels,
        "stages": truth.stage_names if names else tuple(range(len(truth.macs))),
        "macs": {"macs": np.array(truth.macs)},
        "ids": truth.ids,
    }


# What is done to a file without making it wrong: it must come in right.


def as_softmaxes(content: Content, truth: Truth, random: Random) -> None:
    content |= {"kind": "probs", "values": truth.probs}


def coarse(content: Content, truth: Truth, random: Random) -> None:
    rounders: list[Callable[..., Any]] = [lambda p: np.round(p, 3), lambda p: p.astype(np.float16), brought.bfloat16]
    content |= {"kind": "probs", "values": rounders[random.integers(3)](truth.probs)}


def in_percent(content: Content, truth: Truth, random: Random) -> None:
    content |= {"kind": "probs", "values": truth.probs * 100}


def softmaxes_as_logits(content: Content, truth: Truth, random: Random) -> None:
    content |= {"kind": "logits", "values": truth.probs}


def one_stage_softmaxed(content: Content, truth: Truth, random: Random) -> None:
    values = truth.logits.copy()
    stage = random.integers(len(values))
    values[stage] = softmax(values[stage])
    content |= {"kind": "logits", "values": values}


def macs_from_the_start(content: Content, truth: Truth, random: Random) -> None:
    content["macs"] = {"macs_up_to": np.cumsum(truth.macs)}


def in_other_units(content: Content, truth: Truth, random: Random) -> None:
    macs = np.array(truth.macs)
    ways: list[Content] = [
        {"flops": macs * 2},
        {"mmacs": macs / 1e6},
        {"gflops": macs * 2 / 1e9},
        {"macs": np.array([f"{count // 10**6}M" for count in truth.macs])},
    ]
    content["macs"] = ways[random.integers(len(ways))]


def labels_as_names(content: Content, truth: Truth, random: Random) -> None:
    content |= {"labels": np.array(truth.class_names)[truth.labels], "class_names": truth.class_names}


def labels_in_columns(content: Content, truth: Truth, random: Random) -> None:
    content["labels"] = np.eye(truth.logits.shape[2], dtype=int)[truth.labels]


# What makes a file wrong: it must be refused, come in right all the same, or have a line said of it.


def logits_as_softmaxes(content: Content, truth: Truth, random: Random) -> None:
    content |= {"kind": "probs", "values": truth.logits}


def softmaxed_twice(content: Content, truth: Truth, random: Random) -> None:
    content |= {"kind": "probs", "values": softmax(truth.probs)}


def labels_from_one(content: Content, truth: Truth, random: Random) -> None:
    content["labels"] = truth.labels + 1


def other_order_of_classes(content: Content, truth: Truth, random: Random) -> None:
    order = np.roll(np.arange(truth.logits.shape[2]), random.integers(1, truth.logits.shape[2]))
    content["values"] = content["values"][..., order]


def folders_sorted_as_texts(content: Content, truth: Truth, random: Random) -> None:
    numbers = range(8, 8 + truth.logits.shape[2])
    content["labels"] = np.argsort(sorted(range(len(numbers)), key=lambda k: str(numbers[k])))[truth.labels]


def rows_of_others(content: Content, truth: Truth, random: Random) -> None:
    values = content["values"].copy()
    stage = random.integers(len(values))
    values[stage] = values[stage, random.permutation(values.shape[1])]
    content["values"] = values


def labels_of_others(content: Content, truth: Truth, random: Random) -> None:
    content["labels"] = random.permutation(truth.labels)


def stages_backwards(content: Content, truth: Truth, random: Random) -> None:
    content["values"] = content["values"][::-1]
    content["stages"] = tuple(reversed(truth.stage_names))
    content["macs"] = {name: macs[::-1] for name, macs in content["macs"].items()}


def macs_backwards(content: Content, truth: Truth, random: Random) -> None:
    content["macs"] = {"macs": np.array(truth.macs)[::-1]}


def macs_taken_as_added(content: Content, truth: Truth, random: Random) -> None:
    content["macs"] = {"macs": np.cumsum(truth.macs)}


def macs_in_millions(content: Content, truth: Truth, random: Random) -> None:
    content["macs"] = {"macs": np.array(truth.macs) // 10**6}


def samples_twice(content: Content, truth: Truth, random: Random) -> None:
    again = np.r_[np.arange(len(truth.labels)), random.integers(0, len(truth.labels), 20)]
    content |= {name: content[name][again] for name in ("labels", "ids")}
    content["values"] = content["values"][:, again]
    if random.random() < 0.5:
        content["ids"] = np.array([f"new_{i}.jpg" for i in range(len(again))])


def a_row_spoilt(content: Content, truth: Truth, random: Random) -> None:
    values = content["values"].astype(np.float64)
    value = (
        random.choice([np.nan, np.inf, 7.0, -7.0]) if content["kind"] == "probs" else random.choice([np.nan, np.inf])
    )
    values[random.integers(len(values)), random.integers(values.shape[1]), random.integers(values.shape[2])] = value
    content["values"] = values


def other_axes(content: Content, truth: Truth, random: Random) -> None:
    axes = [(1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1), (2, 1, 0)][random.integers(5)]
    content["values"] = content["values"].transpose(axes)


def a_label_too_few(content: Content, truth: Truth, random: Random) -> None:
    content["labels"] = content["labels"][:-1]


HARMLESS: list[Change] = [
    as_softmaxes, coarse, in_percent, softmaxes_as_logits, one_stage_softmaxed, macs_from_the_start, in_other_units,
    labels_as_names, labels_in_columns,
]  # fmt: skip
MISTAKES: list[Change] = [
    logits_as_softmaxes, softmaxed_twice, labels_from_one, other_order_of_classes, folders_sorted_as_texts,
    rows_of_others, labels_of_others, stages_backwards, macs_backwards, macs_taken_as_added, macs_in_millions,
    samples_twice, a_row_spoilt,
]  # fmt: skip
OF_ARRAYS: list[Change] = [other_axes, a_label_too_few]
OF_NUMBERED_CLASSES: list[Change] = [labels_from_one, folders_sorted_as_texts, labels_of_others, samples_twice]
