"""Distributions, as `torch.distributions`; their parameters are broadcast to one shape, and gradients flow to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

from minitorch.autograd.grad_mode import enable_grad, no_grad
from minitorch.autograd.tensor import Tensor
from minitorch.backend import finfo, float16
from minitorch.conversion import Size
from minitorch.creation import one_hot, tensor
from minitorch.ops.activation import logsigmoid, sigmoid
from minitorch.ops.choice import clamp, where
from minitorch.ops.compare import isclose
from minitorch.ops.dims import shapes, whole
from minitorch.ops.elementwise import log
from minitorch.ops.erf import erfc
from minitorch.ops.inverses import cholesky, inv
from minitorch.ops.joining import broadcast_shapes
from minitorch.ops.matrices import diagonal
from minitorch.ops.scatter import gather
from minitorch.ops.softmax import log_softmax, softmax
from minitorch.sampling import bernoulli, rand, randn


def _together(*values: Tensor | float) -> list[Tensor]:
    """Numbers and tensors as floating tensors of one shape; beside whole numbers, 0.5 would be 0."""
    floats = [value.float() if isinstance(value, Tensor) and value.dtype.kind in "iub" else value for value in values]
    like = next((value for value in floats if isinstance(value, Tensor)), tensor(0.0))
    made = [value if isinstance(value, Tensor) else tensor(value, dtype=like.dtype, device=like.device) for value in floats]
    shape = broadcast_shapes(*(value.shape for value in made))
    return [value.expand(shape) for value in made]


class Distribution:
    """Base class: a subclass writes `rsample` or `sample`, `log_prob` and `entropy`, and sets `mean` and `variance`."""

    batch_shape: Any
    event_shape: Any
    mean: Tensor
    variance: Tensor

    def __init__(self, batch_shape: Sequence[int] = (), *, validate_args: bool | None = None) -> None:
        self.batch_shape, self.event_shape = Size(batch_shape), Size()
        self._validated = validate_args is not False

    def _expect(self, good: Any, what: str, value: Tensor) -> None:
        """Raises ValueError unless all of an array is `good`, or validate_args=False was given."""
        if self._validated and not bool(good.all()):
            bad = value.array[~good].reshape(-1)[0] if good.shape == value.shape else value.tolist()
            raise ValueError(f"{type(self).__name__}: expected {what}, got {bad}")

    def _expect_events(self, value: Tensor) -> None:
        if value.shape[-1:] != self.event_shape:
            expected = f"values (..., {self.event_shape[0]})"
            raise ValueError(f"{type(self).__name__}: expected {expected}, got shape {tuple(value.shape)}")

    def __repr__(self) -> str:
        count = 1 if isinstance(self, _Chances) else 2  # the parameters that were given are the first tensors it keeps
        given = [(name, value) for name, value in vars(self).items() if isinstance(value, Tensor)][:count]
        shown = (f"{name}: {value if value.numel() == 1 else value.shape}" for name, value in given)
        return f"{type(self).__name__}({', '.join(shown)})"

    def _draw(self, draw: Any, sample_shape: Sequence[int], like: Tensor, *more: int) -> Tensor:
        return draw((*sample_shape, *self.batch_shape, *more), dtype=like.dtype, device=like.device)

    @no_grad()
    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Samples of shape `sample_shape` + batch_shape, without a gradient."""
        return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Samples through which gradients flow to the parameters (Kingma & Welling 2014), where the distribution allows it."""
        raise NotImplementedError(f"{type(self).__name__}: there is no rsample, samples have no gradient")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of `value`, or of its density."""
        raise NotImplementedError(f"{type(self).__name__}: log_prob is not written")

    def entropy(self) -> Tensor:
        """The mean of -log_prob over the distribution."""
        raise NotImplementedError(f"{type(self).__name__}: entropy is not written")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()


