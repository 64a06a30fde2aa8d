"""What stands below the live panel: exact numbers and interactive charts at the released position, a tab each."""

from __future__ import annotations

import streamlit as st

from cascade_core.analysis.spread import moved_words
from cascade_core.analysis.yardsticks import overthinking
from cascade_core.panels.charts import chart, number, palette, share, table
from cascade_core.panels.shown import Shown
from cascade_core.panels.spreading import spread_over_seeds
from cascade_core.panels.state import Key
from cascade_core.rendering import tables
from cascade_core.rendering.figures import explore
from cascade_core.rendering.published import SOURCE
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS
from cascade_core.simulation.scores import SCORES


def details(shown: Shown) -> None:
    """Tabs, of which only the one that is looked at is drawn; the others are when they are opened."""
    tabs = {
        "Thresholds": _thresholds,
        "Accuracy against computation": _tradeoff,
        "Residual accuracy": _residual,
        "Confidence": _confidence,
        "Exits": _exits,
        "Stages": _stages,
        "All positions": _positions,
    }
    if "Residual accuracy" not in shown.exploration.policy.charts or len(shown.exploration.test.stages) == 1:
        del tabs["Residual accuracy"]
    for tab, draw in zip(st.tabs(list(tabs), on_change="rerun", key=Key.DETAILS), tabs.values(), strict=True):
        if tab.open:
            with tab:
                draw(shown)


def _thresholds(shown: Shown) -> None:
    exits_table(shown.rule, shown.evaluation)
    st.markdown(moved_words(shown.evaluation))
    st.caption(
        "MACs are multiply-accumulates of convolutions, linear layers and matrix products; batch norm, ReLU and "
        "pooling are not counted. A sample pays for every trunk piece and every active head up to where it leaves."
    )


def exits_table(rule: ExitRule, evaluation: Evaluation) -> None:
    """A table of thresholds, of who leaves where and is right, and of what that costs."""
    frame = tables.exits_table(rule, evaluation)
    for name in frame.columns.intersection(["threshold", "threshold_high"]):
        frame[name] = [_threshold(value) for value in frame[name]]
    columns = {
        "stage": "Stage",
        "threshold": "Leaves at confidence",
        "threshold_high": st.column_config.TextColumn("to", help="There is a threshold for each class."),
        "samples": number("Samples leaving"),
        "share": share("Share of samples"),
        "accuracy": share("Right among them"),
        "macs": number("MACs a sample leaving here"),
    }
    table(frame, columns)


def _threshold(value: float) -> str:
    if value != value:
        return "always answers"
    return "never" if value == float("inf") else f"{value:.6g}"


def _tradeoff(shown: Shown) -> None:
    published, meter = shown.selection.published, shown.selection.meter
    spread = spread_over_seeds(shown)
    figure = explore.tradeoff(shown.setting, palette(), published, meter)
    if spread is not None:
        explore.add_spread(figure, spread, palette(), meter)
    chart(
        figure,
        "tradeoff",
        "Accuracy against cost",
        f"Accuracy against mean {meter.unit} of the cascade at every slider position, with the plain network.",
    )
    if published and meter is MACS:
        st.caption(f"Published points: {SOURCE}.")


def _residual(shown: Shown) -> None:
    st.caption(
        "Accuracy of each stage on the calibration samples at or above a confidence. The paper's rule takes "
        "the smallest confidence at which it is within epsilon of its best."
    )
    exploration, axis = shown.exploration, shown.question.axis
    epsilon = float(exploration.path.positions[shown.position])
    chart(
        explore.residual_accuracy_curves(exploration.calibration, shown.rule, epsilon, axis, palette()),
        "residual",
        "Residual accuracy",
        "Accuracy of each stage on the samples at or above a confidence, against that confidence.",
    )


def _confidence(shown: Shown) -> None:
    st.caption("All test samples at every stage, whether they reach it or not; wrong answers at the bottom.")
    chart(
        explore.confidence_histograms(shown.exploration.test, shown.rule, shown.question.axis, palette()),
        "confidence",
        "Confidence at each stage",
        "Histograms of confidence at each stage, right and wrong answers, with the stage's threshold.",
    )


def _exits(shown: Shown) -> None:
    alt = "Share of the samples that leave at each stage, right and wrong."
    chart(explore.exit_histogram(shown.evaluation, palette()), "exits", "Where samples leave", alt)


def _stages(shown: Shown) -> None:
    """What each stage is worth: alone, as a judge of itself, and on the way."""
    test = shown.exploration.test
    shares = overthinking(test)
    st.markdown(
        f"Of all test samples **{shares.wasteful:.1%}** are right early and by the plain network, "
        f"**{shares.needed:.1%}** by the plain network only, "
        f"**{shares.destructive:.1%}** early but not by the plain network (overthinking), "
        f"**{shares.hopeless:.1%}** nowhere."
    )
    ranking = "Probability that a right answer is surer than a wrong one; it decides what a stage can save."
    superfluous = "An earlier stage is as accurate on the samples that get here: this exit could be dropped."
    columns = {
        "stage": "Stage",
        "accuracy": share("Accuracy alone"),
        "macs_alone": number("MACs alone"),
        "auroc": number("Ranking (AUROC)", "%.3f", ranking),
        "calibration_error": share("Calibration error", "Mean distance between confidence and accuracy (ECE)."),
        "used": share("Used at", "Share of slider positions at which anything leaves here."),
        "dominated": st.column_config.CheckboxColumn("Superfluous", help=superfluous),
    }
    table(tables.worth_table(shown.exploration), columns)
    if SCORES[test.score].is_probability:
        alt = "Share of right answers against mean confidence for each stage, with the diagonal of perfect calibration."
        chart(explore.reliability_curves(test, palette()), "reliability", "Confidence against accuracy", alt)


def _positions(shown: Shown) -> None:
    table(tables.path_table(shown.exploration, shown.selection.meter))
