"""Your own softmaxes without a browser: what is refused and how, what a good file becomes, and who sees it."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.runtime.caching import cache_resource_api

from cascade_core import CheapestWithinDrop, StageOutputs, save_run
from cascade_core.analysis.exploration import Split, explore, halves
from cascade_core.panels import questions, state, upload
from cascade_core.storage.importers.templates import LABELS, MACS, PROBS, STAGES, csv_template, npz_template
from cascade_core.storage.writing import run_bytes
from cascade_core.support.files import BadFile
from tests.malformed import FILES, TRAP, Malformed, Payload
from tests.opening import unopened
from tests.oracle import assert_one_line
from tests.panels.uploading import MINE, bring, npz, page, shown_names, texts
from tests.runfiles import load_softmaxes, softmaxes
from tests.samples import sample_run


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with one run, `shipped`."""
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    save_run(sample_run(), tmp_path / "shipped.parquet")
    return tmp_path


def test_there_are_fifty_and_more() -> None:
    assert len(FILES) >= 50
    assert len({file.name for file in FILES}) == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_malformed_files_are_one_message_that_names_file_fault_and_place(file: Malformed) -> None:
    with pytest.raises(BadFile) as caught:
        upload.read_upload(file.name, file.raw)
    assert_one_line(caught.value, "Cannot ", f" {file.name}: ", *file.words)
    assert len(str(caught.value)) < 400
    assert not TRAP.exists()


def test_the_trap_would_have_been_sprung() -> None:
    pickle.loads(pickle.dumps(Payload(), protocol=4))
    assert TRAP.exists()
    TRAP.rmdir()


def test_malformed_files_leave_the_page_as_it_was(cache: Path) -> None:
    app = page()
    bring(app, "mine.npz", npz(MINE, macs=[1, 2, 3]))
    before = app.dataframe[0].value
    for file in FILES:
        bring(app, file.name, file.raw)
        assert app.error[0].value.startswith("This file was not loaded")
        assert file.words[0] in texts(app)
        assert app.selectbox(key="run").value == "mine"
        assert app.dataframe[0].value.equals(before)
    assert shown_names(app) == ["shipped", "mine (yours)"]


def test_a_file_that_is_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MEGABYTES", 1)
    monkeypatch.setattr(upload, "read_files", None)
    with pytest.raises(
        BadFile, match=r"Cannot import big\.npz: expected at most 1 MB but it has 1\.5; on the command line"
    ):
        upload.read_upload("big.npz", bytes(3 << 19))


@pytest.mark.parametrize(("name", "raw"), [("t.npz", npz_template()), ("T.CSV", csv_template())])
def test_templates_import_as_they_are(name: str, raw: bytes) -> None:
    found, _ = upload.read_upload(name, raw)
    assert (softmaxes(found).probs == PROBS.astype(np.float32)).all()
    assert found.labels.tolist() == LABELS.tolist()
    assert [(s.name, s.trunk_macs) for s in found.stages] == list(zip(STAGES, MACS.tolist(), strict=True))
    assert found.sample_ids.tolist() == ["cat-1.png", "dog-1.png", "fox-1.png", "fox-2.png"]


@pytest.mark.parametrize(("name", "raw"), [("template.npz", npz_template()), ("template.csv", csv_template())])
def test_templates_are_explored(cache: Path, name: str, raw: bytes) -> None:
    app = page()
    bring(app, name, raw)
    assert app.selectbox(key="run").value == "template"
    assert app.dataframe[0].value["stage"].tolist() == ["early", "late"]


def test_a_good_file_is_explored_at_once(cache: Path) -> None:
    app = page()
    bring(app, "mine.npz", npz(MINE, macs=[1070, 2070, 3070]))
    assert shown_names(app) == ["shipped", "mine (yours)"]
    assert app.selectbox(key="run").value == "mine"
    expected = explore(halves(MINE, Split()), CheapestWithinDrop, Split())
    at = expected.at(app.session_state[state.PLACE.key].now.index)  # the place is kept
    assert app.dataframe[0].value["samples"].tolist() == at.exit_counts.tolist()
    app.selectbox(key="answers").set_value("own").run()
    assert not app.exception
    assert app.dataframe[0].value["samples"].sum() == 300
    app.selectbox(key="run").select("shipped").run()
    assert app.dataframe[0].value["samples"].sum() == 200


def test_the_cache_file_is_the_run_and_has_its_digest(cache: Path) -> None:
    file = npz(MINE, macs=[1070, 2070, 3070], baseline_macs=6210)
    outputs, raw = upload.read_upload("mine.npz", file)
    (cache / "taken.parquet").write_bytes(raw)
    found = load_softmaxes(cache / "taken.parquet")
    assert found.probs.tobytes() == softmaxes(outputs).probs.tobytes() == MINE.probs.tobytes()
    assert found.source == {"imported_from": "mine.npz"}
    app = page()
    bring(app, "mine.npz", file)
    assert app.session_state["own_runs"][0].run.digest == hashlib.sha256(raw).hexdigest()


def test_a_run_file_comes_back_byte_for_byte() -> None:
    raw = run_bytes(MINE)
    outputs, back = upload.read_upload("any.parquet", raw)
    assert back == raw
    assert outputs.stages == MINE.stages


def test_another_session_neither_lists_nor_opens_it(cache: Path) -> None:
    app, other = page(), page()
    bring(app, "mine.npz", npz(MINE, macs=[1, 2, 3]))
    other.run()
    assert shown_names(other) == ["shipped"]
    named = unopened()
    named.query_params["run"] = "mine"
    named.run()
    assert not named.exception
    assert named.selectbox(key="run").value == "shipped"
    assert shown_names(named) == ["shipped"]


