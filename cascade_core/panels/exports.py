"""Taking the chosen thresholds away as JSON, or all of it as a report, and bringing such a JSON back."""

from __future__ import annotations

import streamlit as st

from cascade_core.choice import Choice, parse_choice
from cascade_core.evaluation import evaluate
from cascade_core.exploration import Exploration
from cascade_core.panels.details import exits
from cascade_core.panels.shown import Shown
from cascade_core.panels.sidebar import Selection
from cascade_core.report import chosen_json, file_stem, report_html
from cascade_core.snippets import snippet

UPLOAD_MEGABYTES = 1


def download(shown: Shown, position: int) -> None:
    """A button that saves the rule at `position` with what it was measured to do."""
    run, exploration = shown.selection.run, shown.exploration
    text = chosen_json(exploration, position, {"name": run.name, "sha256": run.digest})
    st.download_button(
        "Download thresholds (JSON)",
        data=text,
        file_name=f"{file_stem(exploration, position, run.name)}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        key="download",
    )


def report(shown: Shown, position: int) -> None:
    """A button that saves a report opening at `position`; it is made only when the button is pressed."""
    run = shown.selection.run

    def make() -> str:
        return report_html(
            shown.exploration,
            shown.data,
            position=position,
            run={"name": run.name, "sha256": run.digest},
            source=run.metadata["source"],
        )

    st.download_button(
        "Download report (HTML)",
        data=make,
        file_name=f"{file_stem(shown.exploration, position, run.name)}.html",
        mime="text/html",
        icon=":material/description:",
        help="One file with this slider and its charts, tables and thresholds; it opens without a network.",
        on_click="ignore",
        key="report",
    )


def more(shown: Shown, position: int) -> None:
    """What else can be taken away: every position as a table, and a script that runs the choice."""
    run, exploration = shown.selection.run, shown.exploration
    stem = file_stem(exploration, position, run.name)

    def path_csv() -> str:
        from cascade_core.tables import path_table

        return path_table(exploration, shown.selection.meter).to_csv(index=False)

    st.download_button(
        "All positions (CSV)",
        data=path_csv,
        file_name=f"{run.name}-{exploration.policy.name}-all.csv",
        mime="text/csv",
        icon=":material/table:",
        help="A row for each position of the slider: thresholds, accuracy, drop, cost and exits.",
        on_click="ignore",
        key="path_csv",
    )
    names = run.metadata["class_names"]
    st.download_button(
        "Script (Python)",
        data=snippet(f"{stem}.json", run.name, run.metadata["source"], names, exploration.test.stage_names),
        file_name=f"{stem}.py",
        mime="text/x-python",
        icon=":material/code:",
        help="Loads the thresholds JSON of this position and classifies with it.",
        on_click="ignore",
        key="snippet",
    )


def load_back(shown: Shown) -> None:
    """An uploader that shows what thresholds from a JSON do on the samples that are shown."""
    with st.expander("Load a thresholds JSON"):
        file = st.file_uploader(
            "A JSON that was downloaded here or written by the command line",
            type="json",
            max_upload_size=UPLOAD_MEGABYTES,
            key="choice",
        )
        if file is None:
            return
        try:
            choice = parse_choice(file.getvalue())
            evaluation = evaluate(shown.exploration.test, choice.rule)
        except ValueError as error:
            st.error("This file was not loaded.", icon=":material/error:")
            st.text(str(error))
            return
        st.success(
            f"On these {evaluation.n:,} samples: accuracy {evaluation.accuracy:.2%}, "
            f"drop {100 * evaluation.accuracy_drop:.2f} points, computation saved {evaluation.saving:.1%}."
        )
        st.caption(_provenance(choice, shown.selection, shown.exploration))
        exits(choice.rule, evaluation)


def _provenance(choice: Choice, selection: Selection, exploration: Exploration) -> str:
    """Whether the samples that are shown are among those that the thresholds were chosen on."""
    split = choice.measured.get("split")
    if choice.run is None or split is None:
        return "The file does not say which samples its thresholds were chosen on; they may be among these."
    if choice.run["sha256"] != selection.run.digest:
        return "The thresholds were chosen on another run."
    if split["measured_on"] == "test" and split == exploration.split.describe():
        return "The thresholds were chosen on the other half of this run and never saw these samples."
    return "In-sample: the thresholds were chosen with another split of this run, and saw some of these samples."
