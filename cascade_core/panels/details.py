"""What stands below the live panel: exact numbers and interactive charts at the released position, a tab each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cascade_core.analysis.leaving import leaving
from cascade_core.analysis.spread import moved_words
from cascade_core.analysis.yardsticks import overthinking
from cascade_core.panels import state
from cascade_core.panels.address import fit
from cascade_core.panels.charts import chart, palette, picture_format
from cascade_core.panels.columns import Column, accuracy_columns, number, share, table, thresholds
from cascade_core.panels.shown import Shown
from cascade_core.panels.spreading import spread_over_seeds
from cascade_core.policies import Slider
from cascade_core.rendering import cost_words, tables
from cascade_core.rendering.figures import explore
from cascade_core.rendering.in_points import in_points
from cascade_core.rendering.published import SOURCE
from cascade_core.simulation.bounds import ALPHA, CERTAINTY, COVERAGE
from cascade_core.simulation.certificates import rules_of
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import SCORES
from cascade_core.support.wording import capital, percent

CERTAIN = f"With {CERTAINTY} confidence, at all stages and at all positions of the slider at once, on new samples."

LEAVING = "Of those that leave here."


def details(shown: Shown) -> None:
    """Tabs, of which only the one that is looked at is drawn; the others are when they are opened."""
    draws = {
        "thresholds": _thresholds,
        "curve": _tradeoff,
        "residual": _residual,
        "stages": _stages,
        "positions": _positions,
    }
    tabs = {state.TABS[name]: draw for name, draw in draws.items()}
    if "Residual accuracy" not in shown.exploration.policy.charts or len(shown.exploration.test.stages) == 1:
        del tabs["Residual accuracy"]
    state.DETAILS.keep()
    fit(state.DETAILS, tabs, "a tab that this policy has")
    opened = st.tabs(list(tabs), on_change="rerun", key=state.DETAILS.key)
    for tab, draw in zip(opened, tabs.values(), strict=True):
        if tab.open:
            with tab:
                draw(shown)


def _thresholds(shown: Shown) -> None:
    exits_table(shown.rule, shown.evaluation, shown.selection.meter, macs=shown.question.run.has_macs)
    st.markdown(moved_words(shown.evaluation, shown.selection.meter))
    _leaving(shown)
    if not shown.question.run.has_macs:
        return
    st.caption(
        "MACs are multiply-accumulates of convolutions, linear layers and matrix products; batch norm, ReLU and "
        "pooling layers are not counted, nor the few sums that pooled answers take. A sample pays for every trunk "
        "piece and every active head up to where it leaves."
    )


def _leaving(shown: Shown) -> None:
    """What is lost among those that leave at each stage, and by each; bounds hold at all positions and stages."""
    exploration, setting = shown.exploration, shown.setting
    if shown.rule.plain:
        return
    uncertain = exploration.split.in_sample or setting.is_by_hand
    alpha = None if uncertain else ALPHA / max(1, rules_of(exploration.path))
    test, terms, drop = exploration.test, exploration.terms, capital(exploration.terms.short_drop)
    frame = in_points(tables.leaving_table(leaving(test, shown.rule, alpha), test.stage_names, terms))
    among = {
        "drop_here": ("here", "Among those that leave here"),
        "drop_by_here": ("by here", "Among all that have left by here"),
    }
    columns = {
        "stage": "Stage",
        "samples": number("Leave here"),
        f"share {terms.wrong}": share(capital(terms.wrong), "Of those that leave here: selective risk."),
        f"share {terms.wrong}, certified": share(f"{capital(terms.wrong)} at most", CERTAIN),
        **{
            f"{name}{end}": number(label, 2, about)
            for name, (where, of) in among.items()
            for end, label, about in (
                ("", f"{drop} {where}", f"{of}, against the plain network on the same samples, points."),
                ("_low", "from", f"Lower end of its {COVERAGE} interval."),
                ("_high", "to", f"Upper end of its {COVERAGE} interval."),
                ("_certified", "certified", CERTAIN),
            )
        },
    }
    st.markdown(f"**Who leaves early loses how much?** A small {terms.short_drop} of all may hide a large one of few.")
    alt = f"For each stage the {terms.short_drop} among the samples that leave there, and among all that have left."
    table(frame, {name: column for name, column in columns.items() if name in frame}, alt)


def exits_table(rule: ExitRule, evaluation: Evaluation, meter: Meter, *, macs: bool = True) -> None:
    """A table of thresholds, of who leaves where and is right, and of what that costs by the meter, and in MACs."""
    frame = tables.exits_table(rule, evaluation, meter)
    found, own = frame.columns.intersection(["threshold", "threshold_high"]), cost_words.by_exit_column(meter)
    # The last stage has no threshold, as if every confidence were enough.
    frame.loc[len(frame) - 1, found] = -np.inf
    columns = {
        "stage": "Stage",
        "threshold": thresholds("Leaves at confidence", frame["threshold"]),
        "threshold_high": thresholds("to", frame[found[-1]], "There is a threshold for each class."),
        "samples": number("Leave here"),
        "share": share("Share"),
        "accuracy": share(capital(evaluation.terms.right), "Of those that leave here."),
        own: _cost(f"Cost, {cost_words.per(meter)}{cost_words.batches(meter)}", frame.get(own, []), LEAVING),
        "macs": number(f"Cost, {cost_words.per(MACS)}", 0, LEAVING) if macs else None,
    }
    right = evaluation.terms.right
    alt = f"Each stage's threshold, the samples that leave there, how many are {right}, and their costs."
    table(frame, columns, alt)


def _cost(label: str, values: Iterable[float], about: str) -> Column:
    return number(label, cost_words.decimals(values), about)


def _tradeoff(shown: Shown) -> None:
    published, meter = shown.selection.published, shown.selection.meter
    spread, accuracy = spread_over_seeds(shown), capital(shown.exploration.terms.accuracy)
    figure = explore.tradeoff(shown.setting, palette(), published, meter)
    if spread is not None:
        explore.add_spread(figure, spread, palette(), meter)
    chart(
        figure,
        "tradeoff",
        f"{accuracy} against cost",
        f"{accuracy} against mean {meter.unit} of the cascade at every slider position, with the plain network.",
    )
    if published:
        st.caption(
            f"Published points: {SOURCE}."
            if meter is MACS
            else f"The published results are savings of MACs, and not shown on costs in {meter.unit}."
        )
    picture_format()


def _residual(shown: Shown) -> None:
    accuracy = capital(shown.exploration.terms.accuracy)
    st.caption(
        f"{accuracy} of each stage on the calibration samples at or above a confidence. The paper's rule takes "
        "the smallest confidence at which it is within epsilon of its best."
    )
    exploration, axis = shown.exploration, shown.question.axis
    epsilon = float(exploration.path.positions[shown.position])
    chart(
        explore.residual_accuracy_curves(exploration.calibration, shown.rule, epsilon, axis, palette()),
        "residual",
        f"Residual {shown.exploration.terms.accuracy}",
        f"{accuracy} of each stage on the samples at or above a confidence, against that confidence.",
    )
    picture_format()


def _stages(shown: Shown) -> None:
    """What each stage is worth: alone, as a judge of itself, and on the way."""
    test = shown.exploration.test
    terms = test.terms
    st.markdown(_where_right(test))
    ranking = terms.of("Chance that a right answer is surer than a wrong answer; it decides what a stage can save.")
    superfluous = f"An earlier stage is {terms.as_accurate} on the samples that get here: this exit could be dropped."
    meter, frame = shown.exploration.meter, tables.worth_table(shown.exploration)
    columns = {
        "stage": "Stage",
        "accuracy": share(f"{capital(terms.accuracy)} alone"),
        "cost_alone": _cost(
            f"Cost alone, {cost_words.per(meter)}", frame["cost_alone"], "Were every sample to leave here."
        ),
        "auroc": number("Ranking (AUROC)", 3, ranking),
        "calibration_error": share(
            "Calibration error", terms.of("Mean distance between confidence and accuracy (ECE).")
        ),
        "used": share("Used at", "Share of slider positions at which anything leaves here."),
        "dominated": st.column_config.CheckboxColumn("Superfluous", help=superfluous),
    }
    table(frame, columns, "What each stage is worth on the test samples.")
    st.caption(
        "All test samples at every stage, whether they reach it or not (above, only those that do); "
        f"{terms.wrong_answers} at the bottom."
    )
    chart(
        explore.confidence_histograms(test, shown.rule, shown.question.axis, palette()),
        "confidence",
        "Confidence at each stage",
        f"Histograms of confidence at each stage, {terms.right_answers} and {terms.wrong_answers}, with the threshold.",
    )
    if SCORES[test.score].is_probability:
        alt = f"Share of {terms.right_answers} against mean confidence for each stage, and where the two are equal."
        chart(
            explore.reliability_curves(test, palette()), "reliability", f"{capital(terms.accuracy)} by confidence", alt
        )
    picture_format()


def _where_right(test: Record) -> str:
    """Which share of the samples is right at an early stage, at the last, at both and at neither, as markdown."""
    shares = overthinking(test)
    if test.reference != "labels":
        return (
            f"Of all test samples **{percent(shares.wasteful, 1)}** are {test.terms.right} at an early stage, "
            f"**{percent(shares.needed, 1)}** at the last only."
        )
    return (
        f"Of all test samples **{percent(shares.wasteful, 1)}** are right early and by the plain network, "
        f"**{percent(shares.needed, 1)}** by the plain network only, "
        f"**{percent(shares.destructive, 1)}** early but not by the plain network (overthinking), "
        f"**{percent(shares.hopeless, 1)}** nowhere."
    )


def _positions(shown: Shown) -> None:
    """Every slider position in points and percent; the file that the buttons above save has fractions, and more."""
    exploration, meter = shown.exploration, shown.selection.meter
    frame = in_points(tables.path_table(exploration, meter))
    slider, stages = exploration.slider, exploration.test.stage_names
    frame[slider.parameter] = exploration.shown
    cost, saved = cost_words.columns(meter)
    columns: dict[str, Column] = {
        slider.parameter: _slider_column(slider, exploration.shown),
        **accuracy_columns(exploration.terms),
        "drop_low": number("from", 2, f"Lower end of its {COVERAGE} interval, rounded down."),
        "drop_high": number("to", 2, f"Upper end of its {COVERAGE} interval, rounded up."),
        "drop_certified": number("at most, everywhere", 2, f"With {CERTAINTY} confidence, at all positions at once."),
        cost: number(capital(cost_words.mean_title(meter)), cost_words.decimals(frame[cost])),
        saved: share("Saved", "Of what the plain network costs; below zero the cascade costs more."),
        **{name: thresholds(_leaves(name), frame[name]) for name in frame.columns if "threshold " in name},
        **{f"share {name}": share(f"Leave at {name}") for name in stages},
    }
    if exploration.certificate is None:
        del columns["drop_certified"]
    table(frame[list(columns)], columns, "What every position of the slider does on the test samples.")


def _slider_column(slider: Slider, values: NDArray[np.float64]) -> Column:
    label = capital(slider.label)
    label = f"{label}, {slider.unit}" if slider.unit else label
    return number(label, slider.decimals + 1) if slider.unit else thresholds(label, values)


def _leaves(name: str) -> str:
    least, _, stage = name.rpartition("threshold ")
    return f"{least}confidence to leave at {stage}".capitalize() if least else f"Confidence to leave at {stage}"
