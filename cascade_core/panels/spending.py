"""What the rule that is shown costs, in the unit of the page, and the optimum where a wrong answer has a price."""

from __future__ import annotations

import streamlit as st

from cascade_core.analysis.mistakes import cheapest_with_mistakes
from cascade_core.panels import state
from cascade_core.panels.live import Stand, send
from cascade_core.panels.shown import Shown
from cascade_core.rendering.cost_words import bill_sentence, cost_sentences


def at_price(shown: Shown) -> Shown:
    """What is shown, at the optimum of a price that was not gone to before; where a link names a place, there."""
    question, price, known = shown.question, state.PRICE.get(), state.PRICED.get()
    asked = question.policy, question.score, question.answers, question.split, question.meter.describe()
    state.PRICED.set((f"{question.run.digest} {asked}", price))
    named = state.ARRIVED.get() and state.AT.get() is not None
    if price is None or named or state.PRICED.get() == known:
        return shown
    position = cheapest_with_mistakes(shown.exploration, price)
    send(shown.payload, position)
    return shown.at(Stand(index=position))


def spent(shown: Shown) -> None:
    """What the rule costs in the unit, for a million samples, in parts, and with the price of its mistakes."""
    meter, result, price = shown.selection.meter, shown.evaluation, state.PRICE.get()
    unit = shown.payload["unit"]
    sentences = cost_sentences(meter, result, unit)
    if price is not None:
        sentences.append(bill_sentence(meter, result, price, unit))
    if sentences:
        st.text(" ".join(sentences))
