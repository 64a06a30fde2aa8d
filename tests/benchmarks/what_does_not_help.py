"""What does not help, and what does: common ideas for early exits, measured at one realised point.

Run with ``python -m tests.benchmarks.what_does_not_help`` in a checkout; it takes some minutes and prints Markdown.  On
each run thresholds (and whatever else an idea fits) come from one half of the samples and are judged on the other, in
several divisions.  The figure is the saving at a drop of exactly one point against the plain network, less that of
backward induction on stages' own answers, which all ideas use to choose thresholds unless they bring a rule of their
own.  A stage whose softmax a later one needs is charged even where nothing leaves.  See `averages` for standard errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from cascade_core import (
    Pool,
    Record,
    SharedThreshold,
    StageOutputs,
    evaluate_path,
    fit_pool,
    split_indices,
)
from cascade_core.policies.families.induction import backward_induction
from cascade_core.simulation.pool import log_softmax
from tests.benchmarks.averages import Average, Division, averaged, plain_first, saved_at
from tests.benchmarks.readme_figures import CACHE, line
from tests.runfiles import load_softmaxes

DROP = 0.01
DIVISIONS = 10
SHARED = 401
SAVINGS = np.linspace(0.0, 1.0, 401)
"""On the samples that choose: by them rules of different divisions are matched."""

Probs: TypeAlias = NDArray[np.float32]
Thresholds: TypeAlias = NDArray[np.float32]
Answering: TypeAlias = Callable[[StageOutputs, StageOutputs], tuple[Record, Record]]
"""From calibration and test samples to both as an idea answers them."""


class Idea(NamedTuple):
    """An idea: how stages answer, and how thresholds (G, M-1) or (G, M-1, K) are chosen on what they answer."""

    answering: Answering
    choosing: Callable[[Record], Thresholds]


def by_induction(record: Record) -> Thresholds:
    """A threshold for each stage, for each price of computation."""
    return backward_induction(record).rules(record)


def by_answer(record: Record) -> Thresholds:
    """A threshold for each class that a stage answers."""
    return backward_induction(record, by_answer=True).rules(record)


def alike(record: Record) -> Thresholds:
    """One threshold for all stages."""
    return SharedThreshold.path(record, SharedThreshold.positions(record, SHARED)).thresholds


def patiently(record: Record) -> Thresholds:
    """As many stages in a row as must agree, from all to one, as a share of all."""
    stages = len(record.stages)
    return np.repeat(np.arange(stages, 0, -1, dtype=np.float32)[:, None] / stages, stages - 1, axis=1)


def own(calibration: StageOutputs, test: StageOutputs, score: str = "max_probability") -> tuple[Record, Record]:
    """Each stage answers with its own softmax."""
    return calibration.record(score), test.record(score)


def pooled(calibration: StageOutputs, test: StageOutputs) -> tuple[Record, Record]:
    """Weights of all stages passed, fitted by likelihood."""
    pool = fit_pool(calibration.probs, calibration.labels)
    return calibration.record(pool=pool), test.record(pool=pool)


def evenly(calibration: StageOutputs, test: StageOutputs) -> tuple[Record, Record]:
    """All stages passed, with the same weight: their geometric mean."""
    pool = even_pool(len(calibration.stages))
    return calibration.record(pool=pool), test.record(pool=pool)


def even_pool(stages: int) -> Pool:
    """The pool in which each of m stages passed has the weight 1 / m."""
    return Pool(weights=tuple((1 / (stage + 1),) * (stage + 1) for stage in range(stages)))


def scaled(calibration: StageOutputs, test: StageOutputs) -> tuple[Record, Record]:
    """Each stage's softmax is raised to a power that makes the calibration labels most likely: temperature scaling."""
    powers = [inverse_temperature(probs, calibration.labels) for probs in calibration.probs]

    def said(probs: Probs) -> Probs:
        return np.stack([power_of(stage, power) for stage, power in zip(probs, powers, strict=True)])

    return _answered(calibration, said), _answered(test, said)


def inverse_temperature(probs: Probs, labels: NDArray[np.int64]) -> float:
    """The power from 0.01 to 100 that makes labels most likely."""

    def unlikelihood(log_power: float) -> float:
        chosen = power_of(probs, np.exp(log_power))[np.arange(len(labels)), labels]
        return -float(log_softmax(chosen).mean(dtype=np.float64))

    return float(np.exp(minimize_scalar(unlikelihood, bounds=(-np.log(100), np.log(100)), method="bounded").x))


def power_of(probs: Probs, power: float) -> Probs:
    """(N, K) softmaxes raised to a power, and divided by their sums again."""
    logits = np.float32(power) * log_softmax(probs)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def running_mean(probs: Probs) -> Probs:
    """(M, N, K) the mean of all softmaxes up to each stage."""
    return np.cumsum(probs, axis=0) / np.arange(1, len(probs) + 1, dtype=np.float32)[:, None, None]


def surest_so_far(probs: Probs) -> Probs:
    """(M, N, K) up to each stage, the softmax with the largest entry; of equals the later stage's."""
    result = probs.copy()
    for stage in range(1, len(probs)):
        surer = result[stage - 1].max(axis=1) > probs[stage].max(axis=1)
        result[stage, surer] = result[stage - 1, surer]
    return result


