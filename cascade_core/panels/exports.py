"""Taking the chosen thresholds away as JSON, or all of it as a report, and bringing such a JSON back."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from cascade_core.analysis.exploration import Exploration
from cascade_core.panels.details import exits
from cascade_core.panels.shown import Shown
from cascade_core.panels.sidebar import Selection
from cascade_core.rendering.report import chosen_json, file_stem, report_html
from cascade_core.simulation.evaluation import evaluate
from cascade_core.storage.choice import Choice, parse_choice
from cascade_core.storage.snippets import snippet

UPLOAD_MEGABYTES = 1


def download(shown: Shown, position: int) -> None:
    """A button that saves the rule at `position` with what it was measured to do."""
    run, exploration = shown.selection.run, shown.exploration
    text = chosen_json(exploration, position, {"name": run.name, "sha256": run.digest})
    name = f"{file_stem(exploration, position, run.name)}.json"
    _save("Download thresholds (JSON)", text, name, "application/json", icon="download", key="download")


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

    name = f"{file_stem(shown.exploration, position, run.name)}.html"
    about = "One file with this slider and its charts, tables and thresholds; it opens without a network."
    _save("Download report (HTML)", make, name, "text/html", icon="description", key="report", about=about)


def more(shown: Shown, position: int) -> None:
    """What else can be taken away: every position as a table, and a script that runs the choice."""
    run, exploration = shown.selection.run, shown.exploration
    stem = file_stem(exploration, position, run.name)

    def path_csv() -> str:
        from cascade_core.rendering.tables import path_table

        return path_table(exploration, shown.selection.meter).to_csv(index=False)

    name = f"{run.name}-{exploration.policy.name}-all.csv"
    about = "A row for each position of the slider: thresholds, accuracy, drop, cost and exits."
    _save("All positions (CSV)", path_csv, name, "text/csv", icon="table", key="path_csv", about=about)
    classes, stages = run.metadata["class_names"], exploration.test.stage_names
    script = snippet(f"{stem}.json", run.name, run.metadata["source"], classes, stages)
    about = "Loads the thresholds JSON of this position and classifies with it."
    _save("Script (Python)", script, f"{stem}.py", "text/x-python", icon="code", key="snippet", about=about)


def _save(
    label: str, data: str | Callable[[], str], name: str, mime: str, *, icon: str, key: str, about: str | None = None
) -> None:
    """A button that saves a file, and has nothing run again."""
    st.download_button(
        label,
        data=data,
        file_name=name,
        mime=mime,
        icon=f":material/{icon}:",
        help=about,
        on_click="ignore",
        key=key,
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
