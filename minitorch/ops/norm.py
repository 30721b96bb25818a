"""Normalisation: to mean 0 and variance 1 over some dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.accumulate import in_float32
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.op import Op
from minitorch.autograd.tensor import Tensor
from minitorch.backend import array_module
from minitorch.ops.arithmetic import rsqrt
from minitorch.ops.choice import clamp
from minitorch.ops.dims import shapes
from minitorch.ops.images import at_pixels, is_channels_last
from minitorch.ops.reduce import channel_sums, kept, mean, norm
from minitorch.ops.row_norm import GroupNorm, LayerNorm


class Normalize(Op):
    """y = n w + b with n = (x - mean) / sqrt(var + eps), mean and variance of each channel of (n, c, ...); w, b (c,) or None.

    With sums over all but the channels, and m elements in each channel: dw = sum(g n), db = sum(g),
    dx = w (g - db / m - n dw / m) / sqrt(var + eps) (Ioffe & Szegedy 2015, section 3).
    """

    def forward(ctx, x: Any, w: Any, b: Any, eps: Any, running: Any = None) -> Any:
        dims = (0, *range(2, x.ndim))
        ctx.dims, ctx.eps, ctx.kept = dims, eps, kept(x.shape, dims)
        ctx.count: int = math.prod(x.shape[d] for d in dims)
        middle = (channel_sums(x) / ctx.count).reshape(ctx.kept)
        y = x - _along(x, middle)
        variance = (channel_sums(y * y) / ctx.count).reshape(ctx.kept)
        inverse = 1 / array_module(x).sqrt(variance + eps)
        y *= _along(x, inverse if w is None else inverse * w.reshape(ctx.kept))
        if b is not None:
            y += _along(x, b.reshape(ctx.kept))
        if running is not None:
            mean, var, momentum = running
            _move(mean, var, momentum, middle.reshape(-1), variance.reshape(-1), ctx.count)
        ctx.saved = x, w, middle, inverse
        return y

    def backward(ctx, g: Any) -> Any:
        x, w, middle, inverse = ctx.saved
        if isinstance(g, Tensor):  # recorded: the statistics depend on x too
            middle = mean(x, ctx.dims, keepdim=True)
            inverse = rsqrt(mean((x - middle) * (x - middle), ctx.dims, keepdim=True) + ctx.eps)
        centred = x - _along(x, middle)
        db = channel_sums(g).reshape(ctx.kept)
        dw = channel_sums(g * centred).reshape(ctx.kept) * inverse
        dx = None
        if ctx.needs(0):
            scale = inverse if w is None else inverse * w.reshape(ctx.kept)
            of_normal = inverse * dw / ctx.count
            dx = g - _along(g, db / ctx.count)
            dx -= centred * _along(x, of_normal)
            dx *= _along(x, scale)
        return dx, None if w is None else dw.reshape(w.shape), db.reshape(-1)


def _along(x: Any, a: Any) -> Any:
    """`a`, constant over dimensions of `x`, in the layout that NumPy combines fastest: for channels-last images, at each pixel.

    Forward and backward of (25, 16, 14, 14) take 0.30 ms with it, 0.43 with (1, c, 1, 1).
    """
    if isinstance(a, Tensor) or not is_channels_last(x) or a.shape != (1, x.shape[1], 1, 1) or array_module(x) is not np:
        return a
    return at_pixels(a, *x.shape[2:]).transpose(2, 0, 1)


Shape = int | tuple[int, ...]


def _check(name: str, input: Tensor, shape: tuple[int, ...], **tensors: Tensor | None) -> None:
    """Raise unless the input is of floats, and the `tensors` that are given have `shape` and its dtype."""
    if input.dtype.kind not in "fc":
        raise TypeError(f"{name}: expected a floating-point input, got {input.dtype}")
    for what, tensor in tensors.items():
        if tensor is not None and tensor.shape != shape:
            raise ValueError(f"{name}: expected {what} of shape {shape} for input {shapes(input)}, got {shapes(tensor)}")
        if tensor is not None and tensor.dtype != input.dtype:
            raise TypeError(f"{name}: input is {input.dtype}, {what} {tensor.dtype}")


def _last(name: str, input: Tensor, normalized_shape: Shape, **tensors: Tensor | None) -> tuple[int, ...]:
    """The last dimensions that are normalised, checked, with the `tensors` of that shape."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    _check(name, input, shape, **tensors)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ValueError(f"{name}: expected input (..., {', '.join(map(str, shape))}), got shape {shapes(input)}")
    return shape


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of `input` (n, channels, ...) normalised, then times `weight` plus `bias` (channels).

    Training uses the batch's mean and variance, which also move the running ones: new = (1 - momentum) old + momentum batch,
    the variance there with n - 1; otherwise the running ones are used. Raises ValueError if the shapes do not fit, for an `eps`
    that is not above 0 (0 is allowed with running statistics), and in training with one value per channel.
    """
    if eps < 0 or (training and eps == 0):
        raise ValueError(f"batch_norm: expected an eps above 0, got {eps}")
    if input.ndim < 2 and input.shape != (0,):
        raise ValueError(f"batch_norm: expected input (n, channels, ...), got shape {shapes(input)}")
    channels = input.shape[1] if input.ndim > 1 else 0
    _check("batch_norm", input, (channels,), running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: expected running_mean and running_var together, or neither")
    dims = (0, *range(2, input.ndim))
    count = math.prod(input.shape[d] for d in dims)
    if training and not count:  # an empty batch moves nothing
        return _affine(input.clone(), weight, bias)
    if training:
        if count < 2:
            raise ValueError(f"batch_norm: expected more than 1 value per channel in training, got input {shapes(input)}")
        running = None if running_mean is None or running_var is None else (running_mean.array, running_var.array, momentum)
        return _normalized(input, weight, bias, eps=eps, running=running)
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: expected running_mean and running_var where training is False")
    return _by_running(input, running_mean, running_var, weight, bias, eps)


@in_float32
def _by_running(input: Tensor, mean: Tensor, var: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Each channel normalised by statistics that do not depend on the input."""
    scale = rsqrt(var + eps)
    scale = scale if weight is None else scale * weight
    return _affine(input, scale, -(mean * scale) if bias is None else bias - mean * scale)


