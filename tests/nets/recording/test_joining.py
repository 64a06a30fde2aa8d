"""Runs recorded one by one and joined are the run of all networks in a row."""

from __future__ import annotations

from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.staged import ModelCascade, StagedModel
from cascade_core.simulation.outputs import StageOutputs
from cascade_core.storage.joining import join_runs
from tests.nets.working import images, network
from tests.runfiles import softmaxes


def recorded(model: StagedModel) -> StageOutputs:
    return precompute(model, images(), batch_size=64, device="cpu", progress=False)


def test_joined_runs_are_a_cascade_recorded_in_one_go() -> None:
    first, second = network(seed=1), network(seed=2)
    wanted = recorded(ModelCascade([("A", first), ("B", second)]))
    joined = softmaxes(join_runs([recorded(first), recorded(second)], ["A", "B"]))
    assert joined.probs.tobytes() == wanted.probs.tobytes()
    assert joined.labels.tobytes() == wanted.labels.tobytes()
    assert joined.sample_ids.tolist() == wanted.sample_ids.tolist()
    assert joined.stages == wanted.stages
    assert joined.baseline_macs == wanted.baseline_macs
    assert joined.class_names == wanted.class_names
