"""A payload of the live panel, simulated by the plainest means: one loop over positions and stages."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.support.terms import LABELS

BINS = 60
SAMPLES = 400
POSITIONS = 51
MACS = 125.5e6


@dataclass(frozen=True)
class Counts:
    """What a simulated cascade does: stages first, then positions; `flags` are places of thresholds in [0, 1]."""

    full_accuracy: float
    right: NDArray[np.uint16]
    wrong: NDArray[np.uint16]
    exits: NDArray[np.int64]
    hits: NDArray[np.int64]
    leaving: NDArray[np.uint16]
    flags: NDArray[np.float64]
    harmed: NDArray[np.int64]


def simulate(stages: int, positions: int, off: int | None) -> Counts:
    """Thresholds fall along the slider; stage `off` never exits."""
    rng = np.random.default_rng(stages)
    nines = rng.exponential(1.2, (stages, SAMPLES))
    correct = rng.random((stages, SAMPLES)) < 1 - 0.5 * np.exp(-nines) - 0.1
    place = np.minimum(nines / 5, 1.0)
    bins = np.minimum((place * BINS).astype(int), BINS - 1)
    shape = (stages, positions, BINS)
    right, wrong = np.zeros(shape, "<u2"), np.zeros(shape, "<u2")
    exits, hits = np.zeros(shape[:2], int), np.zeros(shape[:2], int)
    leaving = np.zeros((2, stages - 1, positions, BINS), "<u2")
    flags = np.array([[0.9 - 0.8 * g / max(1, positions - 1)] * (stages - 1) for g in range(positions)]).T
    harmed = np.zeros(positions, int)
    for g in range(positions):
        reach = np.ones(SAMPLES, bool)
        for m in range(stages):
            leave = reach.copy()
            if m < stages - 1:
                leave &= (place[m] >= flags[m, g]) & (m != off)
                for kind, chosen in enumerate((leave & correct[m], leave & ~correct[m])):
                    leaving[kind, m, g] = np.bincount(bins[m][chosen], minlength=BINS)
            right[m, g] = np.bincount(bins[m][reach & correct[m]], minlength=BINS)
            wrong[m, g] = np.bincount(bins[m][reach & ~correct[m]], minlength=BINS)
            exits[m, g], hits[m, g] = leave.sum(), (leave & correct[m]).sum()
            harmed[g] += (leave & correct[-1] & ~correct[m]).sum()
            reach &= ~leave
    return Counts(float(correct[-1].mean()), right, wrong, exits, hits, leaving, flags, harmed)


def payload(
    stages: int = 3, positions: int = POSITIONS, off: int | None = None, names: list[str] | None = None
) -> dict[str, Any]:
    """A cascade of `stages` on simulated samples, thresholds falling along the slider; stage `off` never exits."""
    counts = simulate(stages, positions, off)
    flags = [[None] * positions if m == off else counts.flags[m].tolist() for m in range(stages - 1)]
    return {
        "id": f"{stages}-{positions}-{off}",
        "slider": slider(positions),
        "stages": names or [f"module {m + 1}" for m in range(stages)],
        "samples": SAMPLES,
        "in_sample": False,
        "unit": "images",
        "reference": "labels",
        "terms": LABELS.as_json(),
        "baseline": {"accuracy": counts.full_accuracy, "cost": MACS, "label": "plain network"},
        "cost_unit": "MACs",
        "cost_noun": "computation",
        **measured(counts),
        "level": 0.95,
        "thresholds": [[None if f is None else 1 - 10 ** (-5 * f) for f in row] for row in flags],
        "histogram": histogram(),
        "counts": packed(counts),
        "groups": None,
        "plain": [False] * positions,
        "costing": costing(stages),
        "curve": curve(),
        "footnote": "Thresholds chosen on 400 images; every number measured on 400 others.",
    }


def slider(positions: int) -> dict[str, Any]:
    """An acceptable drop from 0 to 5 points."""
    return {
        "label": "acceptable accuracy drop",
        "unit": "points",
        "values": np.linspace(0, 5, positions).tolist(),
        "initial": positions // 4,
        "ticks": [{"index": 0, "text": "0"}, {"index": positions - 1, "text": "5"}],
        "decimals": 1,
    }


def measured(counts: Counts) -> dict[str, Any]:
    """What the cascade does at every position."""
    stages = len(counts.exits)
    accuracy = counts.hits.sum(axis=0) / SAMPLES
    cost = MACS * np.arange(1, stages + 1) / stages @ counts.exits / SAMPLES
    drop = counts.full_accuracy - accuracy
    return {
        "accuracy": accuracy.tolist(),
        "drop": drop.tolist(),
        "harmed": counts.harmed.tolist(),
        "drop_low": (drop - 0.01).tolist(),
        "drop_high": (drop + 0.01).tolist(),
        "saving": (1 - cost / MACS).tolist(),
        "cost": cost.tolist(),
        "certificate": {"level": 0.95, "drop": (drop + 0.02).tolist()},
        "exit_counts": counts.exits.tolist(),
        "correct_counts": counts.hits.tolist(),
    }


def histogram() -> dict[str, Any]:
    """The axis of confidences, on a scale of nines."""
    return {
        "bins": BINS,
        "label": "confidence, on a scale of nines",
        "ticks": [{"at": i / 5, "text": text} for i, text in enumerate(("0", "0.9", "0.99", "0.999"))],
        "edges": (1 - 10.0 ** (-5 * np.arange(1, BINS) / BINS)).tolist(),
        "low": 0.0,
        "high": 1.0,
        "nines": 5.0,
    }


def packed(counts: Counts) -> dict[str, Any]:
    """Samples in each bar, at every position."""
    right, wrong = counts.leaving
    arrays = {"right": counts.right, "wrong": counts.wrong, "leaving_right": right, "leaving_wrong": wrong}
    coded = {name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()}
    return {"dtype": "uint16", **coded}


def costing(stages: int) -> dict[str, Any]:
    """Stages that cost the same, with heads and pooling for nothing."""
    return {
        "trunk": [[0, MACS / stages]] * stages,
        "head": [[0, 0]] * stages,
        "pool": [[0, 0]] * stages,
        "batch": 1,
        "compaction": True,
        "pooled": False,
        "used_later": [False] * (stages - 1),
    }


def curve() -> dict[str, Any]:
    """What is drawn beside the curve: a published point and the oracle."""
    point = {"cost": 0.73, "accuracy": 0.927, "text": "epsilon 1 %"}
    return {
        "published": [{"label": "published (ResNet-110)", "points": [point]}],
        "oracle": {"cost": 0.5, "accuracy": 0.97},
    }
