"""Taking the chosen thresholds away as JSON, or all of it as a report, and bringing such a JSON back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from cascade_core.analysis.brought import check_stages, placed, verdict
from cascade_core.analysis.groups import groups_at
from cascade_core.panels import judging, questions, state
from cascade_core.panels.details import exits_table
from cascade_core.panels.grouping import divided
from cascade_core.panels.live import send
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.rendering.report import chosen_json, file_stem, report_html
from cascade_core.rendering.tables import path_table
from cascade_core.simulation.evaluation import evaluate
from cascade_core.simulation.exits import ExitRule
from cascade_core.simulation.record import Record
from cascade_core.simulation.scores import GIVEN
from cascade_core.storage.choice import parse_choice
from cascade_core.storage.choice_schema import MAX_BYTES
from cascade_core.storage.snippets import snippet
from cascade_core.support.spreadsheets import csv_text

UPLOAD_MEGABYTES = MAX_BYTES >> 20


def choice_and_report(shown: Shown) -> None:
    """Buttons that save the rule with what it was measured to do, and a report."""
    run, setting = shown.question.run, shown.setting
    identity, stem = {"name": run.name, "sha256": run.digest}, file_stem(setting, run.name)

    # What takes a while is made when its button is pressed.
    def report() -> str:
        return report_html(
            setting,
            shown.payload,
            run=identity,
            source=run.metadata["source"],
            judged_on=judging.judged_on(shown),
            grouped=None if run.is_counted else groups_at(setting, divided(shown)),
        )

    choice = chosen_json(setting, identity, judging.judged_on(shown))
    _save("Download thresholds (JSON)", choice, f"{stem}.json", "application/json", icon="download")
    about = "One file with this slider and its charts, tables and thresholds; it opens without a network."
    _save("Download report (HTML)", report, f"{stem}.html", "text/html", icon="description", about=about)


def positions_and_script(shown: Shown) -> None:
    """Buttons that save all positions, and a script that classifies with the rule."""
    run, exploration, stem = shown.question.run, shown.exploration, file_stem(shown.setting, shown.question.run.name)

    def path_csv() -> str:
        return csv_text(path_table(exploration, shown.selection.meter).rename(columns=exploration.terms.column))

    terms = exploration.terms
    about = f"A row for each position of the slider: thresholds, {terms.accuracy}, {terms.short_drop}, cost and exits."
    name = f"{run.name}-{exploration.policy.name}-all.csv"
    _save("All positions (CSV)", path_csv, name, "text/csv", icon="table", about=about)
    source, classes = run.metadata["source"], run.metadata["class_names"]
    test = exploration.test
    script = snippet(f"{stem}.json", run.name, source, classes, test.stage_names, softmaxes=test.score != GIVEN)
    about = "Loads the thresholds JSON of this position and classifies with it."
    _save("Script (Python)", script, f"{stem}.py", "text/x-python", icon="code", about=about)


def _save(
    label: str, data: str | Callable[[], str], name: str, mime: str, *, icon: str, about: str | None = None
) -> None:
    """A button that saves a file, and has nothing run again."""
    icon, key = f":material/{icon}:", Key.DOWNLOAD.of(mime)
    st.download_button(label, data, name, mime, key, icon=icon, help=about, on_click="ignore")


def load_back(shown: Shown) -> None:
    """An uploader that moves slider or handles to the thresholds of a JSON, and says what they do here."""
    with st.expander("Load a thresholds JSON"):
        st.file_uploader(
            f"A JSON that was downloaded here or written by the command line, at most {UPLOAD_MEGABYTES} MB",
            type="json",
            max_upload_size=UPLOAD_MEGABYTES,
            key=state.CHOICE_FILE.key,
            on_change=_go_to_choice,
            args=(shown,),
        )
        file = state.CHOICE_FILE.get()
        if file is None:
            return
        try:
            choice = parse_choice(file.getvalue())
            check_stages(choice, shown.exploration.path.stage_names)
            evaluation = evaluate(_answered(shown, choice.rule), choice.rule)
        except ValueError as error:
            st.error("This file was not loaded.", icon=":material/error:")
            st.text(str(error))
            return
        question = shown.question
        for note in choice.notes:
            st.text(f"Note: {note}")
        found = verdict(choice, evaluation, question.run.digest, question.split.describe())
        {True: st.success, False: st.warning, None: st.info}[found.agrees](found.words)
        _place(shown, choice.rule)
        exits_table(choice.rule, evaluation, shown.selection.meter, macs=shown.question.run.has_macs)


def _go_to_choice(shown: Shown) -> None:
    """Send slider or handles to the thresholds of a file that has just come; where they cannot go, they stay."""
    file = state.CHOICE_FILE.get()
    if file is not None:
        with suppress(ValueError):
            setting = placed(parse_choice(file.getvalue()).rule, shown.setting)
            send(shown.payload, setting.position, setting.by_hand)


def _place(shown: Shown, rule: ExitRule) -> None:
    """Say where slider and handles stand for a rule, or why they stay where they were."""
    try:
        setting = placed(rule, shown.setting)
    except ValueError as error:
        st.caption("Slider and handles stay where they are; the table shows what the file does. Why:")
        st.text(str(error))
        return
    if setting.is_by_hand:
        st.caption("No position of the slider has these thresholds: they are set by hand in the panel above.")
    else:
        st.caption(f"The slider above went to the position with these thresholds: {setting.words}.")


def _answered(shown: Shown, rule: ExitRule) -> Record:
    """The test samples, as they are answered under a rule."""
    test, question = shown.exploration.test, shown.question
    if rule.plain or rule.pool == test.pool:
        return test
    outputs = questions.outputs(question.run)
    part = outputs.take(question.split.test_index(len(outputs.labels)))
    return part.record(question.score, test.top_k, rule.pool)
