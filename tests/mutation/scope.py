"""What is mutated: the engine, and everything a backward rule runs."""

from __future__ import annotations

import dis
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import minitorch.ops
from minitorch.autograd import function
from minitorch.autograd.op import Op

ROOT = Path(minitorch.__file__).parent.parent
# Every function of these, and their statements outside functions: what records, and what goes back.
WHOLE = tuple(
    importlib.import_module(f"minitorch.autograd.{name}")
    for name in ("node", "op", "backward", "gradients", "hooks", "outputs", "recorded", "changes")
)


def files() -> dict[str, set[str] | None]:
    """For each file, relative to the checkout, the qualified names of the functions that are mutated; None for the whole."""
    found: dict[str, set[str] | None] = {name_of(module): None for module in WHOLE}
    for each in rules():
        functions = found.setdefault(name_of(importlib.import_module(each.__module__)), set())
        if functions is not None and each.__code__.co_name == each.__name__:  # not what `of_each` made
            functions.add(each.__qualname__)
    return dict(sorted(found.items()))


def name_of(module: ModuleType) -> str:
    """The file of a module, relative to the checkout."""
    return Path(module.__file__).relative_to(ROOT).as_posix()


def module_of(file: str) -> ModuleType:
    """The module that the file of this name is."""
    return importlib.import_module(file.removesuffix(".py").replace("/", "."))


def rules() -> list[FunctionType]:
    """The backward rules, and whatever of `minitorch.ops` they run: functions, and forwards of operations, by name.

    So the gradient of a convolution, which is an operation, is followed into the function that unfolds images. Methods of
    tensors are not followed; of the classes that are no operations, such as `Window`, all methods count.
    """
    for each in pkgutil.iter_modules(minitorch.ops.__path__):
        importlib.import_module(f"minitorch.ops.{each.name}")
    waiting = [*methods(function.Function, "backward")]
    for operation in operations(Op):
        waiting += methods(operation, "backward") + methods(operation, "slope")
    found: dict[FunctionType, None] = {}
    while waiting:
        each = waiting.pop()
        if each in found or not each.__module__.startswith(("minitorch.ops.", "minitorch.autograd.function")):
            continue
        found[each] = None
        within = [cell.cell_contents for cell in each.__closure__ or ()]
        for value in within + [inspect.unwrap(each.__globals__.get(name)) for name in sorted(names(each.__code__))]:
            if isinstance(value, FunctionType):
                waiting.append(value)
            elif isinstance(value, type) and issubclass(value, Op):
                waiting += methods(value, "forward")
        if each.__module__.startswith("minitorch.ops."):
            module = importlib.import_module(each.__module__)
            for value in vars(module).values():
                if isinstance(value, type) and value.__module__.startswith("minitorch.ops.") and not issubclass(value, Op):
                    waiting += methods(value)
    return list(found)


def operations(base: type[Op]) -> Iterator[type[Op]]:
    """The operations of minitorch, and none that a test defined."""
    for operation in base.__subclasses__():
        if operation.__module__.startswith("minitorch.") and "<locals>" not in operation.__qualname__:
            yield operation
        yield from operations(operation)


def methods(cls: type, name: str | None = None) -> list[FunctionType]:
    """The functions that a class itself defines, or the one called `name`; inherited and generated ones are not its own."""
    values: list[Any] = [getattr(value, "__func__", value) for value in vars(cls).values()]
    own = [value for value in values if isinstance(value, FunctionType) and value.__qualname__.startswith(cls.__qualname__)]
    return [value for value in own if value.__module__ == cls.__module__ and name in (None, value.__name__)]


def names(code: CodeType) -> set[str]:
    """The globals that a function reads, also in the functions within it."""
    read = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    return read.union(*(names(inner) for inner in code.co_consts if isinstance(inner, CodeType)))
