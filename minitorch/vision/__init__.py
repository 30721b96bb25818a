"""What MNIST scripts use of torchvision, under its names: the data sets of digits, the transforms, grids of images."""

from minitorch.vision import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
