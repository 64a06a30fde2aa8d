"""The report's file: what is in it, what is not, that it lets nothing in, and how large it is."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cascade_core
from cascade_core import CheapestWithinDrop, PaperRuleByClass, StageOutputs, evaluate, load_record
from cascade_core.analysis.exploration import Exploration, Split, explore
from cascade_core.analysis.points import Setting
from cascade_core.policies import SWEEPS, Sweep
from cascade_core.rendering.axes import BINS, confidence_axis
from cascade_core.rendering.live.data import live_data, words
from cascade_core.rendering.published import published_on
from cascade_core.rendering.report import chosen_json, file_stem, report_html
from cascade_core.storage.choice import parse_choice
from cascade_core.storage.origin import Origin
from cascade_core.storage.reading import read_metadata
from tests.samples import sample_run

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = "</script><img src=x onerror=alert(1)>"
RUN = {"name": "mine", "sha256": "0" * 64}
LIMIT = 1_000_000
"""Most bytes of a report on a shipped run."""


class Page(HTMLParser):
    """An HTML text as a browser's parser sees it: its elements, and the text of those of interest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, str | None], str]] = []
        self._open: tuple[str, str | None] = ("", None)
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = (tag, dict(attrs).get("id"))

    def handle_endtag(self, tag: str) -> None:
        self._open = ("", None)

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open, data))

    def of(self, tag: str, identity: str | None = None) -> str:
        """All text behind the start tags of that name and id, up to the next tag."""
        return "".join(text for opened, text in self.texts if opened == (tag, identity))


def made(
    outputs: StageOutputs | None = None, policy: type[Sweep] = CheapestWithinDrop, position: int = 3, **changes: Any
) -> tuple[Exploration, str]:
    outputs = outputs or sample_run()
    split = changes.pop("split", Split())
    run = RUN | changes
    exploration = explore(outputs.record(), policy, split, count=21)
    data = live_data(
        exploration,
        confidence_axis("max_probability", outputs.probs.shape[2]),
        initial=0,
        published=(),
        name=run["name"],
        **words(Origin.of(outputs.source), run["name"]),
    )
    text = report_html(
        Setting(exploration=exploration, position=position),
        data,
        run=run,
        source=outputs.source,
        made=date(2026, 11, 24),
    )
    return exploration, text


def payload(text: str) -> dict[str, Any]:
    return json.loads(Page(text).of("script", "data"))


def counts(data: dict[str, Any], which: str) -> NDArray[np.int64]:
    """(stages, positions, bins), decompressed as the standard has it."""
    packed = data["counts"]
    raw = zlib.decompress(base64.b64decode(packed[which]), wbits=-15)
    return np.frombuffer(raw, packed["dtype"]).astype(np.int64).reshape(-1, len(data["accuracy"]), BINS)


def test_the_panel_gets_every_position_and_opens_at_the_one_chosen() -> None:
    exploration, text = made()
    data = payload(text)
    assert data["slider"]["initial"] == 3
    assert data["accuracy"] == [evaluate(exploration.test, exploration.path.rule(g)).accuracy for g in range(21)]
    levels = zlib.decompress(base64.b64decode(data["groups"]["levels"]), wbits=-15)
    assert len(levels) == 2 * 2 * exploration.test.n


def test_a_report_of_thresholds_set_by_hand_opens_with_them() -> None:
    exploration, _ = made()
    data = live_data(exploration, confidence_axis("max_probability", 5), initial=0, unit="images", origin="")
    opened = Setting(exploration=exploration, position=3, by_hand=(0.75, np.inf))
    text = report_html(opened, data, run=RUN, source={})
    assert payload(text)["hand"] == [0.75, None]
    assert "thresholds set by hand" in text
    choice = json.loads(Page(text).of("code", "choice"))
    assert choice["policy"] == {"name": "by_hand", "parameters": {}}
    assert [one["threshold"] for one in choice["rule"]["thresholds"]] == [0.75, None, None]
    assert choice["measured"]["accuracy"] == evaluate(exploration.test, opened.rule).accuracy


def test_counts_by_class_are_compressed_too() -> None:
    exploration, text = made(policy=PaperRuleByClass)
    data = payload(text)
    leaving = counts(data, "leaving_right") + counts(data, "leaving_wrong")
    assert (leaving.sum(axis=2) == exploration.evaluation.exit_counts.T[:-1]).all()


