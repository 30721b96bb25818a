"""An operation on trial: its forward and its rule run by hand, and the text of the rule."""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import inspect
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minitorch import backend
from minitorch.autograd.differences import best
from minitorch.autograd.function import Function
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap


class Run(NamedTuple):
    """One forward pass: the node, the arrays it was given, all outputs, and which of these have a gradient."""

    node: Any
    inputs: list[Any]
    results: tuple[Any, ...]
    outs: list[int]

    def values(self) -> np.ndarray:
        """All numbers that have a gradient, in one row."""
        return flat(self.results, self.outs)


def flat(results: tuple[Any, ...], outs: list[int]) -> np.ndarray:
    """The numbers of those results that have a gradient, in one row."""
    return np.concatenate([np.ravel(array(results[j])) for j in outs])


class Trial:
    """An operation, an `Op` or a `Function`, on given inputs; those that are differentiated in float64."""

    parameters: dict[Any, Any]
    strict: bool

    def __init__(
        self,
        op: Any,
        inputs: tuple[Any, ...],
        parameters: dict[Any, Any],
        strict: bool = False,
        dtype: np.dtype = backend.float64,
    ) -> None:
        self.function: Any = op if issubclass(op, Function) else None
        self.op: type[Op] = op._node if self.function else op
        asked = any(isinstance(value, Tensor) and value.requires_grad for value in inputs)
        self.inputs: list[Any] = [as_host(value, dtype) for value in inputs]
        self.parameters, self.strict = parameters, strict
        self.places: list[int] = [
            i
            for i, (value, a) in enumerate(zip(inputs, self.inputs))
            if is_floating(a) and (value.requires_grad if asked and isinstance(value, Tensor) else not asked)
        ]
        self.forward: Any = inspect.unwrap(self.function.forward if self.function else self.op.forward)
        self.rule: Any = inspect.unwrap(self.function.backward if self.function else self.op.backward)
        self.source: Any = Source(self.rule)
        self.generator: Any = np.random.default_rng(0)

    def on(self, inputs: list[Any], strict: bool | None = None) -> Trial:
        """The same operation on other inputs."""
        other = copy.copy(self)
        for name in ("first", "jacobians", "rules"):
            vars(other).pop(name, None)
        other.inputs = inputs
        return other

    @functools.cached_property
    def names(self) -> list[str]:
        """What forward calls its inputs."""
        parameters = list(inspect.signature(self.forward).parameters.values())
        parameters = parameters[0 if self.function and self.function.setup_context else 1 :]
        names = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
        return names if len(names) >= len(self.inputs) else [f"input {i}" for i in range(len(self.inputs))]

    def run(self) -> Run:
        """Run forward on copies of the inputs, on a node made by hand."""
        given = [np.array(a, order="K") if isinstance(a, np.ndarray) else a for a in self.inputs]
        tensors = [as_tensor(a) for a in given]
        node = self.op()
        node.saved, node.edges = (), [tensor if i in self.places else None for i, tensor in enumerate(tensors)]
        more = {"inputs": tuple(tensors)} if self.function else copy.deepcopy(self.parameters)
        try:
            result = node.forward(*given, **more)
        except Exception as reason:
            reason.saved = node.saved  # type: ignore[attr-defined]  # what had been kept goes along
            raise
        results = result if isinstance(result, tuple) else (result,)
        constant = getattr(node, "constant_ids", ())
        outs = [j for j, out in enumerate(results) if is_floating(out, "fc") and id(out) not in constant]
        return Run(node, given, results, outs)

    @functools.cached_property
    def first(self) -> Run:
        """The run that all questions share."""
        return self.run()

    @property
    def out(self) -> np.ndarray:
        """The first output that has a gradient."""
        return np.asarray(self.first.results[self.first.outs[0]])

    def pull(self, g: np.ndarray, run: Run | None = None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """What the rule returns for a flat g, as a tuple, and the arrays that it was given as g."""
        run, given, start = run or self.first, [], 0
        for j, out in enumerate(run.results):
            size = np.size(out) if j in run.outs else 0
            part = g[start : start + size].copy() if j in run.outs else np.zeros(np.size(out))
            given.append(part.reshape(np.shape(out)))
            start += size
        answer = self.function.backward(run.node, *map(wrap, given)) if self.function else run.node.backward(*given)
        return answer if type(answer) is tuple else (answer,), tuple(given)

    def gradients(self, g: np.ndarray, run: Run | None = None) -> dict[int, Any]:
        """The gradient of each input that has one, in its shape; None where there is none or it cannot be fitted."""
        answers, _ = self.pull(g, run)
        return {i: None if answers[i] is None else fitted(array(answers[i]), self.inputs[i].shape) for i in self.places}

    def random(self) -> np.ndarray:
        """A g without zeros or equal numbers."""
        size = self.first.values().size
        return self.generator.uniform(0.5, 1.5, size) * self.generator.choice([-1.0, 1.0], size)

    def moved(self, place: int, a: np.ndarray) -> Trial:
        """The same with another array in place of one input."""
        return self.on([a if i == place else b for i, b in enumerate(self.inputs)])

    @functools.cached_property
    def jacobians(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """By input, dy/dx of forward's values, (outputs, elements), and how exactly it is known."""
        return {i: self.slopes(i, lambda trial: trial.run().values()) for i in self.places}

    def slopes(self, place: int, values: Callable[[Trial], np.ndarray]) -> Any:
        """How the flat `values` change with each element of an input, (values, elements), and the error in that."""
        a = self.inputs[place]
        columns = [best(lambda moved: values(self.moved(place, moved)), a, index) for index in np.ndindex(a.shape)]
        columns = columns or [(np.zeros((0, values(self).size)),) * 2]
        return tuple(
            np.array([column[k] for column in columns]).reshape(a.size, -1 if a.size else columns[0][0].shape[1]).T
            for k in (0, 1)
        )

    @functools.cached_property
    def rules(self) -> dict[int, np.ndarray]:
        """By input, the Jacobian that the rule has."""
        return self.rules_of(self.first)

    def rules_of(self, run: Run) -> dict[int, np.ndarray]:
        """The Jacobian of the rule on a node: its answers to each g that is one in one place."""
        size = self.first.values().size
        rows = [self.gradients(row, run) for row in np.eye(size)]
        return {i: np.array([row[i].ravel() for row in rows]).reshape(size, self.inputs[i].size) for i in self.places}

    def bends(self, place: int, element: int) -> bool:
        """Whether forward has a kink at an element of an input: the slopes on its two sides differ."""
        a = self.inputs[place]
        index = np.unravel_index(element, a.shape)
        h = 1e-6 * max(1.0, abs(float(a[index])))
        sides = [a.copy(), a.copy()]
        sides[0][index] += h
        sides[1][index] -= h
        below, middle, above = (self.moved(place, x).run().values() for x in (sides[1], a, sides[0]))
        return bool((np.abs((above - middle) - (middle - below)) / h > 1e-3 * (1 + np.abs(above - below) / h)).any())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """A block in which NumPy does not warn, as it would on empty inputs, or where a rule divides by zero."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# ---- arrays --------------------------------------------------------------------------------------------------------------


def array(value: Any) -> np.ndarray:
    """The array of a tensor, or of whatever else is one."""
    return np.asarray(value.array if isinstance(value, Tensor) else value)


def is_floating(value: Any, kinds: str = "f") -> bool:
    """Whether `value` is an array of floating-point numbers."""
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in kinds


def as_host(value: Any, dtype: np.dtype) -> Any:
    """A host array of a tensor or array, in `dtype` if it is floating; anything else as it is."""
    value = value.array if isinstance(value, Tensor) else value
    if not backend.is_array(value):
        return value
    value = backend.to_array(value, None, backend.CPU)
    return value.astype(dtype) if value.dtype.kind == "f" else value


def as_tensor(value: Any) -> Any:
    """A tensor of an array; anything else as it is."""
    return wrap(value) if isinstance(value, np.ndarray) else value


def fitted(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """A gradient summed to `shape` as the engine does it; None if `shape` is not broadcast to its own."""
    extra = gradient.ndim - len(shape)
    aligned = (1,) * extra + tuple(shape)
    if extra < 0 or any(want not in (1, got) for want, got in zip(aligned, gradient.shape)):
        return None
    axes = tuple(k for k, want in enumerate(aligned) if k < extra or want != gradient.shape[k])
    return np.asarray(gradient.sum(axes)).reshape(shape)


# ---- the text of the rule ------------------------------------------------------------------------------------------------


class Source:
    """The lines of a function, and which of them does what."""

    file: str
    g: tuple[str, ...]
    start: int

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self.file, self.g = code.co_filename, code.co_varnames[1 : code.co_argcount]
        self.lines: list[str] = []
        self.start, self.body = 0, ast.Module([], [])
        try:
            lines, self.start = inspect.getsourcelines(function)
            self.body = ast.parse(textwrap.dedent("".join(lines)))
            self.lines = [line.strip() for line in lines]
        except (OSError, SyntaxError):
            pass  # typed at a prompt: there is no line to name

    def at(self, line: int) -> str:
        """A line, counted from 1, as a message shows it."""
        return f"{Path(self.file).name}:{self.start + line - 1}   {self.lines[line - 1]}" if 0 < line <= len(self.lines) else ""

    def holding(self, text: str) -> str:
        """The first line that holds a text."""
        return self.at(next((i for i, line in enumerate(self.lines, 1) if text in line), 0))

    def answer(self, position: int = 0) -> str:
        """The line that makes the gradient of the input at `position`, else the last line."""
        returns = [node.value for node in ast.walk(self.body) if isinstance(node, ast.Return) and node.value is not None]
        if not returns:
            return self.at(len(self.lines))
        value = returns[-1]
        if isinstance(value, ast.Tuple) and position < len(value.elts):
            value = value.elts[position]
        lines = [node.lineno for node in self.assigned(value.id)] if isinstance(value, ast.Name) else []
        return self.at(max(lines, default=value.lineno))

    def assigned(self, name: str) -> Iterator[ast.Assign | ast.AugAssign]:
        """The statements that give `name` a value."""
        for node in ast.walk(self.body):
            if not isinstance(node, (ast.Assign, ast.AugAssign)):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(part, ast.Name) and part.id == name for target in targets for part in ast.walk(target)):
                yield node

    def changing(self, names: tuple[str, ...] | None = None) -> str:
        """The line that changes one of `names` in place, by default any name but g."""
        for node in ast.walk(self.body):
            changed: list[ast.expr] = []
            if isinstance(node, ast.AugAssign):
                changed = [node.target]
            elif isinstance(node, ast.Assign):
                changed = [target for target in node.targets if isinstance(target, ast.Subscript)]
            elif isinstance(node, ast.Call):
                changed = [keyword.value for keyword in node.keywords if keyword.arg == "out"]
            for target in changed:
                while isinstance(target, (ast.Subscript, ast.Attribute)):
                    target = target.value
                name = getattr(target, "id", "")
                if name in names if names is not None else name not in self.g:
                    return self.at(target.lineno)
        return ""

    def raised(self, reason: BaseException | None) -> str:
        """The line of the function's file that an exception, or what it was raised from, came from."""
        while reason is not None:
            own = [frame for frame in traceback.extract_tb(reason.__traceback__) if frame.filename == self.file]
            if own:
                return f"{Path(self.file).name}:{own[-1].lineno}   {own[-1].line}"
            reason = reason.__cause__
        return ""
