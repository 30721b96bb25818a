"""Pooling over windows of an image (N, C, H, W) or a sequence (N, C, L)."""

from __future__ import annotations

from typing import Any, TypeAlias

from layers.calls import OfOne, Options, calls
from minitorch import functional
from minitorch.autograd.tensor import Tensor

_Pair: TypeAlias = int | tuple[int, ...]


@calls()
class _MaxPool(Options):
    kernel_size: _Pair
    stride: _Pair | None = None
    padding: _Pair = 0
    dilation: _Pair = 1
    return_indices: bool = False
    ceil_mode: bool = False
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __post_init__(self) -> None:
        self.stride = self.kernel_size if self.stride is None else self.stride

    def forward(self, input: Tensor) -> Tensor | Any:
        return self._call(input)


@calls(functional.max_pool2d)
class MaxPool2d(_MaxPool):
    """The largest element of each window; one maximum gets the gradient, the first at a tie.

    `stride` defaults to `kernel_size`. With `return_indices` the int64 position of each maximum is returned, too.
    """


@calls(functional.max_pool1d)
class MaxPool1d(_MaxPool):
    """The largest element of each window of sequences (N, C, L); arguments as in `MaxPool2d`."""


@calls(functional.avg_pool2d)
class AvgPool2d(OfOne):
    """The sum of each window divided by `divisor_override` or its size, with padding unless `count_include_pad=False`."""

    kernel_size: _Pair
    stride: _Pair | None = None
    padding: _Pair = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None
    shown = ("kernel_size", "stride", "padding")

    def __post_init__(self) -> None:
        self.stride = self.kernel_size if self.stride is None else self.stride


@calls(functional.avg_pool1d)
class AvgPool1d(OfOne):
    """The mean of each window of sequences (N, C, L), padding included unless `count_include_pad=False`."""

    kernel_size: int | tuple[int]
    stride: int | tuple[int] | None = None
    padding: int | tuple[int] = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    shown = ("kernel_size", "stride", "padding")

    def __post_init__(self) -> None:
        self.stride = self.kernel_size if self.stride is None else self.stride
        for name in ("kernel_size", "stride", "padding"):  # PyTorch keeps a tuple of one
            size = getattr(self, name)
            setattr(self, name, size if isinstance(size, tuple) else (size,))


@calls(functional.adaptive_avg_pool2d)
class AdaptiveAvgPool2d(OfOne):
    """The means of `output_size` (rows, columns) regions of nearly equal size; None keeps a dimension's length."""

    output_size: int | tuple[int | None, int | None] | None


@calls(functional.adaptive_avg_pool1d)
class AdaptiveAvgPool1d(OfOne):
    """The means of `output_size` pieces of nearly equal length of sequences (N, C, L)."""

    output_size: int | tuple[int]
