"""The standalone report: one HTML file with the live panel, tables, provenance and the chosen thresholds.

It opens from disk and asks nothing of any network: style, script and numbers are inside, and its
Content-Security-Policy lets nothing else in.  It holds counts over samples and, so that thresholds can be dragged,
how sure each stage was of each test sample and whether it was right; never a softmax, a label or an id.
Whatever comes from a file (names of runs and stages, metadata) is escaped.
This room fills the markup of ``report.html``; it computes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from html import escape
from typing import Any

from cascade_core.analysis.exploration import Exploration
from cascade_core.analysis.groups import Grouped
from cascade_core.analysis.points import Setting
from cascade_core.analysis.spread import moved_words
from cascade_core.rendering.cost_words import amount, batches, cost_sentences, per
from cascade_core.rendering.cost_words import columns as columns_of
from cascade_core.rendering.headline import headline
from cascade_core.rendering.in_points import in_points
from cascade_core.rendering.live import live_css
from cascade_core.rendering.live.data import hand, packed
from cascade_core.rendering.markup import badge_css, badged
from cascade_core.rendering.modules import bundled
from cascade_core.rendering.report.groups import groups_section
from cascade_core.rendering.report.pieces import Cell, Row, document, entries, file, piece, script_json, table
from cascade_core.rendering.report.words import flat, threshold
from cascade_core.rendering.tables import operating_points, stages_table
from cascade_core.simulation.bounds import ALPHA, CERTAINTY, COVERAGE
from cascade_core.simulation.meters import MACS, Meter, spent
from cascade_core.simulation.scores import SCORES
from cascade_core.storage.choice import BY_HAND, choice_json
from cascade_core.storage.origin import Origin
from cascade_core.support import wording
from cascade_core.support.terms import LABELS, Terms
from cascade_core.support.version import VERSION
from cascade_core.support.wording import fixed, percent

__all__ = ["chosen_json", "details", "file_stem", "report_html"]

ENDS = ("low", "high")
"""Of an interval."""


def report_html(
    setting: Setting,
    data: Mapping[str, Any],
    *,
    run: Mapping[str, str],
    source: Mapping[str, Any],
    made: date | None = None,
    judged_on: Sequence[Mapping[str, Any]] = (),
    grouped: Grouped | None = None,
) -> str:
    """The report on a policy swept over a run, as the text of one HTML file.

    Args:
        setting: Where it opens.
        data: The live panel's payload of the setting's exploration.
        run: ``name`` and ``sha256`` of the run.
        source: The run's metadata on where it comes from.
        made: The day that the report names; today if not given.
        judged_on: What the rule does on other runs, as `storage.measured.judged` gives it.
        grouped: What it does to groups of the test samples.

    Raises:
        ValueError: `data` is not that of the exploration.
    """
    exploration = setting.exploration
    opened = packed({**data, "slider": {**data["slider"], "initial": setting.position}, "hand": hand(setting)})
    body = piece("page").substitute(
        _sentences(setting, data),
        headline=escape(headline(exploration, Origin.of(source), run["name"])),
        badge=badged(wording.badge(exploration.split.in_sample, by_hand=setting.is_by_hand)),
        run=escape(run["name"]),
        details=details(setting, data, run=run, source=source, made=made, judged_on=judged_on, grouped=grouped),
        data=script_json(opened),
    )
    title = f"{run['name']}: {exploration.terms.of(exploration.policy.title)}"
    style = live_css() + file("report.css") + badge_css()
    return document(title, body, style=style, script=bundled("report/report.js"))


def details(
    setting: Setting,
    data: Mapping[str, Any],
    *,
    run: Mapping[str, str],
    source: Mapping[str, Any],
    made: date | None = None,
    judged_on: Sequence[Mapping[str, Any]] = (),
    grouped: Grouped | None = None,
) -> str:
    """The report's sections below the panel, of what `report_html` takes."""
    exploration, positions = setting.exploration, len(data["accuracy"])
    if positions != len(exploration.path):
        raise ValueError(
            f"Expected data of the exploration's {len(exploration.path)} positions but it has {positions}; "
            "make it with live_data"
        )
    return piece("details").substitute(
        _sentences(setting, data),
        points=_operating_points(setting),
        stages=_stages(exploration),
        groups="" if grouped is None else groups_section(grouped, exploration.meter),
        origin=entries(_origin(setting, run, made or datetime.now(UTC).date())),
        source=entries(flat(source)),
        choice=escape(chosen_json(setting, run, judged_on)),
    )


