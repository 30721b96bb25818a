"""Data sets to try loaders on, and what a loader gives of them."""

import minitorch as mt
from minitorch.utils.data import Dataset, IterableDataset, TensorDataset


def numbered(count=10):
    """Sample i is a row of i's and the number i."""
    numbers = mt.arange(count)
    return TensorDataset(numbers.float().reshape(-1, 1).expand(count, 3).contiguous(), numbers)


def order(loader):
    """The numbers of the samples of one epoch, batch by batch."""
    return [labels.tolist() for _, labels in loader]


def samples(loader):
    """The numbers of the samples of one epoch."""
    return [number for batch in order(loader) for number in batch]


def seeded(seed=0):
    return mt.Generator().manual_seed(seed)


class Squares(Dataset):
    """A data set that computes its samples."""

    def __init__(self, count):
        self.count = count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        return {"root": float(index), "square": index**2, "name": f"n{index}"}

    def __len__(self):
        return self.count


class Countdown(IterableDataset):
    """Samples one after another."""

    def __init__(self, count):
        self.count = count

    def __iter__(self):
        return iter(range(self.count, 0, -1))

    def __len__(self):
        return self.count
