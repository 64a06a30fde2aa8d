"""What a rule costs, in sentences: by hand."""

from __future__ import annotations

from cascade_core import ExitRule, evaluate
from cascade_core.rendering.cost_words import bill_sentence, cost_sentences, leaving
from cascade_core.simulation.meters import MACS, Milliseconds
from tests.oracle import f32, make_record
from tests.simulation.test_own_costs import costs
from tests.simulation.test_timing import half_leave, profile


def test_costs_of_one_s_own() -> None:
    # Of four samples one leaves at a, one at b, two at c: 4.25 cents for ten, in parts 2.5, 0.25 and 1.5.
    record = make_record([[0.9, 0.1, 0.1, 0.1], [1, 0.9, 0.1, 0.1], [1] * 4], [[0, 1, 1, 1], [1] * 4, [1] * 4])
    found = evaluate(record, ExitRule(thresholds=f32(0.5, 0.5)))
    assert cost_sentences(costs(), found, "images") == [
        "Costs 4.25 cents per 10 images, where the plain network costs 5: the cascade saves 15 % of the cost.",
        "For a million images: 425 thousand cents, against 500 thousand cents.",
        "Of this: device 2.5, network 0.25, cloud 1.5.",
    ]
    # A quarter is wrong: 2.5 of ten, 2 cents each.
    assert bill_sentence(costs(), found, 2, "images") == (
        "With 2 cents for a wrong answer: 4.25 + 5 = 9.25 cents per 10 images, where the plain network has 5 + 0 = 5."
    )


def test_milliseconds_alone_have_percentiles_and_macs_nothing() -> None:
    meter = Milliseconds(profile=profile(), batch=1)
    # 1.1 s for all and 4.2 s more for half of them; 3,200 ms on average, and 5,000 ms in the plain network.
    sentences = cost_sentences(meter, half_leave())
    assert sentences[0].startswith("Costs 3.2 thousand milliseconds per sample in batches of 1, where the plain")
    assert sentences[1] == "For a million samples: 888.9 hours, against 1.39 thousand hours."
    assert (
        "95 % within 5.3 thousand ms and 99 % within 5.3 thousand ms; the plain network takes 5 thousand"
        in sentences[2]
    )
    assert len(cost_sentences(Milliseconds(profile=profile(), batch=2), half_leave())) == 2
    assert cost_sentences(MACS, half_leave()) == []


def test_what_a_sample_costs_that_leaves_at_each_stage() -> None:
    # Stages a, b, c with trunks of 100, 70, 50 and heads of 7, 5, 3; the plain network has 223 MACs.
    record = make_record([[0.9, 0.1], [0.9, 0.1], [1, 1]], [[1, 1]] * 3)
    found = evaluate(record, ExitRule(thresholds=f32(0.5, 0.5)))
    assert leaving(MACS, found) == ["107 MACs, 48 %", "182 MACs, 82 %", "235 MACs, 105 %"]
    assert leaving(costs(), found) == ["1 cents per 10, 20 %", "3 cents per 10, 60 %", "6.5 cents per 10, 130 %"]
    # 1.1 s, and 4.2 s more, of 5 s.
    assert leaving(Milliseconds(profile=profile(), batch=1), half_leave()) == [
        "1.1 thousand milliseconds, 22 %",
        "5.3 thousand milliseconds, 106 %",
    ]
