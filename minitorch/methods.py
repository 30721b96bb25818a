"""Gives `Tensor` its operators and methods: the functions of `minitorch.ops`, with the tensor as first argument.

The tensor itself knows no operation, so that the layers below stay free of circles; this is where the two meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import backend, creation, sampling, tensor_types
from minitorch.autograd import copies, hooks
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.partial import backward
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device
from minitorch.keywords import with_keywords
from minitorch.ops import (
    activation,
    arithmetic,
    choice,
    compare,
    counting,
    elements,
    elementwise,
    index,
    inplace,
    joining,
    linear,
    products,
    reduce,
    running,
    scatter,
    shape,
    sorting,
    triangles,
    trigonometry,
)
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
Tensor.__lshift__, Tensor.__rshift__ = compare.bitwise_left_shift, compare.bitwise_right_shift

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
    compare: "eq ne lt le gt ge logical_not logical_and logical_or "
    "logical_xor bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift isnan isfinite "
    "isinf equal allclose",
    reduce: "sum mean prod cumsum logsumexp var std max min amax amin argmax argmin any all norm gather",
    shape: "reshape view flatten unflatten transpose permute t squeeze unsqueeze expand expand_as repeat flip split chunk "
    "unbind clone contiguous to",
    index: "index_select masked_fill",
    linear: "matmul mm bmm",
    inplace: "add_ sub_ mul_ div_ pow_ neg_ exp_ sqrt_ clamp_ relu_ fill_ zero_ copy_",
    trigonometry: "tan asin acos atan atan2 sinh cosh asinh acosh atanh expm1 exp2 log2 log10 logaddexp hypot deg2rad rad2deg",
    elements: "fmod frac sgn fmax fmin clamp_min clamp_max nan_to_num isclose lerp addcmul addcdiv logit erfc ",
    joining: "tensor_split hsplit vsplit dsplit broadcast_to tile repeat_interleave roll fliplr flipud rot90 ravel movedim "
    "view_as reshape_as unfold",
    triangles: "tril triu diagonal diag_embed diag diagflat trace ",
    products: "dot inner outer mv addmm baddbmm kron cross dist",
    running: "cumprod diff aminmax nansum nanmean",
    sorting: "sort argsort msort topk kthvalue median nanmedian mode cummax cummin quantile ",
    counting: "unique bincount histc argwhere count_nonzero",
    scatter: "scatter scatter_add index_add index_copy index_fill take_along_dim masked_select narrow select ",
    tensor_types: "new resize_ pin_memory is_pinned share_memory_ data_ptr get_device",
    sampling: "bernoulli_ random_ exponential_ ",
    hooks: "register_hook register_post_accumulate_grad_hook retain_grad",
}
for module, names in _SAME_NAME.items():
    for name in names.split():
        setattr(Tensor, name, getattr(module, name))

_ALIASES = {
    arithmetic: "subtract=sub multiply=mul divide=div true_divide=div negative=neg",
    choice: "clip=clamp",
    shape: "swapaxes=transpose swapdims=transpose",
    elementwise: "absolute=abs fix=trunc",
    compare: "greater=gt greater_equal=ge less=lt less_equal=le not_equal=ne",
    trigonometry: "arccos=acos arcsin=asin arctan=atan arctan2=atan2 arccosh=acosh arcsinh=asinh arctanh=atanh",
    joining: "moveaxis=movedim",
    products: "ger=outer",
}
for module, pairs in _ALIASES.items():
    for pair in pairs.split():
        alias, name = pair.split("=")
        setattr(Tensor, alias, getattr(module, name))

# ---- forms in place of functions, each named as the function and an underscore -------------------------------------------

_IN_PLACE = (
    "abs acos acosh add addcdiv addcmul addmm asin asinh atan atan2 atanh baddbmm bitwise_and bitwise_not "
    "bitwise_or bitwise_xor ceil clamp clamp_max clamp_min cos cosh cumprod cumsum deg2rad div eq erf erfc exp "
    "exp2 expm1 floor floor_divide fmod frac ge gt hypot index_add index_copy index_fill le lerp log log10 log1p log2 "
    "logical_and logical_not logical_or logical_xor logit lt masked_fill mul nan_to_num ne neg pow rad2deg "
    "reciprocal remainder round rsqrt scatter scatter_add sgn sigmoid sign sin sinh sqrt square sub tan tanh tril triu "
    "trunc "
)
for name in _IN_PLACE.split():
    if not hasattr(Tensor, f"{name}_"):  # those that do without a copy of what they change are written out
        setattr(Tensor, f"{name}_", inplace.in_place(f"{name}_", getattr(Tensor, name)))
for name in ["squeeze", "swapaxes", "swapdims", "t", "transpose", "unsqueeze"]:
    setattr(Tensor, f"{name}_", inplace.reshaped_in_place(f"{name}_", getattr(Tensor, name)))

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
    "char": backend.int8,
}.items():
    setattr(Tensor, name, _cast(dtype))


# ---- methods that are nothing else ---------------------------------------------------------------------------------------


def _backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradient of this tensor to `.grad` of every leaf it was computed from; see `minitorch.autograd.backward`."""
    backward(self, gradient, retain_graph, create_graph, inputs)


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
    self._node = self._view = None
    return self


def _set_data(self: Tensor, value: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(f"data: expected a Tensor, got {type(value).__name__}")
    if not self.is_leaf:
        raise RuntimeError("data: only the memory of a leaf can be replaced; use copy_() under no_grad()")
    if self.requires_grad and value.dtype.kind not in "fc":
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


def _new_empty(self: Tensor, *size: Any, dtype: np.dtype | None = None, device: Any = None) -> Tensor:
    """An uninitialised tensor with the dtype and device of this one."""
    return creation.empty(*size, dtype=dtype or self.dtype, device=device or self.device)


def _new_full(self: Tensor, size: Any, fill_value: float, *, dtype: np.dtype | None = None, device: Any = None) -> Tensor:
    """A tensor of `fill_value` with the dtype and device of this one."""
    return creation.full(size, fill_value, dtype=dtype or self.dtype, device=device or self.device)


def _new_tensor(self: Tensor, data: Any, *, dtype: np.dtype | None = None, device: Any = None) -> Tensor:
    """A copy of `data` with the dtype and device of this tensor."""
    return creation.tensor(data, dtype=dtype or self.dtype, device=device or self.device)


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
    "new_empty": _new_empty,
    "new_full": _new_full,
    "new_tensor": _new_tensor,
    "bernoulli": creation.bernoulli,
    "multinomial": sampling.multinomial,
    "ndimension": Tensor.dim,
}.items():
    setattr(Tensor, name, function)

Tensor.data = Tensor.data.setter(_set_data)
Tensor.__reduce_ex__ = copies.reduce_ex


def _type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor as the dtype of another."""
    return shape.to(self, dtype=other.dtype)


Tensor.type_as = _type_as
Tensor.type = tensor_types.type_

for name, function in list(vars(Tensor).items()):
    if getattr(function, "__module__", "").startswith(("minitorch.ops", "minitorch.methods")) and not name.startswith("__"):
        setattr(Tensor, name, with_keywords(function))
