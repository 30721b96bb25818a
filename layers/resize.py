"""Images enlarged: by zeros or a constant around them, or by repeating their pixels."""

from __future__ import annotations

from collections.abc import Sequence

from layers.module import Module
from minitorch import functional
from minitorch.autograd.tensor import Tensor
from minitorch.ops.resize import DIMENSIONS


class ConstantPad2d(Module):
    """`value` around an image: `padding` is one width, or (left, right, top, bottom); negative widths crop.

    Raises ValueError for another number of widths.
    """

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__()
        self.padding = (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != 4:
            raise ValueError(f"{type(self).__name__}: expected one width or (left, right, top, bottom), got {padding!r}")
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return functional.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPad2d(ConstantPad2d):
    """Zeros around an image: `padding` is one width, or (left, right, top, bottom); negative widths crop."""

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class Upsample(Module):
    """Images (N, C, ...) brought to `size`, or enlarged by `scale_factor`; `functional.interpolate` says what the modes mean.

    Raises ValueError for an unknown mode, and unless exactly one of `size` and `scale_factor` is given.
    """

    def __init__(
        self,
        size: int | tuple[int, ...] | None = None,
        scale_factor: float | tuple[float, ...] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        if mode not in DIMENSIONS:
            raise ValueError(f"Upsample: only modes {', '.join(DIMENSIONS)} are supported, got {mode!r}")
        if (size is None) == (scale_factor is None):
            raise ValueError(f"Upsample: expected either size or scale_factor, got {size} and {scale_factor}")
        super().__init__()
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor: float | tuple[float, ...] | None = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = None if scale_factor is None else float(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return functional.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"
