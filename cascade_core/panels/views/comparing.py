"""Several runs and policies on one chart and at one drop, and the operating points that the user pinned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from cascade_core.analysis.spread import SEEDS, STANDARD_ERROR
from cascade_core.panels import compared, pins, state
from cascade_core.panels.beside import Pair, side_by_side
from cascade_core.panels.columns import accuracy_columns, number, share, table
from cascade_core.panels.comparison import comparison_chart
from cascade_core.panels.live import Stand, send
from cascade_core.panels.paper import comparison_button
from cascade_core.panels.questions import Question, payload
from cascade_core.panels.runs import Run
from cascade_core.panels.shown import Shown
from cascade_core.panels.slides import slides_button
from cascade_core.panels.state import Key
from cascade_core.policies import SWEEPS
from cascade_core.rendering import cost_words
from cascade_core.rendering.comparison.data import Curve, Pinned, comparison_data, headings, not_drawn, run_colours
from cascade_core.rendering.comparison.tables import at_one_drop
from cascade_core.rendering.in_points import in_points
from cascade_core.rendering.points import meters_of, points_latex, points_table
from cascade_core.simulation.bounds import CERTAINTY, COVERAGE
from cascade_core.simulation.meters import MACS
from cascade_core.support import wording
from cascade_core.support.spreadsheets import csv_text
from cascade_core.support.terms import common
from cascade_core.support.wording import capital

A_LITTLE = 0.001
"""Difference of two drops, fractions, that is not told."""

MOVES = f"By how much as many other samples would move the figure, two times in three {STANDARD_ERROR}."


def show(shown: Shown) -> None:
    """What is compared, the chart of it, all of it at one drop, and the pinned points."""
    runs = compared.listed()
    names, policies = _chosen(shown.question, runs)
    pinned = pins.pins()
    if names and policies:
        _compare(shown, [runs[name] for name in names], policies, pinned)
    else:
        st.info("Choose a run and a policy to draw.", icon=":material/info:")
    _pinned(pinned)


def _chosen(question: Question, runs: dict[str, Run]) -> tuple[list[str], list[str]]:
    """Names of the runs and policies that the user chooses."""
    same = [run.name for run in compared.over_the_same_data(question.run, runs.values())][: compared.MOST_RUNS]
    first, second = st.columns([3, 2])
    names = compared.several(
        first,
        "Runs",
        list(runs),
        state.COMPARED_RUNS,
        question.run.name,
        same,
        help="A colour each. At first all over the data of the run that is looked at.",
    )
    policies = compared.several(
        second,
        "Policies",
        list(SWEEPS),
        state.COMPARED_POLICIES,
        question.policy,
        [question.policy],
        format_func=lambda name: question.run.terms.of(SWEEPS[name].title),
        help="A line style each.",
    )
    return names, policies


def _compare(shown: Shown, runs: Sequence[Run], policies: Sequence[str], pinned: Sequence[pins.Pin]) -> None:
    """The chart, which is drawn again with each curve that comes, and below it what it does not say."""
    costs = compared.costs(runs, shown.selection.meter)
    questions = compared.asked(shown.question, runs, policies, costs)
    certified, spread = _switches(shown.exploration.split.in_sample, common(run.terms for run in runs).accuracy)
    marks = [
        Pinned(number=i, point=pin.point, meter=costs.meters[pin.point.run])
        for i, pin in enumerate(pinned, 1)
        if pin.point.run in costs.meters
    ]
    colours = run_colours([run.name for run in runs], list(compared.listed()))
    place = st.empty()
    drawn: list[Curve] = []
    for drawn in compared.answered(questions[: compared.MOST_CURVES], spread=spread):
        data = comparison_data(
            drawn,
            marks,
            shown.selection.published,
            certified=certified,
            colours=colours,
            looked_at=shown.question.run.name,
        )
        with place:
            comparison_chart(data)
    if not drawn:
        return
    _notes(shown, drawn, marks, [costs.why], len(questions), len(pinned))
    above = st.container()  # the table is of where the slider below was let go
    here = _beside(shown, drawn)
    with above:
        _at_one_drop(here, drawn)
        comparison_button(drawn, shown.selection.published)


def _beside(shown: Shown, curves: Sequence[Curve]) -> Shown:
    """The run that is looked at and another beside it, under one slider; what is shown, where that was let go."""
    st.subheader("Side by side", anchor=False)
    runs = compared.listed()
    run, policy = _second(shown.question, list(dict.fromkeys(curve.run for curve in curves)))
    two = [shown.question, replace(shown.question, run=runs[run], policy=policy)]
    costs = compared.costs([one.run for one in two], shown.selection.meter)
    both = [replace(one, meter=costs.meters[one.run.name]) for one in two]
    try:
        payloads = [payload(one, one.meter, shown.selection.published) for one in both]
    except ValueError as error:
        st.warning("These cannot be laid side by side.", icon=":material/warning:")
        st.text(str(error))
        return shown
    names, called = headings(
        [one.run.name for one in both], [one.run.terms.of(SWEEPS[one.policy].title) for one in both]
    )
    shared = common(one.run.terms for one in both)
    before = Stand(index=shown.position, hand=shown.setting.by_hand)
    now = side_by_side(
        Pair(panels=(payloads[0], payloads[1]), names=names, called=called, hold=state.HOLD.get(), terms=shared), before
    )
    if now != before:
        send(shown.payload, now.index, now.hand)
    return shown.at(now)


def _second(question: Question, names: Sequence[str]) -> tuple[str, str]:
    """Run and policy of the second panel."""
    others = [name for name in names if name != question.run.name]
    first, second = st.columns(2)
    run = compared.one_of(
        partial(first.selectbox, "Beside it"), [*others, question.run.name], state.BESIDE_RUN, [*others, *names][0]
    )
    other_policy = next(name for name in SWEEPS if others or name != question.policy)
    policy = compared.one_of(
        partial(second.selectbox, "under the policy"),
        list(SWEEPS),
        state.BESIDE_POLICY,
        question.policy if others else other_policy,
        format_func=lambda name: question.run.terms.of(SWEEPS[name].title),
    )
    held = state.HOLD.get()
    st.caption(
        f"One slider for both: the second goes where its {held} is nearest to the first's. *Compare at* in the sidebar "
        "says whether that is the drop or the cost."
    )
    return run, policy


def _switches(in_sample: bool, accuracy: str) -> tuple[bool, bool]:
    """Whether to draw what is certain, and how curves spread over splits."""
    certain = (
        f"A thin dashed line: {accuracy} is above it with {CERTAINTY} confidence, at all positions of a curve at once."
    )
    spread = f"A band: divide the samples by {SEEDS} seeds, choose and judge with each, and see where the curves lie."
    with st.container(horizontal=True):
        certified = compared.remembered(
            state.COMPARED_CERTAIN,
            Key.COMPARE.of("certain"),
            lambda **own: st.toggle("What is certain", help=certain, disabled=in_sample, **own),
        )
        spreads = compared.remembered(
            state.COMPARED_SPREAD,
            Key.COMPARE.of("spread"),
            lambda **own: st.toggle("Spread over split seeds", help=spread, disabled=in_sample, **own),
        )
    return certified and not in_sample, spreads and not in_sample


def _notes(
    shown: Shown, curves: Sequence[Curve], marks: Sequence[Pinned], lines: list[str], asked: int, pinned: int
) -> None:
    """What is not drawn, and why; a line each."""
    if shown.selection.published:
        lines = [*lines, not_drawn(curves, marks)]
    if asked > compared.MOST_CURVES:
        lines = [*lines, f"The first {compared.MOST_CURVES} of {asked} curves are drawn."]
    if len(marks) < pinned:
        lines = [*lines, f"{pinned - len(marks)} of {pinned} pinned points are of runs that are not compared here."]
    for line in filter(None, lines):
        st.text(line)


def _at_one_drop(shown: Shown, curves: Sequence[Curve]) -> None:
    """All curves where they give up what the slider's position does, the one that saves most first."""
    drop, terms = shown.evaluation.accuracy_drop, common(curve.exploration.terms for curve in curves)
    change = wording.change(drop, 2, shown.evaluation.terms)
    st.markdown(f"**Each where its measured {terms.short_drop} is nearest to that of the slider, {change}**")
    columns = {
        "run": "Run",
        "policy": "Policy" if len({curve.policy for curve in curves}) > 1 else None,  # None: the column is not shown
        "saving": share("Saved", f"Of the plain network's {curves[0].meter.unit}."),
        **accuracy_columns(terms),
        "drop_certified": number("at most, everywhere", 2, f"With {CERTAINTY} confidence, at all positions at once."),
        "answers": "Answers",
    }
    table(in_points(at_one_drop(curves, drop)), columns, "All curves at one drop, the one that saves most first.")
    several = columns["policy"] is not None
    short = [
        f"{curve.run}, {curve.policy}" if several else curve.run
        for curve in curves
        if curve.exploration.evaluation.accuracy_drop.max() < drop - A_LITTLE
    ]
    if short:
        st.text(f"Curves that end before this drop, and stand at their end: {'; '.join(short)}.")


