"""Scripts that are exported do what the simulation said, and hold nothing of a file as code."""

from __future__ import annotations

import ast
import os
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cascade_core import (
    ExitRule,
    Pool,
    SharedThreshold,
    StageOutputs,
    choose,
    evaluate,
    fit_pool,
    load_run,
    save_choice,
)
from cascade_core.storage.snippets import snippet
from tests.installing import Installer
from tests.names import hostile_names, is_clean
from tests.oracle import f32
from tests.samples import sample_run

ROOT = Path(__file__).resolve().parents[2]


POOL = Pool(weights=((1.0,), (0.0, 1.0), (0.4, 0.0, 0.9)))
"""The third stage pools the first; nothing needs the second where nothing leaves there."""


@pytest.mark.parametrize(
    ("pool", "thresholds", "asked"),
    [
        (None, (0.6, 0.6), [0, 1, 2]),
        (POOL, (0.6, 0.6), [0, 1, 2]),
        (POOL, (np.inf, 0.6), [0, 1, 2]),
        (POOL, (0.6, np.inf), [0, 2]),
        (POOL, (np.inf, np.inf), [0, 2]),
        (None, (np.inf, np.inf), [2]),
    ],
)
def test_softmaxes_leave_as_simulated(
    pool: Pool | None, thresholds: Any, asked: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = sample_run()
    record = outputs.record("margin", 1, pool)
    rule = ExitRule(thresholds=f32(*thresholds), score="margin", pool=pool)
    save_choice(tmp_path / "mine.json", rule, evaluate(record, rule))
    monkeypatch.chdir(tmp_path)
    script: dict[str, Any] = {}
    exec(snippet("mine.json", "mine", {}, outputs.class_names, record.stage_names), script)
    wanted, seen = rule.exit_stages(record), []

    def softmaxes_of(stage: int, samples: NDArray[np.int64]) -> NDArray[np.float32]:
        seen.append(stage)
        assert samples.tolist() == np.flatnonzero(wanted >= stage).tolist()
        return outputs.probs[stage, samples]

    answers, stages = script["classify"](record.n, softmaxes_of)
    assert seen == asked
    assert stages.tolist() == wanted.tolist()
    assert answers.tolist() == record.predictions[wanted, np.arange(record.n)].tolist()


def test_pictures_are_classified_by_the_run_s_network(installer: Installer, tmp_path: Path) -> None:
    run = load_run(ROOT / "cache" / "digits.parquet")
    assert isinstance(run, StageOutputs)
    record = run.record(pool=fit_pool(run.probs, run.labels))
    rule = choose(record, SharedThreshold(0.9))
    save_choice(tmp_path / "digits.json", rule, evaluate(record, rule))
    shutil.copy(ROOT / "cache" / "digits.safetensors", tmp_path)
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(tmp_path / "pictures" / "one.png")
    (tmp_path / "pictures" / "two.png").write_bytes(b"no picture")
    (tmp_path / "run.py").write_text(
        snippet("digits.json", "digits", run.source, run.class_names, record.stage_names), encoding="utf-8"
    )
    done = installer.whole.run(installer.whole.python, "run.py", "pictures", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    file, answer, confidence, stage = done.stdout.strip().split("\t")
    assert file == "pictures/one.png"
    assert answer in run.class_names
    assert 0 < float(confidence) <= 1
    assert stage in record.stage_names
    assert "two.png" in done.stderr


def test_names_are_literals() -> None:
    bad = '"""\'; import os\n$choice'
    sources: tuple[dict[str, object], ...] = ({}, {"networks": [{"name": bad, "weights": bad, "heads": {"file": bad}}]})
    for source in sources:
        tree = ast.parse(snippet(bad, bad, source, [bad], [bad]))
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        assert "os" not in imported
        constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert bad in constants


FOREIGN: list[dict[str, Any]] = [
    {"name": "os:abort"},
    {"name": "trapmod:make", "weights": "w.pt"},
    {"name": "trapmod.deep:make", "heads": {"file": "h.safetensors"}},
    {"name": "timm:resnet18"},
    {"name": "hf:somebody/trap"},
    {"name": ":"},
    {"name": "resnet50=trapmod:make"},
    {"name": "resnet50+x.safetensors"},
    {"name": "small-cnn\nimport trapmod"},
    {"name": "small-cnn", "weights": "../../elsewhere.pt"},
    {"name": "small-cnn", "weights": "\\\\host\\share\\w.pt"},
    {"name": "small-cnn", "weights": "a=b.pt"},
    {"name": "small-cnn", "heads": {"file": "/etc/x.safetensors"}},
]


@pytest.mark.parametrize("network", FOREIGN, ids=str)
@pytest.mark.parametrize("others", [[], [{"name": "small-cnn"}]])
def test_what_a_run_names_is_not_run_until_somebody_types_it(
    network: dict[str, Any],
    others: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[str] = []
    trap = types.ModuleType("trapmod")
    monkeypatch.setattr(trap, "make", lambda *_, **__: called.append("made"), raising=False)
    for name in ("trapmod", "trapmod.deep"):
        monkeypatch.setitem(sys.modules, name, trap)
    monkeypatch.setattr(os, "abort", lambda: called.append("aborted"))
    monkeypatch.setattr(sys, "argv", ["script.py", str(tmp_path)])
    script = snippet("c.json", "mine", {"networks": [*others, network]}, ["a", "b"], ["s", "t"])
    with pytest.raises(SystemExit, match=r"Fill in NETWORKS in script\.py"):
        exec(script, {"__file__": "script.py"})
    assert called == []
    assert "NETWORKS = []" in script.splitlines()
    assert any(line.startswith("#   '") and repr(network["name"])[1:-1][:5] in line for line in script.splitlines())


def test_a_script_holds_a_line_for_each_network_however_many(tmp_path: Path) -> None:
    networks = [{"name": f"trapmod:{'x' * 100_000}{number}"} for number in range(300)]
    script = snippet("c.json", "mine", {"networks": networks}, ["a"], ["s"])
    assert len(script) < 10_000
    assert script.count("\n#   ") == 20


def test_any_name_leaves_a_script_as_it_is() -> None:
    """The script of hostile names is that of plain ones but for its literals, and every character of it is seen."""

    def shape(*names: str, network: dict[str, Any]) -> str:
        run, stage = names
        text = snippet(f"{run}.json", run, {"networks": [network]} if network else {}, [run, stage], [stage, run])
        assert is_clean(text, keep="\n")
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""
        comments = [line for line in text.split("\n") if line.startswith("#")]
        assert len(comments) == (2 if network.get("name") else 0)
        assert text.count("\n") == len(text.splitlines())
        return ast.dump(tree)

    names = [name for name in hostile_names(3, 400) if name]
    for run, name in zip(names[::2], names[1::2], strict=True):
        foreign = {"name": f"{name}:{run}", "weights": name, "heads": {"file": run}}
        assert shape(run, name, network=foreign) == shape("r", "s", network={"name": "a:b"})
        assert shape(run, name, network={}) == shape("r", "s", network={})
