"""Padding as modules: `padding` is one width for all sides, (left, right), or (left, right, top, bottom)."""

from __future__ import annotations

from collections.abc import Sequence

from layers.module import Module
from minitorch import functional
from minitorch.autograd.tensor import Tensor


class _Pad(Module):
    """Padding of the last `dims` dimensions in `mode`; negative widths crop. Raises ValueError for a wrong number of widths."""

    dims: int
    mode = "constant"
    value = 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != 2 * self.dims:
            sides = ", ".join(["left", "right", "top", "bottom"][: 2 * self.dims])
            raise ValueError(f"{type(self).__name__}: expected one width or ({sides}), got {padding!r}")

    def forward(self, input: Tensor) -> Tensor:
        return functional.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Pads a sequence (N, C, L) with `value`."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """Pads an image (N, C, H, W) with `value`."""

    dims = 2


class ZeroPad1d(_Pad):
    """Pads a sequence (N, C, L) with zeros."""

    dims = 1


class ZeroPad2d(_Pad):
    """Pads an image (N, C, H, W) with zeros."""

    dims = 2


class ReflectionPad1d(_Pad):
    """Pads a sequence (N, C, L) with its mirror image, which does not repeat the edge."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Pads an image (N, C, H, W) with its mirror image, which does not repeat the edge."""

    dims, mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """Pads a sequence (N, C, L) with copies of its edge."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Pads an image (N, C, H, W) with copies of its edge."""

    dims, mode = 2, "replicate"


class CircularPad2d(_Pad):
    """Pads an image (N, C, H, W) with its opposite side."""

    dims, mode = 2, "circular"
