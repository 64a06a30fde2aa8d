"""What is odd about recorded softmaxes that are accepted all the same: a line each, for import, command line and page.

A file can be sound and its numbers wrong: labels that count from 1, classes in another order, rows of other samples.
Nothing here refuses or mends: a line says what was seen, and what usually explains it.  Names in the lines come from
files and are not escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

import numpy as np

from cascade_core.simulation.odd_confidences import odd_confidences, stages_named
from cascade_core.simulation.odd_softmaxes import copies, softmaxed_twice
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.simulation.record import Record
from cascade_core.simulation.recorded import Outputs
from cascade_core.simulation.relabelling import DEVIATIONS, Renumbering, better_numbering
from cascade_core.simulation.stages import Stage
from cascade_core.support import wording

LEAST_SAMPLES = 10
"""Of fewer samples nothing is told from chance."""

LUCKY = 4
"""Standard errors above chance up to which a stage may know nothing: rows of other samples must not pass."""

LEAST_FALL = 0.01
"""Least accuracy that a stage must lose against an earlier one to be said."""

FEW_MACS = 1_000

UNLIKELY = 0.01
"""Probability of a class without a sample, if all were drawn alike, from which that is not said."""

NAMED = 3
"""Classes without a sample that are named."""

USUAL = "labels off by one, classes in another order or rows of other samples are the usual reasons"


def suspicions(outputs: Outputs) -> tuple[str, ...]:
    """Lines on what is odd about a run."""
    record = outputs.record()
    of_answers = suspicions_of_answers(record, outputs.class_names)
    if not isinstance(outputs, StageOutputs):
        return of_answers
    return (*of_answers, *_twice(outputs), *_copies(outputs, record))


def suspicions_of_answers(record: Record, class_names: Sequence[str] | None = None) -> tuple[str, ...]:
    """The same of what answers show without softmaxes; without labels, of confidences.

    Args:
        record: Answers, each stage's own.
    """
    if record.n < LEAST_SAMPLES:
        return ()
    labelled = record.reference == "labels"
    at_chance = _at_chance(record, class_names) if labelled else []
    lines = at_chance or odd_confidences(record)
    if labelled and not at_chance:
        lines += [*_absent(record, class_names), *_falls(record)]
    return tuple(lines)


def is_meaningless(record: Record) -> bool:
    """Whether the plain network is right no more often than by chance, so that nothing can be measured against it."""
    measured = record.reference == "labels" and record.n >= LEAST_SAMPLES
    return measured and _no_better_than_chance(record, len(record.stages) - 1)


def few_macs(stages: Sequence[Stage]) -> list[str]:
    """A line where a stage takes so few MACs that somebody probably wrote them in another unit."""
    for stage in stages:
        macs = stage.trunk_macs + stage.head_macs
        if 0 < macs < FEW_MACS:
            return [
                f"Stage {stage.name!r} adds {macs:,} MACs for one sample, fewer than most networks take: "
                "if millions or billions are meant, write 10M or 1.2G."
            ]
    return []


def _absent(record: Record, class_names: Sequence[str] | None) -> list[str]:
    """A line where classes have no sample although all would, very likely, if they were drawn alike."""
    count = np.bincount(record.labels, minlength=record.classes)
    absent = np.flatnonzero(count == 0)
    if not absent.size or record.classes * (1 - 1 / record.classes) ** record.n > UNLIKELY:
        return []
    named = [str(k) if class_names is None else repr(class_names[k]) for k in absent.tolist()]
    return [
        f"{absent.size:,} of {record.classes:,} classes have no sample ({wording.listed(named, NAMED)}): nothing is "
        "measured of how the cascade treats them."
    ]


def _at_chance(record: Record, class_names: Sequence[str] | None) -> list[str]:
    """Lines on stages that are right no more often than by chance, or would be far oftener under other numbers."""
    odd = {
        stage: numbering
        for stage, answers in enumerate(record.predictions)
        if (numbering := better_numbering(answers, record.labels)) or _no_better_than_chance(record, stage)
    }
    if len(odd) == len(record.stages) > 1:
        why = _explained(odd[len(odd) - 1], "labels", class_names)
        return [f"All stages are right for {_shares(record)} of the samples, {_level(record, -1)}: {why}."]
    return [
        f"Stage {record.stages[stage].name!r} is right for {wording.percent(record.stage_accuracy[stage], 1)} of the "
        f"samples, {_level(record, stage)}: {_explained(numbering, 'labels beside its answers', class_names)}."
        for stage, numbering in odd.items()
    ]


def _shares(record: Record) -> str:
    return ", ".join(wording.percent(share, 1) for share in record.stage_accuracy)


def _level(record: Record, stage: int) -> str:
    """How a stage's accuracy stands to chance."""
    level = wording.percent(_chance(record, stage), 1)
    return f"at or below chance ({level})" if _no_better_than_chance(record, stage) else f"where chance gives {level}"


