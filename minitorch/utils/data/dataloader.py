"""`DataLoader`: batches of a data set, in order or shuffled, made in the process that asks for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import array_module
from minitorch.creation import from_numpy
from minitorch.random import Generator, default_generator
from minitorch.utils.data.collate import default_collate, default_convert
from minitorch.utils.data.dataset import Dataset, IterableDataset, Subset, TensorDataset, check_positions
from minitorch.utils.data.sampler import batches


class DataLoader:
    """The batches of a data set, one epoch each time it is iterated over: `for images, labels in DataLoader(...)`.

    With `shuffle` every epoch is drawn anew from `generator` (the default one if None) when its first batch is asked for: a
    seed gives the same sequence of orders each time. `sampler`, an iterable of positions, sets the order instead, and
    `batch_sampler`, one of lists of positions, the batches too. The last batch may be smaller, or is left out with
    `drop_last`. `collate_fn` makes a batch of a list of samples; without it, the rows of a `TensorDataset`, or of a `Subset`
    of one, are fetched by one indexing of each tensor. With `batch_size=None` samples come one by one.

    Batches are made in this process, by one worker: `num_workers`, `worker_init_fn` (never called), `pin_memory`, `timeout`,
    `multiprocessing_context`, `prefetch_factor`, `persistent_workers` and `in_order` are accepted, checked as PyTorch checks
    them, and change nothing. `state_dict` and `load_state_dict`, which PyTorch's lacks (torchdata's StatefulDataLoader has
    them), stop and go on at any batch.

    Raises ValueError for a `batch_size` below 1, for `shuffle` together with a sampler or without a sample to shuffle, and for
    options that exclude each other; TypeError for a sampler that lasts for one epoch only, as a generator does (PyTorch's
    later epochs would be empty).
    """

    num_workers: int
    pin_memory: bool
    timeout: float
    worker_init_fn: Any
    prefetch_factor: int | None
    persistent_workers: bool

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None = 1,
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
        if num_workers == 0 and (prefetch_factor is not None or persistent_workers):
            raise ValueError("DataLoader: prefetch_factor and persistent_workers need num_workers above 0")
        self.num_workers, self.pin_memory, self.timeout, self.worker_init_fn = num_workers, pin_memory, timeout, worker_init_fn
        self.prefetch_factor, self.persistent_workers = prefetch_factor, persistent_workers
        self._iterable = isinstance(dataset, IterableDataset)
        _check_order(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if generator is not None and not isinstance(generator, Generator):
            raise TypeError(f"DataLoader: expected a minitorch.Generator, got {type(generator).__name__}")
        self.dataset: Any = dataset
        self.batch_size: int | None = batch_size if batch_sampler is None else None
        self.shuffle: bool = bool(shuffle)
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self._one_by_one = self.batch_size is None and batch_sampler is None
        self.collate_fn: Any = collate_fn or (default_convert if self._one_by_one else default_collate)
        self.drop_last = drop_last
        self.generator = generator
        self._place: tuple[Any, int] | None = None  # the order of the epoch under way, and how many batches it has given
        self._goes_on = False  # whether the next epoch is the rest of that one

    def __len__(self) -> int:
        samples = len(self._samples())
        if self.batch_size is None:
            return samples
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if self._place is None or not self._goes_on:
            self._place = self._order(), 0
        self._goes_on = False
        order, given = self._place
        chunks = iter(order) if self.batch_size is None else batches(order, self.batch_size, self.drop_last)
        for chunk in islice(chunks, given, None):
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
        values: list[Any] = [state_dict.get(name) for name in ("loader", "batches", "order", "generator")]
        form, given, order, stream = values
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
        samples = self._samples()
        return {
            "samples": len(samples) if hasattr(samples, "__len__") else None,
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "own_generator": self.generator is not None,
        }

    def _samples(self) -> Any:
        """What is gone through: batches of positions, positions, or the data set itself."""
        given = self.sampler if self.batch_sampler is None else self.batch_sampler
        return self.dataset if given is None else given

    def _order(self) -> Iterable[Any]:
        samples = self._samples()
        if samples is not self.dataset or self._iterable:
            return samples
        if self.shuffle:
            return (self.generator or default_generator).numpy.permutation(len(self.dataset)).tolist()
        return range(len(self.dataset))

    def _batch(self, positions: Any) -> Any:
        if self._iterable:
            return self.collate_fn(positions)
        if self._one_by_one:
            return self.collate_fn(self.dataset[positions])
        dataset = self.dataset
        while type(dataset) is Subset and self.collate_fn is default_collate:
            positions = [dataset.indices[i] for i in positions]
            dataset = dataset.dataset
        # not a subclass, whose __getitem__ may do more
        if type(dataset) is TensorDataset and self.collate_fn is default_collate:
            return _rows(dataset, positions)
        return self.collate_fn([dataset[i] for i in positions])


def _check_order(dataset: Any, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool) -> None:
    """Raise ValueError or TypeError for options that exclude each other, or give no order that can be repeated."""
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ValueError("DataLoader: a batch_sampler sets the batches, so batch_size, shuffle, sampler and drop_last cannot")
    if batch_size is None and drop_last:
        raise ValueError("DataLoader: batch_size=None makes no batches, of which drop_last could leave one out")
    if batch_size is not None and (not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1):
        raise ValueError(f"DataLoader: expected a batch_size of 1 or more, got {batch_size!r}")
    if isinstance(dataset, IterableDataset) and (shuffle or sampler is not None or batch_sampler is not None):
        raise ValueError("DataLoader: an IterableDataset sets its own order, so shuffle and samplers cannot be asked for")
    if shuffle and sampler is not None:
        raise ValueError("DataLoader: a sampler sets the order, so shuffle cannot be asked for too")
    for given in (sampler, batch_sampler):
        if given is not None and iter(given) is given:
            raise TypeError(
                f"DataLoader: a sampler is gone through in every epoch, a {type(given).__name__} can be gone through only "
                "once; pass a list"
            )
    if shuffle and not len(dataset):
        raise ValueError("DataLoader: the data set has 0 samples, there is nothing to shuffle")


def get_worker_info() -> None:
    """None, as in PyTorch's main process: there are no worker processes."""


def _rows(dataset: TensorDataset, positions: list[Any]) -> list[Tensor]:
    """What `default_collate` would make of these samples, in one indexing of each tensor."""
    index = np.array(positions)
    check_positions("DataLoader", index, len(dataset))  # a GPU would wrap round without a word
    return [
        t[index] if t.requires_grad else wrap(t.array.take(array_module(t.array).asarray(index), axis=0))
        for t in dataset.tensors
    ]
