"""Results -> tidy pandas frames, one row a thing, one column a quantity; fractions, not percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cascade_core.analysis.calibration import auroc, expected_calibration_error
from cascade_core.analysis.classes import Mistake
from cascade_core.analysis.comparison import Compared
from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.groups import Grouped
from cascade_core.analysis.leaving import Leaving
from cascade_core.analysis.points import Setting
from cascade_core.analysis.spread import Realised
from cascade_core.rendering.cost_words import by_exit_column, columns, per
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter, along, spent
from cascade_core.simulation.own_costs import OwnCosts
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import SCORES
from cascade_core.simulation.timing import Profile
from cascade_core.support.terms import LABELS, Terms


def stages_table(record: Record, own: OwnCosts | None = None) -> pd.DataFrame:
    """A row a stage: its MACs and its accuracy on all samples, were it to answer every one.

    Args:
        own: What stages cost, to be told in place of MACs that nobody knows.
    """
    if own is not None:
        costs = {f"mean {per(own)}": own.totals}
        return pd.DataFrame({"stage": record.stage_names, **costs, "accuracy": record.stage_accuracy})
    return pd.DataFrame(
        {
            "stage": record.stage_names,
            "trunk_macs": [s.trunk_macs for s in record.stages],
            "head_macs": [s.head_macs for s in record.stages],
            "cumulative_macs": np.cumsum([s.trunk_macs + s.head_macs for s in record.stages]),
            "accuracy": record.stage_accuracy,
        }
    )


def macs_table(record: Record) -> pd.DataFrame:
    """A row a stage: `stages_table` with what leaving there costs as a share of the plain network, all heads run."""
    frame = stages_table(record)
    frame.insert(4, "share", frame["cumulative_macs"] / record.baseline_macs)
    return frame


def worth_table(exploration: Exploration) -> pd.DataFrame:
    """A row a stage: how good it is alone on the test samples, how well its confidence ranks, and whether it is used.

    `calibration_error` is there for probabilities only; `used` is the share of slider positions at which anything
    leaves at the stage; `cost_alone` is by the exploration's meter.
    """
    record, result, meter = exploration.test, exploration.evaluation, exploration.meter
    stages = range(len(record.stages))
    frame = pd.DataFrame(
        {
            "stage": record.stage_names,
            "accuracy": record.stage_accuracy,
            "cost_alone": [meter.mean(one) for one in exploration.alone],
            "auroc": [auroc(record, stage) for stage in stages],
            "used": (result.exit_counts > 0).mean(axis=0),
            "dominated": exploration.dominated,
        }
    )
    if SCORES[record.score].is_probability:
        frame.insert(4, "calibration_error", [expected_calibration_error(record, stage) for stage in stages])
    return frame


def exits_table(rule: ExitRule, evaluation: Evaluation, meter: Meter = MACS) -> pd.DataFrame:
    """A row a stage: its threshold, who leaves there, how many of them are right, what a sample costs that does.

    The threshold is `inf` where no sample leaves, and NaN at the last stage, which always answers.  With one for each
    class it is the least of them, and `threshold_high` the largest.  With another meter than MACs its costs are there
    too, in its `by_exit_column`.
    """
    low, high = (np.append(shortest_of(f(axis=1)), np.nan) for f in (rule.columns.min, rule.columns.max))
    counts = evaluation.exit_counts
    with np.errstate(invalid="ignore"):
        right = np.where(counts > 0, evaluation.correct_counts / np.maximum(counts, 1), np.nan)
    return pd.DataFrame(
        {
            "stage": evaluation.stage_names,
            "threshold": low,
            **({"threshold_high": high} if rule.by_class else {}),
            "samples": counts,
            "share": evaluation.exit_shares,
            "accuracy": right,
            **({} if meter is MACS else {by_exit_column(meter): meter.by_exit(evaluation)}),
            "macs": evaluation.costs,
        }
    )


def path_table(exploration: Exploration, meter: Meter = MACS) -> pd.DataFrame:
    """A row a slider position: the parameter, the thresholds, and what they do on the test samples.

    With another meter than MACs the mean and the saving by it are there too, in its `columns`.
    """
    result = exploration.evaluation
    low, high = result.drop_interval()
    least, most = result.saving_interval()
    certificate = exploration.certificate
    names = result.stage_names
    # Of thresholds for each class, the least says from where on anything leaves.
    least_of = "least " if exploration.path.by_class else ""
    lowest = exploration.path.columns.min(axis=2)
    thresholds = {f"{least_of}threshold {name}": shortest_of(lowest[:, i]) for i, name in enumerate(names[:-1])}
    costs = along(meter, result)
    metered = dict(zip(columns(meter), (costs, 1 - costs / meter.plain(result)), strict=True))
    shares = {f"share {name}": result.exit_counts[:, i] / result.n for i, name in enumerate(names)}
    return pd.DataFrame(
        {
            exploration.slider.parameter: exploration.path.positions,
            "accuracy": result.accuracy,
            "accuracy_drop": result.accuracy_drop,
            "drop_low": low,
            "drop_high": high,
            "drop_certified": np.nan if certificate is None else certificate,
            "mean_macs": result.mean_macs,
            "saving": result.saving,
            "saving_low": least,
            "saving_high": most,
            **metered,
            **thresholds,
            **shares,
        }
    )


def shortest_of(thresholds: NDArray[np.float32]) -> NDArray[np.float64]:
    """The numbers of fewest digits that are these in float32: 0.606, not 0.60600001."""
    return np.array([float(str(value)) for value in thresholds])


def operating_points(setting: Setting, count: int = 12) -> pd.DataFrame:
    """Up to `count` rows of `path_table`: the one of the setting, and others spread evenly.

    ``setting`` is the position as the slider shows it, in its unit; ``chosen`` marks the setting's row, which
    thresholds set by hand have none of.
    """
    table = path_table(setting.exploration, setting.exploration.meter)
    table.insert(0, "setting", setting.exploration.shown)
    table.insert(1, "chosen", (np.arange(len(table)) == setting.position) & (not setting.is_by_hand))
    spread = np.linspace(0, len(table) - 1, count - 1).round().astype(np.int64)
    return table.iloc[np.union1d(spread, [setting.position])].reset_index(drop=True)


def comparison_table(compared: Sequence[Compared]) -> pd.DataFrame:
    """A row a policy: what it was set to, and what its rule does on the test samples.

    Where policies were to save another cost than MACs, `saving` is of MACs and a column such as `saving_of_dollars`
    has that; in `seeds_table` all savings are of it.
    """
    rows = []
    for one in compared:
        evaluation = one.evaluation
        low, high = evaluation.drop_interval()
        shares = {
            f"share {name}": share for name, share in zip(evaluation.stage_names, evaluation.exit_shares, strict=True)
        }
        rows.append(
            {
                "policy": one.policy.name,
                one.policy.slider.parameter: one.value,
                "accuracy_drop": evaluation.accuracy_drop,
                "drop_low": low,
                "drop_high": high,
                "drop_certified_alone": np.nan if one.bound is None else one.bound,
                "drop_moves_by": evaluation.drop_move,
                "saving": evaluation.saving,
                "saving_moves_by": evaluation.saving_move,
                columns(one.meter)[1]: spent(one.meter, evaluation)["saving"],
                **shares,
            }
        )
    frame = pd.DataFrame(rows)
    parameters = list(dict.fromkeys(one.policy.slider.parameter for one in compared))
    frame.insert(1, "setting", frame[parameters].bfill(axis=1).iloc[:, 0])
    return frame.drop(columns=parameters)


def seeds_table(compared: Sequence[Sequence[Compared]]) -> pd.DataFrame:
    """A row a policy: mean and standard deviation of its drop and saving over splits, which `compared` has one each."""
    rows = []
    for ones in zip(*compared, strict=True):
        realised = Realised.of([one.evaluation for one in ones], ones[0].meter)
        (drop, drop_sd), (saving, saving_sd) = realised.drop, realised.saving
        rows.append(
            {
                "policy": ones[0].policy.name,
                "accuracy_drop": drop,
                "drop_sd": drop_sd,
                "saving": saving,
                "saving_sd": saving_sd,
                "pooled": f"{sum(one.answers == 'pooled' for one in ones)} of {len(ones)}",
            }
        )
    return pd.DataFrame(rows)


def groups_table(grouped: Grouped, meter: Meter = MACS) -> pd.DataFrame:
    """A row a group with samples, the worst first; `drop_certified` holds in all groups at once.

    With another meter than MACs its mean cost is there too, in its column; savings are of it.  Where samples differ in
    what they cost at one stage there is no interval of a saving.
    """
    order, result = grouped.worst_first, grouped.evaluation
    low, high = result.drop_interval()
    costs, plain = grouped.costs(meter), meter.plain(grouped.whole)
    if grouped.whole.paid is not None:
        costs[:, 1:] = np.nan
    bounds = np.full(len(result.n), np.nan) if grouped.bounds is None else grouped.bounds
    columns = {
        "samples": result.n,
        "accuracy": result.accuracy,
        "full_accuracy": result.full_accuracy,
        "accuracy_drop": result.accuracy_drop,
        "drop_low": low,
        "drop_high": high,
        "drop_certified": bounds,
        "cost": costs[:, 0],
        "saving": 1 - costs[:, 0] / plain,
        "saving_low": 1 - costs[:, 2] / plain,
        "saving_high": 1 - costs[:, 1] / plain,
        **{f"share {name}": result.exit_shares[:, i] for i, name in enumerate(result.stage_names)},
    }
    names = [grouped.groups.names[group] for group in order]
    return pd.DataFrame({"group": names, **{name: values[order] for name, values in columns.items()}})


def leaving_table(found: Leaving, stage_names: Sequence[str], terms: Terms = LABELS) -> pd.DataFrame:
    """A row a stage: the error of those that leave there, the drop among them, and among all that have left by then.

    What is `certified` holds at all stages at once.
    """
    wrong = f"share {terms.wrong}"
    columns: dict[str, Any] = {"stage": list(stage_names), "samples": found.samples, wrong: found.error}
    if found.error_bound is not None:
        columns[f"{wrong}, certified"] = found.error_bound
    for name, lost in (("drop_here", found.here), ("drop_by_here", found.by_here)):
        columns |= {name: lost.drop, f"{name}_low": lost.low, f"{name}_high": lost.high}
        if lost.bound is not None:
            columns[f"{name}_certified"] = lost.bound
    return pd.DataFrame(columns)


def worst_groups_table(policies: Sequence[str], all_grouped: Sequence[Grouped]) -> pd.DataFrame:
    """A row a policy: its worst group, and what no group's drop exceeds."""
    rows = []
    for policy, grouped in zip(policies, all_grouped, strict=True):
        worst = grouped.worst_first[0]
        rows.append(
            {
                "policy": policy,
                "worst group": grouped.groups.names[worst],
                "samples": grouped.evaluation.n[worst],
                "accuracy_drop": grouped.evaluation.accuracy_drop[worst],
                "drop_certified_in_every_group": np.nan if grouped.bounds is None else np.nanmax(grouped.bounds),
            }
        )
    return pd.DataFrame(rows)


def mistakes_table(mistakes: Sequence[Mistake], class_names: Sequence[str]) -> pd.DataFrame:
    """A row a pair of true class and wrong answer."""
    return pd.DataFrame(
        {
            "class": [class_names[one.label] for one in mistakes],
            "answer": [class_names[one.answer] for one in mistakes],
            "samples": [one.count for one in mistakes],
            "share": [one.share for one in mistakes],
        }
    )


def profile_table(profile: Profile) -> pd.DataFrame:
    """Median milliseconds for a batch of each size, of each stage's parts and of the plain network, a row each."""
    parts = [
        (f"{name}, {part}", times[stage])
        for stage, name in enumerate(profile.stage_names)
        for part, times in (("trunk", profile.trunk), ("head", profile.head), ("pooled answer", profile.pool))
        if part != "pooled answer" or times.any()
    ]
    rows = [*parts, ("plain network", profile.plain)]
    columns = {f"ms at {size}": [1000 * times[i] for _, times in rows] for i, size in enumerate(profile.batch_sizes)}
    return pd.DataFrame({"part": [name for name, _ in rows], **columns})
