"""Layers that take the number of their inputs from the first input they are called on, and then become ordinary ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from layers.conv import Conv1d, Conv2d
from layers.linear import Linear
from layers.module import Module
from layers.norm import BatchNorm1d, BatchNorm2d
from minitorch import empty
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device


class _Lazy(Module):
    """A layer with nothing in its parameters before the first call, which fills them and makes it one of the class above it.

    The parameters stay the same objects, so an optimizer may be made before. A state dict is loaded after the first call.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._complete(args[0])
        self.__class__ = next(  # type: ignore[assignment]  # it becomes the layer that it stood for
            kind for kind in type(self).__mro__ if not issubclass(kind, _Lazy)
        )
        return self(*args, **kwargs)

    def _complete(self, input: Tensor) -> None:
        """Take the number of inputs from `input`."""
        raise NotImplementedError

    def _renew(self, **shapes: tuple[int, ...]) -> None:
        """Give parameters and buffers their shapes, and their starting values."""
        for name, shape in shapes.items():
            tensor = getattr(self, name)
            if tensor is not None:
                tensor.data = empty(shape, dtype=tensor.dtype, device=tensor.device)
        self.reset_parameters()


class LazyLinear(_Lazy, Linear):
    """`Linear` with as many in_features as the last dimension of its first input."""

    def __init__(
        self, out_features: int, bias: bool = True, device: Device | str | None = None, dtype: np.dtype | None = None
    ) -> None:
        super().__init__(0, out_features, bias, device, dtype)

    def _complete(self, input: Tensor) -> None:
        self.in_features = input.shape[-1]
        self._renew(weight=(self.out_features, self.in_features))


class _LazyConv(_Lazy):
    """What the lazy convolutions share: arguments as those of the ordinary ones, without in_channels."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
    ) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype)  # type: ignore[call-arg]  # of the layer that stands beside this class among the bases

    def _complete(self, input: Tensor) -> None:
        self.in_channels = channels = input.shape[-1 - self.dims]
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__}: {self.groups} groups do not divide {channels} channels ({tuple(input.shape)})"
            )
        self._renew(weight=(self.out_channels, channels // self.groups, *self.kernel_size))


class LazyConv1d(_LazyConv, Conv1d):
    """`Conv1d` with as many in_channels as its first input."""


class LazyConv2d(_LazyConv, Conv2d):
    """`Conv2d` with as many in_channels as its first input."""


class _LazyBatchNorm(_Lazy):
    """What the lazy batch norms share: arguments as those of the ordinary ones, without num_features."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)  # type: ignore[call-arg]  # as above

    def _complete(self, input: Tensor) -> None:
        self.num_features = n = input.shape[1]
        self._renew(weight=(n,), bias=(n,), running_mean=(n,), running_var=(n,))


class LazyBatchNorm1d(_LazyBatchNorm, BatchNorm1d):
    """`BatchNorm1d` with as many num_features as the channels of its first input."""


class LazyBatchNorm2d(_LazyBatchNorm, BatchNorm2d):
    """`BatchNorm2d` with as many num_features as the channels of its first input."""