def chosen_json(setting: Setting, run: Mapping[str, str], judged_on: Sequence[Mapping[str, Any]] = ()) -> str:
    """The choice file of a setting; `run` has its ``name`` and ``sha256``, `judged_on` is what it does on others."""
    return choice_json(
        setting.rule,
        setting.evaluation,
        policy=_described(setting),
        run=run,
        split=setting.exploration.split.describe(),
        meter=setting.exploration.meter,
        judged_on=judged_on,
    )


def _described(setting: Setting) -> dict[str, Any]:
    if setting.is_by_hand:
        return {"name": BY_HAND, "parameters": {}}
    return setting.exploration.described(setting.position)


def file_stem(setting: Setting, name: str) -> str:
    """What files on a setting of the run `name` are called, without ending."""
    exploration = setting.exploration
    slider, value = exploration.slider, float(exploration.shown[setting.position])
    stem = wording.file_stem(name, exploration.policy.name, value, slider.decimals, slider.unit)
    return f"{stem}-by-hand" if setting.is_by_hand else stem


def _sentences(setting: Setting, data: Mapping[str, Any]) -> dict[str, str]:
    """The words of the page that depend on what is shown, escaped."""
    exploration = setting.exploration
    test, unit, terms = exploration.test, data["unit"], exploration.terms
    from_where = "the least threshold of all classes" if exploration.path.by_class else "their threshold"
    certificate = (
        "There is no certificate: thresholds were chosen and measured on the same samples."
        if exploration.certificate is None
        else f"With {CERTAINTY} confidence, no position of the slider gives up more than its certified drop on new "
        f"{unit} like these. That is more than an interval says: it holds at all positions at once, wherever one stops."
    )
    sentences = {
        "policy": terms.of(exploration.policy.title),
        "promise": terms.of(exploration.policy.promise),
        "measure": wording.capital(terms.accuracy),
        "short_drop": terms.short_drop,
        **_measure(terms),
        "setting": setting.described,
        "lead": " ".join(
            [
                _lead(setting, unit),
                moved_words(setting.evaluation, exploration.meter),
                *cost_sentences(exploration.meter, setting.evaluation, unit),
            ]
        ),
        "unit": unit,
        "coverage": COVERAGE,
        "score": SCORES[test.score].phrase,
        "top": "" if test.top_k == 1 else f", that is, among its {test.top_k} likeliest",
        "plain": f"{_plain(exploration)} {per(exploration.meter, unit)}{batches(exploration.meter)}",
        "measured": data["footnote"],
        "certificate_text": certificate,
        "points_text": f"Evenly spread over the slider's {len(exploration.path)} positions{_bold(setting)}. Below each "
        f"drop stands its {COVERAGE} interval, for that position alone; below the share "
        f"of {unit} that leave at a stage, {from_where}.",
        "stages_text": f"What each stage computes for one of the {unit}, and how often its answer would be "
        f"{terms.right} if all were to leave there.",
    }
    return {name: escape(text) for name, text in sentences.items()}


def _measure(terms: Terms) -> dict[str, str]:
    """What is counted, and what is lost of it."""
    if terms is LABELS:
        return {
            "as_meant": "whose answer is right",
            "lost": "what is lost against the plain network, in points: from 93 % to 92 % is one point; below zero it "
            "is a gain.",
        }
    return {
        "as_meant": "whose answer is the last stage's, which stands in since there are no labels",
        "lost": "the rest, in points: from 100 % to 99 % is one point.",
    }


def _plain(exploration: Exploration) -> str:
    """What the plain network costs; MACs to the last digit."""
    if exploration.meter is MACS:
        return f"{exploration.test.baseline_macs:,}"
    return amount(exploration.meter.plain(exploration.evaluation))


def _bold(setting: Setting) -> str:
    if setting.is_by_hand:
        return "; thresholds set by hand, which this report opens with, are none of them"
    return ", and in bold the one that this report opens with"


def _lead(setting: Setting, unit: str) -> str:
    """What the rule does, and what is certain of it."""
    result, meter, terms = setting.evaluation, setting.exploration.meter, setting.exploration.terms
    low, high = result.drop_interval()
    where = "In-sample, on" if setting.exploration.split.in_sample else "On"
    return (
        f"{where} {result.n:,} {unit}: {terms.accuracy} {percent(result.accuracy, 2)}, where the plain network has "
        f"{percent(result.full_accuracy, 2)}. That is {wording.change(result.accuracy_drop, 2, terms)} "
        f"({COVERAGE} interval {wording.interval(low, high, 2, terms)}, for this position alone). "
        f"The cascade {wording.saving(spent(meter, result)['saving'], meter.noun)}. {_certified(setting)}"
    )


