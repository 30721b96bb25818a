"""Convolutions of images (N, C, H, W) and sequences (N, C, L)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from layers import init
from layers.module import Module
from layers.parameter import DeviceLike, DTypeLike, add
from minitorch import functional
from minitorch.autograd.tensor import Tensor
from minitorch.ops.dims import whole
from minitorch.ops.images import sizes

_Sizes: TypeAlias = int | tuple[int, ...]


class _Conv(Module):
    """Base class of the convolutions: parameters, checks and repr; sizes are kept as tuples of `dims` numbers."""

    dims: int
    function: Callable[..., Tensor]
    modes: tuple[str, ...] = ("zeros", "reflect", "replicate", "circular")
    transposed = False

    def __init__(
        self,
        in_channels: int,
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
        super().__init__()
        name = type(self).__name__
        in_channels, out_channels = whole(name, "in_channels", in_channels), whole(name, "out_channels", out_channels)
        groups = whole(name, "groups", groups)
        if groups <= 0 or in_channels % groups or out_channels % groups:
            got = f"in_channels {in_channels}, out_channels {out_channels}, groups {groups}"
            raise ValueError(f"{name}: expected groups to divide both channel counts, got {got}")
        if padding_mode not in self.modes:
            raise ValueError(f"{name}: expected padding_mode {', '.join(map(repr, self.modes))}, got {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size = sizes(name, "kernel_size", kernel_size, 1, self.dims)
        self.stride: Any = sizes(name, "stride", stride, 1, self.dims)
        self.dilation: Any = sizes(name, "dilation", dilation, 1, self.dims)
        self.output_padding = (0,) * self.dims
        self.padding: Any = padding
        if not isinstance(padding, str) or self.transposed:
            self.padding = sizes(name, "padding", padding, 0, self.dims)
        elif padding not in ("same", "valid"):
            raise ValueError(f"{name}: expected padding 'same', 'valid' or numbers, got {padding!r}")
        elif padding == "same" and set(self.stride) != {1}:
            raise ValueError(f"{name}: padding 'same' needs a stride of 1, got {stride!r}")
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        add(self, device, dtype, weight=(*channels, *self.kernel_size), bias=(out_channels,) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias again."""
        init.torch_default_(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros" and padding != "valid":  # padded here, not by the convolution
            if padding == "same":
                whole = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
                padding = [(n // 2, n - n // 2) for n in whole]
            else:
                padding = [(n, n) for n in padding]
            around = [n for pair in reversed(padding) for n in pair]
            input, padding = functional.pad(input, around, self.padding_mode), 0
        return self.function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        zero, one = (0,) * self.dims, (1,) * self.dims
        usual = {"padding": zero, "dilation": one, "output_padding": zero, "groups": 1, "bias": True, "padding_mode": "zeros"}
        values = vars(self) | {"bias": self.bias is not None}
        others = [f"{name}={values[name]}" for name, default in usual.items() if values[name] != default]
        shape = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        return ", ".join([shape, *others])


class Conv2d(_Conv):
    """Cross-correlation of images (N, in_channels, H, W) with `weight` (out_channels, in_channels / groups, kH, kW), plus bias.

    Sizes are one number or (height, width); `padding` may be "same" (for stride 1) or "valid", and `padding_mode` "reflect",
    "replicate" or "circular" instead of "zeros". Weight and bias start uniform in ±1 / sqrt(in_channels / groups * kH * kW).
    Raises ValueError if `groups` does not divide both channel counts, and for "same" with another stride.
    """

    dims, function = 2, staticmethod(functional.conv2d)


class Conv1d(_Conv):
    """Cross-correlation of sequences (N, in_channels, L) with `weight` (out_channels, in_channels / groups, k), plus bias.

    Arguments as in `Conv2d`.
    """

    dims, function = 1, staticmethod(functional.conv1d)


class _ConvTranspose(_Conv):
    modes, transposed = ("zeros",), True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Sizes,
        stride: _Sizes = 1,
        padding: _Sizes = 0,
        output_padding: _Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _Sizes = 1,
        padding_mode: str = "zeros",
        device: DeviceLike = None,
        dtype: DTypeLike = None,
    ) -> None:
        shape = in_channels, out_channels, kernel_size, stride, padding, dilation
        super().__init__(*shape, groups, bias, padding_mode, device, dtype)
        self.output_padding = sizes(type(self).__name__, "output_padding", output_padding, 0, self.dims)

    def _extra(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        """The output padding that gives `output_size`."""
        settings = zip(input.shape[-self.dims :], self.stride, self.padding, self.dilation, self.kernel_size)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in settings]
        extra = tuple(size - smallest for size, smallest in zip(output_size[-self.dims :], least))
        if any(not 0 <= e < max(s, d) for e, s, d in zip(extra, self.stride, self.dilation)):
            said = f"input {tuple(input.shape)} cannot give an output of {tuple(output_size)}"
            expected = f"at least {tuple(least)} and less than a stride {self.stride} more"
            raise ValueError(f"{type(self).__name__}: {said}; expected {expected}")
        return extra

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        settings: Any = (self.stride, self.padding, extra, self.groups, self.dilation)
        return self.function(input, self.weight, self.bias, *settings)


class ConvTranspose2d(_ConvTranspose):
    """The gradient of `Conv2d` as a layer: (N, in_channels, H, W) to a larger image, `weight` (in, out / groups, kH, kW).

    With a stride several output sizes are possible; the call's `output_size` chooses one. Raises ValueError as `Conv2d` does.
    """

    dims, function = 2, staticmethod(functional.conv_transpose2d)


class ConvTranspose1d(_ConvTranspose):
    """The gradient of `Conv1d` as a layer: (N, in_channels, L) to a longer sequence; arguments as in `ConvTranspose2d`."""

    dims, function = 1, staticmethod(functional.conv_transpose1d)
