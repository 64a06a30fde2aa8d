"""The exported JSON: a rule, where it comes from, and what it was measured to do.

Versioned; `choice_schema` says what it may hold, and what is written has been read back before.  Thresholds are
written with the fewest digits that give the same float32 back, and `inf` (never leave here) as null, so that the file
is JSON everywhere.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.pool import Pool
from cascade_core.simulation.reach import within_reach
from cascade_core.storage.choice_schema import MAX_BYTES, check_data, check_size, validate
from cascade_core.storage.measured import measured
from cascade_core.support.files import BadFile, atomic_write, read_bytes, readable
from cascade_core.support.json_files import strict_json
from cascade_core.support.remote import Place, Somewhere, place

SCHEMA_VERSION = POOLS_SINCE = 3
"""Versions 1 and 2 had temperatures, of all stages or one for each, in place of a pool; they are still read."""

BY_HAND = "by_hand"
"""The policy of thresholds that somebody set, where a policy chose others."""

_INF = float("inf")
_HALVES = re.compile("[\ud800-\udfff]")
_FLOAT32_END = 2**128 - 2**103
"""Least number that rounds to infinity in float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """What a choice file holds.

    Attributes:
        rule: The thresholds with their score, pool and stage names.
        costs: MACs of a sample that leaves at each stage.
        baseline_macs: MACs of the plain network on one sample.
        policy: Name and parameters of the policy that chose them, or None.
        run: Name and SHA-256 of the run they were chosen on, or None.
        measured: What the rule was measured to do, as in the file.
        judged_on: What it does on other runs, likewise.
        notes: What is suspicious in the file, a line each: thresholds that no confidence reaches, which are off.
    """

    rule: ExitRule
    costs: tuple[int, ...]
    baseline_macs: int
    policy: Mapping[str, Any] | None = None
    run: Mapping[str, Any] | None = None
    measured: Mapping[str, Any]
    judged_on: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """(M-1,) thresholds of the rule, or (M-1, K) for each class."""
        return self.rule.thresholds

    @property
    def exit_counts(self) -> NDArray[np.int64]:
        """(M,) samples that left at each stage where it was measured."""
        return np.array([round(row["share"] * self.measured["n"]) for row in self.measured["exits"]])


