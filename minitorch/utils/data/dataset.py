"""Data sets: samples by position, or as a stream."""

from __future__ import annotations

import math
import typing
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from numbers import Integral
from typing import TYPE_CHECKING, Any, Generic

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.ops.dims import shapes
from minitorch.ops.joining import listed
from minitorch.random import Generator, stream

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # type checkers know it without its being installed

    T = TypeVar("T", covariant=True, default=Any)  # `Dataset` alone is `Dataset[Any]`
else:
    T = typing.TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """Base class of data sets: a subclass writes `__getitem__(index)`, which returns one sample, and `__len__`."""

    def __getitem__(self, index: int) -> T:
        raise NotImplementedError(f"{type(self).__name__}: __getitem__ is not written")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """Base class of data sets whose samples come one after another: a subclass writes `__iter__`."""

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__}: __iter__ is not written")


class ConcatDataset(Dataset[T]):
    """Several data sets as one. Raises ValueError if there is none, TypeError for an `IterableDataset`."""

    def __init__(self, datasets: Iterable[Dataset[T]]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: expected at least one data set")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise TypeError("ConcatDataset: an IterableDataset has no positions")
        self.cumulative_sizes: list[int] = list(accumulate(map(len, self.datasets)))

    def __getitem__(self, index: int) -> T:
        check_positions("ConcatDataset", np.array(index), len(self))
        index %= len(self)
        which = bisect_right(self.cumulative_sizes, index)
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample i is the tuple of row i of each tensor; raises ValueError without tensors or if their first dimensions differ."""

    def __init__(self, *tensors: Tensor) -> None:
        self.tensors = tuple(listed("TensorDataset", tensors))
        if any(not t.ndim or len(t) != len(tensors[0]) for t in tensors):
            raise ValueError(f"TensorDataset: expected tensors with one first dimension, got shapes {shapes(*tensors)}")

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[T]):
    """The samples of `dataset` at the positions `indices`; raises TypeError for a mask, IndexError for positions outside."""

    def __init__(self, dataset: Dataset[T], indices: Iterable[int]) -> None:
        self.dataset = dataset
        self.indices: Any = indices if isinstance(indices, Sequence) else list(indices)
        if hasattr(dataset, "__len__"):
            check_positions("Subset", np.array(self.indices), len(dataset))

    def __getitem__(self, index: Any) -> T:  # a list, as a subset of this one passes on a slice
        of: Any = self.dataset
        return of[[self.indices[at] for at in index] if isinstance(index, list) else self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset[T], lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset[T]]:
    """Split `dataset` at random into subsets of the given lengths, or of fractions that add up to 1.

    Lengths from fractions are rounded down, and the samples left over go to the first subsets, one each.
    """
    count = len(dataset)  # type: ignore[arg-type]  # raises TypeError if it has no length
    if math.isclose(math.fsum(lengths), 1) and min(lengths) >= 0:
        sizes = [math.floor(count * fraction) for fraction in lengths]
        for i in range(count - sum(sizes)):
            sizes[i % len(sizes)] += 1
        if 0 in sizes:
            warnings.warn(f"random_split: fractions {list(lengths)} of {count} samples are {sizes} samples", stacklevel=2)
    else:
        sizes = [*lengths]  # type: ignore[list-item]  # fractions raise below
    if not all(isinstance(size, Integral) and size >= 0 for size in sizes) or sum(sizes) != count:
        expected = f"whole lengths that add up to {count} samples, or fractions that add up to 1"
        raise ValueError(f"random_split: expected {expected}, got {sizes}")
    order = stream(generator).permutation(count).tolist()
    return [Subset(dataset, order[end - size : end]) for end, size in zip(accumulate(sizes), sizes)]


def check_positions(name: str, positions: np.ndarray, count: int) -> None:
    """Raise TypeError for positions that are no whole numbers, such as a mask, and IndexError for those outside."""
    if positions.size and positions.dtype.kind not in "iu":
        mend = "for a mask write mask.nonzero().flatten()"
        raise TypeError(f"{name}: expected whole numbers as positions, got {positions.dtype}; {mend}")
    outside = positions[(positions < -count) | (positions >= count)]
    if outside.size:
        raise IndexError(f"{name}: position {outside.flat[0]} in a data set of {count} samples")