def _certified(setting: Setting) -> str:
    """What is certain of the drop, as a sentence."""
    by_hand, terms = setting.is_by_hand, setting.exploration.terms
    return f"{wording.capital(wording.certified(setting.certified, 1 - ALPHA, by_hand, terms))}."


def _operating_points(setting: Setting) -> str:
    exploration = setting.exploration
    slider, names = exploration.slider, exploration.evaluation.stage_names
    _, saved = columns_of(exploration.meter)
    certified = exploration.certificate is not None
    least = "least " if exploration.path.by_class else ""
    columns = [
        Cell(text=slider.label, note=slider.unit),
        Cell(text=exploration.terms.accuracy),
        Cell(text=exploration.terms.short_drop, note="points"),
        *([Cell(text="at most, everywhere", note="points, certified")] if certified else []),
        Cell(text="saved", note=f"of the {exploration.meter.unit}"),
        *(Cell(text=name, note="share") for name in names),
    ]
    rows = []
    for point in in_points(operating_points(setting)).to_dict("records"):
        cells = [
            Cell(text=percent(point["accuracy"], 2)),
            Cell(
                text=fixed(point["accuracy_drop"], 2), note=" to ".join(fixed(point[f"drop_{end}"], 2) for end in ENDS)
            ),
            *([Cell(text=fixed(point["drop_certified"], 2))] if certified else []),
            Cell(text=percent(point[saved], 1)),
            *(
                Cell(
                    text=percent(point[f"share {name}"], 1), note=threshold(point.get(f"{least}threshold {name}", None))
                )
                for name in names
            ),
        ]
        # A decimal more than the slider shows; the unit stands above the column.
        heading = wording.number(point["setting"], slider.decimals + 1, slider.unit)
        rows.append(Row(heading=heading, cells=cells, chosen=bool(point["chosen"])))
    return table("Operating points", columns, rows)


def _stages(exploration: Exploration) -> str:
    test, meter = exploration.test, exploration.meter
    upto = meter.table(test).full.cumsum()
    columns = [
        Cell(text="stage"),
        Cell(text="MACs of its piece"),
        Cell(text="MACs of its head"),
        Cell(text="MACs up to here", note="all heads run"),
        *([] if meter is MACS else [Cell(text=f"{meter.unit} up to here", note=f"{_of(meter)}, all heads run")]),
        Cell(text=f"{exploration.terms.accuracy} alone"),
    ]
    rows = [
        Row(
            heading=stage["stage"],
            cells=[
                *(Cell(text=f"{stage[name]:,}") for name in ("trunk_macs", "head_macs", "cumulative_macs")),
                *([] if meter is MACS else [Cell(text=amount(cost))]),
                Cell(text=percent(stage["accuracy"], 2)),
            ],
        )
        for stage, cost in zip(stages_table(test).to_dict("records"), upto, strict=True)
    ]
    return table("Stages", columns, rows)


def _of(meter: Meter) -> str:
    """Of how many samples costs are: "per sample in batches of 64"."""
    return f"{per(meter).removeprefix(meter.unit).strip()}{batches(meter)}"


def _origin(setting: Setting, run: Mapping[str, str], made: date) -> Iterator[tuple[str, str]]:
    exploration = setting.exploration
    test, split = exploration.test, exploration.split
    described = _described(setting)
    parameters = "; ".join(f"{name} = {value}" for name, value in flat(described["parameters"]))
    yield "run", run["name"]
    yield "SHA-256 of the run", run["sha256"]
    yield "policy", f"{described['name']} ({parameters})" if parameters else described["name"]
    yield "confidence score", test.score if test.top_k == 1 else f"{test.score}, top {test.top_k}"
    yield "answers", f"{exploration.answers}: {exploration.why}"
    if test.pool is not None:
        yield "weights of pooled answers", "; ".join(", ".join(f"{w:.3g}" for w in row) for row in test.pool.weights)
    if split.in_sample:
        yield "split", f"none: thresholds chosen and measured on the same {test.n:,} samples"
    else:
        yield "split", f"{exploration.calibration.n:,} samples chose thresholds, {test.n:,} others measured them"
        yield "seed of the split", f"{split.seed} (fraction {split.fraction:g})"
    yield "report made", made.isoformat()
    yield "made by", f"cascade_core {VERSION}"