def choice_json(
    rule: ExitRule,
    evaluation: Evaluation,
    *,
    policy: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    split: Mapping[str, Any] | None = None,
    meter: Meter = MACS,
    judged_on: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The text of a choice file.

    Args:
        policy: As `policies.describe` gives it.
        run: ``name`` and ``sha256`` of the run.
        split: How samples were divided and which of them `evaluation` counts, as
            `exploration.Split.describe` gives it; None says nothing about that.
        meter: What costs are told in beside MACs.
        judged_on: What the rule does on other runs, as `measured.judged` gives it.

    Raises:
        ValueError: The rule is for other stages than the evaluation.
        BadFile: An argument is not JSON data of the schema, or there is more than `load_choice` would read.
    """
    rule.check_stages(evaluation.stage_names)
    data = {
        "schema_version": SCHEMA_VERSION,
        "created_by": "cascade_core",
        "rule": _rule_json(rule, evaluation.stage_names),
        "stages": [
            {"name": name, "cumulative_macs": int(cost)}
            for name, cost in zip(evaluation.stage_names, evaluation.costs, strict=True)
        ],
        "baseline_macs": evaluation.baseline_macs,
        "policy": policy,
        "run": run,
        "measured": {**measured(evaluation, meter), "split": split},
        **({"judged_on": list(judged_on)} if judged_on else {}),
    }
    text = _text(data)
    parse_choice(text.encode())
    return text


def _text(data: Mapping[str, Any]) -> str:
    """JSON data as the text of a file, in the letters that they have unless those have no bytes."""
    for name in ("policy", "run", "measured", "judged_on"):
        check_data(name, data.get(name))
    try:
        text = json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    except (TypeError, ValueError) as error:
        raise BadFile(f"expected JSON data for a choice but {error}") from None
    # Names of files may hold halves of characters.
    return json.dumps(data, indent=2) + "\n" if _HALVES.search(text) else text


def _rule_json(rule: ExitRule, stage_names: Sequence[str]) -> dict[str, Any]:
    thresholds: list[dict[str, Any]] = [
        {"stage": name, "threshold": list(map(shortest, value)) if rule.by_class else shortest(value)}
        for name, value in zip(stage_names[:-1], rule.thresholds, strict=True)
    ]
    return {
        "score": rule.score,
        "top_k": rule.top_k,
        "pool": None if rule.pool is None else {"weights": [list(row) for row in rule.pool.weights]},
        "comparison": "confidence >= threshold, in float32",
        "thresholds": [*thresholds, {"stage": stage_names[-1], "threshold": None, "always_answers": True}],
    }


def save_choice(
    path: str | Somewhere,
    rule: ExitRule,
    evaluation: Evaluation,
    *,
    policy: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    split: Mapping[str, Any] | None = None,
    meter: Meter = MACS,
    judged_on: Sequence[Mapping[str, Any]] = (),
) -> Path | Somewhere:
    """Write a choice file, atomically; the arguments are those of `choice_json`."""
    target = place(path)
    text = choice_json(rule, evaluation, policy=policy, run=run, split=split, meter=meter, judged_on=judged_on)
    with atomic_write(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return target


def load_choice(path: str | Place) -> Choice:
    """Read a choice file.

    Raises:
        BadFile: It is missing, too large, not JSON, or does not follow the schema; one line says where.

    Warns:
        UserWarning: The file has `notes`.
    """
    source = place(path)
    with readable(source):
        choice = parse_choice(read_bytes(source, MAX_BYTES))
    for note in choice.notes:
        warnings.warn(note, stacklevel=2)
    return choice


def parse_choice(raw: bytes) -> Choice:
    """Read the bytes of a choice file.

    Raises:
        BadFile: As for `load_choice`.
    """
    check_size(len(raw))
    data = strict_json(raw)
    version = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(data, dict) and version not in range(1, SCHEMA_VERSION + 1):
        raise BadFile(f"expected schema_version {SCHEMA_VERSION} but it is {str(version)[:40]}; update this program")
    validate(data)
    _check_version(data["rule"], data["schema_version"])
    thresholds, note = _thresholds(data)
    return Choice(
        rule=_rule(data, thresholds),
        notes=() if note is None else (note,),
        costs=tuple(int(stage["cumulative_macs"]) for stage in data["stages"]),
        baseline_macs=int(data["baseline_macs"]),
        policy=data["policy"],
        run=data["run"],
        measured=data["measured"],
        judged_on=tuple(data.get("judged_on", ())),
    )


def _check_version(rule: Mapping[str, Any], version: int) -> None:
    """BadFile where a file has what its version does not."""
    foreign = "pool" if version < POOLS_SINCE else "temperature"
    if foreign in rule:
        raise BadFile(f"expected no rule/{foreign} in a file of schema_version {version} but there is one")


def _thresholds(data: Mapping[str, Any]) -> tuple[NDArray[np.float32], str | None]:
    """The thresholds of a file that follows the schema, and a line on those that are off; BadFile if any clash."""
    rows = data["rule"]["thresholds"]
    names = [row["stage"] for row in rows]
    stages = [stage["name"] for stage in data["stages"]]
    if names != stages:
        said = [", ".join(map(repr, some[:8])) for some in (stages, names)]
        raise BadFile(
            f"expected rule/thresholds to name the same stages as stages, {said[0]} in this order, "
            f"but it names {said[1]}"
        )
    if rows[-1]["threshold"] is not None or any("always_answers" in row for row in rows[:-1]):
        raise BadFile("expected the last stage, and no other, to answer always (its threshold is null)")
    values = [_threshold(row) for row in rows[:-1]]
    if len({np.shape(value) for value in values}) > 1:
        raise BadFile("expected one threshold at every stage, or one for each class at every stage")
    return within_reach(np.array(values, np.float32), 1, data["rule"]["score"], names)


def _rule(data: Mapping[str, Any], thresholds: NDArray[np.float32]) -> ExitRule:
    """The rule of a file; BadFile where something in it does not fit the stages."""
    names = tuple(stage["name"] for stage in data["stages"])
    try:
        return ExitRule(
            thresholds=thresholds,
            score=data["rule"]["score"],
            top_k=data["rule"]["top_k"],
            pool=_pool(data["rule"], len(names)),
            stage_names=names,
        )
    except ValueError as error:
        raise BadFile(str(error)) from None


def _pool(rule: Mapping[str, Any], stages: int) -> Pool | None:
    """The pool of a file, where a temperature is the inverse of a stage's own weight."""
    if rule.get("pool") is not None:
        return Pool(weights=tuple(map(tuple, rule["pool"]["weights"])))
    temperature = rule.get("temperature", 1)
    temperatures = temperature if isinstance(temperature, list) else [temperature] * stages
    pool = Pool(weights=tuple((*[0.0] * stage, 1 / value) for stage, value in enumerate(temperatures)))
    return None if pool == Pool.own(stages) else pool


def _threshold(row: Mapping[str, Any]) -> float | list[float]:
    """A row's threshold, or its thresholds for each class, with `inf` for null."""
    threshold = row["threshold"]
    values = [_INF if value is None else value for value in (threshold if isinstance(threshold, list) else [threshold])]
    if any(_FLOAT32_END <= abs(value) < _INF for value in values):
        raise BadFile(f"expected the threshold of stage {row['stage']!r} to be a float32 number but it is too large")
    return values if isinstance(threshold, list) else values[0]


def shortest(value: np.floating) -> float | None:
    """The number of fewest digits that gives `value` back in its own precision; None for what is not finite."""
    return float(str(value)) if np.isfinite(value) else None