def _affine(input: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    shape = (1, -1) + (1,) * (input.ndim - 2) if input.ndim > 1 else (-1,)
    out = input if scale is None else input * scale.reshape(shape)
    return out if shift is None else out + shift.reshape(shape)


_normalized = in_float32(Normalize.apply)


def _move(means: Any, variances: Any, momentum: float, middle: Any, variance: Any, count: int) -> None:
    """Move running statistics, in place, towards a batch's; the running variance is the unbiased one."""
    for running, batch in (means, middle), (variances, variance * (count / (count - 1))):
        if running.dtype == batch.dtype:
            running *= 1 - momentum
            running += batch * momentum
        else:  # those of float16, rounded once
            running[...] = running.astype(batch.dtype) * (1 - momentum) + batch * momentum
        mark_changed(running, "batch_norm's running statistics")


@in_float32
def layer_norm(
    input: Tensor, normalized_shape: Shape, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """The last dimensions, of `normalized_shape`, normalised together, then times `weight` plus `bias` of that shape.

    Raises ValueError if the shapes do not fit, TypeError if the dtypes do not (Ba, Kiros & Hinton 2016).
    """
    shape = _last("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    if 0 in shape:
        return input.clone()
    return LayerNorm.apply(input, weight, bias, shape=shape, eps=eps)


@in_float32
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """The channels of `input` (n, channels, ...) normalised in groups, per sample, then times `weight` plus `bias` (channels).

    Raises as `layer_norm` does, and ValueError for one sample with one value per group (Wu & He 2018).
    """
    channels = input.shape[1] if input.ndim > 1 else 0
    if num_groups < 1 or not channels or channels % num_groups:
        raise ValueError(f"group_norm: {channels} channels do not divide into {num_groups} groups (input {shapes(input)})")
    if input.numel() == num_groups:
        raise ValueError(f"group_norm: expected more than 1 value per group, got input {shapes(input)}, {num_groups} groups")
    _check("group_norm", input, (channels,), weight=weight, bias=bias)
    return GroupNorm.apply(input, weight, bias, groups=num_groups, eps=eps)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample of `input` (n, channels, ...) normalised, then times `weight` plus `bias` (channels).

    The averages of these means and variances over the samples move the running ones, as in `batch_norm`; with
    `use_input_stats=False` the running ones are used. A channel of one value raises ValueError (Ulyanov et al. 2016).
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    dims, count, form = tuple(range(2, input.ndim)), math.prod(input.shape[2:]), "input (n, channels, ...)"
    if input.ndim < 3 or count < 2:
        raise ValueError(f"instance_norm: expected {form} with more than 1 value per channel, got shape {shapes(input)}")
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    _check("instance_norm", input, (input.shape[1],), **given)
    if running_mean is not None and running_var is not None:
        middle, variance = input.array.mean(dims).mean(0), input.array.var(dims).mean(0)
        _move(running_mean.array, running_var.array, momentum, middle, variance, count)
    return group_norm(input, input.shape[1], weight, bias, eps)


@in_float32
def rms_norm(input: Tensor, normalized_shape: Shape, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """x / sqrt(mean x^2 + eps) over the last dimensions, those of `normalized_shape`, times `weight` (Zhang & Sennrich 2019).

    The default `eps` is the dtype's machine epsilon. Raises as `layer_norm` does.
    """
    shape = _last("rms_norm", input, normalized_shape, weight=weight)
    dims = tuple(range(input.ndim - len(shape), input.ndim))
    eps = np.finfo(input.dtype).eps.item() if eps is None else eps
    out = input * rsqrt(mean(input * input, dims, keepdim=True) + eps)
    return out if weight is None else out * weight


@in_float32
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x divided by its p-norm along `dim`, or by `eps` if that is larger."""
    return input / clamp(norm(input, p, dim, keepdim=True), min=eps)
