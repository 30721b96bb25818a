"""Gives `Tensor` its operators and methods: the functions of `minitorch.ops`, with the tensor as first argument.

The tensor itself knows no operation, so that the layers below stay free of circles; this is where the two meet.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import backend, creation
from minitorch.autograd.backward import backward
from minitorch.autograd.op import mark_changed
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device
from minitorch.ops import activation, arithmetic, choice, compare, elementwise, index, inplace, linear, reduce, shape
from minitorch.random import Generator

# ---- operators: straight to the operation, as little as possible between `a * b` and the product -------------------------


def _operator(op: Any) -> tuple[Callable, Callable]:
    apply = op.apply

    def method(self: Tensor, other: Any) -> Tensor:
        return apply(self, other)

    def reflected(self: Tensor, other: Any) -> Tensor:
        return apply(other, self)

    return method, reflected


for name, op in {
    "add": arithmetic.Add,
    "sub": arithmetic.Sub,
    "mul": arithmetic.Mul,
    "truediv": arithmetic.Div,
    "pow": arithmetic.Pow,
    "floordiv": arithmetic.FloorDivide,
    "mod": arithmetic.Remainder,
}.items():
    method, reflected = _operator(op)
    setattr(Tensor, f"__{name}__", method)
    setattr(Tensor, f"__r{name}__", reflected)

for name in ("lt", "le", "gt", "ge"):
    setattr(Tensor, f"__{name}__", getattr(compare, name))

Tensor.__eq__ = lambda self, other: NotImplemented if other is None else compare.eq(self, other)
Tensor.__ne__ = lambda self, other: NotImplemented if other is None else compare.ne(self, other)

for name in ("and", "or", "xor"):
    setattr(Tensor, f"__{name}__", getattr(compare, f"bitwise_{name}"))
    setattr(Tensor, f"__r{name}__", getattr(compare, f"bitwise_{name}"))

for name, function in {
    "iadd": inplace.add_,
    "isub": inplace.sub_,
    "imul": inplace.mul_,
    "itruediv": inplace.div_,
    "ipow": inplace.pow_,
    "neg": arithmetic.neg,
    "abs": elementwise.abs,
    "invert": compare.bitwise_not,
    "matmul": linear.matmul,
    "getitem": index.getitem,
    "setitem": inplace.setitem,
}.items():
    setattr(Tensor, f"__{name}__", function)

Tensor.__rmatmul__ = lambda self, other: linear.matmul(other, self)
Tensor.__pos__ = lambda self: self
Tensor.__iter__ = lambda self: iter(shape.unbind(self)) if self.ndim else _not_iterable()


def _not_iterable() -> Any:
    raise TypeError("iter(): a 0-d tensor has no elements to go through")


# ---- methods that are functions of the same name -------------------------------------------------------------------------

_SAME_NAME = {
    arithmetic: "add sub mul div floor_divide remainder neg pow square reciprocal rsqrt",
    elementwise: "exp log log1p sqrt sin cos abs sign floor ceil round trunc",
    choice: "maximum minimum clamp nonzero",
    activation: "tanh sigmoid relu erf softmax log_softmax",
    compare: "eq ne lt le gt ge logical_not logical_and logical_or isnan isfinite isinf equal allclose",
    reduce: "sum mean prod cumsum logsumexp var std max min amax amin argmax argmin any all norm gather",
    shape: "reshape view flatten unflatten transpose permute t squeeze unsqueeze expand expand_as repeat flip split chunk "
    "unbind clone contiguous to",
    index: "index_select masked_fill",
    linear: "matmul mm bmm",
    inplace: "add_ sub_ mul_ div_ pow_ neg_ exp_ sqrt_ clamp_ relu_ fill_ zero_ copy_",
    sys.modules[backward.__module__]: "register_hook retain_grad",
}
for module, names in _SAME_NAME.items():
    for name in names.split():
        setattr(Tensor, name, getattr(module, name))

_ALIASES = {
    arithmetic: "subtract=sub multiply=mul divide=div true_divide=div negative=neg",
    elementwise: "absolute=abs",
    choice: "clip=clamp",
    shape: "swapaxes=transpose swapdims=transpose type=type_",
}
for module, pairs in _ALIASES.items():
    for pair in pairs.split():
        alias, name = pair.split("=")
        setattr(Tensor, alias, getattr(module, name))

Tensor.T = property(shape.t, doc="The matrix transposed.")
Tensor.mT = property(lambda self: shape.transpose(self, -1, -2), doc="The last two dimensions exchanged.")


def _cast(dtype: np.dtype) -> Callable[[Tensor], Tensor]:
    def method(self: Tensor) -> Tensor:
        return shape.to(self, dtype=dtype)

    method.__doc__ = f"The tensor as {dtype}, itself if it is that already."
    return method


for name, dtype in {
    "half": backend.float16,
    "float": backend.float32,
    "double": backend.float64,
    "bool": backend.bool_,
    "short": backend.int16,
    "int": backend.int32,
    "long": backend.int64,
    "byte": backend.uint8,
}.items():
    setattr(Tensor, name, _cast(dtype))


# ---- methods that are nothing else ---------------------------------------------------------------------------------------


def _backward(
    self: Tensor, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add the gradient of this tensor to `.grad` of every leaf it was computed from; see `minitorch.autograd.backward`."""
    backward(self, gradient, retain_graph, create_graph)


