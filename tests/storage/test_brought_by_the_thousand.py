"""Two thousand files, sound, nearly sound and wrong: none is both accepted and wrong without a line that says so.

What is right is known before a file is written: which class each probability is of, how the stages follow one another,
the labels, and what each stage adds.  A mistake is made on purpose, and the judge compares numbers alone.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cascade_core import StageOutputs
from cascade_core.storage.importers import Wishes, read_files
from cascade_core.storage.notes import notes_on
from cascade_core.support.files import BadFile, Contents
from tests.oracle import assert_one_line
from tests.runfiles import softmaxes
from tests.storage import brought
from tests.storage import brought_changes as changes
from tests.storage.brought import Truth
from tests.storage.brought_changes import Change, Content, Random
from tests.storage.brought_files import WRITERS, archive, delimited

FILES = 2_000
PARTS = 10


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


def brought_truth(seed: int, random: Random) -> Truth:
    """A truth of any size; of some, no sample is of the last class."""
    n, m, k = (int(random.integers(*bounds)) for bounds in ((60, 120), (2, 5), (3, 8)))
    truth = brought.made(seed, n=n, m=m, k=k)
    return brought.without_last_class(truth) if random.random() < 0.1 else truth


def spoilt(content: Content, truth: Truth, random: Random, archived: bool) -> Change | None:
    """A mistake made in `content`, more often than not."""
    possible = [*changes.MISTAKES, *(changes.OF_ARRAYS if archived else [])]
    mistake = possible[random.integers(len(possible))] if random.random() < 0.6 else None
    if mistake in changes.OF_NUMBERED_CLASSES:
        content.pop("class_names", None)
        content["labels"] = truth.labels
    if mistake is not None:
        mistake(content, truth, random)
    return mistake


def one(seed: int) -> str:
    """Make a file, import it and judge what came; the name of the outcome."""
    random = np.random.default_rng(seed)
    truth = brought_truth(seed, random)
    content = changes.sound(truth, random)
    for place in random.choice(len(changes.HARMLESS), random.integers(0, 3), replace=False):
        changes.HARMLESS[place](content, truth, random)
    write = WRITERS[random.integers(len(WRITERS))]
    if write is delimited and content["labels"].ndim == 2:
        content["labels"] = truth.labels
    mistake = spoilt(content, truth, random, archived=write is archive)
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
        return softmaxes(read_files([file], Wishes())), ""
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