def with_all_passed(said: Callable[[Probs], Probs]) -> Answering:
    """Stages that answer with what `said` makes of the softmaxes (M, N, K), each from those up to it."""

    def answering(calibration: StageOutputs, test: StageOutputs) -> tuple[Record, Record]:
        return _charged(_answered(calibration, said)), _charged(_answered(test, said))

    return answering


def agreeing(calibration: StageOutputs, test: StageOutputs) -> tuple[Record, Record]:
    """Confidence counts only where a stage answers what the one before answered."""

    def said(record: Record) -> Record:
        confidence = np.where(agreement(record.predictions) > 1, record.confidence, 0)
        confidence[0] = record.confidence[0]
        return _charged(replace(record, confidence=confidence))

    return said(calibration.record()), said(test.record())


def patient(calibration: StageOutputs, test: StageOutputs) -> tuple[Record, Record]:
    """A stage is as sure as many stages in a row, up to it, gave its answer."""

    def said(record: Record) -> Record:
        return _charged(replace(record, confidence=agreement(record.predictions) / np.float32(len(record.stages))))

    return said(calibration.record()), said(test.record())


def agreement(predictions: NDArray[np.int64]) -> NDArray[np.float32]:
    """(M, N) how many stages in a row, up to each, gave its answer."""
    result = np.ones(predictions.shape, dtype=np.float32)
    for stage in range(1, len(predictions)):
        result[stage] += np.where(predictions[stage] == predictions[stage - 1], result[stage - 1], 0)
    return result


def _answered(outputs: StageOutputs, said: Callable[[Probs], Probs]) -> Record:
    """Samples that stages answer with other softmaxes; what the plain network says stays."""
    plain = outputs.record()
    return replace(
        replace(outputs, probs=said(outputs.probs)).record(),
        baseline_confidence=plain.baseline_confidence,
        baseline_predictions=plain.baseline_predictions,
        baseline_correct=plain.baseline_correct,
    )


def _charged(record: Record) -> Record:
    """The record with a pool that says only that every stage's head is run, whatever it answers with."""
    return replace(record, pool=even_pool(len(record.stages)))


REFERENCE = Idea(own, by_induction)

IDEAS: Mapping[str, Idea] = {
    "patience: leave once k stages in a row agree": Idea(patient, patiently),
    "confident, and in agreement with the stage before": Idea(agreeing, by_induction),
    "running mean of the softmaxes": Idea(with_all_passed(running_mean), by_induction),
    "the surest stage so far answers": Idea(with_all_passed(surest_so_far), by_induction),
    "all stages passed, with equal weights": Idea(evenly, by_induction),
    "entropy instead of the largest softmax": Idea(partial(own, score="negative_entropy"), by_induction),
    "margin instead of the largest softmax": Idea(partial(own, score="margin"), by_induction),
    "temperature scaling": Idea(scaled, by_induction),
    "a threshold for each of ten classes": Idea(own, by_answer),
    "one threshold for all stages": Idea(own, alike),
    "one threshold for all stages, temperature scaling": Idea(scaled, alike),
    "**pooled answers: weights fitted by likelihood**": Idea(pooled, by_induction),
}


def divided(outputs: StageOutputs, idea: Idea, divisions: int) -> list[Division]:
    """In each division the plain network, then an idea's rules that first save each of `SAVINGS` where chosen."""
    result = []
    for seed in range(divisions):
        calibration, test = split_indices(len(outputs.labels), 0.5, seed)
        chosen_on, judged_on = idea.answering(outputs.take(calibration), outputs.take(test))
        path = plain_first(judged_on, idea.choosing(chosen_on))
        saved = np.maximum.accumulate(evaluate_path(chosen_on, path).saving)
        path = path.take(np.searchsorted(saved, np.minimum(SAVINGS, saved[-1])))
        result.append(Division(samples=test, record=judged_on, path=path))
    return result


def gains(outputs: StageOutputs, ideas: Mapping[str, Idea], divisions: int, drop: float = DROP) -> dict[str, Average]:
    """What each idea saves beyond the reference, and first what that saves, at a realised drop; fractions."""
    n = len(outputs.labels)
    reference = saved_at(drop, divided(outputs, REFERENCE, divisions))
    result = {"": averaged(reference, n)}
    for name, idea in ideas.items():
        tried = saved_at(drop, divided(outputs, idea, divisions))
        differences = [(samples, a - b) for (samples, a), (_, b) in zip(tried, reference, strict=True)]
        result[name] = averaged(differences, n)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="*", type=Path, help="run files; without any, those on CIFAR-10 in cache/")
    parser.add_argument("--divisions", type=int, default=DIVISIONS, help="how often each is divided in halves")
    given = parser.parse_args(arguments)
    runs = given.runs or sorted(CACHE.glob("cifar10-*.parquet"))
    columns = [gains(load_softmaxes(path), IDEAS, given.divisions) for path in runs]
    print(
        line(["saving at a drop of one point", *(path.stem for path in runs)]),
        line(["---"] * (1 + len(runs))),
        sep="\n",
    )
    print(line(["backward induction on own answers, %", *(f"{100 * c[''].mean:.1f}" for c in columns)]))
    for name in IDEAS:
        print(line([name, *(f"{100 * c[name].mean:+.1f} ± {100 * c[name].error:.1f}" for c in columns)]))


if __name__ == "__main__":
    main()
