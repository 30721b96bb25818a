"""Starting values for parameters, as torch.nn.init; each function changes its tensor in place and returns it.

Numbers are drawn on the host from `generator` (default: the one that `minitorch.manual_seed` seeds), so that a seed gives the
same weights on the CPU and on a GPU.
"""

from __future__ import annotations

import math

import numpy as np

from minitorch import eye
from minitorch.autograd.grad_mode import no_grad
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.random import Generator, stream
from minitorch.sampling import expect_floats

# fmt: off
_GAINS = {
    "linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4,
}
# fmt: on


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that preserves the variance through a nonlinearity; `param` is the slope of leaky_relu (default 0.01).

    Raises ValueError for an unknown name or a slope that is not a number.
    """
    if nonlinearity != "leaky_relu":
        if nonlinearity not in _GAINS:
            raise ValueError(f"calculate_gain: expected leaky_relu or one of {', '.join(_GAINS)}, got {nonlinearity!r}")
        return _GAINS[nonlinearity]
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, (int, float)):
        raise ValueError(f"calculate_gain: expected a number as negative slope, got {param!r}")
    return math.sqrt(2 / (1 + slope**2))


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs one output has, and how many outputs one input reaches, for weights (out, in, ...)."""
    if tensor.ndim < 2:
        raise ValueError(f"init: fan in and fan out need at least 2 dimensions, got shape {tuple(tensor.shape)}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"init: expected mode 'fan_in' or 'fan_out', got {mode!r}")
    fan = _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))  # with a fan of 0 there is nothing to scale


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2 / max(sum(_calculate_fan_in_and_fan_out(tensor)), 1))


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with numbers uniform in [`a`, `b`)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers of mean `mean` and standard deviation `std`."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> Tensor:
    """Fill with numbers from the part of a normal distribution in [`a`, `b`]; raises ValueError if there is none."""
    if not (tensor.is_floating_point() and abs(mean) < math.inf and std > 0 and a <= b):
        raise ValueError(f"trunc_normal_: expected floats, std > 0 and a <= b, got {tensor.dtype}, {mean=}, {std=}, {a=}, {b=}")
    rng, peak = stream(generator), min(max(mean, a), b)
    low, high = max(a, peak - 9 * std), min(b, peak + 9 * std)  # the rest is less than float64's rounding
    drawn = rng.normal(mean, std, tensor.shape)
    while n := int((left := ~((drawn >= a) & (drawn <= b))).sum()):  # uniform instead, kept with density / density at the peak
        new = rng.uniform(low, high, n)
        drawn[left] = np.where(2 * std**2 * rng.exponential(size=n) < (new - mean) ** 2 - (peak - mean) ** 2, np.nan, new)
    return tensor.copy_(wrap(drawn))


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with `val`."""
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal, else zeros; raises ValueError unless it has 2 dimensions."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: expected a matrix, got shape {tuple(tensor.shape)}")
    return tensor.copy_(eye(*tensor.shape, dtype=tensor.dtype, device="cpu"))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill uniformly in ±gain sqrt(6 / (fan in + fan out)) (Glorot & Bengio 2010, eq. 16); at least 2 dimensions."""
    bound = math.sqrt(3) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers, std gain sqrt(2 / (fan in + fan out)) (Glorot & Bengio 2010, eq. 12); at least 2 dimensions."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Tensor:
    """Fill uniformly in ±gain sqrt(3 / fan), where `a` is the slope of leaky_relu (He et al. 2015, eq. 15).

    Raises ValueError below 2 dimensions and for an unknown mode or nonlinearity.
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Tensor:
    """Fill with normal numbers, std gain / sqrt(fan), where `a` is the slope of leaky_relu (He et al. 2015, eq. 15)."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with orthogonal rows or columns times `gain`, all dimensions after the first flattened (Saxe et al. 2014).

    Raises ValueError below 2 dimensions.
    """
    expect_floats("orthogonal_", tensor)
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expected at least 2 dimensions, got shape {tuple(tensor.shape)}")
    if not tensor.numel():
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = stream(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.where(np.diag(r) < 0, -gain, gain)  # LAPACK's choice of signs would not be uniform (Mezzadri 2007)
    return tensor.copy_(wrap((q.T if rows < columns else q).reshape(tensor.shape)))


def torch_default_(weight: Tensor, bias: Tensor | None) -> None:
    """PyTorch's start for linear and convolution layers: weight and bias uniform in ±1 / sqrt(fan in of the weight).

    For the weight that is `kaiming_uniform_(weight, a=sqrt(5))`.
    """
    kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        fan_in, _ = _calculate_fan_in_and_fan_out(weight)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        uniform_(bias, -bound, bound)


# PyTorch's old names
uniform, normal, constant = uniform_, normal_, constant_
xavier_uniform, xavier_normal = xavier_uniform_, xavier_normal_
kaiming_uniform, kaiming_normal, orthogonal = kaiming_uniform_, kaiming_normal_, orthogonal_
