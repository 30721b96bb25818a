"""The parts of torchvision that MNIST scripts use, under its names: data sets, transforms, grids of images."""

from minitorch.vision import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
