"""Files that are dropped on the page, driven without a browser."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from cascade_core.panels import state
from cascade_core.simulation.outputs import StageOutputs
from tests.opening import unopened
from tests.samples import sample_run


def page() -> AppTest:
    app = unopened().run()
    assert not app.exception
    return app


def bring(app: AppTest, name: str, raw: bytes) -> None:
    app.file_uploader(key=state.OWN_FILE.key).upload(name, raw).run()
    assert not app.exception


def npz(outputs: StageOutputs, **more: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, probs=outputs.probs, labels=outputs.labels, **more)
    return stream.getvalue()


def shown_names(app: AppTest) -> list[str]:
    return list(app.selectbox(key="run").options)


def texts(app: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (app.text, app.warning, app.error, app.info) for element in kind)


MINE = sample_run(n=600, seed=3)
