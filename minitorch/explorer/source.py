"""Where an operation stands in the user's code: its lines, the modules around it, and what its inputs are called."""

from __future__ import annotations

import itertools
import linecache
import os
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple

from minitorch.autograd.node import Leaf
from minitorch.autograd.tensor import Tensor


class Line(NamedTuple):
    """A line of the user's, the stretch of it that was being run, and the line before it."""

    file: str
    number: int
    text: str
    start: int
    stop: int
    before: str


class Names:
    """What the user calls the outermost modules, their parameters, and other tensors."""

    def __init__(self) -> None:
        self.roots: dict[int, tuple[Any, str]] = {}  # by id; the module is kept, so that no other can take its id
        self.titles: dict[int, str] = {}  # by id, what the user calls the outermost modules
        self.leaves: dict[Leaf, str] = {}
        self.calls: dict[int, tuple[FrameType, int]] = {}  # by id, the frame of a module's last call, and their count

    def modules_around(self, frames: list[FrameType]) -> tuple[str, tuple[str, int] | None]:
        """The path of the module that ran an operation, such as digit.0, and the (path, use) of the one whose rows fold."""
        chain = [
            (frame, frame.f_locals["self"])
            for frame in reversed(frames)
            if frame.f_code.co_name == "forward" and hasattr(frame.f_locals.get("self"), "named_parameters")
        ]
        if not chain:
            return "", None
        root_frame, root = chain[0]
        if id(root) not in self.roots:
            own = next((i for i, frame in enumerate(frames) if frame is root_frame), 0)
            self._enter(root, found_in(frames[own + 1 :], lambda value: value is root) or type(root).__name__)
        prefix = self.roots[id(root)][1]
        path, paths = "", [""]
        for (_, parent), (_, child) in itertools.pairwise(chain):
            known = next((name for name, module in parent.named_modules() if module is child), type(child).__name__)
            path = f"{path}.{known}" if path and known else path or known
            paths.append(path)
        folds = len(chain) - 1 if chain[-1][1]._modules or len(chain) == 1 else len(chain) - 2
        frame, module = chain[folds]
        last, count = self.calls.get(id(module), (None, 0))
        if last is not frame:
            count += 1
            self.calls[id(module)] = frame, count
        return _joined(prefix, path), (_joined(prefix, paths[folds]) or self.titles[id(root)], count)

    def title(self) -> str:
        """A name for the page: of the class of the first net, or of its variable if the class says nothing."""
        for module, _ in self.roots.values():
            return self.titles[id(module)] if type(module).__name__ == "Sequential" else type(module).__name__
        return ""

    def _enter(self, root: Any, name: str) -> None:
        """Paths begin with the name of the outermost module only where they would be numbers alone, or two nets' the same."""
        self.titles[id(root)] = name
        plain = not self.roots and not any(key.isdigit() for key in root._modules) and root._modules
        self.roots[id(root)] = root, "" if plain else name
        for path, parameter in root.named_parameters():
            self.leaves.setdefault(parameter.node, _joined(self.roots[id(root)][1], path))

    def of(self, array: Any, edge: Any, frames: list[FrameType]) -> str:
        """What the user calls an input: a parameter's path, a variable's name, or nothing."""
        if edge in self.leaves:
            return self.leaves[edge]
        name = found_in(
            frames, lambda value: isinstance(value, Tensor) and (value.array is array or (edge and value.node is edge))
        )
        if name and isinstance(edge, Leaf):
            self.leaves[edge] = name
        return name


def _joined(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if prefix and path else prefix or path


def is_users(frame: FrameType) -> bool:
    """Whether it runs code outside minitorch and layers."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] not in ("minitorch", "layers")


def frames_of(frame: FrameType | None, outermost: FrameType | None) -> Iterator[FrameType]:
    """The frames that are being run, the innermost first, up to the one that opened the block."""
    while frame is not None:
        yield frame
        if frame is outermost:
            return
        frame = frame.f_back


def found_in(frames: list[FrameType], is_it: Any) -> str:
    """The name of the innermost variable of the user's that satisfies `is_it`."""
    for frame in filter(is_users, frames):
        for name, value in list(frame.f_locals.items()):
            if not name.startswith("_") and is_it(value):
                return name
    return ""


def lines_of(frames: list[FrameType]) -> tuple[Line, ...]:
    """The user's lines that led here, at most three, the innermost first."""
    return tuple(_line(frame) for frame in itertools.islice(filter(is_users, frames), 3))


def _line(frame: FrameType) -> Line:
    file, number, code = frame.f_code.co_filename, frame.f_lineno, frame.f_code
    text = linecache.getline(file, number, frame.f_globals).rstrip()
    before = linecache.getline(file, number - 1, frame.f_globals).strip() if number > 1 else ""
    start, stop = len(text) - len(text.lstrip()), len(text)
    if hasattr(code, "co_positions"):  # from Python 3.11 on the very expression is known, in bytes
        first, last, left, right = next(itertools.islice(code.co_positions(), frame.f_lasti // 2, None))
        if first == number and left is not None and right is not None:
            raw = text.encode()
            start, stop = len(raw[:left].decode()), len(raw[:right].decode()) if last == number else len(text)
    indent = len(text) - len(text.lstrip())
    return Line(os.path.basename(file), number, text.strip(), max(start - indent, 0), stop - indent, before)
