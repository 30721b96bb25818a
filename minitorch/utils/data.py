"""Data sets and the loader that feeds them in batches, as `torch.utils.data`, in the process that asks for them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import Any, Generic, TypeVar

import numpy as np

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, float64
from minitorch.creation import from_numpy, tensor
from minitorch.ops.shape import stack
from minitorch.random import Generator, default_generator

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "random_split"]

T = TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """Base class of data sets: a subclass writes `__getitem__(index)`, which gives one sample, and `__len__`."""

    def __getitem__(self, index: int) -> T:
        raise NotImplementedError(f"{type(self).__name__}: __getitem__ is not written")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors with one sample in each row: sample i is the tuple of their rows i.

    Raises ValueError if their first dimensions differ or if there is no tensor.
    """

    def __init__(self, *tensors: Tensor) -> None:
        shapes = ", ".join(str(t.shape) for t in tensors)
        if not tensors or any(not t.ndim or len(t) != len(tensors[0]) for t in tensors):
            raise ValueError(f"TensorDataset: expected tensors with one first dimension, got shapes {shapes or 'none'}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[T]):
    """The samples of `dataset` at the positions `indices`, in that order.

    Raises IndexError for a position that a data set of known length does not have.
    """

    def __init__(self, dataset: Dataset[T], indices: Iterable[int]) -> None:
        self.dataset = dataset
        self.indices = tuple(indices)
        if hasattr(dataset, "__len__"):
            _check_positions("Subset", np.array(self.indices), len(dataset))

    def __getitem__(self, index: int) -> T:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset[T], lengths: Sequence[int | float], generator: Generator | None = None) -> list[Subset[T]]:
    """`dataset` dealt out at random into subsets of the given lengths, or of the given fractions, which sum to 1.

    Fractions are rounded down and what is left over goes to the first subsets, one each. Raises ValueError for lengths that
    do not add up; warns if a fraction is so small that its subset is empty.
    """
    count = len(dataset)
    if math.isclose(math.fsum(lengths), 1) and min(lengths) >= 0:
        sizes = [math.floor(count * fraction) for fraction in lengths]
        for i in range(count - sum(sizes)):
            sizes[i % len(sizes)] += 1
        if 0 in sizes:
            warnings.warn(f"random_split: fractions {list(lengths)} of {count} samples are {sizes} samples", stacklevel=2)
    else:
        sizes = list(lengths)
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or sum(sizes) != count:
        raise ValueError(
            f"random_split: expected whole lengths that add up to {count} samples, or fractions that add up to 1, got {sizes}"
        )
    order = (generator or default_generator).numpy.permutation(count).tolist()
    return [Subset(dataset, order[end - size : end]) for end, size in zip(accumulate(sizes), sizes)]


