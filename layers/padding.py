"""Padding as modules: `padding` is one width for all sides, or (left, right), (left, right, top, bottom) of them."""

from __future__ import annotations

from collections.abc import Sequence

from layers.module import Module
from minitorch import functional
from minitorch.autograd.tensor import Tensor


class _Pad(Module):
    """Padding of the last `dims` dimensions in `mode`; negative widths crop. Raises ValueError for a number of widths."""

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
    """`value` around a sequence (N, C, L)."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """`value` around an image (N, C, H, W)."""

    dims = 2


class ZeroPad1d(_Pad):
    """Zeros around a sequence (N, C, L)."""

    dims = 1


class ZeroPad2d(_Pad):
    """Zeros around an image (N, C, H, W)."""

    dims = 2


class ReflectionPad1d(_Pad):
    """The mirror image, without the edge itself, around a sequence (N, C, L)."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """The mirror image, without the edge itself, around an image (N, C, H, W)."""

    dims, mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """The edge again and again around a sequence (N, C, L)."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The edge again and again around an image (N, C, H, W)."""

    dims, mode = 2, "replicate"


class CircularPad2d(_Pad):
    """The opposite side around an image (N, C, H, W)."""

    dims, mode = 2, "circular"
