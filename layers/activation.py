"""Activation functions as modules. `inplace` is accepted for PyTorch's sake: the result is the same, in memory of its own."""

from __future__ import annotations

from layers.module import Module
from minitorch import functional
from minitorch.autograd.tensor import Tensor


class _MaybeInplace(Module):
    """An activation without settings but `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_MaybeInplace):
    """max(x, 0), with gradient 0 at 0."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input)


class ReLU6(_MaybeInplace):
    """x kept within 0 and 6."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu6(input)


class SELU(_MaybeInplace):
    """The scaled ELU whose constants keep mean 0 and variance 1 (Klambauer et al. 2017)."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.selu(input)


class SiLU(_MaybeInplace):
    """x sigmoid(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.silu(input)


class LeakyReLU(Module):
    """x where x > 0, else `negative_slope * x`."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """x where x > 0, else `alpha (e^x - 1)` (Clevert et al. 2016)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class GELU(Module):
    """x times the normal distribution function of x (Hendrycks & Gimpel 2016), or its stand-in `approximate="tanh"`."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return functional.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """log(1 + e^(beta x)) / beta, and x itself where beta x is above `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class LogSigmoid(Module):
    """log sigmoid(x), finite for any x."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.logsigmoid(input)


class _AlongDim(Module):
    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def _dim_for(self, input: Tensor) -> int:
        if self.dim is None and input.ndim not in (1, 2):
            raise ValueError(f"{type(self).__name__}: give it a dim, which is not clear for an input of shape {input.shape}")
        return -1 if self.dim is None else self.dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """e^x over its sum along `dim`.

    Without a dim it takes the last one of a vector or matrix, as PyTorch does, and raises ValueError where PyTorch guesses.
    """

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmax(input, self._dim_for(input))


class LogSoftmax(_AlongDim):
    """The logarithm of softmax along `dim`; a missing dim as in `Softmax`."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.log_softmax(input, self._dim_for(input))
