"""A row of the table: one public operation, inputs to try it on, and what an independent reference says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch as mt
from minitorch import Tensor


@dataclass(frozen=True)
class Fixed:
    """A floating-point input without a gradient, such as the class weights of a loss."""

    values: np.ndarray


@dataclass(frozen=True)
class Case:
    """Inputs of one call. Float arrays are differentiated; `Fixed`, integer and boolean ones are not; the rest goes as it is."""

    inputs: tuple[Any, ...]
    parameters: dict[str, Any]
    waits: str = ""  # "forward", "backward" or both: the passes in which the host has to wait for a GPU
    uploads: int = 0  # arrays that the forward pass makes on the host and copies to the GPU
    random: bool = False  # whether a GPU draws other numbers than the CPU


def case(*inputs: Any, waits: str = "", uploads: int = 0, random: bool = False, **parameters: Any) -> Case:
    return Case(inputs, parameters, waits, uploads, random)


@dataclass(frozen=True)
class Bad:
    """A call that must be refused, and the message, as a regular expression, that says why."""

    error: type[Exception]
    match: str
    inputs: tuple[Any, ...]
    parameters: dict[str, Any]


def bad(error: type[Exception], match: str, *inputs: Any, **parameters: Any) -> Bad:
    return Bad(error, match, inputs, parameters)


@dataclass(frozen=True)
class Row:
    """A public operation: `call` and `reference` take the same arguments, tensors the one, float64 arrays the other."""

    name: str
    call: Callable[..., Any]
    reference: Callable[..., Any]
    cases: Sequence[Case]
    bad: Sequence[Bad] = ()
    also: Sequence[Callable[..., Any]] = ()  # other public forms of it, tried on the cases without parameters
    torch: str | Callable[..., Any] | None = ""  # in PyTorch: another name, or a function of (torch, *inputs); None: nothing
    analytic: bool = True  # whether the complex step may be used

    def inputs(self, case: Case, dtype: np.dtype = mt.float64, device: str = "cpu") -> list[Any]:
        """What `call` takes, as fresh tensors; those to be differentiated require a gradient."""
        return [as_input(value, dtype, device) for value in case.inputs]

    def __call__(self, case: Case, inputs: Sequence[Any]) -> tuple[Tensor, ...]:
        """The outputs of `call`, always as a tuple."""
        return outputs(self.call(*inputs, **case.parameters))

    def expected(self, case: Case, dtype: np.dtype = mt.float64) -> tuple[np.ndarray, ...]:
        """The outputs of `reference`, computed in float64 from inputs rounded to `dtype`."""
        found = self.reference(*(rounded(value, dtype) for value in case.inputs), **case.parameters)
        return tuple(map(np.asarray, found if isinstance(found, (tuple, list)) else (found,)))

    def function(self, case: Case) -> tuple[Callable[..., tuple[Tensor, ...]], list[Tensor]]:
        """The call as a function of the inputs to be differentiated alone, and these; the others follow their dtype."""
        given = self.inputs(case)
        moving = [value for value in given if is_differentiated(value)]

        def function(*values: Tensor) -> tuple[Tensor, ...]:
            remaining = iter(values)
            floating = values[0].dtype
            return self(
                case,
                [
                    next(remaining)
                    if is_differentiated(value)
                    else value.type(floating)
                    if isinstance(value, Tensor) and value.is_floating_point()
                    else value
                    for value in given
                ],
            )

        return function, moving


def as_input(value: Any, dtype: np.dtype, device: str) -> Any:
    if isinstance(value, Fixed):
        return mt.tensor(value.values, dtype=dtype, device=device)
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind != "f":
        return mt.tensor(value, device=device)
    return mt.tensor(value, dtype=dtype, device=device, requires_grad=True)


def rounded(value: Any, dtype: np.dtype) -> Any:
    if isinstance(value, Fixed):
        return rounded(value.values, dtype)
    is_floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(dtype).astype(np.float64) if is_floats else value


def is_differentiated(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def outputs(result: Any) -> tuple[Tensor, ...]:
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def via(public: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, as a trial of the public function, method or property `public`."""

    def trial(*inputs: Any, **parameters: Any) -> Any:
        return call(*inputs, **parameters)

    trial.__wrapped__ = public
    return trial


def spread(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Distinct numbers evenly spread over (low, high), in random order: no ties within an array or between two seeds.

    Where the range is symmetric none is 0, so that abs, relu and sign are tried away from their kinks.
    """
    count = int(np.prod(shape))
    numbers = low + (high - low) * (np.arange(count) + 0.37 + 0.07 * seed) / max(count, 1)
    return np.random.default_rng(seed).permutation(numbers).reshape(shape)


def pairs(first: tuple[float, float] = (-2.0, 2.0), second: tuple[float, float] = (-1.9, 2.1), **parameters: Any) -> list[Case]:
    """Two operands within the given ranges: of one shape, broadcast on either side and on both, 0-d, and empty."""
    # fmt: off
    shapes = [
        ((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((2, 1, 2), (3, 1)), ((), (2, 3)), ((2, 3), ()),
        ((), ()), ((0, 3), (3,)),
    ]
    # fmt: on
    return [
        case(spread(*a, low=first[0], high=first[1]), spread(*b, low=second[0], high=second[1], seed=1), **parameters)
        for a, b in shapes
    ]


def singles(low: float = -2.0, high: float = 2.0) -> list[Case]:
    """One operand within the given range: a matrix, 0-d, empty."""
    return [case(spread(*shape, low=low, high=high)) for shape in ((2, 3), (), (0, 2))]
