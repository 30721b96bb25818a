"""Where an operation stands in the user's code: its lines, the modules around it, and what its inputs are called."""

from __future__ import annotations

import itertools
import linecache
import os
from collections.abc import Callable
from types import FrameType
from typing import Any

from minitorch.autograd.node import Leaf
from minitorch.autograd.tensor import Tensor


class Names:
    """The user's names for the outermost modules, their parameters, and other tensors."""

    def __init__(self) -> None:
        self.title: str = ""  # of the page: the class of the first net, or its variable if the class says nothing
        self.roots: dict[int, tuple[Any, str, str]] = {}  # by id: the module, its name, and what paths in it begin with
        self.leaves: dict[Leaf, str] = {}
        self.calls: dict[int, tuple[FrameType, int]] = {}  # by id, the frame of a module's last call, and their count

    def place(self, step: Any, inputs: list[Any], frame: FrameType | None, outermost: FrameType) -> None:
        """Tell a step where it was run, from the frames between it and the one that opened the block, and on what."""
        frames: list[FrameType] = []
        while frame is not None and outermost not in frames:
            frames.append(frame)
            frame = frame.f_back
        users = [f for f in frames if str(f.f_globals.get("__name__")).partition(".")[0] not in ("minitorch", "layers")]
        step.names = [self._name(array, edge, users) for array, edge in zip(inputs, step.node.edges)]
        module, step.group = self._modules(frames)
        own = f"rule of {step.made_by.node.title}" if step.made_by else module
        step.where = own or f"line {(users or frames)[0].f_lineno}"
        told = [_line(f, f is users[0]) for f in users[2::-1]]
        outer = [["code.dim", f"+{len(users) - 3} more"], ["code.dim", "further out"]] if len(users) > 3 else []
        step.lines = outer + [piece for pieces, _ in told for piece in pieces]
        step.source = told[-1][1] if told else ""

    def _modules(self, frames: list[FrameType]) -> tuple[str, tuple[str, int] | None]:
        """The path of the module that runs, and the module whose rows fold into one, with the number of this use of it."""
        running = [(f, f.f_locals.get("self")) for f in reversed(frames) if f.f_code.co_name == "forward"]
        chain: list[tuple[FrameType, Any]] = [(f, module) for f, module in running if hasattr(module, "named_parameters")]
        if not chain:
            return "", None
        root = chain[0][1]
        if id(root) not in self.roots:
            kind, name = type(root).__name__, _variable(frames[frames.index(chain[0][0]) + 1 :], lambda value: value is root)
            self.title = self.title or (name if kind == "Sequential" else kind)
            # paths begin with the name only where they would be bare numbers, or the same in two nets
            plain = not self.roots and root._modules and not any(key.isdigit() for key in root._modules)
            same = sum(other.partition(" ")[0] == (name or kind) for _, other, _ in self.roots.values())
            name = (name or kind) + f" {same + 1}" * (same > 0)  # a loop's variable names one module after the other
            self.roots[id(root)] = root, name, "" if plain else name
            for path, parameter in root.named_parameters():
                self.leaves.setdefault(parameter.node, path if plain else f"{name}.{path}")
        _, title, prefix = self.roots[id(root)]
        paths = [prefix]
        for (_, parent), (_, child) in itertools.pairwise(chain):
            known = next((name for name, module in parent.named_modules() if module is child), type(child).__name__)
            paths.append(".".join(filter(None, (paths[-1], known))))
        folds = len(chain) - 1 - (len(chain) > 1 and not chain[-1][1]._modules)  # a layer folds with the module around it
        frame, module = chain[folds]
        last, count = self.calls.get(id(module), (None, 0))
        self.calls[id(module)] = frame, count + (last is not frame)
        return paths[-1], (paths[folds] or title, self.calls[id(module)][1])

    def _name(self, array: Any, edge: Any, users: list[FrameType]) -> str:
        """What an input is called, empty where the user has no name for it."""
        if edge in self.leaves:
            return self.leaves[edge]
        name = _variable(users, lambda v: isinstance(v, Tensor) and (v.array is array or (edge and v.node is edge)))
        return self.leaves.setdefault(edge, name) if name and isinstance(edge, Leaf) else name


def _variable(frames: list[FrameType], is_it: Callable[[Any], Any]) -> str:
    """The name of the innermost variable that satisfies `is_it`."""
    named = ((name, value) for frame in frames for name, value in list(frame.f_locals.items()))
    return next((name for name, value in named if not name.startswith("_") and name != "self" and is_it(value)), "")


def _line(frame: FrameType, innermost: bool) -> tuple[list[Any], str]:
    """A line of the user's as pieces of the page, with the line before the innermost, and the expression that was being run."""
    code, number, file = frame.f_code, frame.f_lineno, os.path.basename(frame.f_code.co_filename)
    text, before = (linecache.getline(code.co_filename, n, frame.f_globals).rstrip() for n in (number, number - 1))
    start, stop = 0, len(text)
    if hasattr(code, "co_positions"):  # from Python 3.11 on the exact expression is known, in bytes
        first, last, left, right = next(itertools.islice(code.co_positions(), frame.f_lasti // 2, None))
        if first == number and left is not None and right is not None:
            raw = text.encode()
            start, stop = len(raw[:left].decode()), len(raw[:right].decode()) if last == number else stop
    run = text[start:stop].strip()
    own = [["code.dim", f"{file}:{number}"], ["code", text[:start].lstrip(), ["b" if innermost else "span", run], text[stop:]]]
    above = [["code.dim", f"{file}:{number - 1}"], ["code.dim", before.strip()]] if innermost and before.strip() else []
    return above + own, run