def _pinned(pinned: list[pins.Pin]) -> None:
    """The table of pinned points, what removes them, and what takes it away."""
    st.subheader("Pinned points", anchor=False)
    if not pinned:
        st.caption("None yet. Under *Explore*, let the slider rest where you like it and press *Pin this point*.")
        return
    points = [pin.point for pin in pinned]
    frame = in_points(points_table(points))
    columns = {
        "number": "#",
        "name": "Name",
        "run": "Run",
        "policy": "Policy",
        "setting": "Slider at",
        "score": "Score",
        "answers": "Answers",
        "measured_on": "Measured on",
        "samples": number("Samples"),
        "compared_with": "Compared with",
        **accuracy_columns(common(point.evaluation.terms for point in points)),
        "drop_low": number("from", 2),
        "drop_high": number("to", 2, f"Ends of the paired {COVERAGE} interval of the drop, for this point alone."),
        "drop_certified": number(
            "at most, everywhere", 2, f"With {CERTAINTY} confidence, at all positions of its slider at once."
        ),
        "drop_moves_by": number("drop moves by", 2, f"Points. {MOVES}", before="± "),
        "mean_macs": number("Mean MACs"),
        "saving": share("Saved", "Of the plain network's MACs."),
        "saving_moves_by": share("saved moves by", MOVES, before="± "),
    }
    for meter in meters_of(points):
        if meter is not MACS:
            cost, saving = cost_words.columns(meter)
            columns[cost] = number(capital(cost_words.mean_title(meter)), cost_words.decimals(frame[cost]))
            columns[saving] = share(f"{capital(meter.noun)} saved", f"Of the plain network's {meter.unit}.")
    table(frame, columns, "The pinned points, by number.", numbered=True)
    _take_away(pinned)


def _take_away(pinned: list[pins.Pin]) -> None:
    """Buttons that save the pinned points, and remove them."""
    points = [pin.point for pin in pinned]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        csv = csv_text(points_table(points), index=True)
        st.download_button("CSV", csv, "pinned.csv", "text/csv", on_click="ignore", icon=":material/download:")
        latex = points_latex(points)
        st.download_button("LaTeX", latex, "pinned.tex", "text/plain", on_click="ignore", icon=":material/download:")
        slides_button(pinned)
    pins.manage()
