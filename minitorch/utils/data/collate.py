"""Making batches from lists of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minitorch.autograd.tensor import Tensor
from minitorch.backend import float64
from minitorch.creation import from_numpy, tensor
from minitorch.ops.joining import stack


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch from a list of samples: tensors, arrays and numbers are stacked, structures kept, strings put in a list.

    Python floats become float64 as in PyTorch, arrays keep their dtype. Raises ValueError for shapes, lengths or keys that
    differ between the samples, TypeError for other samples.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, (np.ndarray, np.generic)):
        if any(np.shape(sample) != np.shape(first) for sample in batch):
            shapes = ", ".join(str(np.shape(sample)) for sample in batch)
            raise ValueError(f"default_collate: expected equal shapes, got {shapes}")
        return from_numpy(np.stack(batch))
    if isinstance(first, (float, int)):
        return tensor(batch, dtype=float64 if isinstance(first, float) else None)
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


def default_convert(data: Any) -> Any:
    """A sample for a loader without batches: arrays and NumPy numbers become tensors, all else is kept."""
    if isinstance(data, (np.ndarray, np.generic)):
        return from_numpy(np.asarray(data))
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, (tuple, list)):
        converted = [default_convert(value) for value in data]
        return type(data)(*converted) if hasattr(data, "_fields") else converted
    return data