def _no_better_than_chance(record: Record, stage: int) -> bool:
    """Whether a stage is right so rarely that answers which know nothing of the labels would be as good."""
    chance = _chance(record, stage)
    luck = LUCKY * sqrt(chance * (1 - chance) / record.n)
    # Of few samples luck explains much; what is right halfway above chance is taken to be more than lucky.
    return bool(chance < 1 and record.stage_accuracy[stage] <= min(chance + luck, (1 + chance) / 2))


def _chance(record: Record, stage: int) -> float:
    """How many of a stage's answers would be right if they were dealt out anew: shares of answers times of labels."""
    classes = record.classes
    labels = np.bincount(record.labels, minlength=classes) / record.n
    if labels.max() == 1:
        return 1 / classes
    return float(labels @ (np.bincount(record.predictions[stage], minlength=classes) / record.n))


def _explained(numbering: Renumbering | None, labels: str, class_names: Sequence[str] | None) -> str:
    """What other numbers of classes would fit, or else the usual reasons."""
    if numbering is None:
        return USUAL
    fit = wording.percent(numbering.accuracy, 1)
    if numbering.shift:
        direction = "too high" if numbering.shift < 0 else "too low"
        return (
            f"{labels} are one {direction}: shifted by one they fit {fit} (where they count from 1, say so: "
            "labels_from 1)"
        )
    return f"classes seem to stand in another order, in which {fit} fit ({_moves(numbering.order, class_names)})"


def _moves(order: Mapping[int, int], class_names: Sequence[str] | None) -> str:
    """The first few classes that another order moves."""

    def name(number: int) -> str:
        return repr(class_names[number])[:40] if class_names is not None else str(number)

    moves = [f"what is answered as {name(k)} is labelled {name(label)}" for k, label in list(order.items())[:2]]
    return ", ".join(moves) + (", ..." if len(order) > 2 else "")


def _falls(record: Record) -> Iterator[str]:
    """A line on the last stage that an earlier one beats."""
    accuracy = record.stage_accuracy
    for stage in range(len(record.stages) - 1, 0, -1):
        best = int(np.argmax(accuracy[:stage]))
        lost = record.correct[best].astype(np.float64) - record.correct[stage]
        if lost.mean() >= LEAST_FALL and lost.mean() > DEVIATIONS * lost.std() / sqrt(record.n):
            yield (
                f"Accuracy falls from stage to stage ({_shares(record)}): {record.stages[best].name!r} is better than "
                f"{record.stages[stage].name!r} after it. Are the stages in their order?"
            )
            return


def _twice(outputs: StageOutputs) -> list[str]:
    """A line on stages whose softmaxes went through a softmax again."""
    stages = zip(outputs.stages, outputs.probs, strict=True)
    twice = [stage.name for stage, probs in stages if len(probs) >= LEAST_SAMPLES and softmaxed_twice(probs)]
    if not twice:
        return []
    return [
        f"Softmaxes look as if they went through a softmax twice at {stages_named(twice)}: they are as even as "
        "softmaxes of softmaxes. Was one taken of what the network had softmaxed already?"
    ]


def _copies(outputs: StageOutputs, record: Record) -> list[str]:
    found = copies(record.confidence, outputs.probs)
    if not len(found):
        return []
    return [
        f"{len(found):,} of {record.n:,} samples have the same softmaxes as another at every stage, such as "
        f"{str(outputs.sample_ids[found[0]])[:60]!r}: if they are copies, what is measured holds for fewer samples."
    ]
