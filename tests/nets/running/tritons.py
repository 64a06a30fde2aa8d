"""A stand-in for Triton Inference Server: its Python backend's utilities, answered by ONNX Runtime, and its schema.

It refuses what the server would: a model that is not there, tensors that are not those of the model's configuration,
and batches that are larger than it says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import tritonclient
from google.protobuf import text_format

TYPES = {"TYPE_FP32": np.float32, "TYPE_FP16": np.float16, "TYPE_INT64": np.int64}


def _loaded(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Beside it lies the client of gRPC, which the package would load.
SCHEMA = _loaded("triton_model_config", Path(tritonclient.__path__[0]) / "grpc" / "model_config_pb2.py")


def config_of(folder: Path) -> Any:
    """A model's configuration, read by the published schema, which refuses what it does not know."""
    return text_format.Parse((folder / "config.pbtxt").read_text("utf-8"), SCHEMA.ModelConfig())


def declared(tensors: Any) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """NumPy types and shapes of one sample, by name, of the inputs or outputs of a configuration."""
    return {each.name: (TYPES[SCHEMA.DataType.Name(each.data_type)], tuple(each.dims)) for each in tensors}


@dataclass
class Tensor:
    """Of the Python backend."""

    named: str
    array: np.ndarray

    def name(self) -> str:
        return self.named

    def as_numpy(self) -> np.ndarray:
        return self.array


@dataclass
class Server:
    """The models of a repository.

    Attributes:
        asked: Which model was asked about how many samples, call by call.
    """

    models: Path
    asked: list[tuple[str, int]] = field(default_factory=list)

    @cached_property
    def sessions(self) -> dict[str, Any]:
        """What ONNX Runtime runs, by name, with its configuration."""
        found = {}
        for folder in sorted(self.models.iterdir()):
            if (file := folder / "1" / "model.onnx").exists():
                session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
                found[folder.name] = (session, config_of(folder))
        return found

    def ask(self, name: str, inputs: Sequence[Tensor], wanted: Sequence[str]) -> list[Tensor]:
        """What a model answers."""
        session, config = self.sessions[name]
        given = {each.named: each.array for each in inputs}
        (count,) = {len(array) for array in given.values()}
        assert 1 <= count <= config.max_batch_size
        kinds = {key: (array.dtype.type, array.shape[1:]) for key, array in given.items()}
        assert kinds == declared(config.input)
        assert {*wanted} <= declared(config.output).keys()
        self.asked.append((name, count))
        return [Tensor(key, array) for key, array in zip(wanted, session.run([*wanted], given), strict=True)]

    def utilities(self) -> ModuleType:
        """What the server calls `triton_python_backend_utils`."""
        module = ModuleType("triton_python_backend_utils")
        server = self

        @dataclass
        class Response:
            output_tensors: Sequence[Tensor]
            error: Any = None

            def has_error(self) -> bool:
                return self.error is not None

        @dataclass(kw_only=True)
        class Request:
            model_name: str
            requested_output_names: Sequence[str]
            inputs: Sequence[Tensor]
            preferred_memory: object

            def exec(self) -> Any:
                try:
                    found = server.ask(self.model_name, self.inputs, self.requested_output_names)
                except Exception as error:  # whatever it is, the server answers with it
                    text = repr(error)
                    return SimpleNamespace(has_error=lambda: True, error=lambda: SimpleNamespace(message=lambda: text))
                return Response(found)

        def tensor_of(tensors: Sequence[Tensor], name: str) -> Tensor:
            return next(each for each in tensors if each.named == name)

        found = {
            "Tensor": Tensor,
            "InferenceRequest": Request,
            "InferenceResponse": Response,
            "TritonError": str,
            "PreferredMemory": lambda kind, number: (kind, number),
            "TRITONSERVER_MEMORY_CPU": "CPU",
            "get_input_tensor_by_name": lambda request, name: tensor_of(request, name),
            "get_output_tensor_by_name": lambda response, name: tensor_of(response.output_tensors, name),
        }
        module.__dict__.update(found)
        return module


@contextmanager
def serving(models: Path) -> Iterator[tuple[Server, Any]]:
    """The stand-in, and the script as the server would make it: its folder is among those that it imports from."""
    server, place = Server(models), models / "cascade" / "1"
    brought = {"triton_python_backend_utils": server.utilities()}
    sys.modules.update(brought)
    sys.path.append(str(place))
    try:
        script = _loaded("1.model", place / "model.py").TritonPythonModel()
        script.initialize({"model_name": "cascade", "model_version": "1"})
        yield server, script
    finally:
        sys.path.remove(str(place))
        for name in (*brought, "cascade_rule"):
            sys.modules.pop(name, None)


def asked(script: Any, batches: Sequence[np.ndarray]) -> list[dict[str, np.ndarray]]:
    """What the script answers to requests that it is handed together; their errors are raised."""
    found = script.execute([[Tensor("images", images)] for images in batches])
    if errors := [response.error for response in found if response.has_error()]:
        raise ValueError(*errors)
    return [{each.named: each.array for each in response.output_tensors} for response in found]
