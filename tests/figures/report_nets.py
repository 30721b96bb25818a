"""The nets of the reports, in minitorch and in PyTorch, from one source: the scripts in `examples/` with other imports."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

# The architectures that differ: other nets of the reports are these again, told or trained otherwise.
NETS = {
    "fully_connected": ["Fully connected", "LeNet5 + auxiliary loss"],
    "weight_sharing": ["ConvNet", "Weight sharing"],
    "classify_then_compare": ["Linear + dropout", "LeNet + auxiliary loss", "ResNet", "AlexNet"],
    "siamese": ["Baseline", "Non-siamese", "Siamese as drawn"],
    "double_nets": ["simple net", "model 1", "model 2"],
}
CHANNELS = {"classify_then_compare": 1, "simple net": 1}  # these classify single digits; the others take pairs
SWAPS = {
    r"^import layers as nn$": "import torch.nn as nn",
    r"^import minitorch$": "import torch as minitorch",
    r"^from minitorch import": "from torch import",
    r"^from minitorch\.functional import": "from torch.nn.functional import",
}


def in_pytorch(script: str) -> ModuleType:
    """A script of `examples/` with PyTorch's modules in place of ours; data and reporting stay ours."""
    name = f"{script}_in_pytorch"
    if name not in sys.modules:
        path = Path(importlib.import_module(script).__file__)
        source = path.read_text(encoding="utf-8")
        for ours, theirs in SWAPS.items():
            source = re.sub(ours, theirs, source, flags=re.MULTILINE)
        module = sys.modules[name] = ModuleType(name)
        exec(compile(source, f"{path} in PyTorch", "exec"), vars(module))
    return sys.modules[name]


def report_nets() -> list[tuple[str, int, Callable[[], Any], Callable[[], Any]]]:
    """(name, channels of its input, how to build it of ours, and of PyTorch's) for each of `NETS`."""
    found = []
    for script, names in NETS.items():
        ours, theirs = (
            {net.name: net.build for net in module.REPORT.nets}
            for module in (importlib.import_module(script), in_pytorch(script))
        )
        for name in names:
            channels = CHANNELS.get(script, CHANNELS.get(name, 2))
            found.append((f"{script}: {name}", channels, ours[name], theirs[name]))
    return found
