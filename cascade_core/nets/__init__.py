"""Networks in stages: building, training their heads, counting their cost, recording what each stage says.

This is the only package that imports torch; nothing of `cascade_core` outside it does.
"""

# Before anything else: ptflops imports torchvision too, which `_torchvision` makes importable.
from cascade_core.nets import _torchvision as _torchvision  # isort: skip
