"""Activation functions and dropout as modules. With `inplace` the result overwrites the input."""

from __future__ import annotations

from typing import Any

from layers.calls import OfOne
from layers.init import constant_
from layers.module import Module
from layers.parameter import DeviceLike, DTypeLike, Parameter
from minitorch import empty, functional
from minitorch.autograd.tensor import Tensor


class _Inplace(OfOne):
    inplace: bool = False


class ReLU(_Inplace, calls=functional.relu):
    """max(x, 0), with gradient 0 at 0."""


class ReLU6(_Inplace, calls=functional.relu6):
    """x limited to [0, 6]."""


class SELU(_Inplace, calls=functional.selu):
    """The scaled ELU, with constants that keep mean 0 and variance 1 (Klambauer et al. 2017)."""


class SiLU(_Inplace, calls=functional.silu):
    """x sigmoid(x)."""


class LeakyReLU(OfOne, calls=functional.leaky_relu):
    """x where x > 0, else `negative_slope * x`."""

    negative_slope: float = 0.01
    inplace: bool = False


class ELU(OfOne, calls=functional.elu):
    """x where x > 0, else `alpha (e^x - 1)` (Clevert et al. 2016)."""

    alpha: float = 1.0
    inplace: bool = False


class CELU(OfOne, calls=functional.celu):
    """x where x > 0, else `alpha (e^(x / alpha) - 1)` (Barron 2017)."""

    alpha: float = 1.0
    inplace: bool = False


class GELU(OfOne, calls=functional.gelu):
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016), or approximated by `approximate="tanh"`."""

    approximate: str = "none"


class Softplus(OfOne, calls=functional.softplus):
    """log(1 + e^(beta x)) / beta, and x itself where beta x is above `threshold`."""

    beta: float = 1.0
    threshold: float = 20.0


class Sigmoid(OfOne, calls=functional.sigmoid):
    """1 / (1 + e^-x)."""


class Tanh(OfOne, calls=functional.tanh):
    """The hyperbolic tangent."""


class LogSigmoid(OfOne, calls=functional.logsigmoid):
    """log sigmoid(x), finite for any x."""


class Hardsigmoid(_Inplace, calls=functional.hardsigmoid):
    """relu6(x + 3) / 6."""


class Hardswish(_Inplace, calls=functional.hardswish):
    """x relu6(x + 3) / 6."""


class Mish(_Inplace, calls=functional.mish):
    """x tanh(softplus(x))."""


class Hardtanh(OfOne, calls=functional.hardtanh):
    """x limited to [`min_val`, `max_val`]; raises ValueError unless min_val < max_val."""

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False

    def _prepare(self, given: Any) -> None:
        if not self.min_val < self.max_val:
            raise ValueError(f"Hardtanh: expected min_val below max_val, got {self.min_val} and {self.max_val}")


class Threshold(OfOne, calls=functional.threshold):
    """x where x > `threshold`, else `value`."""

    threshold: float
    value: float
    inplace: bool = False


class Softsign(OfOne, calls=functional.softsign):
    """x / (1 + |x|)."""


class GLU(OfOne, calls=functional.glu):
    """a sigmoid(b) of the two halves along `dim` (Dauphin et al. 2017)."""

    dim: int = -1


class Softmax(OfOne, calls=functional.softmax):
    """e^x divided by its sum along `dim`; without `dim` as in `functional.softmax`."""

    dim: int | None = None


class LogSoftmax(OfOne, calls=functional.log_softmax):
    """The logarithm of softmax along `dim`; without `dim` as in `functional.softmax`."""

    dim: int | None = None


class Softmin(OfOne, calls=functional.softmin):
    """softmax(-x) along `dim`; without `dim` as in `functional.softmax`."""

    dim: int | None = None


class PReLU(Module):
    """x where x > 0, else `weight` x; the learned weight is one number, or one for each channel (He et al. 2015)."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: DeviceLike = None, dtype: DTypeLike = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all weights to `init`."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return functional.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class _Dropout(OfOne):
    p: float = 0.5
    inplace: bool = False

    def _prepare(self, given: Any) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"{type(self).__name__}: expected a probability from 0 to 1, got {self.p}")

    def forward(self, input: Tensor) -> Tensor:
        return self.function(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout, calls=functional.dropout):
    """In training each element becomes 0 with probability `p` and the others are scaled by 1 / (1 - p); evaluation: identity.

    Raises ValueError for a `p` outside 0 to 1 (Srivastava et al. 2014).
    """


class Dropout2d(_Dropout, calls=functional.dropout2d):
    """Like `Dropout`, for whole channels of images (N, C, H, W) (Tompson et al. 2015)."""
