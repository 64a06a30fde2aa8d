"""What galleries on a page that is driven without a browser were given to draw."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import UnknownElement


def component_data(app: AppTest, name: str) -> list[dict[str, Any]]:
    """What each component of a name was given to draw."""
    elements = [element for element in app.get("bidi_component") if isinstance(element, UnknownElement)]
    return [json.loads(one.proto.json) for one in elements if one.proto.component_name == f"cascade_core.{name}"]


def gallery(app: AppTest, look: str) -> dict[str, Any] | None:
    """The data of the gallery of a look, "cards" or "tiles"; None where the page shows none."""
    return next((data for data in component_data(app, "gallery") if data["look"] == look), None)


def shown_cards(app: AppTest) -> list[dict[str, Any]]:
    """Cards of *Samples*."""
    data = gallery(app, "cards")
    return [card for group in data["groups"] for card in group["cards"]] if data else []


def shown_ids(app: AppTest) -> list[str]:
    """Ids of the samples on those cards."""
    return [card["id"] for card in shown_cards(app)]
