"""The site of runs: what a run's script holds, against rules that are evaluated one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.policies import SWEEPS
from cascade_core.rendering.site import Listed, run_script, site_page
from cascade_core.simulation.outputs import StageOutputs
from tests.benchmarks.site_numbers import differences, held
from tests.samples import sample_run

HOSTILE = "</script><img src=x onerror=alert(1)>\" 'c'"


def listed(outputs: StageOutputs, name: str = "mine", digest: str = "a" * 64) -> Listed:
    divided = halves(outputs, Split())
    explorations = [explore(divided, policy, Split(), 41) for policy in SWEEPS.values()]
    classes = len(outputs.class_names)
    return Listed(name=name, sha256=digest, source=outputs.source, classes=classes, explorations=explorations)


@pytest.fixture(scope="module")
def run() -> Listed:
    return listed(sample_run())


def test_numbers_of_every_policy_are_pythons(run: Listed) -> None:
    found = held(run_script(run))
    assert list(found["payloads"]) == list(found["reports"]) == list(SWEEPS)
    assert differences(found, run.explorations) == []


def test_a_number_that_is_off_is_found(run: Listed) -> None:
    found = held(run_script(run))
    found["payloads"]["cheapest"]["accuracy"][0] += 1e-6
    assert len(differences(found, run.explorations)) == 1


def test_policies_with_the_same_answers_share_their_samples(run: Listed) -> None:
    found = held(run_script(run))
    shared = {name: payload["shared"] for name, payload in found["payloads"].items()}
    for number in {one for one in shared.values() if one is not None}:
        tests = {id(e.test) for e in run.explorations if shared[e.policy.name] == number}
        assert len(tests) == 1
    # A threshold for each class cannot be set by hand, and has no samples.
    assert [name for name, number in shared.items() if number is None] == ["paper-by-class"]
    assert all(payload["groups"] is None for payload in found["payloads"].values())


def test_names_from_files_are_text() -> None:
    outputs = replace(sample_run(names=[HOSTILE, "b", "c"]), source={"title": HOSTILE, "kind": HOSTILE})
    run = listed(outputs, HOSTILE)
    page = site_page([run], HOSTILE, HOSTILE)
    assert "<img" not in page
    assert page.count("</script>") == 2
    found = held(run_script(run))
    assert not any("<img" in report for report in found["reports"].values())


def test_runs_are_listed_by_kind(run: Listed) -> None:
    others = [replace(run, name=name, source={"kind": kind}) for name, kind in (("b", "Z"), ("a", "Z"), ("c", "A"))]
    page = site_page(others, "a", "Runs")
    at = [page.index(text) for text in ('label="A"', 'value="c"', 'label="Z"', 'value="a" selected', 'value="b"')]
    assert at == sorted(at)


def test_the_data_hold_no_label_and_no_id(run: Listed) -> None:
    script = run_script(run)
    assert "sample_ids" not in str(held(script))
    assert script.startswith(f'cascadeRun("{run.script}", "')
    assert run.script != replace(run, name="other").script
