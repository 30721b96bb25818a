"""`DataLoader`: batches of a data set, in order or shuffled, made without worker processes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from itertools import count, islice
from typing import Any, Generic

import numpy as np

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module, float64
from minitorch.creation import from_numpy, tensor
from minitorch.ops.joining import stack
from minitorch.random import Generator, stream
from minitorch.utils.data.dataset import Dataset, IterableDataset, Subset, T, TensorDataset, check_positions
from minitorch.utils.data.sampler import RANDOM, BatchSampler, RandomSampler, SequentialSampler


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch from a list of samples: tensors, arrays and numbers are stacked, structures kept, strings left as they are.

    Raises ValueError for shapes, lengths or keys that differ between the samples, TypeError for other samples.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, (str, bytes)):  # those of NumPy, too
        return batch
    if isinstance(first, (np.ndarray, np.generic)):
        arrays = list(map(np.asarray, batch))  # of `numpy.matrix` NumPy's stack would spoil the memory
        if len({(array.shape, array.dtype) for array in arrays}) > 1:  # int64 with float32 is float32, for NumPy float64
            return stack(list(map(from_numpy, arrays)))
        return from_numpy(np.stack(arrays))
    if isinstance(first, (float, int)):
        return tensor(batch, dtype=float64 if isinstance(first, float) else None)
    kind = Mapping if isinstance(first, Mapping) else Sequence
    if not all(isinstance(sample, kind) for sample in batch):
        expected = "tensors, arrays, numbers, strings, or tuples, lists and dicts of them, all samples alike"
        given = " and ".join(dict.fromkeys(type(sample).__name__ for sample in batch))
        raise TypeError(f"default_collate: expected {expected}, got {given}; pass a collate_fn")
    if isinstance(first, Mapping):
        if any(sample.keys() != first.keys() for sample in batch):
            raise ValueError(f"default_collate: samples with different keys: {[list(sample) for sample in batch]}")
        return _like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if any(len(sample) != len(first) for sample in batch):
        raise ValueError(f"default_collate: samples of different lengths: {[len(sample) for sample in batch]}")
    columns = [default_collate(column) for column in zip(*batch)]
    return type(first)(*columns) if hasattr(first, "_fields") else _like(first, columns)


def _like(first: Any, made: Any) -> Any:
    """`made` in a container like `first`, with its attributes; plain for a tuple, and where that container takes no tensors."""
    try:
        if not isinstance(first, (MutableMapping, MutableSequence)):
            return made if isinstance(first, tuple) else type(first)(made)
        like = copy.copy(first)
        for key in made if isinstance(made, dict) else range(len(made)):
            like[key] = made[key]
        return like
    except (TypeError, ValueError):
        return made


class _Drawn:
    """The positions that a sampler draws, each when it is first needed, and the same again to whoever asks later."""

    def __init__(self, sampler: Iterable[Any]) -> None:
        self.drawn: list[Any] = []
        self.rest = iter(sampler)

    def __iter__(self) -> Iterator[Any]:
        for at in count():
            if at == len(self.drawn):  # somebody else who asks may have drawn more in the meantime
                self.drawn.extend(islice(self.rest, 1))
            if at == len(self.drawn):
                return
            yield self.drawn[at]


class DataLoader(Generic[T]):
    """The batches of a data set, one epoch each time it is iterated over: `for images, labels in DataLoader(...)`.

    With `shuffle` each epoch has a new order, drawn from `generator` (the default one if None) with its first batch. `sampler`,
    an iterable of positions, sets the order instead; `batch_sampler`, an iterable of lists of positions, also sets the
    batches. The last batch may be smaller, or is left out with `drop_last`. `collate_fn` makes a batch from a list of samples.

    Batches are made in this process: `num_workers`, `worker_init_fn` (never called), `pin_memory` and the options of workers
    are checked as in PyTorch, and have no effect. `state_dict` and `load_state_dict`, as in torchdata's StatefulDataLoader,
    save and resume at any batch. Raises ValueError for options that exclude each other or allow no batch, TypeError for a
    sampler that can be iterated over only once, such as a generator.
    """

    def __init__(
        self,
        dataset: Dataset[Any] | Sequence[Any],
        batch_size: int = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0 or timeout < 0:
            raise ValueError(f"DataLoader: expected num_workers and timeout of 0 or more, got {num_workers} and {timeout}")
        if num_workers == 0 and (prefetch_factor is not None or persistent_workers or multiprocessing_context is not None):
            options = "prefetch_factor, persistent_workers and multiprocessing_context"
            raise ValueError(f"DataLoader: {options} need num_workers above 0")
        _check_order(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)
        stream(generator)  # raises TypeError for anything else, now
        self.num_workers: int = num_workers
        self.pin_memory: bool = pin_memory
        self.dataset: Any = dataset
        self.batch_size: int | None = batch_size if batch_sampler is None else None
        self.shuffle: bool = bool(shuffle)
        if sampler is None and batch_sampler is None and not isinstance(dataset, IterableDataset):
            of: Any = self.dataset
            sampler = RandomSampler(of, generator=generator) if shuffle else SequentialSampler(of)
        self.sampler: Any = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn: Any = collate_fn or default_collate
        self.drop_last = drop_last
        self.generator = generator
        self._place: tuple[Any, int] | None = None  # the order of the current epoch, and how many batches it has given
        self._goes_on = False  # whether the next iteration continues that epoch

    def __len__(self) -> int:
        samples = self._samples()
        return len(samples if self.batch_size is None else BatchSampler(samples, self.batch_size, self.drop_last))

    def __iter__(self) -> Iterator[Any]:
        if self._place is None or not self._goes_on:
            self._place = self._order(), 0
        self._goes_on = False
        order, given = self._place
        chunks: Any = order if self.batch_size is None else BatchSampler(order, self.batch_size, self.drop_last)
        for chunk in islice(chunks, given, None):
            batch = self._batch(chunk)
            given += 1
            self._place = order, given
            yield batch
        self._place = None

    def state_dict(self) -> dict[str, Any]:
        """The position after the last batch, a random epoch's order, and the state of the loader's or sampler's own generator.

        Raises ValueError within an epoch of a `batch_sampler` that draws, whose batches could not be given again.
        """
        order, given = self._place or (None, 0)
        if given and isinstance(getattr(self.batch_sampler, "sampler", None), RANDOM):
            mend = "give the loader that sampler, batch_size and drop_last instead, or save between epochs"
            raise ValueError(f"DataLoader.state_dict: the batches of a random batch_sampler cannot be given again; {mend}")
        generator = self._generator()
        return {
            "loader": self._form(),
            "batches": given,
            "order": from_numpy(np.array(list(order), np.int64)) if self._draws() and order is not None else None,
            "generator": None if generator is None else generator.get_state(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Make the next iteration continue the epoch in which `state_dict` was called; its rest may be empty.

        A `sampler` of your own is iterated over from its start, so it must give the same order again. Raises ValueError, and
        changes nothing, for the state of a loader with other samples, options or kind of generator, and for a damaged state.
        """
        own = self._form()
        get: Any = state_dict.get if isinstance(state_dict, Mapping) else {"loader": type(state_dict).__name__}.get
        form, given, order, stream = map(get, ("loader", "batches", "order", "generator"))
        if form != own:
            raise ValueError(f"DataLoader.load_state_dict: expected the state of a loader with {own}, got one with {form}")
        most = math.inf if own["samples"] is None else len(self)
        if type(given) is not int or not 0 <= given <= most:
            raise ValueError(f"DataLoader.load_state_dict: expected a number of batches from 0 to {most}, got {given!r}")
        if self._draws() and (given or order is not None):
            positions = np.sort(order.numpy(), axis=None) if isinstance(order, Tensor) else np.arange(0)
            if len(positions) != own["samples"] or (self.shuffle and not np.array_equal(positions, np.arange(len(positions)))):
                raise ValueError(f"DataLoader.load_state_dict: expected an order of {own['samples']} samples, got {order!r}")
        if (generator := self._generator()) is not None:
            generator.set_state(stream)
        self._goes_on = bool(given) or order is not None
        self._place = (order.tolist() if self._draws() else self._order(), given) if self._goes_on else None

    def _form(self) -> dict[str, Any]:
        """The properties that must agree for a saved position to mean the same batches."""
        samples = self._samples()
        return {
            "samples": len(samples) if hasattr(samples, "__len__") else None,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "own_generator": self._generator() is not None,
        }

    def _samples(self) -> Any:
        """What the loader iterates over: batches of positions, positions, or a stream."""
        given = self.sampler if self.batch_sampler is None else self.batch_sampler
        return self.dataset if given is None else given

    def _generator(self) -> Generator | None:
        return getattr(self.sampler, "generator", None) if self._draws() else self.generator

    def _draws(self) -> bool:
        """Whether each epoch draws an order of its own, which a state has to keep."""
        return isinstance(self.sampler, RANDOM)

    def _order(self) -> Iterable[Any]:
        return _Drawn(self._samples()) if self._draws() else self._samples()

    def _batch(self, positions: Any) -> Any:
        dataset = self.dataset
        if isinstance(dataset, IterableDataset):
            return self.collate_fn(positions)
        given, positions = positions, list(positions) if isinstance(positions, Iterable) else []
        if not positions:
            raise ValueError(f"DataLoader: expected batches of positions from the batch_sampler, got {given!r:.40}")
        while type(dataset) is Subset and self.collate_fn is default_collate:
            positions = [dataset.indices[i] for i in positions]
            dataset = dataset.dataset
        if type(dataset) is not TensorDataset or self.collate_fn is not default_collate:  # a subclass's __getitem__ may do more
            return self.collate_fn([dataset[i] for i in positions])
        index = np.array(positions)
        check_positions("DataLoader", index, len(dataset))  # on a GPU, positions outside would silently wrap around
        return [
            t[index] if t.requires_grad else wrap(t.array.take(array_module(t.array).asarray(index), axis=0))
            for t in dataset.tensors
        ]


def _check_order(dataset: Any, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool) -> None:
    """Raise ValueError or TypeError for options that exclude each other, or give no order that can be repeated."""
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("DataLoader: a batch_sampler sets the batches, so batch_size, shuffle, sampler and drop_last cannot")
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise ValueError(f"DataLoader: expected a batch_size of 1 or more, got {batch_size!r}")
    if isinstance(dataset, IterableDataset) and (shuffle or sampler is not None or batch_sampler is not None):
        raise ValueError("DataLoader: an IterableDataset sets its own order, so shuffle and samplers are not allowed")
    if shuffle and sampler is not None:
        raise ValueError("DataLoader: a sampler sets the order, so shuffle is not allowed")
    for given in (sampler, batch_sampler):
        if isinstance(given, Iterator):
            once = f"but a {type(given).__name__} can be iterated over only once"
            raise TypeError(f"DataLoader: a sampler is iterated over in every epoch, {once}; pass a list")
    if shuffle and not len(dataset):
        raise ValueError("DataLoader: the data set has 0 samples, there is nothing to shuffle")


def get_worker_info() -> None:
    """None, as in PyTorch's main process: there are no worker processes."""
