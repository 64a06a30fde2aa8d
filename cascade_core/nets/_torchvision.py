"""The one door to torchvision: `from cascade_core.nets._torchvision import torchvision`.

Some CPU builds of torch and torchvision do not find each other's compiled operators, and there `import
torchvision` stops at the missing `torchvision::nms`.  Image folders, data sets and network definitions need
none of those operators, so their names are declared (without an implementation: calling one still fails) and
the import is tried again.  Where torchvision imports cleanly this module does nothing more than import it.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _import() -> tuple[ModuleType, torch.library.Library | None]:
    """torchvision, and the library that holds the declarations where they were needed."""
    try:
        return importlib.import_module("torchvision"), None
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    # The failed import leaves half-loaded submodules behind, which a second import would take as they are.
    for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in _SCHEMAS.values():
        library.define(schema)
    return importlib.import_module("torchvision"), library


# The declarations vanish with the library object, hence the module keeps it.
torchvision, _library = _import()
