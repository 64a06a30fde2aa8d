"""What stands below the live panel: exact numbers and interactive charts at the released position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.yardsticks import overthinking
from cascade_core.panels.live import LIVE, zoomed_axes
from cascade_core.panels.sidebar import PICTURE_KINDS, PICTURES
from cascade_core.rendering import tables
from cascade_core.rendering.axes import ConfidenceAxis
from cascade_core.rendering.figures import explore
from cascade_core.rendering.figures.explore import plain
from cascade_core.rendering.palette import DARK, LIGHT, Palette
from cascade_core.rendering.published import SOURCE, PublishedResult
from cascade_core.simulation.evaluation import Evaluation
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.meters import MACS, Meter
from cascade_core.simulation.scores import SCORES


def palette() -> Palette:
    """The palette of the theme that the browser shows."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def details(
    exploration: Exploration,
    position: int,
    axis: ConfidenceAxis,
    published: Sequence[PublishedResult],
    meter: Meter = MACS,
) -> None:
    """Tables and charts of the rule at `position`, each under a tab."""
    early = len(exploration.test.stages) > 1
    colours = palette()
    rule, evaluation = exploration.path.rule(position), exploration.at(position)

    def thresholds() -> None:
        exits(rule, evaluation)
        st.caption(
            "MACs are multiply-accumulates of convolutions, linear layers and matrix products; batch norm, ReLU and "
            "pooling are not counted. A sample pays for every trunk piece and every active head up to where it leaves."
        )

    def curve() -> None:
        chart(
            explore.tradeoff(exploration, position, colours, published, meter),
            "tradeoff",
            "Accuracy against cost",
            f"Accuracy against mean {meter.unit} of the cascade at every slider position, with the plain network.",
        )
        if published and meter is MACS:
            st.caption(f"Published points: {SOURCE}.")

    def confidence() -> None:
        st.caption("All test samples at every stage, whether they reach it or not; wrong answers at the bottom.")
        chart(
            explore.confidence_histograms(exploration.test, rule, axis, colours),
            "confidence",
            "Confidence at each stage",
            "Histograms of confidence at each stage, right and wrong answers, with the stage's threshold.",
        )

    def leaving() -> None:
        chart(
            explore.exit_histogram(evaluation, colours),
            "exits",
            "Where samples leave",
            "Share of the samples that leave at each stage, right and wrong.",
        )

    def residual() -> None:
        st.caption(
            "Accuracy of each stage on the calibration samples at or above a confidence. The paper's rule takes "
            "the smallest confidence at which it is within epsilon of its best."
        )
        chart(
            explore.residual_accuracy_curves(
                exploration.calibration, rule, float(exploration.path.positions[position]), axis, colours
            ),
            "residual",
            "Residual accuracy",
            "Accuracy of each stage on the samples at or above a confidence, against that confidence.",
        )

    def positions() -> None:
        st.dataframe(tables.path_table(exploration, meter), width="stretch", hide_index=True)

    _tabs(
        {
            "Thresholds": thresholds,
            "Accuracy against computation": curve,
            **({"Residual accuracy": residual} if "Residual accuracy" in exploration.policy.charts and early else {}),
            "Confidence": confidence,
            "Exits": leaving,
            "Stages": lambda: stages(exploration, colours),
            "All positions": positions,
        }
    )


def _tabs(contents: Mapping[str, Callable[[], None]]) -> None:
    """Tabs of which only the one that is looked at is drawn; the others are when they are opened."""
    for tab, draw in zip(st.tabs(list(contents), on_change="rerun", key="details"), contents.values(), strict=True):
        if tab.open:
            with tab:
                draw()


def stages(exploration: Exploration, colours: Palette) -> None:
    """What each stage is worth: alone, as a judge of itself, and on the way."""
    found = overthinking(exploration.test)
    st.markdown(
        f"Of all test samples **{found.wasteful:.1%}** are right early already, **{found.needed:.1%}** at the last "
        f"stage only, **{found.destructive:.1%}** early but wrong at the last (overthinking), "
        f"**{found.hopeless:.1%}** nowhere."
    )
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        tables.worth_table(exploration),
        width="stretch",
        hide_index=True,
        column_config={
            "stage": "Stage",
            "accuracy": percent | {"label": "Accuracy alone"},
            "macs_alone": st.column_config.NumberColumn("MACs alone", format="localized"),
            "auroc": st.column_config.NumberColumn(
                "Ranking (AUROC)",
                format="%.3f",
                help="Probability that a right answer is surer than a wrong one; it decides what a stage can save.",
            ),
            "calibration_error": percent
            | {"label": "Calibration error", "help": "Mean distance between confidence and accuracy (ECE)."},
            "used": percent | {"label": "Used at", "help": "Share of slider positions at which anything leaves here."},
            "dominated": st.column_config.CheckboxColumn(
                "Superfluous",
                help="An earlier stage is as accurate on the samples that get here: this exit could be dropped.",
            ),
        },
    )
    if SCORES[exploration.test.score].is_probability:
        chart(
            explore.reliability_curves(exploration.test, colours),
            "reliability",
            "Confidence against accuracy",
            "Share of right answers against mean confidence for each stage, with the diagonal of perfect calibration.",
        )


def exits(rule: ExitRule, evaluation: Evaluation) -> None:
    """A table of thresholds, of who leaves where and is right, and of what that costs."""
    frame = tables.exits_table(rule, evaluation)
    for name in frame.columns.intersection(["threshold", "threshold_high"]):
        frame[name] = [_threshold(value) for value in frame[name]]
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        frame,
        width="stretch",
        hide_index=True,
        column_config={
            "stage": "Stage",
            "threshold": st.column_config.TextColumn("Leaves at confidence"),
            "threshold_high": st.column_config.TextColumn("to", help="There is a threshold for each class."),
            "samples": st.column_config.NumberColumn("Samples leaving", format="localized"),
            "share": percent | {"label": "Share of samples"},
            "accuracy": percent | {"label": "Right among them"},
            "macs": st.column_config.NumberColumn("MACs a sample leaving here", format="localized"),
        },
    )


def _config(key: str) -> dict[str, Any]:
    """Of plotly's bar of buttons."""
    kind = st.session_state.get(PICTURES, PICTURE_KINDS[0]).lower()
    return {"displaylogo": False, "toImageButtonOptions": {"format": kind, "filename": key, "scale": 2}}


def _threshold(value: float) -> str:
    if value != value:
        return "always answers"
    return "never" if value == float("inf") else f"{value:.6g}"


def chart(figure: go.Figure, key: str, title: str, alt: str) -> None:
    """A figure as wide as there is room, with a title that fits a narrow screen and a text for those who cannot see it.

    The button at its corner saves it in the format that the sidebar names, and as a file called `key`.
    """
    # Streamlit mounts a chart anew whenever anything in it changes, so that what was zoomed is drawn zoomed.
    zoom = zoomed_axes(st.session_state.get(f"{LIVE}:zoom"), alt)
    figure.update_layout({name: {"range": ends} for name, ends in zoom.items()})
    figure.update_layout(meta={"zoomed": list(zoom)})
    look = {
        "font": {"size": 14},
        "x": 0,
        "xref": "paper",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 8},
    }
    top = (figure.layout.margin.t or 0) + 24
    figure.update_layout(title={"text": plain([title])[0], **look}, margin={"t": top})
    st.plotly_chart(figure, key=key, width="stretch", alt=alt, config=_config(key))
