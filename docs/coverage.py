"""Write docs/coverage.md, the list of PyTorch's names that exist here: `python docs/coverage.py`."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path
from types import ModuleType

import minitorch

PAGE = Path(__file__).with_suffix(".md")
# PyTorch's module, and the module it is here.
MODULES = {
    "torch": "minitorch",
    "torch.autograd": "minitorch.autograd",
    "torch.autograd.functional": "minitorch.autograd.functional",
    "torch.linalg": "minitorch.linalg",
    "torch.nn": "layers",
    "torch.nn.functional": "minitorch.functional",
    "torch.nn.init": "layers.init",
    "torch.nn.utils": "layers.utils",
    "torch.nn.utils.rnn": "layers.utils.rnn",
    "torch.optim": "minitorch.optim",
    "torch.optim.lr_scheduler": "minitorch.optim.lr_scheduler",
    "torch.utils.data": "minitorch.utils.data",
    "torch.distributions": "minitorch.distributions",
    "torch.onnx": "minitorch.onnx",
    "torch.amp": "minitorch.amp",
    "torch.cuda": "minitorch.cuda",
    "torchvision.datasets": "minitorch.vision.datasets",
    "torchvision.transforms": "minitorch.vision.transforms",
    "torchvision.utils": "minitorch.vision.utils",
}
HEAD = """# The names there are

PyTorch's names that exist here, by PyTorch's modules; made by `python docs/coverage.py`. What is not listed is not there, and
`import minitorch.as_torch` says so with the nearest name that is. `torch.cuda` has `manual_seed`,
`manual_seed_all`, `amp` and the tensor types, too. [What differs](differences.md) says what behaves differently.
"""


def names(module: ModuleType) -> list[str]:
    """The public names of a module: what `__all__` lists, or else what is defined here and begins with no underscore."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith(module.__name__)
    )


def page() -> str:
    """The text of docs/coverage.md."""
    parts = [HEAD]
    for torch, ours in MODULES.items():
        parts.append(section(f"{torch}, here `{ours}`", names(importlib.import_module(ours))))
        if ours == "minitorch":
            parts.append(section("torch.Tensor", [name for name in dir(minitorch.Tensor) if not name.startswith("_")]))
    return "\n".join(parts)


def section(title: str, found: list[str]) -> str:
    """A heading with the number of names, and the names."""
    return f"## {title} ({len(found)})\n\n" + textwrap.fill(", ".join(f"`{name}`" for name in found), 128) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
