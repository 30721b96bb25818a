"""Layers of images (N, C, H, W) and sequences (N, C, L) without parameters: pooling, padding, resizing, patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

from layers.calls import OfOne, Options
from minitorch import functional
from minitorch.autograd.tensor import Tensor
from minitorch.ops.resize import DIMENSIONS

_Sizes: TypeAlias = int | tuple[int, ...]

# ---- pooling -------------------------------------------------------------------------------------------------------------


class _Pool(OfOne):
    kernel_size: _Sizes
    stride: _Sizes | None = None
    padding: _Sizes = 0

    def _prepare(self, given: Any) -> None:
        self.stride = self.kernel_size if self.stride is None else self.stride


class _MaxPool(_Pool, shown=("kernel_size", "stride", "padding", "dilation", "ceil_mode")):
    dilation: _Sizes = 1
    return_indices: bool = False
    ceil_mode: bool = False

    def forward(self, input: Tensor) -> Tensor | Any:
        return self._call(input)


class MaxPool2d(_MaxPool, calls=functional.max_pool2d):
    """The largest element of each window; one maximum gets the gradient, the first at a tie.

    `stride` defaults to `kernel_size`. With `return_indices` the int64 position of each maximum is returned, too.
    """


class MaxPool1d(_MaxPool, calls=functional.max_pool1d):
    """The largest element of each window of sequences (N, C, L); arguments as in `MaxPool2d`."""


class _AvgPool(_Pool, shown=("kernel_size", "stride", "padding")):
    ceil_mode: bool = False
    count_include_pad: bool = True


class AvgPool2d(_AvgPool, calls=functional.avg_pool2d):
    """The sum of each window divided by `divisor_override` or its size, with padding unless `count_include_pad=False`."""

    divisor_override: int | None = None


class AvgPool1d(_AvgPool, calls=functional.avg_pool1d):
    """The mean of each window of sequences (N, C, L), padding included unless `count_include_pad=False`."""

    def _prepare(self, given: Any) -> None:
        super()._prepare(given)
        for name in self.shown or ():  # PyTorch keeps a tuple of one
            size = getattr(self, name)
            setattr(self, name, size if isinstance(size, tuple) else (size,))


class AdaptiveAvgPool2d(OfOne, calls=functional.adaptive_avg_pool2d):
    """The means of `output_size` (rows, columns) regions of nearly equal size; None keeps a dimension's length."""

    output_size: int | tuple[int | None, int | None] | None


class AdaptiveMaxPool2d(OfOne, calls=functional.adaptive_max_pool2d, shown=("output_size",)):
    """The largest of each of `output_size` regions as in `AdaptiveAvgPool2d`; with `return_indices` also its int64 position."""

    output_size: int | tuple[int | None, int | None] | None
    return_indices: bool = False


class AdaptiveAvgPool1d(OfOne, calls=functional.adaptive_avg_pool1d):
    """The means of `output_size` pieces of nearly equal length of sequences (N, C, L)."""

    output_size: int | tuple[int]


# ---- padding -------------------------------------------------------------------------------------------------------------


class _Pad(Options, mode="constant"):
    """Padding of the last `dims` dimensions in `mode`; negative widths crop.

    `padding` is one width for all sides, (left, right), or (left, right, top, bottom). Raises ValueError for another number.
    """

    padding: int | Sequence[int]
    dims: ClassVar[int]
    mode: ClassVar[str]

    def _prepare(self, given: Any) -> None:
        given, sides = self.padding, ("left", "right", "top", "bottom")[: 2 * self.dims]
        self.padding = (given,) * len(sides) if isinstance(given, int) else tuple(given)
        if len(self.padding) != len(sides):
            raise ValueError(f"{type(self).__name__}: expected one width or ({', '.join(sides)}), got {given!r}")

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        return functional.pad(input, padding, self.mode, getattr(self, "value", 0.0))

    def extra_repr(self) -> str:
        return super().extra_repr() if "value" in self.fields else f"{self.padding}"


class _ConstantPad(_Pad):
    value: float


class ConstantPad1d(_ConstantPad, dims=1):
    """Pads a sequence (N, C, L) with `value`."""


class ConstantPad2d(_ConstantPad, dims=2):
    """Pads an image (N, C, H, W) with `value`."""


class ZeroPad1d(_Pad, dims=1):
    """Pads a sequence (N, C, L) with zeros."""


class ZeroPad2d(_Pad, dims=2):
    """Pads an image (N, C, H, W) with zeros."""


class ReflectionPad1d(_Pad, dims=1, mode="reflect"):
    """Pads a sequence (N, C, L) with its mirror image, which does not repeat the edge."""


class ReflectionPad2d(_Pad, dims=2, mode="reflect"):
    """Pads an image (N, C, H, W) with its mirror image, which does not repeat the edge."""


class ReplicationPad1d(_Pad, dims=1, mode="replicate"):
    """Pads a sequence (N, C, L) with copies of its edge."""


class ReplicationPad2d(_Pad, dims=2, mode="replicate"):
    """Pads an image (N, C, H, W) with copies of its edge."""


class CircularPad2d(_Pad, dims=2, mode="circular"):
    """Pads an image (N, C, H, W) with its opposite side."""


# ---- resizing and patches ------------------------------------------------------------------------------------------------


class Upsample(OfOne, calls=functional.interpolate):
    """Resizes images (N, C, H, W), sequences or volumes to `size` or by `scale_factor`, as `functional.interpolate`.

    Raises ValueError for an unknown mode and unless exactly one of `size` and `scale_factor` is given.
    """

    size: _Sizes | None = None
    scale_factor: float | tuple[float, ...] | None = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def _prepare(self, given: Any) -> None:
        if self.mode not in DIMENSIONS:
            raise ValueError(f"Upsample: only modes {', '.join(DIMENSIONS)} are supported, got {self.mode!r}")
        if (self.size is None) == (self.scale_factor is None):
            raise ValueError(f"Upsample: expected either size or scale_factor, got {self.size} and {self.scale_factor}")
        factor: Any = self.scale_factor
        if factor is not None:
            self.scale_factor = tuple(map(float, factor)) if isinstance(factor, tuple) else float(factor)

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"


class PixelShuffle(OfOne, calls=functional.pixel_shuffle):
    """(..., C r^2, H, W) to (..., C, H r, W r): each r^2 channels become a square of pixels (Shi et al. 2016)."""

    upscale_factor: int


class Unfold(OfOne, calls=functional.unfold):
    """im2col: the patches of images (N, C, H, W) as columns (N, C kH kW, positions)."""

    kernel_size: _Sizes
    dilation: _Sizes = 1
    padding: _Sizes = 0
    stride: _Sizes = 1


class Fold(OfOne, calls=functional.fold):
    """col2im: columns (N, C kH kW, positions) added up at the places of their patches in images (N, C, *output_size)."""

    output_size: _Sizes
    kernel_size: _Sizes
    dilation: _Sizes = 1
    padding: _Sizes = 0
    stride: _Sizes = 1
