"""Samplers: the order in which a loader takes samples. Random ones draw from `generator`, or the default one if None."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.random import Generator, stream

T = TypeVar("T", covariant=True)
AT_ONCE: Final = 4096  # positions that a random sampler draws with replacement


class Sampler(Generic[T]):
    """Base class of samplers: a subclass writes `__iter__`, which yields positions (or lists of them), and `__len__`."""

    def __init__(self, data_source: Any = None) -> None:
        """PyTorch's old base class took the data set; it is accepted and not used."""

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__}: __iter__ is not written")


class SequentialSampler(Sampler[int]):
    """The positions in order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """`num_samples` positions (default: all) in a new random order each time; with `replacement` each is drawn from all."""

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        self.data_source: Any = data_source
        self.replacement: bool = replacement
        self.generator: Any = generator
        _count(self, len(data_source), "length of data_source")
        self._num_samples: int | None = None if num_samples is None else _count(self, num_samples)

    @property
    def num_samples(self) -> int:
        """How many positions are drawn; without a number of one's own, as many as the data source has now."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        draws, count, n = stream(self.generator), len(self.data_source), self.num_samples
        size = min(n, AT_ONCE) if self.replacement else count
        if n > size:  # perhaps more than fit into memory: drawn as they are needed, from a stream of which nothing else draws
            draws = Generator().manual_seed(int(draws.integers(2**63))).numpy
        rounds = (draws.integers(count, size=size) if self.replacement else draws.permutation(count) for _ in range(0, n, size))
        return islice((position for drawn in rounds for position in drawn.tolist()), n)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given positions in a new random order each time."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices: Any = indices
        self.generator: Any = generator

    def __iter__(self) -> Iterator[int]:
        order = stream(self.generator).permutation(len(self.indices)).tolist()
        return (self.indices[position] for position in order)

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` positions drawn with probabilities proportional to `weights`, each at most once without `replacement`."""

    def __init__(
        self, weights: Sequence[float] | Tensor, num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        self.weights: Any = np.array(weights.tolist() if isinstance(weights, Tensor) else weights, np.float64)
        self.num_samples: int = _count(self, num_samples)
        self.replacement: bool = replacement
        self.generator: Any = generator
        wrong = np.count_nonzero(~((self.weights >= 0) & (self.weights < np.inf)))
        some = np.count_nonzero(self.weights)
        if self.weights.ndim != 1 or wrong or not some or (num_samples > some and not replacement):
            expected = f"a vector of finite weights of 0 or more, of which {num_samples} samples can be drawn"
            got = f"shape {tuple(self.weights.shape)} with {some} weights that are not 0, {wrong} of them below 0 or not finite"
            raise ValueError(f"WeightedRandomSampler: expected {expected}, got {got}")

    def __iter__(self) -> Iterator[int]:
        draws, chances = stream(self.generator), self.weights / self.weights.sum()
        return iter(draws.choice(len(chances), self.num_samples, self.replacement, chances).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` positions of another sampler; the last may be shorter, or is left out with `drop_last`."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler: Any = sampler
        self.batch_size: int = _count(self, batch_size, "batch_size")
        self.drop_last: bool = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        remaining = iter(self.sampler)
        while chunk := list(islice(remaining, self.batch_size)):
            if len(chunk) == self.batch_size or not self.drop_last:
                yield chunk

    def __len__(self) -> int:
        return len(self.sampler) // self.batch_size if self.drop_last else -(-len(self.sampler) // self.batch_size)


RANDOM: Final = RandomSampler, SubsetRandomSampler, WeightedRandomSampler  # those that draw an order in each epoch


def _count(sampler: Sampler[Any], value: Any, what: str = "num_samples") -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{type(sampler).__name__}: expected a {what} of 1 or more, got {value!r}")
    return value
