"""A cascade on Triton Inference Server: asks its stages in turn, and leaves out of each batch who has left.

The server runs this file, as `model.py`, in a process of its own (Python backend, business logic scripting).  Requests
that it hands over together are one batch; each stage is a model of the server, which is asked about the samples that
are left, so that batches shrink.  Needs numpy, and beside it `cascade_rule.py`, `choice.json` and `manifest.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils  # the server brings it

from cascade_core.nets.running.bundled_rule import Array, Rule

HERE = Path(__file__).resolve().parent
LOGITS = "logits"


class TritonPythonModel:
    """What the server makes, once for each instance."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the choice; ValueError, in one line, if it is not for these stages."""
        manifest, choice = (json.loads((HERE / name).read_bytes()) for name in ("manifest.json", "choice.json"))
        self.models: list[dict[str, Any]] = manifest["models"]
        self.rule = Rule(manifest["stages"], len(manifest["classes"]), choice)
        for stage, model, active in zip(manifest["stages"], self.models, self.rule.active, strict=True):
            if active and LOGITS not in model["outputs"]:
                raise ValueError(f"Expected a choice that does not ask {stage}, whose head is not in this folder")

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """An answer to each request: class numbers, confidences and stages of its images, (n, 1) each."""
        try:
            images = [pb_utils.get_input_tensor_by_name(request, "images").as_numpy() for request in requests]
            columns = self.rule.route(np.concatenate(images), self._compute)
        except Exception as error:  # whatever it is, every request is owed an answer
            told = pb_utils.TritonError(" ".join(str(error).split()) or type(error).__name__)
            return [pb_utils.InferenceResponse(output_tensors=[], error=told) for _ in requests]
        ends = np.cumsum([len(some) for some in images])[:-1]
        parts = zip(*(np.split(column[:, None], ends) for column in columns), strict=True)
        names = ("prediction", "confidence", "stage")
        return [
            pb_utils.InferenceResponse(output_tensors=[*map(pb_utils.Tensor, names, map(np.ascontiguousarray, part))])
            for part in parts
        ]

    def _compute(self, stage: int, state: list[Array]) -> tuple[Array, list[Array]]:
        """As `Rule.route` has it: one call of the stage's model."""
        model = self.models[stage]
        known = dict(zip(model["before"], state, strict=True))
        inputs = [pb_utils.Tensor(name, np.ascontiguousarray(known[name])) for name in model["inputs"]]
        wanted = [name for name in model["outputs"] if name != LOGITS or self.rule.active[stage]]
        response = pb_utils.InferenceRequest(
            model_name=model["name"],
            requested_output_names=wanted,
            inputs=inputs,
            # On a graphics card, results would else stay there.
            preferred_memory=pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU, 0),
        ).exec()
        if response.has_error():
            raise RuntimeError(f"{model['name']}: {response.error().message()}")
        known |= {name: pb_utils.get_output_tensor_by_name(response, name).as_numpy() for name in wanted}
        return known.get(LOGITS), [known[name] for name in model["after"]]
