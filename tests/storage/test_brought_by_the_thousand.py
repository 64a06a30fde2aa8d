"""Two thousand files, sound, nearly sound and wrong: none is both accepted and wrong without a line that says so.

What is right is known before a file is written: which class each probability is of, how the stages follow one another,
the labels, and what each stage adds.  A mistake is made on purpose, and the judge compares numbers alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cascade_core import StageOutputs
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import BadFile, Contents
from tests.oracle import assert_one_line
from tests.storage import brought
from tests.storage.brought import Truth, softmax

FILES = 2_000
PARTS = 10

Random = np.random.Generator
Content = dict[str, Any]
"""What is written: "values" (M, N, K) under a "kind", "labels", "stages", "macs" under their name, "ids"."""


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


HARMLESS = [
    as_softmaxes, coarse, in_percent, softmaxes_as_logits, one_stage_softmaxed, macs_from_the_start, in_other_units,
    labels_as_names, labels_in_columns,
]  # fmt: skip
MISTAKES = [
    logits_as_softmaxes, softmaxed_twice, labels_from_one, other_order_of_classes, folders_sorted_as_texts,
    rows_of_others, labels_of_others, stages_backwards, macs_backwards, macs_taken_as_added, macs_in_millions,
    samples_twice, a_row_spoilt,
]  # fmt: skip
OF_ARRAYS = [other_axes, a_label_too_few]


# Dialects.


def archive(content: Content, random: Random) -> tuple[str, bytes]:
    kinds = {"probs": ["probs", "probabilities", "Softmax"], "logits": ["logits", "Logits"]}[content["kind"]]
    stages = content["stages"]
    return "npz", brought.npz(
        **{
            str(random.choice(kinds)): content["values"],
            str(random.choice(["labels", "label_ids"])): content["labels"],
        },
        **content["macs"],
        stage_names=stages if isinstance(stages[0], str) else None,
        class_names=content.get("class_names"),
        sample_ids=content["ids"] if random.random() < 0.5 else None,
    )


def rows(content: Content, random: Random) -> tuple[pd.DataFrame, list[str]]:
    """A table, of which rows or columns may stand in another order, and its columns of classes."""
    values = content["values"]
    m, n, k = values.shape
    names = content.get("class_names", range(k))
    columns = [f"{'p' if content['kind'] == 'probs' else 'logit'}_{name}" for name in names]
    ((macs_name, macs),) = content["macs"].items()
    labels = content["labels"] if content["labels"].ndim == 1 else content["labels"].tolist()
    frame = pd.DataFrame(
        {
            "sample_id": np.tile(content["ids"], m),
            "label": pd.Series(list(labels) * m),
            "stage": np.repeat(np.array(content["stages"]), n),
            macs_name: np.repeat(macs, n),
        }
    )
    frame = pd.concat([frame, pd.DataFrame(values.reshape(m * n, k), columns=columns)], axis=1)
    if random.random() < 0.3:
        frame = frame.sample(frac=1, random_state=int(random.integers(1 << 30)))
    elif random.random() < 0.3:
        frame = frame.sort_values("stage", kind="stable")
    if random.random() < 0.3:
        frame = frame[list(random.permutation(frame.columns))]
        columns = [name for name in frame.columns if name in columns]
    return frame, columns


def delimited(content: Content, random: Random) -> tuple[str, bytes]:
    frame, _ = rows(content, random)
    hows: list[Content] = [
        {}, {"sep": ";", "decimal": ","}, {"sep": "\t"}, {"encoding": "utf-16"}, {"quoting": 1}, {"sep": "|"},
    ]  # fmt: skip
    headers: list[Callable[[str], str]] = [str, str.upper, lambda name: f" {name} "]
    if "class_names" not in content:
        frame = frame.rename(columns=headers[random.integers(3)])
    return str(random.choice(["csv", "CSV"])), brought.csv(frame, **hows[random.integers(len(hows))])


def parquet(content: Content, random: Random) -> tuple[str, bytes]:
    return "parquet", brought.parquet(*_perhaps_listed(content, random))


def jsonl(content: Content, random: Random) -> tuple[str, bytes]:
    return "jsonl", brought.jsonl(*_perhaps_listed(content, random))


def _perhaps_listed(content: Content, random: Random) -> tuple[pd.DataFrame, list[str], str]:
    frame, columns = rows(content, random)
    listed = random.random() < 0.5 and "class_names" not in content
    return frame, sorted(columns) if listed else [], content["kind"]


def judged(run: StageOutputs, truth: Truth) -> str:
    """What is wrong with a run; nothing where it is what was meant, samples and classes being matched by name."""
    if len(set(run.sample_ids.tolist())) < len(run.labels) or len(run.labels) != len(truth.labels):
        return "samples"
    places = {name: i for i, name in enumerate(truth.ids.tolist())}
    named = all(name in places for name in run.sample_ids.tolist())
    sample = np.array([places[name] for name in run.sample_ids.tolist()]) if named else np.arange(len(run.labels))
    by_name = {name: k for k, name in enumerate(truth.class_names)}
    klass = np.array([by_name.get(name, k) for k, name in enumerate(run.class_names)])
    if (klass[run.labels] != truth.labels[sample]).any():
        return "labels"
    if [stage.trunk_macs + stage.head_macs for stage in run.stages] != list(truth.macs):
        return "macs"
    if np.abs(run.probs - truth.probs[:, sample][..., klass]).max() > 0.02:
        return "softmaxes"
    return ""


def one(seed: int) -> str:
    """Make a file, import it and judge what came; the name of the outcome."""
    random = np.random.default_rng(seed)
    truth = brought.made(
        seed, n=int(random.integers(60, 120)), m=int(random.integers(2, 5)), k=int(random.integers(3, 8))
    )
    if random.random() < 0.1:
        truth = brought.without_last_class(truth)
    content = sound(truth, random)
    for change in random.choice(len(HARMLESS), random.integers(0, 3), replace=False):
        HARMLESS[change](content, truth, random)
    write = [archive, delimited, parquet, jsonl][random.integers(4)]
    possible = [*MISTAKES, *(OF_ARRAYS if write is archive else [])]
    mistake = possible[random.integers(len(possible))] if random.random() < 0.6 else None
    if write is delimited and content["labels"].ndim == 2:
        content["labels"] = truth.labels
    if mistake is not None:
        if (
            mistake in (labels_from_one, folders_sorted_as_texts, labels_of_others, samples_twice)
            or truth.logits.shape[2] < 3
        ):
            content.pop("class_names", None)
            content["labels"] = truth.labels
        mistake(content, truth, random)
    ending, raw = write(content, random)
    told = f"file {seed}, {write.__name__}, {mistake.__name__ if mistake else 'sound'}"
    run, error = imported(Contents(name=f"mine.{ending}", raw=raw))
    if run is None:
        assert mistake is not None, f"{told}: {error}"
        return "refused"
    wrong, said = judged(run, truth), notes_on(run)
    assert not wrong or said, f"{told}: {wrong} came in wrong without a word"
    return f"{'wrong' if wrong else 'right'}, {'said' if said else 'without a word'}"


def imported(file: Contents) -> tuple[StageOutputs | None, str]:
    """What is made of a file, or the line that refuses it."""
    try:
        return read_files([file], Wishes()), ""
    except BadFile as error:
        said = error
    assert_one_line(said, "Cannot import mine.")
    return None, str(said)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_file_is_accepted_wrong_without_a_word(part: int) -> None:
    outcomes = Counter(one(seed) for seed in range(part, FILES, PARTS))
    assert set(outcomes) == {"refused", "right, without a word", "right, said", "wrong, said"}
    # All of these happen often enough to tell.
    assert min(outcomes.values()) >= FILES // PARTS // 20, outcomes
