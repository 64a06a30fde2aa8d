"""What computes a cascade's stages for a runner: PyTorch, on any device, or ONNX Runtime, on a processor.

PyTorch is there at once, and rounds as what was recorded.  ONNX Runtime compiles each part of the network first
(`exporting`), which takes from seconds to minutes, and then needs less time for each batch, much less for small ones.
It rounds differently in the last digits, so that a sample whose confidence is a threshold may fall on its other side.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cascade_core.nets.answers import are_softmaxes
from cascade_core.nets.devices import keep_heap, lay_out, placed
from cascade_core.nets.folding import folded_model
from cascade_core.nets.running.exporting import exported_plain, exported_stages
from cascade_core.nets.staged import StagedModel

Softmaxes: TypeAlias = NDArray[np.float32]
"""(n, K) of the samples that a stage is computed for."""

State: TypeAlias = tuple[Any, ...]
"""What is known of a batch between two stages, the batch first, in whatever form an engine computes."""


class Engine(ABC):
    """Computes the stages of a model, in order, for batches that shrink.

    Attributes:
        title: What it is, in a few words.
        stages: M.
        device: Its name.
    """

    title: str

    def __init__(self, stages: int, device: str) -> None:
        self.stages, self.device = stages, device
        # Of each stage whether it answers with softmaxes, once it has answered.
        self._gives_softmaxes: dict[int, bool] = {}

    @abstractmethod
    def without_gradients(self) -> AbstractContextManager[None]:
        """What everything below is called within."""

    @abstractmethod
    def placed(self, images: Tensor) -> Tensor:
        """Images or tokens where and how `begin` and `plain` take them; both do it too, at no cost if it was done."""

    @abstractmethod
    def begin(self, images: Tensor) -> State:
        """The state before stage 0, of normalised images or tokens."""

    @abstractmethod
    def extend(self, state: State, stage: int) -> State:
        """The state after a stage's trunk piece."""

    @abstractmethod
    def classify(self, state: State, stage: int) -> Softmaxes:
        """What a stage answers, from the state after its trunk piece."""

    @abstractmethod
    def keep(self, state: State, index: NDArray[np.int64]) -> State:
        """The state of the samples at `index` (n,)."""

    @abstractmethod
    def join(self, states: Sequence[State]) -> State:
        """The state of several batches between the same two stages, as one batch."""

    @abstractmethod
    def plain(self, images: Tensor) -> Softmaxes:
        """What the plain network answers."""

    def gives_softmaxes(self, answers: Tensor, stage: int) -> bool:
        """Whether a stage's answers are softmaxes, not logits, as those of models from elsewhere may be."""
        if len(answers) and stage not in self._gives_softmaxes:
            self._gives_softmaxes[stage] = are_softmaxes(answers)
        return self._gives_softmaxes.get(stage, False)


def softmaxes(logits: Tensor) -> Softmaxes:
    """(n, K) float32 in NumPy, of a head's logits."""
    return logits.float().softmax(dim=-1).cpu().numpy()


class TorchEngine(Engine):
    """PyTorch, layer by layer.

    Args:
        model: Put in eval mode and moved to the device.
        device: Its name.
        fold: Run a copy with batch norms folded into convolutions.
    """

    def __init__(self, model: StagedModel, device: str, *, fold: bool = False) -> None:
        super().__init__(len(model.stage_names), device)
        self.title = "torch, batch norms folded" if fold else "torch"
        self.model = (folded_model(model) if fold else model).eval().to(device)
        # As `precompute` has it: the fastest for convolutions, and so rounded alike.
        lay_out(self.model, torch.channels_last)
        if device == "cpu":
            keep_heap()

    def without_gradients(self) -> AbstractContextManager[None]:
        """PyTorch's mode of inference."""
        return torch.inference_mode()

    def placed(self, images: Tensor) -> Tensor:
        """On the device, channels last."""
        return placed(images, self.device)

    def begin(self, images: Tensor) -> State:
        """The model's."""
        return self.model.begin(self.placed(images))

    def extend(self, state: State, stage: int) -> State:
        """The model's."""
        return self.model.extend(state, stage)

    def classify(self, state: State, stage: int) -> Softmaxes:
        """Of the model's answers."""
        return self._softmaxes(self.model.classify(state, stage), stage)

    def keep(self, state: State, index: NDArray[np.int64]) -> State:
        """The model's."""
        return self.model.keep(state, torch.from_numpy(index).to(self.device))

    def join(self, states: Sequence[State]) -> State:
        """Each part one behind the other."""
        return tuple(torch.cat(parts) for parts in zip(*states, strict=True))

    def plain(self, images: Tensor) -> Softmaxes:
        """Of the model's answers."""
        return self._softmaxes(self.model.plain(self.placed(images)), self.stages - 1)

    def _softmaxes(self, answers: Tensor, stage: int) -> Softmaxes:
        return answers.float().cpu().numpy() if self.gives_softmaxes(answers, stage) else softmaxes(answers)