def _where(self: Tensor, condition: Tensor, other: Tensor | float) -> Tensor:
    """This tensor where `condition` holds, else `other`."""
    return choice.where(condition, self, other)


def _cpu(self: Tensor) -> Tensor:
    """The tensor on the host, itself if it is there."""
    return shape.to(self, device=backend.CPU)


def _cuda(self: Tensor, device: Device | str | int | None = None, non_blocking: bool = False) -> Tensor:
    """The tensor on the GPU, itself if it is there; raises RuntimeError with the reason if there is no usable one."""
    return shape.to(self, device=f"cuda:{device}" if isinstance(device, int) else device or backend.CUDA)


def _requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Start or stop requiring a gradient; returns the tensor."""
    self.requires_grad = requires_grad
    return self


def _detach_(self: Tensor) -> Tensor:
    """Cut the tensor from its history, in place."""
    self.grad_fn, self._requires_grad = None, False
    return self


def _set_data(self: Tensor, value: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"data: expected a Tensor, got {type(value).__name__}")
    if self.grad_fn is not None:
        raise RuntimeError("data: only the memory of a leaf can be replaced; use copy_() under no_grad()")
    if self._requires_grad and value.dtype.kind not in "fc":
        raise TypeError(f"data: expected floats for a tensor that requires a gradient, got {value.dtype}")
    mark_changed(self.array, "an assignment to .data")  # whoever saved the old memory must not differentiate with it
    self.array = value.detach().array


def _uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Every element drawn uniformly from a to b, in place; drawn on the host."""
    drawn = creation.rand(self.shape, generator=generator, dtype=self.dtype, device="cpu")
    return inplace.copied(self, drawn * (b - a) + a, "uniform_")


def _normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Every element drawn from the normal distribution, in place; drawn on the host."""
    drawn = creation.randn(self.shape, generator=generator, dtype=self.dtype, device="cpu")
    return inplace.copied(self, drawn * std + mean, "normal_")


def _new(name: str) -> Callable:
    fill = {"new_zeros": 0, "new_ones": 1}.get(name)

    def method(self: Tensor, *size: Any, dtype: np.dtype | None = None, device: Any = None) -> Tensor:
        sizes = size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
        return creation.full(sizes, fill, dtype=dtype or self.dtype, device=device or self.device)

    method.__doc__ = f"A tensor of {'zeros' if fill == 0 else 'ones'} with the dtype and device of this one."
    return method


for name, function in {
    "backward": _backward,
    "where": _where,
    "cpu": _cpu,
    "cuda": _cuda,
    "requires_grad_": _requires_grad_,
    "detach_": _detach_,
    "uniform_": _uniform_,
    "normal_": _normal_,
    "new_zeros": _new("new_zeros"),
    "new_ones": _new("new_ones"),
}.items():
    setattr(Tensor, name, function)

Tensor.data = Tensor.data.setter(_set_data)


def _type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor as the dtype of another."""
    return shape.to(self, dtype=other.dtype)


Tensor.type_as = _type_as
