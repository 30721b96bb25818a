"""PyTorch's own test inputs, which its wheel contains, tried on minitorch: how a call is carried over, and what is compared.

A `Trial` is one call with its arguments. PyTorch makes it once; `against` makes it with a function of minitorch's and compares
shapes, dtypes, values, what became of the arguments, whether memory is shared, and first and second derivatives.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import minitorch as mt

TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "float16": 1e-2}


class NotForUs(Exception):
    """The call needs what minitorch does not know at all: complex or sparse tensors, a memory format, another device."""


# ---- from PyTorch's values to minitorch's --------------------------------------------------------------------------------


def ours(dtype: torch.dtype) -> np.dtype:
    """minitorch's dtype of the same name."""
    found = getattr(mt, str(dtype).removeprefix("torch."), None)
    if dtype.is_complex or not isinstance(found, np.dtype):
        raise NotForUs(str(dtype))
    return found


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """`value` with every entry of its nested lists, tuples and dictionaries changed."""
    if isinstance(value, dict):
        return {key: mapped(entry, change) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        entries = [mapped(entry, change) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries) if isinstance(value, tuple) else entries
    return change(value)


def tensors(value: Any) -> Iterator[Any]:
    """The tensors of either library in nested values, each once."""
    if isinstance(value, (torch.Tensor, mt.Tensor)):
        yield value
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))
    elif isinstance(value, (list, tuple)):
        seen: set[int] = set()
        for entry in value:
            for tensor in tensors(entry):
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield tensor


def array(tensor: Any) -> np.ndarray:
    """The numbers of a tensor of either library."""
    return tensor.detach().numpy(force=True) if isinstance(tensor, torch.Tensor) else tensor.detach().numpy()


class Carrier:
    """Makes minitorch's arguments of PyTorch's: fresh memory in the same layout, the same tensor for the same tensor."""

    def __init__(self) -> None:
        self.made: dict[int, mt.Tensor] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, torch.dtype):
            return ours(value)
        if isinstance(value, torch.device):
            return str(value)
        foreign = callable(value) and str(getattr(value, "__module__", None)).startswith(("torch", "None"))
        if foreign or isinstance(value, (complex, torch.memory_format, torch.layout)):  # a module or a function of PyTorch's
            raise NotForUs(repr(value))
        return value

    def tensor(self, value: torch.Tensor) -> mt.Tensor:
        if value.layout != torch.strided or value.device.type != "cpu" or value.ndim > 64:
            raise NotForUs(f"{value.layout} on {value.device}, {value.ndim} dimensions")
        ours(value.dtype)
        if id(value) not in self.made:
            self.made[id(value)] = mt.from_numpy(array(copy.deepcopy(value.detach())))  # with the same strides
            self.made[id(value)].requires_grad = value.requires_grad
        return self.made[id(value)]


# ---- one call ------------------------------------------------------------------------------------------------------------


class Trial:
    """One call of a function of PyTorch's, and what came of it; `failed` holds the error where it raised one."""

    def __init__(self, call: Callable, inputs: tuple, parameters: dict, second: bool = True) -> None:
        self.inputs, self.parameters = inputs, parameters
        mapped((inputs, parameters), Carrier())  # raises NotForUs
        if "out" in parameters:
            raise NotForUs("out= is tested with the functions that take it")
        self.before = [(tensor, array(tensor).copy()) for tensor in tensors((inputs, parameters))]
        self.failed, self.first, self.second = None, (), ()
        state = torch.get_rng_state()
        try:
            self.out = call(*inputs, **parameters)
        except Exception as reason:
            self.failed = reason
            return
        for tensor in tensors(self.out):
            ours(tensor.dtype)
        self.drawn = not torch.equal(state, torch.get_rng_state())  # then only shapes and dtypes can agree
        self.wanted = [tensor for tensor, _ in self.before if tensor.requires_grad]
        self.results = [out for out in tensors(self.out) if out.requires_grad and out.is_floating_point()]
        if self.wanted and self.results and not self.drawn:
            try:
                self.first, self.second = derivatives(torch, self.results, self.wanted, second and self.is_double())
            except (RuntimeError, NotImplementedError):
                self.wanted = []  # PyTorch has no derivative

    def is_double(self) -> bool:
        """Whether all floats are float64, so that second derivatives can be compared."""
        return all(tensor.dtype != torch.float32 for tensor in (*self.wanted, *self.results))

    def carried(self, instead: dict[int, mt.Tensor] | None = None) -> tuple[tuple, dict, Carrier]:
        """Arguments for minitorch as PyTorch found them; `instead` has tensors to use for some, by the id of PyTorch's."""
        carrier = Carrier()
        carrier.made.update(instead or {})
        for tensor, values in self.before:
            carrier.tensor(tensor).detach().array[...] = values
        return *mapped((self.inputs, self.parameters), carrier), carrier

    def against(self, call: Callable, instead: dict[int, mt.Tensor] | None = None) -> None:
        """Make the call with minitorch's function `call`; AssertionError unless everything agrees. See `carried`."""
        inputs, parameters, carrier = self.carried(instead)
        out = call(*inputs, **parameters)
        assert_same(self.out, out, "result", values=not self.drawn)
        if self.drawn:
            return
        for tensor, _ in self.before:
            assert_same(tensor, carrier.made[id(tensor)], "an argument after the call")
        self.assert_no_memory_is_shared(out, carrier)
        results = [result for result in tensors(out) if result.requires_grad]
        if self.wanted or not any(tensor.requires_grad for tensor, _ in self.before):
            assert len(results) == len(self.results), f"{len(self.results)} results with a gradient, here {len(results)}"
        if self.wanted and self.results:
            moving = [carrier.made[id(tensor)] for tensor in self.wanted]
            first, second = derivatives(mt, results, moving, bool(self.second))
            assert_same_gradients(self.first, first, "gradient")
            assert_same_gradients(self.second, second, "second derivative")

    def assert_no_memory_is_shared(self, out: Any, carrier: Carrier) -> None:
        """A result may share memory with an argument only where PyTorch's does."""
        theirs = {tensor.untyped_storage().data_ptr() for tensor, _ in self.before}
        arguments = [tensor.array for tensor in carrier.made.values() if tensor.array.size]
        for expected, found in zip(tensors(self.out), tensors(out)):
            if expected.untyped_storage().data_ptr() not in theirs:
                assert not any(np.may_share_memory(found.array, other) for other in arguments), "shares memory with an argument"


