"""Activation functions as modules. With `inplace` the result overwrites the input."""

from __future__ import annotations

from layers.calls import OfOne, calls
from layers.init import constant_
from layers.module import Module
from layers.parameter import DeviceLike, DTypeLike, Parameter
from minitorch import empty, functional
from minitorch.autograd.tensor import Tensor


@calls()
class _Inplace(OfOne):
    inplace: bool = False


@calls(functional.relu)
class ReLU(_Inplace):
    """max(x, 0), with gradient 0 at 0."""


@calls(functional.relu6)
class ReLU6(_Inplace):
    """x limited to [0, 6]."""


@calls(functional.selu)
class SELU(_Inplace):
    """The scaled ELU, with constants that keep mean 0 and variance 1 (Klambauer et al. 2017)."""


@calls(functional.silu)
class SiLU(_Inplace):
    """x sigmoid(x)."""


@calls(functional.leaky_relu)
class LeakyReLU(OfOne):
    """x where x > 0, else `negative_slope * x`."""

    negative_slope: float = 0.01
    inplace: bool = False


@calls(functional.elu)
class ELU(OfOne):
    """x where x > 0, else `alpha (e^x - 1)` (Clevert et al. 2016)."""

    alpha: float = 1.0
    inplace: bool = False


@calls(functional.celu)
class CELU(OfOne):
    """x where x > 0, else `alpha (e^(x / alpha) - 1)` (Barron 2017)."""

    alpha: float = 1.0
    inplace: bool = False


@calls(functional.gelu)
class GELU(OfOne):
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016), or approximated by `approximate="tanh"`."""

    approximate: str = "none"


@calls(functional.softplus)
class Softplus(OfOne):
    """log(1 + e^(beta x)) / beta, and x itself where beta x is above `threshold`."""

    beta: float = 1.0
    threshold: float = 20.0


@calls(functional.sigmoid)
class Sigmoid(OfOne):
    """1 / (1 + e^-x)."""


@calls(functional.tanh)
class Tanh(OfOne):
    """The hyperbolic tangent."""


@calls(functional.logsigmoid)
class LogSigmoid(OfOne):
    """log sigmoid(x), finite for any x."""


@calls(functional.hardsigmoid)
class Hardsigmoid(_Inplace):
    """relu6(x + 3) / 6."""


@calls(functional.hardswish)
class Hardswish(_Inplace):
    """x relu6(x + 3) / 6."""


@calls(functional.mish)
class Mish(_Inplace):
    """x tanh(softplus(x))."""


@calls(functional.hardtanh)
class Hardtanh(OfOne):
    """x limited to [`min_val`, `max_val`]; raises ValueError unless min_val < max_val."""

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False

    def __post_init__(self) -> None:
        if not self.min_val < self.max_val:
            raise ValueError(f"Hardtanh: expected min_val below max_val, got {self.min_val} and {self.max_val}")


@calls(functional.threshold)
class Threshold(OfOne):
    """x where x > `threshold`, else `value`."""

    threshold: float
    value: float
    inplace: bool = False


@calls()
class _Shrink(OfOne):
    lambd: float = 0.5

    def extra_repr(self) -> str:
        return f"{self.lambd}"


@calls(functional.hardshrink)
class Hardshrink(_Shrink):
    """x where |x| > `lambd`, else 0."""


@calls(functional.softshrink)
class Softshrink(_Shrink):
    """x moved towards 0 by `lambd`; 0 where |x| <= `lambd`."""


@calls(functional.softsign)
class Softsign(OfOne):
    """x / (1 + |x|)."""


@calls(functional.tanhshrink)
class Tanhshrink(OfOne):
    """x - tanh x."""


@calls(functional.glu)
class GLU(OfOne):
    """a sigmoid(b) of the two halves along `dim` (Dauphin et al. 2017)."""

    dim: int = -1


@calls()
class _AlongDim(OfOne):
    dim: int | None = None

    def forward(self, input: Tensor) -> Tensor:
        if self.dim is not None:
            return self.function(input, self.dim)
        if input.ndim not in (1, 2):
            raise ValueError(f"{type(self).__name__}: expected a dim for an input of shape {tuple(input.shape)}")
        return self.function(input, -1)


@calls(functional.softmax)
class Softmax(_AlongDim):
    """e^x divided by its sum along `dim`.

    Without `dim`, the last dimension of a vector or matrix, as in PyTorch; for other inputs, where PyTorch guesses, ValueError.
    """


@calls(functional.log_softmax)
class LogSoftmax(_AlongDim):
    """The logarithm of softmax along `dim`; without `dim` as in `Softmax`."""


@calls(functional.softmin)
class Softmin(_AlongDim):
    """softmax(-x) along `dim`; without `dim` as in `Softmax`."""


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