def test_an_equal_file_is_computed_anew_in_each_session(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that a session brought never fills a shared cache, nor is it answered from one."""
    computed: list[int] = []
    original = halves

    def count(outputs: StageOutputs, *args: Any, **kwargs: Any) -> Any:
        computed.append(outputs.probs.shape[1])
        return original(outputs, *args, **kwargs)

    monkeypatch.setattr(questions, "halves", count)
    raw = npz(sample_run(n=444, seed=4), macs=[1, 2, 3])
    for sessions in (1, 2):
        # The test driver gives all its sessions one id.
        monkeypatch.setattr(cache_resource_api, "get_session_id_or_throw", lambda own=f"session {sessions}": own)
        app = page()
        bring(app, "mine.npz", raw)
        app.run()
        assert computed.count(444) == sessions


def test_the_same_file_twice_is_one_run(cache: Path) -> None:
    app = page()
    raw = npz(MINE, macs=[1, 2, 3])
    bring(app, "mine.npz", raw)
    app.selectbox(key="run").select("shipped").run()
    bring(app, "again.npz", raw)
    assert shown_names(app) == ["shipped", "mine (yours)"]
    assert app.selectbox(key="run").value == "mine"


def test_names_are_told_apart(cache: Path) -> None:
    app = page()
    bring(app, "shipped.npz", npz(MINE, macs=[1, 2, 3]))
    bring(app, "shipped.csv", csv_template())
    assert shown_names(app) == ["shipped", "shipped-2 (yours)", "shipped-3 (yours)"]
    save_run(sample_run(seed=9), cache / "shipped-2.parquet")
    app.run()
    assert shown_names(app) == ["shipped-2", "shipped", "shipped-2-2 (yours)", "shipped-3 (yours)"]


def test_the_last_few_are_kept(cache: Path) -> None:
    app = page()
    for number in range(upload.KEPT + 1):
        bring(app, f"run{number}.npz", npz(sample_run(seed=number), macs=[1, 2, 3]))
    assert shown_names(app) == ["shipped", "run1 (yours)", "run2 (yours)", "run3 (yours)"]


def test_removing(cache: Path) -> None:
    app = page()
    bring(app, "mine.npz", npz(MINE, macs=[1, 2, 3]))
    app.file_uploader(key=state.OWN_FILE.key).set_value(None).run()
    assert app.selectbox(key="run").value == "mine"  # what was read does not need its file
    app.button(key="own:remove").click().run()
    assert not app.exception
    assert shown_names(app) == ["shipped"]
    assert app.selectbox(key="run").value == "shipped"
    assert app.dataframe[0].value["samples"].sum() == 200


def test_unknown_macs_are_said_and_asked_for(cache: Path) -> None:
    app = page()
    bring(app, "mine.npz", npz(MINE))
    assert "MACs were not given: every stage is taken to add the same" in texts(app)
    # The last stage costs what all three do.
    assert app.dataframe[0].value["macs"].iloc[-1] == 3_000_000
    fields = [field for field in app.number_input if field.label.startswith("Stage ")]
    assert [field.label for field in fields] == ["Stage 1 adds", "Stage 2 adds", "Stage 3 adds"]
    for field, macs in zip(fields, (100, 200, 400), strict=True):
        field.set_value(macs)
    next(button for button in app.button if button.label == "Use these MACs").click().run()
    assert not app.exception
    assert "MACs were not given" not in texts(app)
    assert app.selectbox(key="run").value == "mine"
    assert app.dataframe[0].value["macs"].iloc[-1] == 700


def test_macs_of_nothing_are_refused(cache: Path) -> None:
    app = page()
    bring(app, "mine.npz", npz(MINE))
    for field in app.number_input:
        if field.label.startswith("Stage "):
            field.set_value(0)
    next(button for button in app.button if button.label == "Use these MACs").click().run()
    assert not app.exception
    assert "These MACs were not taken." in texts(app)
    assert "Expected baseline_macs to be a whole number from 1" in texts(app)
    assert app.selectbox(key="run").value == "mine"


def test_an_empty_cache_takes_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_CACHE", str(tmp_path))
    app = page()
    assert app.title[0].value == "No runs yet"
    bring(app, "mine.npz", npz(MINE, macs=[1, 2, 3]))
    assert shown_names(app) == ["mine (yours)"]
    assert app.dataframe[0].value["samples"].sum() == 300


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("mine.npz", "mine"),
        ("../../etc/passwd.csv", "passwd"),
        ("C:\\data\\my run (2).csv", "my-run-2"),
        ("**bold** [x](y).csv", "bold-x-y"),
        ("<b>$x$</b>.csv", "b"),
        (".hidden.csv", "hidden"),
        ("\u202egnp.csv", "gnp"),
        ("Vo\u0308gel.csv", "Vögel"),
        ("***.csv", "upload"),
        ("", "upload"),
        ("x" * 300 + ".csv", "x" * 40),
    ],
)
def test_names_of_runs(file_name: str, name: str) -> None:
    assert upload.run_name(file_name) == name


def test_names_in_messages_are_short_and_printable() -> None:
    with pytest.raises(BadFile) as caught:
        upload.read_upload("dir/\u202e" + "x" * 300 + "\n.CSV", b"")
    assert_one_line(caught.value, "Cannot import ?" + "x" * 59 + ".csv: ")


@pytest.mark.parametrize("classes", [1, 2])
def test_edges_are_explored(cache: Path, classes: int) -> None:
    app = page()
    bring(app, "edge.npz", npz(sample_run(n=2, m=2, k=classes), macs=[0, 1]))
    for policy in app.selectbox(key="policy").options:
        app.selectbox(key="policy").select(policy).run()
        assert not app.exception
