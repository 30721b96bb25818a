"""`import minitorch.as_torch` makes `import torch` find minitorch, in this process and until `uninstall()`.

A script then imports stand-ins for minitorch's own modules under PyTorch's names; what it assigns to them stays there,
so minitorch itself is not changed. A missing name raises an error that names the nearest existing one.
"""

from __future__ import annotations

import difflib
import dis
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

from layers.parameter import Parameter
from minitorch import version
from minitorch.autograd.tensor import Tensor
from minitorch.backends import Backend
from minitorch.conversion import Size

ROOTS: Final = ("torch", "torchvision")
# PyTorch's modules that have another name here; any other `torch.a.b` is `minitorch.a.b`.
PLACES: Final = {
    "torch": "minitorch",
    "torch.torch": "minitorch",
    "torch.nn": "layers",
    "torch.nn.functional": "minitorch.functional",
    "torch.nn.parallel": "layers",
    "torch.nn.modules": "layers",
    "torch.functional": "minitorch",
    "torch.functional.F": "minitorch.functional",  # PyTorch's module imports it by this name, and students import it from there
    "torch.random": "minitorch",
    "torch.special": "minitorch",
    "torch.cuda.amp": "minitorch.amp",
    "torch.multiprocessing": "multiprocessing",
    "torch.autograd.variable": "minitorch.autograd",
    "torch.utils.hooks": "minitorch.autograd.hooks",
    "torch.utils.tensorboard": "tensorboardX",  # the same SummaryWriter, in a package that does not need PyTorch
    "torch.utils.data.dataset": "minitorch.utils.data",
    "torch.utils.data.dataloader": "minitorch.utils.data",
    "torch.utils.data.sampler": "minitorch.utils.data",
    "torchvision": "minitorch.vision",
}
# Packages whose other modules (`torch.nn.modules.transformer`) are one module here.
FLAT: Final = ("torch.nn.modules", "torch.optim", "torch.distributions", "torchvision.datasets", "torchvision.transforms")


class Stand(ModuleType):
    """The module under a PyTorch name: names not set on it are looked up in the module of minitorch that it stands for."""

    def __init__(self, name: str, stands_for: ModuleType | Backend) -> None:
        super().__init__(name, stands_for.__doc__)
        self.__dict__["_stands_for"] = stands_for

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return version.__version__
        inner = f"{self.__name__}.{name}"
        if inner in sys.modules:
            return sys.modules[inner]
        found = getattr(self._stands_for, name, self)
        if (isinstance(found, ModuleType) or found is self) and _place(inner) is not None:
            return importlib.import_module(inner)
        if found is not self:
            return found
        if name == "__all__":  # for `from torch.distributions import *`
            return [public for public in _names(self._stands_for) if public[0] != "_"]
        if name.startswith("__"):
            raise AttributeError(name)
        if name.endswith("_") and self.__name__ in ("torch", "torch.nn.functional") and hasattr(Tensor, name):
            return getattr(Tensor, name)  # torch.sin_(x) is x.sin_()
        said, caller = missing(self.__name__, name, _names(self._stands_for)), sys._getframe(1)
        if dis.opname[caller.f_code.co_code[max(caller.f_lasti, 0)]] == "IMPORT_FROM":  # it replaces an AttributeError's text
            raise ImportError(said, name=self.__name__)
        raise AttributeError(said)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *_names(self._stands_for)})


def _names(place: ModuleType | Backend) -> list[str]:
    """The names at a place; of a module without `__all__`, which is one file, only those that it defines, not its imports."""
    if hasattr(place, "__all__") or not isinstance(place, ModuleType):
        return dir(place)
    return [name for name, value in vars(place).items() if getattr(value, "__module__", "") == place.__name__]


def missing(module: str, name: str, names: Sequence[str]) -> str:
    """The error text for a name that minitorch does not have."""
    near = difflib.get_close_matches(name, [public for public in names if public[0] != "_"], 1)
    hint = f"; the nearest name there is {module}.{near[0]}" if near else ""
    return f"minitorch has no {module}.{name}{hint}. docs/coverage.md lists the names it has."


def _place(name: str) -> str | None:
    """The module of minitorch for the name of a PyTorch module; None if there is none."""
    head, _, last = name.rpartition(".")
    place = PLACES.get(name)
    outer = _place(head) if place is None and head else None
    if outer is not None:
        place = f"{outer}.{last}"
    if place is None:
        return None
    try:
        found = importlib.util.find_spec(place) is not None
    except ModuleNotFoundError:  # the parent is a module, not a package
        found = False
    return place if found else outer if head in FLAT and last[0].islower() else None


def _stood_for(name: str) -> ModuleType | Backend | None:
    """What the PyTorch module `name` finds: a module, or an object of `minitorch.backends` (`import torch.backends.cudnn`)."""
    place, (head, _, last) = _place(name), name.rpartition(".")
    if place is not None:
        return importlib.import_module(place)
    found = getattr(importlib.import_module(_place(head) or "minitorch"), last, None)
    return found if isinstance(found, Backend) else None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in ROOTS:
            return None
        if _stood_for(name) is None:
            if name in PLACES:
                raise ModuleNotFoundError(f"{name} is {PLACES[name]} here, which is not installed", name=PLACES[name])
            head, _, last = name.rpartition(".")
            raise ModuleNotFoundError(missing(head, last, dir(importlib.import_module(_place(head) or "minitorch"))), name=name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        found = _stood_for(spec.name)
        assert found is not None  # find_spec has checked it
        return Stand(spec.name, found)

    def exec_module(self, module: ModuleType) -> None:
        pass


_finder = _Finder()
_NAMED: Final = {Tensor: "torch", Size: "torch", Parameter: "torch.nn.parameter"}  # the modules that `print(type(x))` says
_OWN: Final = {kind: kind.__module__ for kind in _NAMED}


def install() -> None:
    """Make `import torch` find minitorch; raises ImportError if PyTorch itself has been imported in this process."""
    for root in ROOTS:
        there = sys.modules.get(root)
        if there is not None and not isinstance(there, Stand):
            said = "itself is already imported here, and two libraries cannot share a name"
            raise ImportError(f"minitorch.as_torch: {root} {said}; import minitorch.as_torch first, in a new process")
    for kind in _NAMED:
        kind.__module__ = _NAMED[kind]
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def uninstall() -> None:
    """Undo `install`: a later `import torch` finds PyTorch again, if there is one."""
    for kind in _OWN:
        kind.__module__ = _OWN[kind]
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    for name in [name for name, module in sys.modules.items() if isinstance(module, Stand)]:
        del sys.modules[name]


install()
