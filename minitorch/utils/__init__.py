"""`torch.utils`: data sets and loaders (`data`)."""

from minitorch.utils import data

__all__ = ["data"]
