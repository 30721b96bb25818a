"""Convolution and pooling of sequences (n, channels, length), as of images of one row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitorch.autograd.tensor import Tensor
from minitorch.ops.conv import conv2d, conv_transpose2d
from minitorch.ops.dims import shapes
from minitorch.ops.images import plain_sizes
from minitorch.ops.pool import avg_pool2d, max_pool2d, no_stride
from minitorch.ops.resize import adaptive_avg_pool2d

Single = int | tuple[int]


@contextmanager
def _of_one_row(name: str, *tensors: Tensor) -> Iterator[None]:
    """Errors of the operation on images name the one on sequences; raises ValueError for other shapes than sequences."""
    for tensor in tensors:
        if tensor.ndim not in (2, 3):
            raise ValueError(f"{name}: expected sequences (n, channels, length), got shape {shapes(tensor)}")
    try:
        yield
    except (ValueError, TypeError) as reason:
        raise type(reason)(f"{name}: as of images of one row, {reason}") from None


def _row(what: str, value: Any, other: int) -> tuple[int, int]:
    """A size along the sequence as one of an image of one row, `other` across it."""
    sizes = plain_sizes(value)
    if len(sizes) != 1 or type(sizes[0]) is not int:
        raise ValueError(f"expected {what} to be one whole number, got {value!r}")
    return other, sizes[0]


def _step(stride: Any) -> tuple[int, int] | None:
    return None if no_stride(stride) else _row("stride", stride, 1)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Single = 1,
    padding: Single | str = 0,
    dilation: Single = 1,
    groups: int = 1,
) -> Tensor:
    """The correlation of sequences (n, in, length) with filters (out, in / groups, k), plus bias (out); as `conv2d`."""
    with _of_one_row("conv1d", input, weight):
        around = padding if isinstance(padding, str) else _row("padding", padding, 0)
        steps = _row("stride", stride, 1), around, _row("dilation", dilation, 1)
        return conv2d(input.unsqueeze(-2), weight.unsqueeze(-2), bias, *steps, groups).squeeze(-2)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Single = 1,
    padding: Single = 0,
    output_padding: Single = 0,
    groups: int = 1,
    dilation: Single = 1,
) -> Tensor:
    """The transpose of conv1d: sequences (n, in, length), filters (in, out / groups, k); as `conv_transpose2d`."""
    with _of_one_row("conv_transpose1d", input, weight):
        more = _row("padding", padding, 0), _row("output_padding", output_padding, 0), groups, _row("dilation", dilation, 1)
        return conv_transpose2d(input.unsqueeze(-2), weight.unsqueeze(-2), bias, _row("stride", stride, 1), *more).squeeze(-2)


def max_pool1d(
    input: Tensor,
    kernel_size: Single,
    stride: Single | None = None,
    padding: Single = 0,
    dilation: Single = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | Any:
    """The largest of each window of sequences (n, channels, length), and where it lies with `return_indices`."""
    with _of_one_row("max_pool1d", input):
        if 0 in input.shape[-2:]:
            raise ValueError(f"expected at least one channel and one element, got shape {shapes(input)}")
        kernel, step = _row("kernel_size", kernel_size, 1), _step(stride)
        around, apart = _row("padding", padding, 0), _row("dilation", dilation, 1)
        found = max_pool2d(input.unsqueeze(-2), kernel, step, around, apart, ceil_mode, return_indices)
        return tuple(part.squeeze(-2) for part in found) if return_indices else found.squeeze(-2)


def avg_pool1d(
    input: Tensor,
    kernel_size: Single,
    stride: Single | None = None,
    padding: Single = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of sequences (n, channels, length); padding counts unless `count_include_pad=False`."""
    if input.dtype.kind in "iu":
        means = avg_pool1d(input.double(), kernel_size, stride, padding, ceil_mode, count_include_pad)
        return means.trunc().type(input.dtype)
    with _of_one_row("avg_pool1d", input):
        kernel, step = _row("kernel_size", kernel_size, 1), _step(stride)
        around = _row("padding", padding, 0)
        return avg_pool2d(input.unsqueeze(-2), kernel, step, around, ceil_mode, count_include_pad).squeeze(-2)


def adaptive_avg_pool1d(input: Tensor, output_size: Single) -> Tensor:
    """The means of `output_size` stretches of nearly equal length of sequences (n, channels, length)."""
    with _of_one_row("adaptive_avg_pool1d", input):
        return adaptive_avg_pool2d(input.unsqueeze(-2), _row("output_size", output_size, 1)).squeeze(-2)