class OnnxEngine(Engine):
    """ONNX Runtime, one session for each part of the model.

    Args:
        model: Put in eval mode and moved to the processor.
        example: Images of the shape that will come, (n, channels, height, width).
        parts: What was exported before, by name; without it, it is exported now.
        threads: That compute a part; 0 = one for each core.

    Raises:
        ValueError: onnxruntime is not installed, the example holds no images, or ONNX cannot express the network.
    """

    def __init__(
        self, model: StagedModel, example: Tensor, *, parts: Mapping[str, bytes] | None = None, threads: int = 0
    ) -> None:
        super().__init__(len(model.stage_names), "cpu")
        check_onnx(example)
        self.title = "onnx, one thread" if threads == 1 else "onnx"
        self.model, self.threads = model.cpu().eval(), threads
        self._two = example[:1].cpu().expand(2, *example.shape[1:]).contiguous()
        self.parts = exported(self.model, self._two) if parts is None else parts
        # A head is small: waking threads for it takes longer than it does.
        self._run = {
            name: session(content, 1 if name.startswith("head_") else threads) for name, content in self.parts.items()
        }

    def without_gradients(self) -> AbstractContextManager[None]:
        """Nothing: PyTorch's mode would take longer to enter than what it could save."""
        return nullcontext()

    def placed(self, images: Tensor) -> Tensor:
        """Float32, channels first."""
        if images.shape[1:] != self._two.shape[1:]:
            shape, came = (", ".join(map(str, one.shape[1:])) for one in (self._two, images))
            raise ValueError(f"Expected images of shape ({shape}), as was compiled for, but they were of ({came})")
        return images.float().contiguous()

    def begin(self, images: Tensor) -> State:
        """The model's, as arrays."""
        return tuple(part.detach().numpy() for part in self.model.begin(self.placed(images)))

    def extend(self, state: State, stage: int) -> State:
        """The state after; of the last stage, its answers."""
        return self._run[f"stage_{stage}"](state)

    def classify(self, state: State, stage: int) -> Softmaxes:
        """Of what the head's part gives; of the last stage, of the state."""
        (answers,) = state if stage == self.stages - 1 else self._run[f"head_{stage}"](state)
        return self._softmaxes(answers, stage)

    def keep(self, state: State, index: NDArray[np.int64]) -> State:
        """Rows of each array."""
        return tuple(part[index] for part in state)

    def join(self, states: Sequence[State]) -> State:
        """Each array one behind the other."""
        return tuple(np.concatenate(parts) for parts in zip(*states, strict=True))

    def plain(self, images: Tensor) -> Softmaxes:
        """Of what the plain network gives, which is exported when it is first asked for."""
        (answers,) = self._plain((self.placed(images).numpy(),))
        return self._softmaxes(answers, self.stages - 1)

    def _softmaxes(self, answers: NDArray[np.float32], stage: int) -> Softmaxes:
        # PyTorch's own would wake its threads, which spin on and take the cores from ONNX Runtime's.
        if self.gives_softmaxes(torch.from_numpy(answers), stage):
            return answers
        raised = np.exp(answers - answers.max(axis=1, keepdims=True))
        softmax: Softmaxes = raised / raised.sum(axis=1, keepdims=True)
        return softmax

    @cached_property
    def _plain(self) -> Callable[[State], State]:
        return session(exported_plain(self.model, self._two).model_proto.SerializeToString(), self.threads)


def exported(model: StagedModel, images: Tensor) -> dict[str, bytes]:
    """The model's parts as ONNX files have them, by name; see `exported_stages`."""
    return {name: part.model_proto.SerializeToString() for name, part in exported_stages(model, images)}


def check_onnx(example: Tensor) -> None:
    """Raise ValueError, in one line, if ONNX Runtime is not there or is not for such samples."""
    if find_spec("onnxruntime") is None:
        raise ValueError("Expected onnxruntime, which is not installed; pip install onnxruntime")
    if not example.is_floating_point():
        raise ValueError("Expected a network of images for the engine onnx but it takes texts; torch runs it")


def session(content: bytes, threads: int) -> Callable[[State], State]:
    """What an ONNX file computes, of arrays in the order of its inputs; several threads may call it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    # Each part has threads of its own, which would spin on and take the cores from the next part's.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    run = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [node.name for node in run.get_inputs()]
    return lambda state: tuple(run.run(None, dict(zip(names, state, strict=False))))
