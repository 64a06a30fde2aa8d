"""The command line, called as a user would: results on standard output, one line on bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from cascade_core import CheapestWithinDrop, choose, evaluate, load_choice, load_run, save_choice, save_run
from cascade_core.__main__ import main
from cascade_core.simulation.timing import Profile, profile_path, save_profile
from cascade_core.storage.reading import digest
from tests.samples import sample_run

VERBS = (
    "exits",
    "build",
    "precompute",
    "classify",
    "bundle",
    "join",
    "import",
    "show",
    "choose",
    "compare",
    "evaluate",
    "report",
    "figure",
    "page",
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save_run(sample_run(), tmp_path / "run.parquet")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert f"example:\n  python -m cascade_core {verb} " in capsys.readouterr().out


def test_choose_then_evaluate_tell_the_same_numbers(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--max-drop", "0.02", "--seed", "3", "--out", str(out)]) == 0
    chosen = capsys.readouterr().out
    assert main(["evaluate", str(out), str(run)]) == 0
    evaluated = capsys.readouterr().out
    line = next(text for text in chosen.splitlines() if text.startswith("accuracy"))
    assert line in evaluated
    assert "200 samples that the thresholds never saw" in evaluated
    assert load_choice(out).policy == {"name": "cheapest", "parameters": {"max_drop": 0.02}}
    assert json.loads(out.read_text())["measured"]["split"] == {"fraction": 0.5, "seed": 3, "measured_on": "test"}


def test_evaluate_all_says_that_it_is_in_sample(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "choice.json"
    main(["choose", str(run), "--policy", "paper", "--epsilon", "0.02", "--out", str(out)])
    capsys.readouterr()
    assert main(["evaluate", str(out), str(run), "--all"]) == 0
    text = capsys.readouterr().out
    assert "in-sample" in text
    assert "on 400 samples" in text


@pytest.mark.parametrize(
    ("policy", "flags"),
    [
        ("cheapest", ["--max-drop", "0.01"]),
        ("cheapest-uncorrected", ["--max-drop", "0.01"]),
        ("certified", ["--max-drop", "0.2", "--alpha", "0.1"]),
        ("budget", ["--max-macs", "4000"]),
        ("shares", ["--max-macs", "4000"]),
        ("paper", ["--epsilon", "0.01"]),
        ("paper-by-class", ["--epsilon", "0.01"]),
        ("shared", ["--threshold", "0.9"]),
        ("fixed", ["--thresholds", "inf,0.9"]),
    ],
)
def test_choose_takes_every_policy(policy: str, flags: list[str], run: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--policy", policy, *flags, "--out", str(out)]) == 0
    choice = load_choice(out)
    assert choice.policy is not None
    assert choice.policy["name"] == policy
    if policy == "fixed":
        assert choice.thresholds.tolist() == [np.inf, np.float32(0.9)]


def with_profile(run: Path) -> None:
    names = tuple(stage.name for stage in load_run(run).stages)
    seconds = {"trunk": [[1, 1.5]] * 3, "head": [[0.1, 0.1]] * 3, "plain": [3.1, 4.6]}
    values = {f"{name}{end}": np.array(each) for name, each in seconds.items() for end in ("", "_p95")}
    save_profile(Profile(stage_names=names, batch_sizes=(1, 2), circumstances={}, **values), profile_path(run))


def with_costs(run: Path, *parts: str) -> None:
    parts = parts or ("device=0.1,0.1,0,0", "cloud=0,0,2,2.5")
    assert main(["costs", str(run), "--unit", "cents", "--per", "10", *(f"--part={part}" for part in parts)]) == 0


def test_a_budget_may_be_of_milliseconds(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_profile(run)
    out, budget = tmp_path / "choice.json", ["choose", str(run), "--policy", "budget", "--max-cost", "2000"]
    assert main([*budget, "--batch", "2", "--out", str(out)]) == 0
    cost = {"unit": "milliseconds", "batch": 2}
    assert load_choice(out).policy == {"name": "budget", "parameters": {"max_cost": 2000.0, "cost": cost}}
    measured = load_choice(out).measured["cost"]
    assert measured["mean"] <= 2000
    assert measured["plain"] == 2300
    text = capsys.readouterr().out
    assert "milliseconds per sample in batches of 2, where the plain network costs 2.3 thousand" in text
    assert "Computing whole batches while a sample is left: " in text
    assert main([*budget, "--max-macs", "4000", "--batch", "2"]) == 2
    assert "policy budget takes no --max-macs with costs in milliseconds" in capsys.readouterr().err
    assert main(budget) == 2
    assert "policy budget takes no --max-cost with costs in MACs" in capsys.readouterr().err


def test_single_samples_have_percentiles(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_profile(run)
    out = tmp_path / "choice.json"
    assert main(["choose", str(run), "--max-drop", "0.02", "--cost", "milliseconds", "--out", str(out)]) == 0
    shares = [one["share"] for one in load_choice(out).measured["cost"]["percentiles"]]
    assert shares == [0.95, 0.99]
    assert "Of single samples 95 % within " in capsys.readouterr().out


def test_costs_of_one_s_own(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_costs(run)
    out, chosen = tmp_path / "choice.json", ["choose", str(run), "--cost", "own"]
    assert main([*chosen, "--max-drop", "0.02", "--out", str(out)]) == 0
    choice = load_choice(out)
    assert choice.policy is not None
    assert choice.policy["parameters"]["cost"]["plain"] == {"cloud": 2.5}
    assert choice.measured["cost"]["unit"] == "cents"
    assert set(choice.measured["cost"]["parts"]) == {"device", "cloud"}
    capsys.readouterr()
    assert main(["evaluate", str(out), str(run), "--cost", "own"]) == 0
    text = capsys.readouterr().out
    assert "cents per 10 samples, where the plain network costs 2.5" in text
    assert "against 250 thousand cents." in text  # 2.5 for ten, a million times a tenth of that
    assert main(["compare", str(run), "--cost", "own"]) == 0
    assert "saving_of_cents_per_10" in capsys.readouterr().out
    assert main(["compare", str(run), "--cost", "own", "--seeds", "2"]) == 0
    report = tmp_path / "report.html"
    assert (
        main(["report", str(run), "--cost", "own", "--policy", "budget", "--max-cost", "1", "--out", str(report)]) == 0
    )
    assert "% of the cents" in report.read_text(encoding="utf-8")


def test_a_price_of_mistakes_sets_the_slider(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_costs(run)
    drops = []
    for price in ("0", "1000"):
        out = tmp_path / f"{price}.json"
        assert main(["choose", str(run), "--cost", "own", "--mistake", price, "--out", str(out)]) == 0
        drops.append(load_choice(out).measured["cost"]["mean"])
    assert drops[0] < drops[1]
    assert "cents for a wrong answer: " in capsys.readouterr().out
    report = ["report", str(run), "--cost", "own", "--mistake", "0.1", "--out", str(tmp_path / "report.html")]
    assert main(report) == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            ["--cost", "own", "--mistake", "1", "--max-drop", "0.1"],
            "policy cheapest takes no --max-drop beside --mistake",
        ),
        (["--mistake", "1", "--policy", "fixed"], "policy fixed has no slider that --mistake could set"),
        (["--mistake", "-1"], "price of a mistake to be from 0"),
        (["--cost", "euros", "--max-drop", "0.1"], "--cost to be macs, milliseconds, own or a .json file"),
        (["--cost", "own", "--batch", "2", "--max-drop", "0.1"], "--batch is for --cost milliseconds"),
        (["--cost", "missing.json", "--max-drop", "0.1"], "missing.json"),
        (["--cost", "milliseconds", "--max-drop", "0.1"], "profile.json"),
    ],
)
def test_flags_of_costs_that_do_not_fit(
    flags: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_costs(run)
    assert main(["choose", str(run), *flags]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_costs_of_other_stages_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["costs", str(run), "--unit", "cents", "--part", "1,2"]) == 2
    assert "--part to have 4 numbers, one for each of " in capsys.readouterr().err


def test_import_makes_a_run_of_logits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logits = np.array([[[2.0, 0.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 3.0]]])
    np.savez(tmp_path / "mine.npz", logits=logits, labels=np.array([0, 1]))
    out = tmp_path / "mine.parquet"
    assert main(["import", str(tmp_path / "mine.npz"), "--macs", "10,20", "--title", "Two.", "--out", str(out)]) == 0
    assert "wrote" in capsys.readouterr().out
    loaded = load_run(out)
    assert loaded.baseline_macs == 30
    assert loaded.source["title"] == "Two."
    # e^2 / (e^2 + 1) = 0.8808
    assert loaded.probs[0, 0, 0] == pytest.approx(0.8808, abs=1e-4)


def test_show_names_stages_and_origin(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run)]) == 0
    text = capsys.readouterr().out
    assert "400 samples, 5 classes" in text
    assert "stage 3" in text
    assert "title: CIFAR-10, a sample run." in text


@pytest.mark.parametrize(
    "verb",
    [["show", "{run}"], ["choose", "{run}", "--max-drop", "0.5"], ["compare", "{run}", "--answers", "own"]],
    ids=lambda verb: " ".join(verb),
)
def test_what_is_odd_about_a_run_is_said(verb: list[str], run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = load_run(run)
    notes = ["Softmaxes were \x1b[31mrounded."]
    save_run(replace(outputs, probs=outputs.probs[::-1], source={"notes": notes}), run)
    assert main([argument.format(run=run) for argument in verb]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("note: Softmaxes were \\x1b[31mrounded.\nnote: Accuracy falls from stage to stage")
    assert "rounded" not in said.out


def test_show_tells_the_accuracy_among_more_answers(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run), "--top-k", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("accuracy top-2 accuracy")
    wanted = load_run(run).record(top_k=2).stage_accuracy
    assert [line.split()[-1] for line in lines[3:6]] == [f"{share:.2%}" for share in wanted]
    assert main(["show", str(run), "--top-k", "9"]) == 2
    assert "top_k to be a whole number from 1 to 5" in capsys.readouterr().err


def test_joined_runs_are_called_after_their_files(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = save_run(sample_run(), tmp_path / "other.parquet")
    out = tmp_path / "both.parquet"
    assert main(["join", str(run), str(other), "--out", str(out), "--title", "Both."]) == 0
    assert "wrote" in capsys.readouterr().out
    joined, alone = load_run(out), load_run(run)
    names = [stage.name for stage in alone.stages]
    assert [s.name for s in joined.stages] == [f"{each}, {name}" for each in ("run", "other") for name in names]
    assert joined.source["title"] == "Both."
    assert main(["join", str(run), str(other), "--out", str(out), "--dataset-name", "SVHN"]) == 0
    assert load_run(out).source["dataset_name"] == "SVHN"
    assert main(["join", str(run), str(other), "--out", str(out), "--names", "a,b"]) == 0
    assert load_run(out).stages[0].name == f"a, {names[0]}"
    capsys.readouterr()
    assert main(["join", str(run), str(other), "--out", str(out), "--names", "a"]) == 2
    assert "Expected --names to name the 2 runs but it names 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "opens"),
    [
        ([], 0.01),
        (["--max-drop", "0.02", "--seed", "3"], 0.02),
        (["--max-drop", "90%", "--answers", "pooled", "--score", "margin"], 0.05),
        (["--policy", "budget", "--max-macs", "4000", "--top-k", "2"], 4000),
    ],
)
def test_report_opens_at_the_nearest_position(
    flags: list[str], opens: float, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.html"
    assert main(["report", str(run), *flags, "--out", str(out)]) == 0
    assert f"wrote {out} ({out.stat().st_size:,} bytes), which opens at " in capsys.readouterr().out
    html = out.read_text(encoding="utf-8")
    choice = json.loads(unescape(html.split('id="choice">')[1].split("</code>")[0]))
    (value,) = choice["policy"]["parameters"].values()
    # 401 positions lie closer than that.
    assert value == pytest.approx(opens, abs=0.0002 if opens < 1 else 30)
    assert choice["run"] == {"name": "run", "sha256": digest(run)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["report", "{run}", "--policy", "certified", "--max-drop=-1pt", "--out", "x.html"],
            "max_drop to be from 0 to 1",
        ),
        (["report", "{run}", "--policy", "paper", "--max-drop", "0.1", "--out", "x.html"], "paper takes no --max-drop"),
        (["report", "{run}", "--out", "x.txt"], "to end in .html"),
        (["join", "{run}", "--out", "x.parquet"], "two or more runs to join but there were 1"),
        (["precompute", "--network", "vgg", "--data", "digits", "--out", "x.txt"], "or to be a folder without"),
        (["choose", "missing.parquet", "--max-drop", "0.01"], "there is no such file"),
        (["choose", "{run}"], "policy cheapest needs --max-drop"),
        (["choose", "{run}", "--max-drop", "0.01", "--epsilon", "0.1"], "policy cheapest takes no --epsilon"),
        (["choose", "{run}", "--policy", "paper", "--epsilon", "-1%"], "epsilon to be from 0 to 1"),
        (["choose", "{run}", "--max-drop", "-90pt"], "but the best that these 200 samples let expect"),
        (["choose", "{run}", "--policy", "fixed", "--thresholds", "0.5"], "shape (2,)"),
        (["choose", "{run}", "--max-drop", "0.01", "--fraction", "1"], "samples on both sides"),
        (["evaluate", "{run}", "{run}"], "expected JSON"),
        (["show", "pyproject.toml"], "Parquet magic bytes"),
        (["import", "pyproject.toml", "--out", "x.parquet"], "one of .npz, .csv, .tsv, .parquet"),
    ],
)
def test_bad_input_is_one_line_and_status_two(
    arguments: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([argument.format(run=run) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: VERB"),
        (["bogus"], "invalid choice: 'bogus'"),
        (["choose"], "required: run"),
        (["choose", "{run}", "--max-drop", "abc"], "expected 1%, 0.5pt or 0.01 but it was 'abc'"),
        (["choose", "{run}", "--max-drop", "1"], "1 may mean 1 point or 100 points: write 1pt or 100pt"),
        (["choose", "{run}", "--policy", "paper", "--epsilon", "0.5"], "write 0.5pt or 50pt"),
        (["choose", "{run}", "--policy", "certified", "--alpha", "5"], "write 5% if it is in percent"),
        (["compare", "{run}", "--max-drop", "-2"], "write -2pt if it is in points"),
        (["report", "{run}", "--max-drop", "1", "--out", "x.html"], "write 1pt or 100pt"),
        (["figure", "{run}", "--max-drop", "1", "--out", "x.svg"], "write 1pt or 100pt"),
        (["choose", "{run}", "--policy", "none"], "invalid choice: 'none'"),
        (["choose", "{run}", "--policy", "fixed", "--thresholds", "a,b"], "argument --thresholds"),
    ],
)
def test_wrong_words_are_one_line_too(
    arguments: list[str], words: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([argument.format(run=run) for argument in arguments])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert words in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("out", ["x.txt", "{run}/x.parquet", "{folder}"])
def test_where_to_write_is_checked_before_any_work(
    out: str, run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.commands.runs.read_files", lambda *_, **__: pytest.fail("it worked first"))
    folder = run.parent / "folder.parquet"
    folder.mkdir()
    assert main(["import", "mine.npz", "--out", out.format(run=run, folder=folder)]) == 2
    error = capsys.readouterr().err
    assert "Cannot write" in error or "to end in .parquet" in error
    assert error.count("\n") == 1
    assert not list(run.parent.glob("**/.*tmp"))


def test_what_nobody_foresaw_is_one_line(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("odd\nthing")

    monkeypatch.setattr("cascade_core.commands.runs.load_run", fail)
    assert main(["show", str(run)]) == 2
    assert capsys.readouterr().err == "error: ZeroDivisionError: odd thing; CASCADE_TRACEBACK=1 shows where\n"
    monkeypatch.setenv("CASCADE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["show", str(run)])


def test_a_choice_that_does_not_name_its_samples_is_labelled(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = load_run(run).record()
    rule = choose(record, CheapestWithinDrop(0.01))
    save_choice(tmp_path / "bare.json", rule, evaluate(record, rule))
    assert main(["evaluate", str(tmp_path / "bare.json"), str(run)]) == 0
    assert "may include those that the thresholds were chosen on" in capsys.readouterr().out


def test_another_run_is_named(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "choice.json"
    main(["choose", str(run), "--max-drop", "0.01", "--out", str(out)])
    other = save_run(sample_run(seed=5), tmp_path / "other.parquet")
    capsys.readouterr()
    assert main(["evaluate", str(out), str(other)]) == 0
    text = capsys.readouterr().out
    assert "another run than run" in text
    assert "on 400 samples" in text


def test_a_failed_choose_leaves_an_old_file_alone(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "choice.json"
    out.write_text("precious")
    assert main(["choose", str(run), "--max-drop", "-90pt", "--out", str(out)]) == 2
    assert out.read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["choice.json", "run.parquet"]


def test_runs_as_a_module_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cascade_core", "show", "missing.parquet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_compare_over_seeds_prints_means_and_standard_deviations(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run), "--max-drop", "0.02", "--answers", "own", "--seeds", "3"]) == 0
    printed = capsys.readouterr().out
    record = sample_run().record()
    drops, savings = [], []
    for seed in range(3):
        calibration, test = record.split(0.5, seed)
        one = evaluate(test, choose(calibration, CheapestWithinDrop(0.02)))
        drops.append(100 * one.accuracy_drop)
        savings.append(one.saving)
    row = next(line for line in printed.splitlines() if "cheapest " in line)
    for figure in (
        f"{np.mean(drops):.2f}",
        f"{np.std(drops, ddof=1):.2f}",
        f"{np.mean(savings):.2%}",
        f"{np.std(savings, ddof=1):.2%}",
        "0 of 3",
    ):
        assert figure in row
    assert "over 3 splits" in printed


@pytest.mark.parametrize(
    ("flags", "fault"), [(["--seeds", "1"], "Expected seeds"), (["--seeds", "3", "--in-sample"], "in-sample")]
)
def test_a_spread_needs_splits(run: Path, flags: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(run), *flags]) != 0
    assert fault in capsys.readouterr().err