def test_words_and_tables_tell_what_evaluate_tells() -> None:
    exploration, text = made()
    page = Page(text)
    one = evaluate(exploration.test, exploration.path.rule(3))
    low, high = one.drop_interval()
    cell = f"{100 * one.accuracy:.2f} %"
    assert f"On 200 samples: accuracy {cell}, where the plain network has {100 * one.full_accuracy:.2f} %." in text
    chosen = text.split('class="chosen"')[1].split("</tr>")[0]
    for wanted in (
        cell,
        f"{100 * one.accuracy_drop:.2f}".replace("-", "\u2212"),
        f"{math.floor(1e4 * low) / 100:.2f} to {math.ceil(1e4 * high) / 100:.2f}".replace("-", "\u2212"),
        f"{100 * one.saving:.1f} %",
        *(f"{100 * share:.1f} %" for share in one.exit_shares),
        *(f"\u2265 {value:.6g}" for value in exploration.path.thresholds[3] if np.isfinite(value)),
    ):
        assert wanted in chosen
    assert text.count('class="chosen"') == 1
    # Twelve rows of operating points (eleven, spread over 21 positions, and position 3), three of stages, two of heads.
    assert sum(tag == "tr" for tag, _ in page.tags) == 12 + 3 + 2
    for stage in exploration.test.stages:
        assert f"{stage.trunk_macs:,}" in text
    assert "2026-11-24" in text
    assert f"cascade_core {cascade_core.__version__}" in text


def test_the_thresholds_are_a_choice_file() -> None:
    exploration, text = made()
    found = Page(text).of("code", "choice")
    assert found == chosen_json(Setting(exploration=exploration, position=3), RUN)
    choice = parse_choice(found.encode())
    assert (choice.thresholds == exploration.path.thresholds[3]).all()
    assert choice.policy == {"name": "cheapest", "parameters": {"max_drop": exploration.path.positions[3]}}
    assert choice.run == RUN


def test_holds_no_sample_s_id_label_or_softmax() -> None:
    outputs = replace(
        sample_run(n=466), sample_ids=np.array([f"secret-{i}.png" for i in range(466)]), class_names=tuple("vwxyz")
    )
    exploration, text = made(outputs)
    assert "secret-" not in text
    data = payload(text)
    axis = (data["groups"]["grid"], data["histogram"]["edges"])
    sizes = {len(found) for found in lists(data) if found not in axis}
    # 233 samples chose and 233 were measured: nothing is as long as that.
    assert exploration.test.n == 233
    assert max(sizes) == 21
    # Of all numbers that were measured on samples only thresholds are shown, which policies take from among them.
    written = {np.float32(word) for word in re.findall(r"\d\.\d{5,}", text)}
    ours = {value for value in np.unique(outputs.probs) if len(str(value)) > 7}
    assert len(ours) > 3000
    places = {np.float32(value) for values in axis for value in values}
    assert written & ours <= {*exploration.path.thresholds.ravel(), *places}


def lists(data: Any) -> Iterator[list[Any]]:
    """Every list in JSON data."""
    if isinstance(data, list):
        yield data
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from lists(item)


def test_names_from_files_are_text() -> None:
    outputs = replace(
        sample_run(names=[HOSTILE, "b & 'c' \"d\"", "c"]),
        class_names=(HOSTILE, "b", "c", "d", "e"),
        source={"title": HOSTILE, HOSTILE: [{HOSTILE: HOSTILE}]},
    )
    exploration, text = made(outputs, name=HOSTILE)
    page = Page(text)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert text.count("</script>") == 2
    assert page.of("h1") == HOSTILE
    assert page.of("title") == f"{HOSTILE}: {CheapestWithinDrop.title}"
    assert payload(text)["stages"] == list(exploration.test.stage_names)
    assert parse_choice(page.of("code", "choice").encode()).run == {**RUN, "name": HOSTILE}