class DataLoader:
    """The batches of a data set, one epoch each time it is iterated over: `for images, labels in DataLoader(...)`.

    With `shuffle` every epoch is drawn anew from `generator` (the default one if None) when its first batch is asked for: a
    seed gives the same sequence of orders each time. `sampler`, an iterable of positions, sets the order instead. The last
    batch may be smaller, or is left out with `drop_last`. `collate_fn` makes a batch of a list of samples; without it, the
    rows of a `TensorDataset`, or of a `Subset` of one, are fetched by one indexing of each tensor.

    `state_dict` and `load_state_dict`, which PyTorch's lacks (torchdata's StatefulDataLoader has them), stop and go on at any
    batch. There are no worker processes: raises ValueError for `num_workers` other than 0, for a `batch_size` below 1, for
    `shuffle` together with `sampler` or without a sample to shuffle; TypeError for a sampler that lasts for one epoch only,
    as a generator does (PyTorch's later epochs would be empty).
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
            raise ValueError(f"DataLoader: expected a batch_size of 1 or more, got {batch_size!r}")
        if num_workers != 0:
            raise ValueError(f"DataLoader: batches are made in this process, num_workers must be 0, got {num_workers!r}")
        if shuffle and sampler is not None:
            raise ValueError("DataLoader: a sampler sets the order, so shuffle cannot be asked for too")
        if sampler is not None and iter(sampler) is sampler:
            raise TypeError(
                f"DataLoader: a sampler is gone through in every epoch, a {type(sampler).__name__} can be gone through only "
                "once; pass a list"
            )
        if shuffle and not len(dataset):
            raise ValueError("DataLoader: the data set has 0 samples, there is nothing to shuffle")
        if generator is not None and not isinstance(generator, Generator):
            raise TypeError(f"DataLoader: expected a minitorch.Generator, got {type(generator).__name__}")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = bool(shuffle)
        self.sampler = sampler
        self.collate_fn = default_collate if collate_fn is None else collate_fn
        self.drop_last = drop_last
        self.generator = generator
        self._place: tuple[Any, int] | None = None  # the order of the epoch under way, and how many batches it has given
        self._goes_on = False  # whether the next epoch is the rest of that one

    def __len__(self) -> int:
        samples = len(self.dataset if self.sampler is None else self.sampler)
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self._place is None or not self._goes_on:
            self._place = self._order(), 0
        self._goes_on = False
        order, given = self._place
        positions = islice(iter(order), given * self.batch_size, None)
        while chunk := list(islice(positions, self.batch_size)):
            if len(chunk) == self.batch_size or not self.drop_last:
                batch = self._batch(chunk)
                given += 1
                self._place = order, given
                yield batch
        self._place = None

    def state_dict(self) -> dict[str, Any]:
        """The place in the epoch, its order if it was shuffled, and the state of the loader's own generator, if it has one.

        Inside the loop it is the place after the batch given last, after the loop that of an epoch not yet begun. The default
        generator's state is not part of it (`minitorch.get_rng_state`).
        """
        order, given = self._place or (None, 0)
        return {
            "loader": self._form(),
            "batches": given,
            "order": from_numpy(np.array(order)) if self.shuffle and order is not None else None,
            "generator": None if self.generator is None else self.generator.get_state(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Make the next epoch the rest of the one in which `state_dict` was taken.

        Nothing remains of an epoch whose last batch had been given; the loop then ends at once. A `sampler` is gone through
        from its start, so it must give the same order again. Raises ValueError, and changes nothing, for the state of a loader
        with another number of samples, batch size, `shuffle`, `drop_last` or kind of generator, and for a damaged one.
        """
        own = self._form()
        form, given, order, stream = (state_dict.get(name) for name in ("loader", "batches", "order", "generator"))
        if form != own:
            raise ValueError(f"DataLoader.load_state_dict: expected the state of a loader with {own}, got one with {form}")
        most = math.inf if own["samples"] is None else len(self)
        if type(given) is not int or not 0 <= given <= most:
            raise ValueError(f"DataLoader.load_state_dict: expected a number of batches from 0 to {most}, got {given!r}")
        if self.shuffle and (given or order is not None):
            positions = np.arange(len(self.dataset))
            if not isinstance(order, Tensor) or not np.array_equal(np.sort(order.numpy(), axis=None), positions):
                raise ValueError(f"DataLoader.load_state_dict: expected an order of {len(positions)} samples, got {order!r}")
        if self.generator is not None:
            self.generator.set_state(stream)
        self._goes_on = bool(given) or order is not None
        self._place = (order.tolist() if self.shuffle else self._order(), given) if self._goes_on else None

    def _form(self) -> dict[str, Any]:
        """What must be the same for a place in an epoch to mean the same batches."""
        samples = self.dataset if self.sampler is None else self.sampler
        return {
            "samples": len(samples) if hasattr(samples, "__len__") else None,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "own_generator": self.generator is not None,
        }

    def _order(self) -> Iterable[Any]:
        if self.sampler is not None:
            return self.sampler
        if self.shuffle:
            return (self.generator or default_generator).numpy.permutation(len(self.dataset)).tolist()
        return range(len(self.dataset))

    def _batch(self, positions: list[Any]) -> Any:
        dataset = self.dataset
        while type(dataset) is Subset and self.collate_fn is default_collate:
            positions = [dataset.indices[i] for i in positions]
            dataset = dataset.dataset
        # not a subclass, whose __getitem__ may do more
        if type(dataset) is TensorDataset and self.collate_fn is default_collate:
            return _rows(dataset, positions)
        return self.collate_fn([dataset[i] for i in positions])


def _rows(dataset: TensorDataset, positions: list[Any]) -> list[Tensor]:
    """What `default_collate` would make of these samples, in one indexing of each tensor."""
    index = np.array(positions)
    _check_positions("DataLoader", index, len(dataset))  # a GPU would wrap round without a word
    return [
        t[index] if t.requires_grad else wrap(t.array.take(array_module(t.array).asarray(index), axis=0))
        for t in dataset.tensors
    ]


def _check_positions(name: str, positions: np.ndarray, count: int) -> None:
    if positions.size:
        low, high = positions.min(), positions.max()
        if low < -count or high >= count:
            raise IndexError(f"{name}: position {low if low < -count else high} in a data set of {count} samples")


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of a list of samples: tensors, arrays and numbers stacked, structures kept, strings as a list.

    Tuples and lists become a list of batches, dicts a dict of batches, named tuples one of batches; Python floats become
    float64 as in PyTorch, arrays keep their dtype. Raises ValueError for shapes, lengths or keys that differ between the
    samples, TypeError for other samples.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, (np.ndarray, np.generic)):
        if any(np.shape(sample) != np.shape(first) for sample in batch):
            shapes = ", ".join(str(np.shape(sample)) for sample in batch)
            raise ValueError(f"default_collate: expected equal shapes, got {shapes}")
        return from_numpy(np.stack(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        if any(sample.keys() != first.keys() for sample in batch):
            raise ValueError(f"default_collate: samples with different keys: {[sorted(sample) for sample in batch]}")
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(sample) != len(first) for sample in batch):
            raise ValueError(f"default_collate: samples of different lengths: {[len(sample) for sample in batch]}")
        columns = [default_collate(column) for column in zip(*batch)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeError(
        f"default_collate: expected tensors, arrays, numbers, strings, or tuples, lists and dicts of them, got "
        f"{type(first).__name__}; pass a collate_fn"
    )