class Normal(Distribution):
    """The normal distribution with mean `loc` and standard deviation `scale`; raises ValueError for nan or scale <= 0."""

    loc: Tensor
    scale: Tensor

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = _together(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)
        self._expect(self.loc.array == self.loc.array, "a number as loc", self.loc)
        self._expect(self.scale.array > 0, "a scale above 0", self.scale)
        self.mean: Tensor = self.loc
        self.variance: Tensor = self.scale * self.scale

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.loc + self.scale * self._draw(randn, sample_shape, self.loc)

    def log_prob(self, value: Tensor) -> Tensor:
        self._expect(value.array == value.array, "numbers as values", value)
        return -((value - self.loc) ** 2) / (2 * self.variance) - log(self.scale) - 0.5 * math.log(2 * math.pi)

    def entropy(self) -> Tensor:
        return 0.5 + 0.5 * math.log(2 * math.pi) + log(self.scale)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a number up to `value`."""
        return erfc((self.loc - value) / (self.scale * math.sqrt(2))) / 2  # all digits of a small probability, too


class MultivariateNormal(Distribution):
    """The normal distribution of vectors with mean `loc` (..., n) and one of three matrices (..., n, n).

    They are the covariance, its inverse `precision_matrix`, or its Cholesky factor `scale_tril`, lower triangular with a
    diagonal above 0. Raises ValueError for none or several of them, one that is not what it should be, and nan.
    """

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
        if len(given) != 1:
            raise ValueError(f"MultivariateNormal: expected one of {', '.join(matrices)}, got {len(given)}")
        ((name, matrix),) = given
        if not loc.ndim or matrix.shape[-2:] != loc.shape[-1:] * 2:
            raise ValueError(f"MultivariateNormal: expected loc (..., n) and {name} (..., n, n), got {shapes(loc, matrix)}")
        super().__init__(broadcast_shapes(loc.shape[:-1], matrix.shape[:-2]), validate_args=validate_args)
        self.event_shape = Size(loc.shape[-1:])
        self.loc: Tensor = loc.expand(*self.batch_shape, *self.event_shape)
        self._expect(loc.array == loc.array, "numbers as loc", loc)
        vars(self)[name] = matrix.expand(*self.batch_shape, *matrix.shape[-2:])
        if name == "scale_tril":
            good = (matrix.tril() == matrix).array.all((-1, -2)) & (diagonal(matrix, 0, -2, -1) > 0).array.all(-1)
            self._expect(good, "a lower triangular scale_tril with a diagonal above 0", matrix)
        else:
            self._expect(isclose(matrix, matrix.mT, atol=1e-6).array, f"a symmetric {name}", matrix)
            matrix = cholesky(matrix if name == "covariance_matrix" else inv(matrix))
        self._factor = matrix  # without the dimensions that loc alone has
        self.scale_tril: Tensor = matrix.expand(*self.batch_shape, *matrix.shape[-2:])
        self.mean: Tensor = self.loc
        self.variance: Tensor = (self.scale_tril * self.scale_tril).sum(-1)

    @cached_property
    @enable_grad()  # it is kept
    def covariance_matrix(self) -> Tensor:
        """The mean of (x - mean) (x - mean)^T."""
        return self.scale_tril @ self.scale_tril.mT

    @cached_property
    @enable_grad()
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return inv(self.covariance_matrix)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.loc + (self._factor @ self._draw(randn, sample_shape, self.loc, *self.event_shape, 1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._expect(value.array == value.array, "numbers as values", value)
        self._expect_events(value)
        white = ((value - self.loc).unsqueeze(-2) @ inv(self._factor.tril()).mT).squeeze(-2)
        return self.loc.shape[-1] / 2 - self.entropy() - (white * white).sum(-1) / 2

    def entropy(self) -> Tensor:
        return self.loc.shape[-1] / 2 * (1 + math.log(2 * math.pi)) + log(diagonal(self.scale_tril, 0, -2, -1)).sum(-1)


class Uniform(Distribution):
    """The uniform distribution from `low` to `high`; raises ValueError unless low < high, with a finite difference."""

    low: Tensor
    high: Tensor

    def __init__(self, low: Tensor | float, high: Tensor | float, validate_args: bool | None = None) -> None:
        self.low, self.high = _together(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        width = (self.high - self.low).array
        self._expect((width > 0) & (width < math.inf), "low below high, with a finite difference", self.low)
        self.mean: Tensor = (self.low + self.high) / 2
        self.variance: Tensor = (self.high - self.low) ** 2 / 12

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        drawn = self.low + self._draw(rand, sample_shape, self.low) * (self.high - self.low)
        return where(drawn >= self.high, self.low, drawn)  # what was rounded up to `high`, where the density is 0

    def log_prob(self, value: Tensor) -> Tensor:
        above = value >= self.low
        self._expect((above & (value <= self.high)).array, "values from low to high", value)
        return where(above & (value < self.high), -log(self.high - self.low), -math.inf)

    def entropy(self) -> Tensor:
        return log(self.high - self.low)


class _Chances(Distribution):
    """Base class of Bernoulli and Categorical: takes either `probs` or `logits`."""

    probs: Tensor
    logits: Tensor

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, binary = type(self).__name__, isinstance(self, Bernoulli)
        if (probs is None) == (logits is None):
            raise ValueError(f"{name}: expected either probs or logits")
        (given,) = _together(logits if probs is None else probs)
        if not binary and not (given.ndim and given.shape[-1]):
            raise ValueError(f"{name}: expected a last dimension of one class or more, got shape {shapes(given)}")
        super().__init__(given.shape if binary else given.shape[:-1], validate_args=validate_args)
        if probs is None:
            self._expect(given.array == given.array, "numbers as logits", given)
            self.logits = given if binary else log_softmax(given, -1)
            self.probs = sigmoid(given) if binary else softmax(given, -1)
            self._expect(self.probs.array == self.probs.array, "logits below inf, and in each row one above -inf", given)
        else:
            self._expect((given.array >= 0) & ((given.array <= 1) | (not binary)), "probabilities", given)
            self.probs = given if binary else given / given.sum(-1, keepdim=True)
            self._expect(self.probs.array == self.probs.array, "at least one probability above 0", given)
            eps = finfo(given.dtype).eps
            chances = clamp(self.probs, eps, 1 - eps)
            self.logits = log(chances) - log(1 - chances) if binary else log(chances)
        if binary:
            self.mean: Tensor = self.probs
            self.variance: Tensor = self.probs * (1 - self.probs)


class Bernoulli(_Chances):
    """1 with probability `probs`, or sigmoid(`logits`), else 0."""

    @no_grad()
    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return bernoulli(self.probs.expand(*sample_shape, *self.batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._expect((value.array == 0) | (value.array == 1), "values of 0 or 1", value)
        return value * logsigmoid(self.logits) + (1 - value) * logsigmoid(-self.logits)

    def entropy(self) -> Tensor:
        return -(self.probs * logsigmoid(self.logits) + (1 - self.probs) * logsigmoid(-self.logits))


class Categorical(_Chances):
    """Class i with probability probs[..., i], or softmax(`logits`)[..., i]; samples are int64."""

    @no_grad()
    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        probs = self.probs.float() if self.probs.dtype == float16 else self.probs  # whose sums would lose small probabilities
        reached = probs.cumsum(-1)
        return (self._draw(rand, sample_shape, probs, 1) * reached[..., -1:] >= reached[..., :-1]).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        classes = self.logits.shape[-1]
        self._expect(
            (value.array % 1 == 0) & (value.array >= 0) & (value.array < float(classes)), f"classes below {classes}", value
        )
        value = value.long().unsqueeze(-1)
        shape = broadcast_shapes(value.shape[:-1], self.batch_shape)
        logs = self.logits.expand(*shape, classes)
        return gather(logs, -1, value.expand(*shape, 1)).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.probs * self._finite_logits()).sum(-1)

    def _finite_logits(self) -> Tensor:
        """The logits, with the lowest number in place of -inf: times a probability of 0 it is 0, and so is its derivative."""
        return clamp(self.logits, finfo(self.logits.dtype).min)


class Multinomial(Categorical):
    """The counts of each class of the last dimension in `total_count` draws, as floats."""

    def __init__(self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        self.total_count: int = whole("Multinomial", "total_count", total_count)
        if total_count < 0:
            raise ValueError(f"Multinomial: expected a total_count of 0 or more, got {total_count}")
        self.event_shape = Size(self.probs.shape[-1:])
        self.mean: Tensor = self.probs * total_count
        self.variance: Tensor = self.mean * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return one_hot(super().sample((self.total_count, *sample_shape)), self.probs.shape[-1]).sum(0).type(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._expect_events(value)
        counts = (value.array >= 0) & (value.array % 1 == 0)
        self._expect(counts.all(-1) & (value.array.sum(-1) == self.total_count), f"counts of {self.total_count} draws", value)
        logs = [math.lgamma(n + 1) for n in value.reshape(-1).tolist()]
        ways = tensor(logs, dtype=self.logits.dtype, device=value.device).reshape(value.shape).sum(-1)
        return math.lgamma(self.total_count + 1) - ways + where(value == 0, 0.0, value * self.logits).sum(-1)

    entropy: Final = Distribution.entropy  # not that of one draw


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The mean of log p(x) - log q(x) for x drawn from `p` (Kullback & Leibler 1951), without drawing.

    Both are of one class, Normal, Bernoulli or Categorical; NotImplementedError for others.
    """
    if isinstance(p, Normal) and isinstance(q, Normal):
        wider, farther = (p.scale / q.scale) ** 2, ((p.loc - q.loc) / q.scale) ** 2
        return (wider - log(wider) - 1 + farther) / 2
    if isinstance(p, Bernoulli) and isinstance(q, Bernoulli):
        ones = _part(p.probs, q.probs, logsigmoid(p.logits) - logsigmoid(q.logits))
        return ones + _part(1 - p.probs, 1 - q.probs, logsigmoid(-p.logits) - logsigmoid(-q.logits))
    if type(p) is type(q) is Categorical:
        return _part(p.probs, q.probs, p._finite_logits() - q._finite_logits()).sum(-1)
    raise NotImplementedError(f"kl_divergence: it is not written for {type(p).__name__} and {type(q).__name__}")


def _part(p: Tensor, q: Tensor, logs: Tensor) -> Tensor:
    """What outcomes of the probabilities `p` and `q` add to the divergence: nothing where p is 0, inf where q alone is."""
    return where(p == 0, 0.0, where(q == 0, math.inf, p * logs))
