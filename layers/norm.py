"""Normalisation layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layers import init
from layers.module import Module
from layers.parameter import DeviceLike, DTypeLike, Parameter, add
from minitorch import functional, int64, ones, zeros
from minitorch.autograd.changes import mark_changed
from minitorch.autograd.tensor import Tensor
from minitorch.ops.dims import whole


class _Affine(Module):
    """A module with an optional scale `weight`, which starts at one, and shift `bias`, which starts at zero."""

    weight: Parameter | Any  # `Any` stands for None, as with `Tensor.grad`
    bias: Parameter | Any

    def _add_affine(self, shape: tuple[int, ...], weight: bool, bias: bool, device: DeviceLike, dtype: DTypeLike) -> None:
        add(self, device, dtype, weight=shape if weight else None, bias=shape if weight and bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the scale to one and the shift to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _BatchNorm(_Affine):
    """Adds the buffers `running_mean`, `running_var` (num_features) and `num_batches_tracked` (int64) to scale and shift.

    With `track_running_stats=False` there are none, and evaluation uses the batch's statistics, too.
    """

    input_form: str
    input_dims: tuple[int, ...]
    running_mean: Tensor | Any
    running_var: Tensor | Any
    num_batches_tracked: Tensor | Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        num_features = whole(type(self).__name__, "num_features", num_features)
        if not eps > 0:
            raise ValueError(f"{type(self).__name__}: expected an eps above 0, got {eps}")
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        self.track_running_stats = kept = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, device=device, dtype=dtype) if kept else None)
        self.register_buffer("running_var", ones(num_features, device=device, dtype=dtype) if kept else None)
        self.register_buffer("num_batches_tracked", zeros((), device=device, dtype=int64) if kept else None)
        self._add_affine((num_features,), affine, bias, device, dtype)

    def reset_parameters(self) -> None:
        """Reset the running statistics, the scale to one and the shift to zero."""
        self.reset_running_stats()
        super().reset_parameters()

    def reset_running_stats(self) -> None:
        """Reset the running statistics: mean zero, variance one, count zero."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def _check_input(self, input: Tensor) -> None:
        if input.ndim not in self.input_dims:
            raise ValueError(f"{type(self).__name__}: expected input {self.input_form}, got shape {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input(input)
        moving = self.training and self.track_running_stats  # may be switched off later, which freezes the statistics
        counting = moving and self.num_batches_tracked is not None
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / (self.num_batches_tracked.item() + 1) if counting else 0.0
        of_batch = self.training or self.running_mean is None
        mean, var = (self.running_mean, self.running_var) if moving or not self.training else (None, None)
        output = functional.batch_norm(input, mean, var, self.weight, self.bias, of_batch, momentum, self.eps)
        if counting:  # last, so that a batch that raises is not counted
            self.num_batches_tracked.array += 1
            mark_changed(self.num_batches_tracked.array, f"{type(self).__name__}.forward")
        return output

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of vectors (N, num_features) or sequences (N, num_features, L).

    Training uses the batch's mean and variance, evaluation the running ones, which move by `momentum` towards each batch's
    (None: they are the average over all batches) with the unbiased variance. Raises ValueError for an input of other
    dimensions, and in training with one value per channel (Ioffe & Szegedy 2015).
    """

    input_form, input_dims = "(n, channels) or (n, channels, length)", (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, num_features, H, W); otherwise like `BatchNorm1d`."""

    input_form, input_dims = "(n, channels, height, width)", (4,)


class _InstanceNorm(_BatchNorm):
    """Normalises each channel of each sample by its own mean and variance.

    With `track_running_stats` evaluation uses running statistics instead, which training updates as `BatchNorm1d` does.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input(input)
        alone = input.ndim == self.input_dims[0]
        samples = input.unsqueeze(0) if alone else input
        if samples.shape[1] != self.num_features and self.affine:
            raise ValueError(f"{type(self).__name__}: expected {self.num_features} channels, got shape {tuple(input.shape)}")
        own, statistics = self.training or not self.track_running_stats, (self.running_mean, self.running_var)
        output = functional.instance_norm(samples, *statistics, self.weight, self.bias, own, self.momentum or 0.0, self.eps)
        return output.squeeze(0) if alone else output


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sequence, (N, num_features, L) or (num_features, L) (Ulyanov et al. 2016)."""

    input_form, input_dims = "(n, channels, length) or (channels, length)", (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each image, (N, num_features, H, W) or (num_features, H, W) (Ulyanov et al. 2016)."""

    input_form, input_dims = "(n, channels, height, width) or (channels, height, width)", (3, 4)


class GroupNorm(_Affine):
    """Normalises the channels of each sample (N, C, ...) in `num_groups` groups, then scales and shifts each channel.

    Raises ValueError if `num_groups` does not divide `num_channels` (Wu & He 2018).
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        num_groups = whole("GroupNorm", "num_groups", num_groups)
        num_channels = whole("GroupNorm", "num_channels", num_channels)
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._add_affine((num_channels,), affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class _OverLast(_Affine):
    """Normalises the last dimensions, `normalized_shape`, together."""

    def _keep(self, shape: int | Sequence[int], eps: Any, affine: bool, bias: bool, device: Any, dtype: Any) -> None:
        self.normalized_shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.eps, self.elementwise_affine = eps, affine
        self._add_affine(self.normalized_shape, affine, bias, device, dtype)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LayerNorm(_OverLast):
    """Normalises the last dimensions, `normalized_shape`, together for each sample, then scales and shifts elementwise.

    Raises ValueError for an input that does not end in `normalized_shape` (Ba, Kiros & Hinton 2016).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self._keep(normalized_shape, eps, elementwise_affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, bias={self.bias is not None}"


class RMSNorm(_OverLast):
    """x / sqrt(mean x^2 + eps) over the last dimensions, `normalized_shape`, times `weight` (Zhang & Sennrich 2019).

    `eps` is by default the machine epsilon of the dtype.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: DeviceLike = None,
        dtype: DTypeLike = None,
    ) -> None:
        super().__init__()
        self._keep(normalized_shape, eps, elementwise_affine, False, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)
