"""What is said of a choice at work: what was asked for and missed, and which thresholds audited samples refute."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, load_choice, tune
from cascade_core.analysis.rechoosing import rechoose
from cascade_core.analysis.watched import Watch
from cascade_core.rendering.watched import position_sentence, read_sentences, rechosen_sentence
from cascade_core.storage.exit_logs import parse
from cascade_core.storage.log_files import LogFile
from tests.logged import lines_of
from tests.samples import sample_run

FILE = LogFile(path=Path("exits.jsonl"), key="", began=0.0, size=0)


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    outputs, path = sample_run(n=3000), Path(tmp_path_factory.mktemp("choice")) / "choice.json"
    tune(outputs, CheapestWithinDrop(max_drop=0.02), answers="own").save(path)
    watch = Watch(load_choice(path))
    lines = lines_of(outputs.record(), watch.choice, np.arange(3000), audited=True)
    watch.add(parse("".join(lines).encode(), watch.stages)[0])
    return watch


def test_new_thresholds_that_miss_what_was_asked_say_so(watch: Watch) -> None:
    new = rechoose(watch, 0.02)
    had = new.evaluation.accuracy_drop
    assert "asked for" not in rechosen_sentence(replace(new, max_drop=had))
    missed = rechosen_sentence(replace(new, max_drop=had - 0.001))
    assert missed.endswith(f"; that is more than the {100 * (had - 0.001):.2f} points asked for: audit more samples")


def test_other_units_are_noticed(watch: Watch) -> None:
    assert read_sentences(watch, [FILE]) == ["3,000 samples in 1 log, until 2025-11-26 18:49:59 UTC"]
    line = {"time": 1.764e12, "stage": watch.stages[0], "confidence": [99.5], "answer": 0}
    other = Watch(watch.choice)
    other.add(parse(f"{json.dumps(line)}\n".encode(), watch.stages)[0])
    first, *odd = read_sentences(other, [FILE])
    assert first.startswith("1 sample in 1 log")
    assert odd == [
        "times are far ahead: expected seconds since 1970, where milliseconds or less may have been written",
        "confidences are above 1, which this score never is: percent may have been written",
    ]


def test_refuted_thresholds_are_these_or_farther_from_certainty(watch: Watch) -> None:
    assert "refuted" not in position_sentence(watch, 1.0)
    some = position_sentence(watch, 0.02)
    assert "; thresholds from " in some
    assert some.endswith(" times as far from certainty on are refuted: they answer otherwise more often")
    # Every sample of an easier limit than the thresholds were chosen for.
    assert position_sentence(watch, 1e-4).split("; ")[-1].endswith("on are refuted: they answer otherwise more often")