def test_asks_for_nothing_and_runs_only_what_is_inside() -> None:
    _, text = made()
    page = Page(text)
    policy = next(tag["content"] for _, tag in page.tags if tag.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.split(maxsplit=1) for rule in policy.split("; "))
    assert rules.pop("default-src") == "'none'"
    for name, tag in (
        ("script-src", r"<script type=\"module\">(.*?)</script>"),
        ("style-src", r"<style>(.*?)</style>"),
    ):
        inside = re.findall(tag, text, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert rules.pop(name) == f"'sha256-{digest}'"
    assert rules == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    assert not [tag for tag, given in page.tags if given.keys() & {"src", "href", "style", "srcset", "onload"}]
    assert not re.findall(r"@import|url\(|\bimport\s*[({\"']|fetch\(", text)


def test_in_sample_numbers_say_so_and_have_no_certificate() -> None:
    _, text = made(split=Split(in_sample=True))
    assert "In-sample, on 400 samples" in text
    assert "at most, everywhere" not in text
    assert "Not certified: the same samples chose the thresholds." in text
    assert "There is no certificate" in text
    badge = '<span class="cascade-badge">in-sample</span>'
    assert badge in text
    assert badge not in made()[1]


def test_the_lead_says_which_bound_holds_where() -> None:
    exploration, text = made()
    assert exploration.certificate is not None
    most = math.ceil(1e4 * exploration.certificate[3]) / 100
    lead = text.split('class="lead">')[1].split("</p>")[0]
    assert (
        f"{exploration.test.n:,} test samples); plain network {100 * exploration.evaluation.full_accuracy:.1f} %"
        in text
    )
    assert "for this position alone)" in lead
    everywhere = "at this and every position of the slider at once."
    assert f"At most {most:.2f} points given up, with 95 % confidence {everywhere}" in lead


@pytest.mark.parametrize("stages", [1, 2, 8])
def test_any_number_of_stages(stages: int) -> None:
    _, text = made(sample_run(m=stages))
    assert len(payload(text)["stages"]) == stages
    assert sum(tag == "tr" for tag, _ in Page(text).tags) == 12 + stages + 2


def test_refuses_what_does_not_fit_together() -> None:
    exploration = explore(sample_run().record(), CheapestWithinDrop, Split(), count=21)
    data = live_data(exploration, confidence_axis("max_probability", 5), initial=0, unit="images", origin="")
    with pytest.raises(ValueError, match="position to be from 0 to 20 but it was 21"):
        Setting(exploration=exploration, position=21)
    opened = Setting(exploration=exploration, position=0)
    with pytest.raises(ValueError, match="21 positions but it has 20"):
        report_html(opened, data | {"accuracy": data["accuracy"][1:]}, run=RUN, source={})


def test_files_are_called_after_run_policy_and_position() -> None:
    exploration = explore(sample_run().record(), CheapestWithinDrop, Split(), count=11)
    shown = exploration.shown[2]
    assert file_stem(Setting(exploration=exploration, position=2), "mine") == f"mine-cheapest-{shown:.2f}points"


def test_the_version_is_that_of_the_project() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    source = (ROOT / tools["hatch"]["version"]["path"]).read_text(encoding="utf-8")
    assert f'VERSION = "{cascade_core.__version__}"' in source


def shipped() -> list[tuple[str, str]]:
    """All policies on the run with most stages, and on every other run the one that takes most room."""
    names = sorted(path.stem for path in (ROOT / "cache").glob("*.parquet"))
    return [(name, policy) for name in names for policy in SWEEPS if "ladder" in name or policy == "paper"]


@pytest.mark.parametrize(("name", "policy"), shipped())
def test_shipped_runs_make_small_reports(name: str, policy: str) -> None:
    path = ROOT / "cache" / f"{name}.parquet"
    metadata, exploration = read_metadata(path), explore(load_record(path), SWEEPS[policy], Split())
    data = live_data(
        exploration,
        confidence_axis("max_probability", len(metadata["class_names"])),
        initial=0,
        published=published_on(Origin.of(metadata["source"]).dataset),
        name=name,
        **words(Origin.of(metadata["source"]), name),
    )
    opened = Setting(exploration=exploration, position=exploration.opening)
    text = report_html(opened, data, run=RUN | {"name": name}, source=metadata["source"])
    assert len(text.encode()) < LIMIT / 2
    assert len(payload(text)["accuracy"]) == 401
