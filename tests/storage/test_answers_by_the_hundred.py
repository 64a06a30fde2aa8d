"""Six hundred files of answers without softmaxes, sound, nearly sound and wrong: none comes in wrong without a word.

What each stage answered, how sure it was, and what is right are known before a file is written; a mistake is made on
purpose, and the judge compares what came with what was meant, samples matched by name and classes by theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cascade_core import StageAnswers
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import BadFile, Contents
from tests.oracle import assert_one_line
from tests.storage import brought
from tests.storage.brought import Truth

FILES = 600
PARTS = 5

Random = np.random.Generator
Content = dict[str, Any]
"""What is written: "answers", "confidence", "correct" and "cost" (M, N), "labels" and "ids" (N,), "macs" (M,)."""


def sound(truth: Truth, random: Random) -> Content:
    """Answers and labels as numbers or as names, what is right or not, and costs of one kind."""
    answers, names = truth.probs.argmax(axis=2), np.array(truth.class_names)
    named = random.random() < 0.5
    content: Content = {
        "answers": names[answers] if named else answers,
        "labels": names[truth.labels] if named else truth.labels,
        "confidence": truth.probs.max(axis=2),
        "ids": truth.ids,
        "macs": np.array(truth.macs),
    }
    if random.random() < 0.4:
        content["correct"] = answers == truth.labels
    if random.random() < 0.3:
        content["cost"] = random.integers(1, 99, answers.shape)
    return content


# Harmless: what is right stays right, and confidence only changes its scale.


def in_percent(content: Content, truth: Truth, random: Random) -> None:
    content["confidence"] = content["confidence"] * 100


def logarithms(content: Content, truth: Truth, random: Random) -> None:
    content["confidence"] = np.log(content["confidence"])


def without_labels(content: Content, truth: Truth, random: Random) -> None:
    content.pop("labels")


def without_answers(content: Content, truth: Truth, random: Random) -> None:
    content["correct"] = truth.probs.argmax(axis=2) == truth.labels
    content.pop("answers")


# Mistakes: refused, or right all the same, or a line is said.


def labels_from_one(content: Content, truth: Truth, random: Random) -> None:
    content["labels"] = truth.labels + 1


def labels_of_others(content: Content, truth: Truth, random: Random) -> None:
    content["labels"] = random.permutation(content["labels"])


def answers_of_others(content: Content, truth: Truth, random: Random) -> None:
    stage = random.integers(len(truth.macs))
    content["answers"] = content["answers"].copy()
    content["answers"][stage] = random.permutation(content["answers"][stage])


def other_classes(content: Content, truth: Truth, random: Random) -> None:
    content["answers"] = (truth.probs.argmax(axis=2) + 1) % len(truth.class_names)


def uncertainty(content: Content, truth: Truth, random: Random) -> None:
    content["confidence"] = 1 - content["confidence"]


def one_confidence_for_all(content: Content, truth: Truth, random: Random) -> None:
    content["confidence"] = np.full(content["confidence"].shape, 0.5)


def wrong_for_right(content: Content, truth: Truth, random: Random) -> None:
    content["correct"] = truth.probs.argmax(axis=2) != truth.labels


def a_confidence_spoilt(content: Content, truth: Truth, random: Random) -> None:
    spoilt = content["confidence"].copy()
    spoilt[random.integers(len(spoilt)), random.integers(spoilt.shape[1])] = random.choice([np.nan, np.inf])
    content["confidence"] = spoilt


def stages_backwards(content: Content, truth: Truth, random: Random) -> None:
    content |= {name: content[name][::-1] for name in ("answers", "confidence", "correct", "macs") if name in content}
    content["backwards"] = True


def a_sample_too_few(content: Content, truth: Truth, random: Random) -> None:
    content["confidence"] = content["confidence"][:, 1:]


HARMLESS = [in_percent, logarithms, without_labels, without_answers]
MISTAKES = [
    labels_from_one, labels_of_others, answers_of_others, other_classes, uncertainty, one_confidence_for_all,
    wrong_for_right, a_confidence_spoilt, stages_backwards,
]  # fmt: skip
SCALES: dict[Any, Callable[[Any], Any]] = {in_percent: lambda sure: 100 * sure, logarithms: np.log}
NEED_LABELS = (labels_from_one, labels_of_others)
NEED_ANSWERS = (answers_of_others, other_classes)


# Dialects.


def archive(content: Content, truth: Truth, random: Random) -> tuple[str, bytes]:
    called = {"answers": ["answer", "predictions", "Answers"], "confidence": ["confidence", "Conf"]}
    named = {str(random.choice(called.get(name, [name]))): value for name, value in content.items()}
    ids = named.pop("ids")
    turned = named.pop("backwards", False)
    stages = truth.stage_names[::-1] if turned else truth.stage_names
    return "npz", brought.npz(**named, sample_ids=ids, stages=np.array(stages))


def long_table(content: Content, truth: Truth, random: Random) -> pd.DataFrame:
    m, n = content["confidence"].shape
    stages = truth.stage_names[::-1] if content.get("backwards") else truth.stage_names
    frame = pd.DataFrame({"sample_id": np.tile(content["ids"], m), "stage": np.repeat(stages, n)})
    for name in ("answers", "confidence", "correct", "cost"):
        if name in content:
            frame[name.removesuffix("s")] = content[name].ravel()
    if "labels" in content:
        frame["label"] = np.tile(content["labels"], m)
    frame["macs"] = np.repeat(content["macs"], n)
    if random.random() < 0.3:
        # Whole samples change places; their stages stay in order, or names would say nothing of it.
        frame = frame.iloc[np.add.outer(n * np.arange(m), random.permutation(n)).ravel()]
    return frame


def wide_table(content: Content, truth: Truth, random: Random) -> pd.DataFrame:
    frame = pd.DataFrame({"sample_id": content["ids"]})
    if "labels" in content:
        frame["label"] = content["labels"]
    stages = truth.stage_names[::-1] if content.get("backwards") else truth.stage_names
    for stage, name in enumerate(stages):
        for what in ("answers", "confidence", "correct", "cost"):
            if what in content:
                frame[f"{name}_{what.removesuffix('s')}"] = content[what][stage]
        frame[f"{name}_macs"] = content["macs"][stage]
    return frame


def tabled(content: Content, truth: Truth, random: Random) -> tuple[str, bytes]:
    frame = (long_table if random.random() < 0.5 else wide_table)(content, truth, random)
    hows: list[Content] = [{}, {"sep": ";", "decimal": ","}, {"sep": "\t"}, {"encoding": "utf-16"}]
    kind = random.integers(3)
    if kind == 0:
        return "csv", brought.csv(frame, **hows[random.integers(len(hows))])
    return ("parquet", brought.parquet(frame)) if kind == 1 else ("jsonl", brought.jsonl(frame))


def judged(run: StageAnswers, truth: Truth, scale: Callable[[Any], Any]) -> str:
    """What is wrong with a run; nothing where it is what was meant."""
    places = {name: i for i, name in enumerate(truth.ids.tolist())}
    sample = np.array([places[name] for name in run.sample_ids.tolist()])
    meant = truth.probs.argmax(axis=2)[:, sample]
    right = meant == truth.labels[sample]
    if run.reference == "last stage":
        right = meant == meant[-1]
    if (run.correct != right).any():
        return "right answers"
    if np.abs(run.confidence - scale(truth.probs.max(axis=2)[:, sample])).max() > 1e-3:
        return "confidence"
    if [stage.trunk_macs + stage.head_macs for stage in run.stages] != list(truth.macs):
        return "macs"
    return ""


def one(seed: int) -> str:
    """Make a file, import it and judge what came; the name of the outcome."""
    random = np.random.default_rng(seed)
    n, m, k = (int(random.integers(*bounds)) for bounds in ((80, 200), (2, 5), (3, 8)))
    truth = brought.made(seed, n=n, m=m, k=k)
    content = sound(truth, random)
    harmless = HARMLESS[random.integers(len(HARMLESS))] if random.random() < 0.5 else None
    scale = SCALES.get(harmless, lambda sure: sure)
    if harmless is not None:
        harmless(content, truth, random)
    mistake = MISTAKES[random.integers(len(MISTAKES))] if random.random() < 0.6 else None
    if (mistake in NEED_LABELS and "labels" not in content) or (mistake in NEED_ANSWERS and "answers" not in content):
        mistake = None
    if mistake in (labels_from_one, other_classes):
        # Numbers alone can be off by one.
        content |= {"answers": truth.probs.argmax(axis=2)} if "answers" in content else {}
        content |= {"labels": truth.labels} if "labels" in content else {}
    if mistake is not None:
        mistake(content, truth, random)
    write = archive if random.random() < 0.4 else tabled
    if write is archive and mistake is None and random.random() < 0.2:
        mistake = a_sample_too_few
        mistake(content, truth, random)
    ending, raw = write(content, truth, random)
    told = f"file {seed}, {ending}, {harmless and harmless.__name__}, {mistake.__name__ if mistake else 'sound'}"
    run, error = imported(Contents(name=f"mine.{ending}", raw=raw))
    if run is None:
        assert mistake is not None, f"{told}: {error}"
        return "refused"
    wrong, said = judged(run, truth, scale), notes_on(run)
    assert not wrong or said, f"{told}: {wrong} came in wrong without a word"
    return f"{'wrong' if wrong else 'right'}, {'said' if said else 'without a word'}"


def imported(file: Contents) -> tuple[StageAnswers | None, str]:
    """What is made of a file, or the line that refuses it."""
    try:
        run = read_files([file], Wishes())
    except BadFile as error:
        assert_one_line(error, "Cannot import mine.")
        return None, str(error)
    assert isinstance(run, StageAnswers)
    return run, ""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_file_is_accepted_wrong_without_a_word(part: int) -> None:
    outcomes = Counter(one(seed) for seed in range(part, FILES, PARTS))
    assert set(outcomes) == {"refused", "right, without a word", "right, said", "wrong, said"}
    assert min(outcomes.values()) >= FILES // PARTS // 40, outcomes
