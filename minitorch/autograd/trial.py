"""An operation on trial: its forward and its rule run by hand, and the text of both."""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import inspect
import os
import re
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minitorch import backend
from minitorch.autograd.differences import Slope, best, jacobian
from minitorch.autograd.function import Function
from minitorch.autograd.gradients import broadcast_dims
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor, wrap


class Run(NamedTuple):
    """One forward pass: the node, the arrays it was given, all outputs, and which of these have a gradient."""

    node: Any
    inputs: list[Any]
    results: tuple[Any, ...]
    outs: list[int]

    def flat(self, results: tuple[Any, ...] = ()) -> np.ndarray:
        """The numbers of the results that have a gradient, or of gradients of these, in one row."""
        return np.concatenate([np.ravel(array((results or self.results)[j])) for j in self.outs])

    def element(self, row: int, y: str) -> str:
        """What a sentence calls the number at `row` of `flat`, where the output is called `y`."""
        sizes = [np.size(self.results[j]) for j in self.outs]
        k = int(np.searchsorted(np.cumsum(sizes), row, "right"))
        word = y if len(sizes) == 1 else f"{y}[{self.outs[k]}]"
        return word + at(row - sum(sizes[:k]), np.shape(self.results[self.outs[k]]))


class Trial:
    """An operation, an `Op` or a `Function`, on given inputs; the differentiated ones are in float64."""

    locked = False  # whether what forward and the rule are given is read-only, so that NumPy says where it is changed

    def __init__(self, op: Any, inputs: tuple[Any, ...], parameters: dict[Any, Any], strict: bool = False) -> None:
        self.function: Any = op if issubclass(op, Function) else None
        self.op: type[Op] = op._node if self.function else op
        arrays = [value.array if isinstance(value, Tensor) else value for value in inputs]
        arrays = [backend.to_array(a, None, backend.CPU) if backend.is_array(a) else a for a in arrays]
        self.inputs: list[Any] = symmetrized(self.op, [np.asarray(a, np.float64) if is_floating(a) else a for a in arrays])
        self.parameters = parameters
        self.strict = strict
        asked = [isinstance(value, Tensor) and value.requires_grad for value in inputs]
        self.places: list[int] = [i for i, a in enumerate(self.inputs) if is_floating(a) and (asked[i] or not any(asked))]
        self.forward: Source = Source(op.forward)
        self.rule: Source = Source(op.backward)
        self.generator: np.random.Generator = np.random.default_rng(0)
        self.errors: dict[int, float] = {}  # the largest of the derivatives of each order that were compared
        names = self.forward.arguments[0 if self.function and self.function.setup_context else 1 :]
        self.names: tuple[str, ...] = names if len(names) >= len(inputs) else tuple(f"input {i}" for i in range(len(inputs)))
        self.y: str = "out" if "y" in self.names else "y"  # what sentences call the output
        self.tolerance: float = 1e-10  # of the derivatives, absolute and relative
        shapes = {np.shape(a) for a in arrays}
        self.square: bool = len(shapes) == 1 and shapes == {shape[:1] * 2 for shape in shapes} != {()}  # all of one size

    def on(self, inputs: list[Any], **parameters: Any) -> Trial:
        """The same operation on other inputs."""
        other = copy.copy(self)
        vars(other).pop("first", None)
        vars(other).pop("jacobians", None)
        other.inputs = symmetrized(self.op, [np.asarray(a) if isinstance(a, np.generic) else a for a in inputs])
        other.parameters, other.errors = self.parameters | parameters, {}
        return other

    def moved(self, place: int, a: np.ndarray) -> Trial:
        """The same with another array in place of one input."""
        return self.on([a if i == place else b for i, b in enumerate(self.inputs)])

    def run(self) -> Run:
        """Run forward on copies of the inputs, on a node made by hand."""
        given = [np.array(a, order="K") if isinstance(a, np.ndarray) else a for a in self.inputs]
        self.lock(given)
        tensors = [wrap(a) if isinstance(a, np.ndarray) else a for a in given]
        node = self.op()
        node.saved, node.edges = (), [tensor if i in self.places else None for i, tensor in enumerate(tensors)]
        result = node.forward(*given, **{"inputs": tuple(tensors)} if self.function else copy.deepcopy(self.parameters))
        results = result if isinstance(result, tuple) else (result,)
        constant = getattr(node, "constant_ids", ())
        self.lock(node.saved)
        return Run(node, given, results, [j for j, y in enumerate(results) if is_floating(y, "fc") and id(y) not in constant])

    def lock(self, values: Iterable[Any]) -> None:
        """Make these arrays read-only, if this trial is locked."""
        for a in (a for a in values if self.locked and isinstance(a, np.ndarray)):
            a.flags.writeable = False

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
        run = run or self.first
        parts = iter(np.split(g, np.cumsum([np.size(run.results[j]) for j in run.outs])))
        flat = [next(parts).copy() if j in run.outs else np.zeros(np.size(out)) for j, out in enumerate(run.results)]
        given = tuple(part.reshape(np.shape(out)) for part, out in zip(flat, run.results))
        self.lock(given)
        answer = self.function.backward(run.node, *map(wrap, given)) if self.function else run.node.backward(*given)
        return answer if type(answer) is tuple else (answer,), given

    def gradients(self, g: np.ndarray, run: Run | None = None) -> dict[int, Any]:
        """The gradient of each input that has one, in its shape; None where there is none or it cannot be fitted."""
        answers, _ = self.pull(g, run)
        return {i: None if answers[i] is None else fitted(array(answers[i]), self.inputs[i].shape) for i in self.places}

    def random(self) -> np.ndarray:
        """A g without zeros or equal numbers."""
        size = self.first.flat().size
        return self.generator.uniform(0.5, 1.5, size) * self.generator.choice([-1.0, 1.0], size)

    def values(self) -> np.ndarray:
        """Forward's values, in one row."""
        return self.run().flat()

    @functools.cached_property
    def jacobians(self) -> dict[int, Slope]:
        """For each input, dy/dx from forward's values, (outputs, elements), and its error."""
        return {i: self.slopes(i) for i in self.places}

    def slopes(self, place: int, values: Callable[[Trial], np.ndarray] = values, way: Any = best) -> Slope:
        """How the flat `values` change with each element of an input, (values, elements), and the error in that."""
        return jacobian(lambda moved: values(self.moved(place, moved)), self.inputs[place], way)

    def rules(self, run: Run | None = None) -> dict[int, np.ndarray]:
        """For each input, the Jacobian of the rule: its results for each g that is 1 at one place and 0 elsewhere."""
        rows = [self.gradients(row, run) for row in np.eye(self.first.flat().size)]
        return {i: np.array([row[i].ravel() for row in rows]).reshape(len(rows), self.inputs[i].size) for i in self.places}

    def note(self, order: int, got: np.ndarray, truth: np.ndarray) -> None:
        """Keep the largest error of right derivatives, relative to the true ones plus one."""
        error = (np.abs(got - truth) / (1 + np.abs(truth))).max(initial=0.0)
        self.errors[order] = max(float(error), self.errors.get(order, 0.0))

    def bends(self, place: int, elements: np.ndarray) -> bool:
        """Whether forward has a kink at one of these elements of an input: the slopes on its two sides differ."""
        a, h = self.inputs[place], 1e-6
        for k in elements:
            step = h * max(1.0, abs(float(a.flat[k]))) * (np.arange(a.size) == k).reshape(a.shape)
            below, middle, above = (self.moved(place, a + n * step).values() for n in (-1, 0, 1))
            if (np.abs(above - middle - (middle - below)) > 1e-3 * (h + np.abs(above - below))).any():
                return True
        return False


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """A block in which NumPy does not warn, as it would on empty inputs, or where a rule divides by zero."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def array(value: Any) -> np.ndarray:
    """The array of a tensor, or of any array-like value."""
    return np.asarray(value.array if isinstance(value, Tensor) else value)


def at(flat: Any, shape: tuple[int, ...], word: str = "") -> str:
    """The place of an element, for a sentence; empty for a single number."""
    return f"{word}{[int(n) for n in np.unravel_index(flat, shape)]}" if shape else ""


def is_floating(value: Any, kinds: str = "f") -> bool:
    """Whether `value` is an array of floating-point numbers."""
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in kinds


def symmetrized(op: Any, inputs: list[Any]) -> list[Any]:
    """The inputs; where forward reads a half of a symmetric matrix, made symmetric, so that both halves move."""
    if getattr(op, "symmetric", False) and inputs[0].shape[-2:-1] == inputs[0].shape[-1:]:
        return [(inputs[0] + inputs[0].swapaxes(-1, -2)) / 2, *inputs[1:]]
    return inputs


def fitted(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """A gradient summed to `shape` as the engine does it; None if `shape` cannot be broadcast to its own."""
    dims = broadcast_dims(gradient.shape, shape)
    return None if dims is None else np.asarray(gradient.sum(dims)).reshape(shape)


class Source:
    """The lines of a function, and which of them does what."""

    def __init__(self, function: Callable[..., Any]) -> None:
        code: Any = inspect.unwrap(function).__code__
        self.file: str = code.co_filename
        self.arguments: tuple[str, ...] = code.co_varnames[: code.co_argcount]
        self.lines: dict[int, str] = {}
        with contextlib.suppress(OSError):  # typed at a prompt: there is no line to name
            lines, start = inspect.getsourcelines(code)
            self.lines = dict(enumerate((line.strip() for line in lines), start))

    def last(self, *patterns: str) -> str:
        """The last line that matches the first of these patterns that any line matches, as a message shows it."""
        for pattern in patterns:
            for number in (number for number in reversed(self.lines) if re.search(pattern, self.lines[number])):
                return f"{os.path.basename(self.file)}:{number}   {self.lines[number]}"
        return ""

    def answer(self, position: int | None = None) -> str:
        """The line that makes the result at `position`, else the last that returns."""
        returned, name = re.findall(r"^return (.+)$", "\n".join(self.lines.values()), re.MULTILINE), "return"
        with contextlib.suppress(SyntaxError, IndexError):  # it goes on in the next line, or there is no such result
            value = ast.parse(returned[-1], mode="eval").body
            results = getattr(value, "elts", [value])
            name = name if position is None else getattr(results[position], "id", name)
        return self.last(rf"^{name}\b(\[.*\])? [^=]?=", rf"\b{name}\b.* = (?!ctx\.saved)", "^return |lambda", "")

    def raised(self, reason: BaseException | None) -> str:
        """The line of the function's file that an exception, or its cause, came from."""
        while reason is not None:
            own = [frame for frame in traceback.extract_tb(reason.__traceback__) if frame.filename == self.file]
            if own:
                return f"{os.path.basename(self.file)}:{own[-1].lineno}   {own[-1].line}"
            reason = reason.__cause__
        return self.last("def |lambda")  # the call itself
