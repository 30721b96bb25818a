"""Layers that take their number of inputs from the first call, and then become ordinary layers."""

from __future__ import annotations

from typing import Any

from layers.conv import Conv1d, Conv2d, _Conv, _Sizes
from layers.linear import Linear
from layers.module import Module
from layers.norm import BatchNorm1d, BatchNorm2d, _BatchNorm
from layers.parameter import DeviceLike, DTypeLike
from minitorch import empty
from minitorch.autograd.tensor import Tensor


class _Lazy(Module):
    """A layer whose parameters are empty until the first call, which fills them and turns it into the ordinary layer.

    The parameters stay the same objects, so the optimizer may be made earlier. Load a state dict only after the first call.
    """

    _shapes: Any  # a method: sets the number of inputs from the first one, and returns the shapes of parameters and buffers

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for name, shape in self._shapes(args[0]).items():
            tensor = getattr(self, name)
            if tensor is not None:
                tensor.data = empty(shape, dtype=tensor.dtype, device=tensor.device)
        self.reset_parameters()
        ordinary: Any = next(kind for kind in type(self).__mro__ if not issubclass(kind, _Lazy))
        self.__class__ = ordinary
        return self(*args, **kwargs)


class LazyLinear(_Lazy, Linear):
    """`Linear` with as many in_features as the last dimension of its first input."""

    def __init__(self, out_features: int, bias: bool = True, device: DeviceLike = None, dtype: DTypeLike = None) -> None:
        super().__init__(0, out_features, bias, device, dtype)

    def _shapes(self, input: Tensor) -> dict[str, tuple[int, ...]]:
        self.in_features = input.shape[-1]
        return {"weight": (self.out_features, self.in_features)}


class _LazyConv(_Lazy, _Conv):
    """Takes the arguments of the ordinary convolutions, without in_channels."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: _Sizes,
        stride: _Sizes = 1,
        padding: _Sizes | str = 0,
        dilation: _Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: DeviceLike = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype)

    def _shapes(self, input: Tensor) -> dict[str, tuple[int, ...]]:
        self.in_channels = channels = input.shape[-1 - self.dims]
        if channels % self.groups:
            given = f"{channels} channels ({tuple(input.shape)})"
            raise ValueError(f"{type(self).__name__}: {self.groups} groups do not divide {given}")
        return {"weight": (self.out_channels, channels // self.groups, *self.kernel_size)}


class LazyConv1d(_LazyConv, Conv1d):
    """`Conv1d` with as many in_channels as its first input."""


class LazyConv2d(_LazyConv, Conv2d):
    """`Conv2d` with as many in_channels as its first input."""


class _LazyBatchNorm(_Lazy, _BatchNorm):
    """Takes the arguments of the ordinary batch norms, without num_features."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _shapes(self, input: Tensor) -> dict[str, tuple[int, ...]]:
        self.num_features = n = input.shape[1]
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (n,))


class LazyBatchNorm1d(_LazyBatchNorm, BatchNorm1d):
    """`BatchNorm1d` with as many num_features as the channels of its first input."""


class LazyBatchNorm2d(_LazyBatchNorm, BatchNorm2d):
    """`BatchNorm2d` with as many num_features as the channels of its first input."""
