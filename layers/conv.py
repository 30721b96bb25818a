"""Convolutions."""

from __future__ import annotations

import numpy as np

from layers import init
from layers.module import Module
from layers.parameter import Parameter
from minitorch import empty, functional
from minitorch.autograd.tensor import Tensor
from minitorch.backend import Device
from minitorch.ops.images import pair

_Pair = int | tuple[int, int]


class _Conv2d(Module):
    """What `Conv2d` and `ConvTranspose2d` share: the parameters, their checks and their description."""

    transposed: bool

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Pair,
        stride: _Pair,
        padding: _Pair,
        output_padding: _Pair,
        dilation: _Pair,
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
        if padding_mode != "zeros":
            raise ValueError(f"{name}: only padding_mode 'zeros' is supported, got {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(name, "kernel_size", kernel_size, 1)
        self.stride = pair(name, "stride", stride, 1)
        self.padding: tuple[int, int] | str = pair(name, "padding", padding, 0)
        self.dilation = pair(name, "dilation", dilation, 1)
        self.output_padding = pair(name, "output_padding", output_padding, 0)
        self.groups = groups
        self.padding_mode = padding_mode
        channels = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty(*channels, *self.kernel_size, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        init.torch_default_(self.weight, self.bias)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != (0, 0):
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


class Conv2d(_Conv2d):
    """Cross-correlation of images (N, in_channels, H, W) with `weight` (out_channels, in_channels / groups, kH, kW), plus bias.

    Sizes are one number or (height, width); `padding` may be "same" (for stride 1) or "valid". Weight and bias start uniform
    in ±1 / sqrt(in_channels / groups * kH * kW). Raises ValueError for groups that do not divide the channels, for "same"
    with a stride, and for a padding_mode other than "zeros", which PyTorch has.
    """

    transposed = False

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
        named = isinstance(padding, str)
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            0 if named else padding,
            0,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )
        if named:
            if padding not in ("same", "valid"):
                raise ValueError(f"Conv2d: expected padding 'same', 'valid' or numbers, got {padding!r}")
            if padding == "same" and self.stride != (1, 1):
                raise ValueError(f"Conv2d: padding 'same' needs a stride of 1, got {stride!r}")
            self.padding = padding

    def forward(self, input: Tensor) -> Tensor:
        return functional.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_Conv2d):
    """The gradient of `Conv2d` as a layer: (N, in_channels, H, W) to a larger image, `weight` (in, out / groups, kH, kW).

    Raises ValueError as `Conv2d` does. PyTorch's `output_size` argument of the call is not supported: give `output_padding`.
    """

    transposed = True

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
            kernel_size,
            stride,
            padding,
            output_padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        return functional.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )
