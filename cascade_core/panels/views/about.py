"""The view on where a run came from, what each of its stages computes, and how that is counted."""

from __future__ import annotations

import streamlit as st

from cascade_core.panels import questions, runs
from cascade_core.panels.charts import chart, palette, picture_format
from cascade_core.panels.columns import number, share, table
from cascade_core.panels.operating import operating_point
from cascade_core.panels.shown import Shown
from cascade_core.rendering import tables
from cascade_core.rendering.cost_words import amount, decimals, per
from cascade_core.rendering.figures.network import stage_macs
from cascade_core.rendering.markup import facts, markup_css
from cascade_core.rendering.provenance import provenance
from cascade_core.simulation.sample_costs import PERCENTILES, percentiles_by_stage
from cascade_core.storage.schema import costs_in_place_of_macs
from cascade_core.support import wording
from cascade_core.support.wording import capital

_COUNTED = """
- **Counted:** multiply-accumulates (MACs) of convolutions, linear layers and matrix products, by ptflops.
  **Not counted:** batch norm, ReLU and pooling.
- A sample pays for every trunk piece and every active head up to where it leaves. A head that can never accept is
  switched off and not charged.
- **Saved** is against the plain network, which you would run without a cascade. For a cascade of whole models that is
  the last model alone, so that going through all of them costs more than 100 %.
- MACs are not milliseconds: `python -m cascade_core profile` measures those.
"""

_PAID = (
    "Costs are as the run gives them; how much its stages compute is not known. A sample pays for every stage up to "
    "where it leaves; **saved** is against the plain network, which you would run without a cascade."
)
_PAID_SEPARATE = (
    f"{_PAID} Stages are models of their own: one at which no sample may leave is not called, and not paid."
)

_METHOD = (
    "The method: Berestizshevsky & Even, *Dynamically Sacrificing Accuracy for Reduced Computation: Cascaded Inference "
    "Based on Softmax Confidence*, [arXiv 1805.10982](https://arxiv.org/abs/1805.10982). This program is under the "
    "MIT licence; networks and data have licences of their own."
)


def show(shown: Shown) -> None:
    """Where the run came from, what its stages compute, and how that is counted."""
    operating_point(shown.setting)
    st.html(f"<style>{markup_css()}</style>")
    run = shown.question.run
    st.subheader("Where this run came from", anchor=False)
    known, unknown = provenance(run.metadata["source"])
    size = runs.file_size(run)
    here = [
        ("Samples", f"{questions.sample_count(run):,}, of {len(run.metadata['class_names']):,} classes"),
        ("File", run.name if size is None else f"{run.name}, {size:,} bytes"),
        ("SHA-256 of the file", run.digest),
    ]
    st.html(facts([*known, *here]))
    if unknown:
        st.text(f"Also in the file, without words for it here: {', '.join(unknown)}.")
    with st.expander("All metadata as the file has it (JSON)"):
        st.json(run.metadata)
    if run.has_macs:
        _macs(shown)
    else:
        _own_costs(shown)
    st.markdown(_METHOD)


def _macs(shown: Shown) -> None:
    """What each stage computes, and how that is counted."""
    st.subheader("What each stage computes", anchor=False)
    alt = "MACs of each stage's trunk piece and head, one behind the other, in percent of the plain network."
    chart(stage_macs(shown.exploration.test, palette()), "stage-macs", "MACs of each stage", alt)
    st.caption(
        "Trunk pieces in the stages' colours, heads hatched; the number is what leaving there costs, all heads run."
    )
    picture_format()
    _table(shown)
    st.subheader("How computation is counted", anchor=False)
    st.markdown(_COUNTED)


def _own_costs(shown: Shown) -> None:
    """What each stage costs where nobody knows MACs: the mean, and where samples differ, percentiles."""
    own, test = costs_in_place_of_macs(shown.question.run.metadata), shown.exploration.test
    assert own is not None  # or there would be MACs
    st.subheader("What each stage costs", anchor=False)
    frame = tables.stages_table(test, own)
    name = str(frame.columns[1])
    columns = {
        "stage": "Stage",
        name: number(capital(name), decimals(own.totals)),
        "accuracy": share(f"{capital(test.terms.accuracy)} alone"),
    }
    if test.spending is not None:
        for part, costs in zip(PERCENTILES, percentiles_by_stage(test.spending), strict=True):
            frame[f"{part}"] = costs
            columns[f"{part}"] = number(f"{wording.percent(part)} within", decimals(costs), "Of the test samples.")
    table(frame, columns, "What a sample costs at each stage.")
    st.caption(f"The plain network: {amount(sum(own.plain_parts.values()))} {per(own)}.")
    st.markdown(_PAID_SEPARATE if own.separate else _PAID)


def _table(shown: Shown) -> None:
    terms = shown.exploration.terms
    columns = {
        "stage": "Stage",
        "trunk_macs": number("Trunk, MACs", 0, "Of its own piece of the trunk."),
        "head_macs": number("Head, MACs"),
        "cumulative_macs": number("Up to here, MACs", 0, "All pieces and all heads up to here."),
        "share": share("Share", "Of the plain network's MACs; more than 100 % where heads come on top."),
        "accuracy": share(f"{capital(terms.accuracy)} alone"),
    }
    table(tables.macs_table(shown.exploration.test), columns, "The MACs of each stage.")
    st.caption(f"The plain network: {wording.macs(shown.exploration.test.baseline_macs)}.")
