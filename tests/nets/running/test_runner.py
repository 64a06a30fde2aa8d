"""The runner does what the simulation said, and computes no more than that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cascade_core import ExitRule, Pool, choose, evaluate, load_choice, save_choice
from cascade_core.nets.images.datasets import ImageSet
from cascade_core.nets.networks.zoo import ZOO
from cascade_core.nets.opening import open_data
from cascade_core.nets.recording.precompute import precompute
from cascade_core.nets.running.runner import Runner
from cascade_core.nets.staged import CascadedNetwork, ModelCascade, StagedModel
from cascade_core.policies import PaperRuleByClass, SharedThreshold
from cascade_core.simulation.outputs import StageOutputs
from tests.oracle import f32, naive_softmax_of
from tests.smallnets import in_one_piece, with_exits

MODELS: dict[str, Callable[[], StagedModel]] = {
    "exits": with_exits,
    "ladder": lambda: with_exits(preset="ladder"),
    "models": lambda: ModelCascade([("small", in_one_piece()), ("large", in_one_piece(seed=1))]),
    "hybrid": lambda: ModelCascade([("small", with_exits()), ("large", in_one_piece(seed=1))]),
}


@pytest.fixture(scope="module")
def data() -> ImageSet:
    whole = open_data("digits", ZOO["small-cnn"].images)
    return whole.take(torch.arange(120))


@pytest.fixture(scope="module")
def images(data: ImageSet) -> Tensor:
    return data.normalise(data.pixels(torch.arange(len(data))))


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> StagedModel:
    return MODELS[request.param]().eval()


def recorded(model: StagedModel, data: ImageSet) -> StageOutputs:
    return precompute(model, data, device="cpu", progress=False)


def assert_as_simulated(runner: Runner, images: Tensor, outputs: StageOutputs, rule: ExitRule) -> None:
    record = outputs.record(rule.score, rule.top_k, rule.pool)
    stages = rule.exit_stages(record)
    found = runner(images)
    assert found.stages.tolist() == stages.tolist()
    own = np.arange(record.n)
    assert found.predictions.tolist() == record.predictions[stages, own].tolist()
    np.testing.assert_allclose(found.confidence, record.confidence[stages, own], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("score", "top_k", "pooled"),
    [
        ("max_probability", 1, False),
        ("margin", 1, False),
        ("negative_entropy", 1, False),
        ("max_probability", 3, False),
        ("max_probability", 1, True),
        ("margin", 1, True),
        ("max_probability", 3, True),
    ],
)
def test_equals_the_simulation(
    model: StagedModel, data: ImageSet, images: Tensor, score: str, top_k: int, pooled: bool
) -> None:
    outputs = recorded(model, data)
    record = outputs.record(score, top_k, pool_of(len(outputs.stages)) if pooled else None)
    path = SharedThreshold.path(record, SharedThreshold.positions(record, 9))
    runner = Runner(model, path.rule(0), "cpu")
    for g in range(9):
        # Between two confidences, so that no sample lies within rounding of it.
        apart = np.array([between(record.confidence[m], path.thresholds[g, m]) for m in range(len(path.thresholds[g]))])
        rule = ExitRule(
            thresholds=apart,
            score=score,
            top_k=top_k,
            pool=record.pool,
            stage_names=record.stage_names,
        )
        runner.set_choice(rule)
        assert_as_simulated(runner, images, outputs, rule)


def pool_of(stages: int) -> Pool:
    """Weights of which none is 0: a half for the stage before, -0.1 for those before that, 1.1 for its own."""
    return Pool(
        weights=tuple((*[-0.1] * (stage - 1), *[0.5] * min(stage, 1), 1.1 if stage else 1.0) for stage in range(stages))
    )


def naive_cascade(
    probs: Any, weights: Sequence[Sequence[float]], limits: Sequence[Sequence[float]], top_k: int
) -> list[tuple[int, int]]:
    """Stage and answer of each sample, by loops over softmaxes (M, N, K); limits are one a stage, or one a class."""
    found = []
    for i in range(probs.shape[1]):
        for stage, row in enumerate(weights):
            softmax = naive_softmax_of(row, probs[: stage + 1, i].tolist())
            answer = softmax.index(max(softmax))
            sure = sum(sorted(softmax)[-top_k:])
            if stage == len(limits) or sure >= limits[stage][answer % len(limits[stage])]:
                found.append((stage, answer))
                break
    return found


@pytest.mark.parametrize("top_k", [1, 3])
@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("off", [(), (0,), (0, 1)], ids=["all leave", "first pooled later", "two pooled later"])
def test_pooled_answers_equal_loops(data: ImageSet, images: Tensor, off: Any, by_class: bool, top_k: int) -> None:
    """With heads at which nothing leaves, and which are run for later answers nevertheless."""
    model = MODELS["hybrid"]().eval()
    outputs = recorded(model, data)
    pool = pool_of(len(outputs.stages))
    confidence = outputs.record(top_k=top_k, pool=pool).confidence
    limits = [[between(column, float(np.quantile(column, 0.7)))] for column in confidence[:-1]]
    limits = [[limit[0], *[np.inf] * 4, *[limit[0]] * 5] for limit in limits] if by_class else limits
    limits = [[np.inf] * len(limit) if stage in off else limit for stage, limit in enumerate(limits)]
    thresholds = np.array(limits) if by_class else np.array(limits)[:, 0]
    found = Runner(model, ExitRule(thresholds=thresholds, top_k=top_k, pool=pool), "cpu")(images)
    wanted = naive_cascade(outputs.probs, pool.weights, limits, top_k)
    assert list(zip(found.stages.tolist(), found.predictions.tolist(), strict=True)) == wanted
    assert set(found.stages.tolist()) == set(range(len(outputs.stages))) - set(off)


def test_where_nothing_leaves_early_a_pool_still_asks_all_stages(data: ImageSet, images: Tensor) -> None:
    model = MODELS["hybrid"]().eval()
    outputs = recorded(model, data)
    pool, never = pool_of(4), [[np.inf]] * 3
    found = Runner(model, ExitRule(thresholds=f32(*[np.inf] * 3), pool=pool), "cpu")(images)
    wanted = naive_cascade(outputs.probs, pool.weights, never, 1)
    assert found.predictions.tolist() == [answer for _, answer in wanted]
    assert found.predictions.tolist() != outputs.probs[-1].argmax(axis=1).tolist()
    assert set(found.stages.tolist()) == {3}


def test_one_stage_and_a_last_stage_that_pools_none_are_the_plain_network_weighed(images: Tensor) -> None:
    """Powers of one softmax keep its order, and are confident otherwise."""
    alone = in_one_piece().eval()
    found = Runner(alone, ExitRule(thresholds=f32(), pool=Pool(weights=((0.5,),))), "cpu")(images)
    with torch.no_grad():
        probs = alone(images)[-1].softmax(dim=-1).numpy()
    wanted = [naive_softmax_of([0.5], [row]) for row in probs.tolist()]
    assert found.predictions.tolist() == probs.argmax(axis=1).tolist()
    np.testing.assert_allclose(found.confidence, [max(row) for row in wanted], rtol=1e-5)
    pair = ModelCascade([("small", in_one_piece(seed=1)), ("large", alone)]).eval()
    small: Any = pair.members[0]
    small.trunk[0].register_forward_pre_hook(lambda *_: pytest.fail("the small model was run"))
    rule = ExitRule(thresholds=f32(np.inf), pool=Pool(weights=((1.0,), (0.0, 0.5))))
    np.testing.assert_allclose(Runner(pair, rule, "cpu")(images).confidence, found.confidence, rtol=1e-5)


def test_a_pool_of_other_stages_is_refused() -> None:
    with pytest.raises(ValueError, match="a pool of 3 stages but it is of 2"):
        ExitRule(thresholds=f32(0.5, 0.5), pool=pool_of(2))
    with pytest.raises(ValueError, match=r"a rule for 3 stages \(2 thresholds\) but it is for 2"):
        Runner(with_exits(), ExitRule(thresholds=f32(0.5), pool=pool_of(2)), "cpu")


def between(confidence: Any, threshold: float) -> float:
    """The middle of the widest gap between two of the ten confidences around a threshold."""
    ordered = np.sort(confidence.astype(np.float64))
    place = int(np.clip(np.searchsorted(ordered, threshold), 5, len(ordered) - 6))
    near = ordered[place - 5 : place + 6]
    widest = int(np.diff(near).argmax())
    return float(near[widest : widest + 2].mean())


def test_thresholds_for_each_class(model: StagedModel, data: ImageSet, images: Tensor) -> None:
    outputs = recorded(model, data)
    record = outputs.record()
    rule = choose(record, PaperRuleByClass(0.3))
    lower = np.where(np.isinf(rule.thresholds), np.inf, rule.thresholds - 1e-4)
    apart = ExitRule(thresholds=lower, stage_names=record.stage_names)
    assert_as_simulated(Runner(model, apart, "cpu"), images, outputs, apart)


@pytest.mark.parametrize(
    ("pool", "early"),
    [
        (None, {}),
        (Pool(weights=((1.0,), (0.0, 1.0), (0.0, 0.5, 1.0))), {}),
        (Pool(weights=((1.0,), (0.0, 1.0), (0.5, 0.0, 1.0))), {"head 0": 120}),
    ],
    ids=["own", "second pooled", "first pooled"],
)
def test_samples_that_left_and_heads_that_are_off_are_not_computed(
    data: ImageSet, images: Tensor, pool: Pool | None, early: dict[str, int]
) -> None:
    network = with_exits().eval()
    record = recorded(network, data).record(pool=pool)
    rule = ExitRule(thresholds=np.array([np.inf, np.median(record.confidence[1])]), pool=pool)
    seen: dict[str, int] = {}

    def note(name: str, samples: int) -> None:
        seen[name] = seen.get(name, 0) + samples

    for name, module in [
        *network.trunk.named_children(),
        *((f"head {i}", h) for i, h in network.heads.named_children()),
    ]:
        module.register_forward_pre_hook(lambda _, inputs, name=name: note(name, len(inputs[0])))
    found = Runner(network, rule, "cpu")(images)
    late = int((found.stages == 2).sum())
    assert 0 < late < 120
    assert seen == {"0": 120, "1": 120, **early, "head 1": 120, "2": late, "head 2": late}


def test_where_nothing_leaves_early_the_plain_network_is_run(images: Tensor) -> None:
    cascade = ModelCascade([("small", in_one_piece()), ("large", in_one_piece(seed=1))]).eval()
    cascade.members[0].register_forward_pre_hook(lambda *_: pytest.fail("the small model was run"))
    small: Any = cascade.members[0]
    small.trunk[0].register_forward_pre_hook(lambda *_: pytest.fail("the small model was run"))
    found = Runner(cascade, ExitRule(thresholds=f32(np.inf)), "cpu")(images)
    with torch.no_grad():
        assert found.predictions.tolist() == cascade.plain(images).argmax(1).tolist()
    assert set(found.stages) == {1}


def test_a_json_is_run_and_another_takes_its_place(data: ImageSet, images: Tensor, tmp_path: Any) -> None:
    network = with_exits()
    record = recorded(network, data).record()
    rules = [ExitRule(thresholds=np.full(2, t), stage_names=record.stage_names) for t in (0.0, np.inf)]
    first, second = (
        load_choice(save_choice(tmp_path / f"{i}.json", rule, evaluate(record, rule))) for i, rule in enumerate(rules)
    )
    runner = Runner(network, first, "cpu")
    assert set(runner(images).stages) == {0}
    runner.set_choice(second)
    assert set(runner(images).stages) == {2}


def test_a_choice_for_other_stages_is_refused_and_the_old_one_stays(images: Tensor) -> None:
    rule = ExitRule(thresholds=f32(0, 0))
    runner = Runner(with_exits(), rule, "cpu")
    with pytest.raises(ValueError, match=r"a rule for 3 stages \(2 thresholds\) but it is for 2"):
        runner.set_choice(ExitRule(thresholds=f32(0)))
    names = ("stage 1", "stage two", "stage 3")
    with pytest.raises(ValueError, match=r"for the stages stage 1, stage 2, .* but it is for stage 1, stage two"):
        runner.set_choice(ExitRule(thresholds=f32(0, 0), stage_names=names))
    assert runner.rule is rule
    assert len(runner(images[:0]).stages) == 0
    assert runner(images[:1]).stages.tolist() == [0]


def test_threads_share_a_runner(data: ImageSet, images: Tensor) -> None:
    network: CascadedNetwork = with_exits()
    record = recorded(network, data).record()
    runner = Runner(network, ExitRule(thresholds=np.median(record.confidence[:2], axis=1)), "cpu")
    wanted, found = runner(images).stages.tolist(), []
    workers = [threading.Thread(target=lambda: found.append(runner(images).stages.tolist())) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [wanted] * 4


def test_threads_meet_one_choice_or_the_other_while_it_is_switched(data: ImageSet, images: Tensor) -> None:
    """Eight threads classify without pause; each answer is wholly that of one of two choices."""
    network: CascadedNetwork = with_exits()
    record = recorded(network, data).record()
    rules = [
        ExitRule(thresholds=np.quantile(record.confidence[:2], share, axis=1), stage_names=record.stage_names)
        for share in (0.2, 0.8)
    ]
    runner = Runner(network, rules[0], "cpu")
    wanted = []
    for rule in rules:
        runner.set_choice(rule)
        found = runner(images)
        wanted.append((found.stages.tolist(), found.predictions.tolist(), found.confidence.tolist()))
    assert wanted[0] != wanted[1]
    seen: list[Any] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def classify() -> None:
        try:
            while not done.is_set():
                found = runner(images)
                seen.append((found.stages.tolist(), found.predictions.tolist(), found.confidence.tolist()))
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=classify) for _ in range(8)]
    for worker in workers:
        worker.start()
    turn = 0
    while not failures and not (len(seen) > 400 and all(answer in seen for answer in wanted)):
        runner.set_choice(rules[turn := 1 - turn])
        done.wait(0.001)
    done.set()
    for worker in workers:
        worker.join()
    assert not failures
    assert all(answer in wanted for answer in seen)


def test_a_choice_for_other_classes_is_refused(images: Tensor) -> None:
    runner = Runner(with_exits(), ExitRule(thresholds=np.full((2, 3), 0.5)), "cpu")
    with pytest.raises(ValueError, match="a choice for 10 classes but it is for 3"):
        runner(images)
    runner.set_choice(ExitRule(thresholds=f32(0.5, 0.5), top_k=11))
    with pytest.raises(ValueError, match="at most the top 10, as there are classes, but it is for 11"):
        runner(images)
