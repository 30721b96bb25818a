"""Convolutions of images (N, C, H, W) and sequences (N, C, L)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layers import init
from layers.module import Module
from layers.parameter import Parameter
from minitorch import empty, functional
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device

_Single = int | tuple[int]
_Pair = int | tuple[int, int]
_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class _Conv(Module):
    """What all convolutions share: the parameters, their checks and their description; sizes are tuples of `dims` numbers."""

    dims: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any = 0,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Device | str | None,
        dtype: np.dtype | None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if groups <= 0 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: expected groups to divide both channel counts, got in_channels {in_channels}, out_channels "
                f"{out_channels}, groups {groups}"
            )
        if padding_mode not in _MODES or (self.transposed and padding_mode != "zeros"):
            modes = "'zeros'" if self.transposed else ", ".join(map(repr, _MODES))
            raise ValueError(f"{name}: expected padding_mode {modes}, got {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size = self._sizes("kernel_size", kernel_size, 1)
        self.stride: Any = self._sizes("stride", stride, 1)
        self.dilation: Any = self._sizes("dilation", dilation, 1)
        self.output_padding = self._sizes("output_padding", output_padding, 0)
        self.padding: Any = padding if isinstance(padding, str) and not self.transposed else self._sizes("padding", padding, 0)
        if isinstance(self.padding, str) and self.padding not in ("same", "valid"):
            raise ValueError(f"{name}: expected padding 'same', 'valid' or numbers, got {padding!r}")
        if self.padding == "same" and set(self.stride) != {1}:
            raise ValueError(f"{name}: padding 'same' needs a stride of 1, got {stride!r}")
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty(*channels, *self.kernel_size, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def _sizes(self, what: str, value: Any, least: int) -> tuple[int, ...]:
        """A number for each dimension; raises ValueError for another form or one below `least`."""
        sizes = tuple(value) if isinstance(value, (tuple, list)) else (value,) * self.dims
        if len(sizes) != self.dims or not all(isinstance(n, (int, np.integer)) and n >= least for n in sizes):
            form = "one whole number" if self.dims == 1 else f"one or {self.dims} whole numbers"
            raise ValueError(f"{type(self).__name__}: expected {what} to be {form} of at least {least}, got {value!r}")
        return tuple(map(int, sizes))

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.torch_default_(self.weight, self.bias)

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """The input, padded here unless with zeros, and the padding that is left to the convolution."""
        if self.padding_mode == "zeros" or self.padding == "valid":
            return input, self.padding
        if self.padding == "same":
            whole = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size)]
            around = [(n // 2, n - n // 2) for n in whole]
        else:
            around = [(n, n) for n in self.padding]
        return functional.pad(input, [n for pair in reversed(around) for n in pair], _MODES[self.padding_mode]), 0

    def _extra(self, input: Tensor, output_size: Sequence[int] | None) -> Any:
        """The output padding that makes an output of `output_size`; the layer's own if that is None."""
        if output_size is None:
            return self.output_padding
        settings = zip(input.shape[-self.dims :], self.stride, self.padding, self.dilation, self.kernel_size)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in settings]
        extra = tuple(size - smallest for size, smallest in zip(output_size[-self.dims :], least))
        if any(not 0 <= e < max(s, d) for e, s, d in zip(extra, self.stride, self.dilation)):
            raise ValueError(
                f"{type(self).__name__}: an output of {tuple(output_size)} does not come of input {tuple(input.shape)}; "
                "the smallest "
                f"is {tuple(least)}, the largest less than a stride {self.stride} more"
            )
        return extra

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, default in {"padding": 0, "dilation": 1, "output_padding": 0}.items():
            if getattr(self, name) != (default,) * self.dims:
                parts.append(f"{name}={getattr(self, name)}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class Conv2d(_Conv):
    """Cross-correlation of images (N, in_channels, H, W) with `weight` (out_channels, in_channels / groups, kH, kW), plus bias.

    Sizes are one number or (height, width); `padding` may be "same" (for stride 1) or "valid", and `padding_mode` "reflect",
    "replicate" or "circular" instead of "zeros". Weight and bias start uniform in ±1 / sqrt(in_channels / groups * kH * kW).
    Raises ValueError for groups that do not divide the channels and for "same" with a stride.
    """

    dims = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Pair,
        stride: _Pair = 1,
        padding: _Pair | str = 0,
        dilation: _Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return functional.conv2d(
            input,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class Conv1d(_Conv):
    """Cross-correlation of sequences (N, in_channels, L) with `weight` (out_channels, in_channels / groups, k), plus bias.

    Arguments as in `Conv2d`.
    """

    dims = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Single,
        stride: _Single = 1,
        padding: _Single | str = 0,
        dilation: _Single = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return functional.conv1d(
            input,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class ConvTranspose2d(_Conv):
    """The gradient of `Conv2d` as a layer: (N, in_channels, H, W) to a larger image, `weight` (in, out / groups, kH, kW).

    The call takes an `output_size`, one of those that the stride leaves open. Raises ValueError as `Conv2d` does.
    """

    dims, transposed = 2, True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Pair,
        stride: _Pair = 1,
        padding: _Pair = 0,
        output_padding: _Pair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _Pair = 1,
        padding_mode: str = "zeros",
        device: Device | str | None = None,
        dtype: np.dtype | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return functional.conv_transpose2d(
            input,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            output_padding=self._extra(input, output_size),
            groups=self.groups,
            dilation=self.dilation,
        )
