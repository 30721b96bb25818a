"""Data sets, samplers and the loader that makes batches, as `torch.utils.data`, without worker processes."""

# fmt: off
# isort: off
from minitorch.utils.data import sampler
from minitorch.utils.data.dataloader import DataLoader, default_collate, get_worker_info
from minitorch.utils.data.dataset import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset, random_split
from minitorch.utils.data.sampler import (
    BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler,
)

__all__ = [
    "BatchSampler", "ConcatDataset", "DataLoader", "Dataset", "IterableDataset", "RandomSampler", "Sampler",
    "SequentialSampler", "Subset", "SubsetRandomSampler", "TensorDataset", "WeightedRandomSampler", "default_collate",
    "get_worker_info", "random_split", "sampler",
]
# fmt: on
