"""Layers that resize images and sequences, turn channels into pixels, and patches into columns."""

from __future__ import annotations

from typing import Any, TypeAlias

from layers.calls import OfOne, calls
from minitorch import functional
from minitorch.ops.resize import DIMENSIONS

_Pair: TypeAlias = int | tuple[int, int]


@calls(functional.interpolate)
class Upsample(OfOne):
    """Resizes images (N, C, H, W), sequences or volumes to `size` or by `scale_factor`, as `functional.interpolate`.

    Raises ValueError for an unknown mode and unless exactly one of `size` and `scale_factor` is given.
    """

    size: int | tuple[int, ...] | None = None
    scale_factor: float | tuple[float, ...] | None = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def __post_init__(self) -> None:
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


@calls(functional.pixel_shuffle)
class PixelShuffle(OfOne):
    """(..., C r^2, H, W) to (..., C, H r, W r): each r^2 channels become a square of pixels (Shi et al. 2016)."""

    upscale_factor: int


@calls(functional.pixel_unshuffle)
class PixelUnshuffle(OfOne):
    """The reverse of `PixelShuffle`."""

    downscale_factor: int


@calls(functional.unfold)
class Unfold(OfOne):
    """im2col: the patches of images (N, C, H, W) as columns (N, C kH kW, positions)."""

    kernel_size: _Pair
    dilation: _Pair = 1
    padding: _Pair = 0
    stride: _Pair = 1


@calls(functional.fold)
class Fold(OfOne):
    """col2im: columns (N, C kH kW, positions) added up at the places of their patches in images (N, C, *output_size)."""

    output_size: _Pair
    kernel_size: _Pair
    dilation: _Pair = 1
    padding: _Pair = 0
    stride: _Pair = 1
