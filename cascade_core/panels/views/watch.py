"""The view of a choice at work: what a log says of it, against what the thresholds that are shown were measured to do.

It is what the verb `watch` tells, by the same analysis; a log that grows is read on as it does, and nothing twice.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import streamlit as st

from cascade_core.analysis.positions_seen import (
    PositionsSeen,
    judged_thresholds,
    measured_disagreement,
    positions_seen,
)
from cascade_core.analysis.rechoosing import limit_of
from cascade_core.analysis.watch_series import reached_confidence, watch_series
from cascade_core.analysis.watched import Watch
from cascade_core.panels import rechosen, state, watched_logs
from cascade_core.panels.charts import chart, palette, picture_format
from cascade_core.panels.operating import operating_point
from cascade_core.panels.shown import Shown
from cascade_core.panels.state import Key
from cascade_core.panels.watched_logs import Logs
from cascade_core.rendering import watched as words
from cascade_core.rendering.figures import watched as figures
from cascade_core.rendering.report import chosen_json
from cascade_core.storage.choice import parse_choice
from cascade_core.storage.log_files import ENDINGS, LOGS, LogFile
from cascade_core.support.wording import capital, fixed, percent

MEGABYTES = 64
"""Largest log that is uploaded."""


def show(shown: Shown) -> None:
    """Where the log comes from, what it says, and thresholds chosen anew on it."""
    operating_point(shown.setting)
    _ask_for_log()
    logs = watched_logs.logs()
    if logs is None:
        _how_to()
        return
    run = shown.question.run
    text = chosen_json(shown.setting, {"name": run.name, "sha256": run.digest})
    choice, name = parse_choice(text.encode()), hashlib.sha256(text.encode()).hexdigest()
    followed = logs.watched(choice, name, judged_thresholds(shown.setting))
    bar = st.empty()
    try:
        files = logs.files(followed.watch.stages)
        followed.read_on(files, lambda share: _tell_progress(bar, share))
    except (ValueError, OSError) as error:
        _unreadable(logs, name, error)
        return
    bar.empty()
    watch = followed.now()
    if not watch.series.n:
        _nothing_yet(watch, files)
        return
    seen = positions_seen(watch, shown.setting, measured_disagreement(shown.setting))
    _status(watch, files)
    _readouts(watch, seen)
    _over_time(shown, watch)
    limit = _positions(shown, watch, seen)
    rechosen.offer(watch, text, name, limit)


def _ask_for_log() -> None:
    if watched_logs.may_type():
        st.text_input(
            "Log, or folder of logs",
            placeholder="path/of/exits.jsonl",
            help=f"On this computer; it is followed as it grows. `cascade-core page --watch LOG`, or `{LOGS}` in the "
            "environment, names it for good.",
            key=state.LOG_PATH.key,
            persist_state="session",
        )
    with st.expander("Upload a log instead", icon=":material/upload_file:"):
        st.file_uploader(
            f"Exits of a cascade at work: {', '.join(ENDINGS)}",
            max_upload_size=MEGABYTES,
            key=state.LOG_FILE.key,
        )
        st.caption("It is seen in this session alone and written nowhere.")


def _how_to() -> None:
    st.info("No log is watched yet.", icon=":material/monitoring:")
    st.markdown(
        "A cascade at work writes a log of its exits: a line for each sample, with the stage that it left at and how "
        "sure each stage was. A share of the samples, drawn at random, may go on to the end after they were answered: "
        "that shows, without a label, how often leaving early changes an answer."
    )
    # Code would have browsers load its highlighter.
    st.text("cascade-core classify choice.json pictures/ --network ... --log exits.jsonl --audit 2%")
    st.caption("Any program may write such lines; `cascade-core watch --help` shows one.")


def _tell_progress(bar: st.delta_generator.DeltaGenerator, share: float) -> None:
    if share < 1:
        bar.progress(share, f"Reading what is new: {percent(share, 0)}")


def _unreadable(logs: Logs, name: str, error: Exception) -> None:
    st.error("This log cannot be read.", icon=":material/error:")
    st.text(str(error))
    st.button("Read it anew", on_click=logs.forget, args=(name,), key=Key.WATCH.of("anew"))


def _nothing_yet(watch: Watch, files: Sequence[LogFile]) -> None:
    st.info("No sample of these stages has left yet; the page follows the log.", icon=":material/hourglass_empty:")
    if watch.alarm is not None:
        st.error(f"{capital(words.alarm_sentence(watch))}.", icon=":material/notification_important:")
    st.text("\n".join(dict.fromkeys([*words.read_sentences(watch, files), words.stages_sentence(watch)])))


def _status(watch: Watch, files: Sequence[LogFile]) -> None:
    """The alarm, or that there is none, with what it means and what to do."""
    sentence = capital(words.alarm_sentence(watch))
    if watch.alarm is None:
        st.success(f"{sentence}.", icon=":material/check_circle:")
    else:
        st.error(f"{sentence}.", icon=":material/notification_important:")
        st.markdown(words.ALARMS[watch.alarm.of])
    read, *odd = words.read_sentences(watch, files)
    st.caption(f"{capital(read)}.")
    if odd:
        st.text("\n".join(f"{capital(line)}." for line in odd))
    if watch.elsewhere:
        st.warning(
            "This log was written under other thresholds than those shown. Load the JSON that is at work under "
            "*Load a thresholds JSON* in *Explore*.",
            icon=":material/warning:",
        )


def _readouts(watch: Watch, seen: PositionsSeen) -> None:
    series, measured = watch.series, watch.choice.measured
    columns = iter(st.columns(4))
    with next(columns):
        _metric("Samples", f"{series.n:,}", f"{watch.audited:,} of them audited")
    with next(columns):
        saved = percent(words.saving_seen(watch), 1)
        _metric("Computation saved", saved, f"promised {percent(measured['saving'], 1)}")
    with next(columns):
        if watch.audited:
            about = f"Than by the plain network, of audited samples; at most {percent(seen.high[-1], 2)} for certain."
            promised = f"promised {percent(seen.measured[-1], 2)}"
            _metric("Answered otherwise", percent(seen.seen[-1], 2), promised, about)
    labelled, timed = int(series.total("labelled")), int(series.total("timed"))
    with next(columns):
        if labelled:
            right = percent(int(series.total("right")) / labelled, 1)
            promised = f"promised {percent(measured['accuracy'], 1)}"
            _metric("Right, by late labels", right, promised, f"Of {labelled:,} samples whose labels came.")
        elif timed:
            mean = int(series.total("spent")) / 1e6 / timed
            _metric("Milliseconds each", fixed(mean, 2 if mean < 10 else 0), "mean")


def _metric(label: str, value: str, below: str, about: str | None = None) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", help=about)


def _over_time(shown: Shown, watch: Watch) -> None:
    series, names = watch_series(watch), watch.stages
    alarm = None if watch.alarm is None else watch.alarm.sample
    promised = reached_confidence(shown.exploration.test, shown.rule)
    left, right = st.columns(2)
    with left:
        chart(
            figures.exits_over_time(series, names, alarm, palette()),
            "watch-exits",
            "Where samples leave",
            "Shares of the samples that leave at each stage along the log, with those that were promised.",
        )
    with right:
        chart(
            figures.saving_over_time(series, alarm, palette()),
            "watch-saving",
            "Computation saved",
            "Computation saved along the log, what was promised, and how far pieces stray from it by chance.",
        )
    chart(
        figures.confidence_over_time(series, promised, names, alarm, palette()),
        "watch-confidence",
        "How sure stages are of the samples that reach them",
        "Mean confidence of the samples that reach each stage along the log, and on the samples of the choice.",
    )


def _positions(shown: Shown, watch: Watch, seen: PositionsSeen) -> float:
    """Which positions audited samples certify; the disagreement that is allowed, a fraction."""
    st.subheader("Which slider positions still hold", anchor=False)
    usual = math.ceil(200 * (float(seen.measured[-1]) + limit_of(watch.choice))) / 2
    typed = st.number_input(
        "Disagreement with the plain network that is allowed, points",
        min_value=0.0,
        max_value=100.0,
        value=None,
        step=0.5,
        placeholder=f"{usual:.1f}",
        help="It is at least the accuracy given up. Where nothing is typed: what these thresholds had when they were "
        "chosen, with the drop that they were chosen for on top, to the next half point.",
        key=state.WATCH_LIMIT.key,
        persist_state="session",
        width=420,
    )
    limit = (usual if typed is None else typed) / 100
    slider = shown.exploration.slider
    st.markdown(words.positions_sentence(seen, slider, limit))
    if watch.audited and len(seen.values):
        chart(
            figures.positions_judged(seen, slider, limit, palette()),
            "watch-positions",
            "Audited samples answered otherwise",
            "For positions of the slider the share of audited samples that they answer otherwise than the plain "
            "network, with bounds that hold at all times and positions at once, and what is allowed.",
        )
    picture_format()
    return limit