def derivatives(library: Any, outputs: list, inputs: list, second: bool) -> tuple[tuple, tuple]:
    """The gradients of weighed outputs, and those of these gradients, weighed, by the inputs and by the first weights."""
    draw = np.random.default_rng(0).standard_normal
    given = [library.tensor(draw(tuple(out.shape)), dtype=out.dtype) for out in outputs]
    given = [tensor.requires_grad_() for tensor in given] if second else given
    first = library.autograd.grad(outputs, inputs, given, create_graph=second, allow_unused=True)
    if not second:
        return first, ()
    terms = [(g * library.tensor(draw(tuple(g.shape)))).sum() for g in first if g is not None and g.requires_grad]
    return first, library.autograd.grad(sum(terms), [*inputs, *given], allow_unused=True) if terms else ()


# ---- comparison ----------------------------------------------------------------------------------------------------------


def assert_same(expected: Any, found: Any, what: str, values: bool = True) -> None:
    """The same nesting; tensors of the same shape, dtype and, if `values`, numbers."""
    if isinstance(expected, torch.Tensor):
        assert isinstance(found, mt.Tensor), f"{what}: a tensor, here {type(found).__name__}"
        assert tuple(expected.shape) == tuple(found.shape), f"{what}: shape {tuple(expected.shape)}, here {found.shape}"
        assert ours(expected.dtype) == found.dtype, f"{what}: {expected.dtype}, here {found.dtype}"
        if values:
            assert_near(array(expected), array(found), what)
    elif isinstance(expected, (list, tuple)):
        assert isinstance(found, (list, tuple)) and len(expected) == len(found), f"{what}: {len(expected)} parts, here {found}"
        for i, pair in enumerate(zip(expected, found)):
            assert_same(*pair, f"{what} {i}", values)
    elif isinstance(expected, (bool, int, float)) and values:
        assert type(expected) is type(found), f"{what}: {expected!r}, here {found!r}"
        assert_near(np.asarray(expected), np.asarray(found), what)


def assert_near(expected: np.ndarray, found: np.ndarray, what: str, tolerance: float | None = None) -> None:
    """Equal integers and booleans; floats equal to the tolerance of their dtype, relative to the largest."""
    if expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected, err_msg=what)
        return
    tolerance = tolerance or TOLERANCE[expected.dtype.name]
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * largest, err_msg=what)


def assert_same_gradients(expected: tuple, found: tuple, what: str) -> None:
    """As `assert_same`, where no gradient at all is one of zeros."""
    for i, (theirs, mine) in enumerate(zip(expected, found)):
        if theirs is not None or mine is not None:
            shown = np.zeros_like(array(mine)) if theirs is None else array(theirs)
            assert_near(shown, np.zeros_like(shown) if mine is None else array(mine), f"{what} {i}")


# ---- minitorch's names of an operation -----------------------------------------------------------------------------------


@functools.cache
def functions(name: str) -> dict[str, Callable]:
    """minitorch's function and method, if it has them, for the name of an operation in PyTorch's database."""
    short = name.removeprefix("nn.functional.")
    if "." in short:
        return {}
    if short != name:
        found = {f"F.{short}": getattr(mt.functional, short, None)}
    else:
        found = {f"torch.{name}": getattr(mt, name, None), f"Tensor.{name}": getattr(mt.Tensor, name, None)}
    return {title: call for title, call in found.items() if callable(call) and not isinstance(call, np.dtype)}
