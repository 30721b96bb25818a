"""The transforms that MNIST scripts use, under torchvision's names, on arrays and tensors of images.

An image is a uint8 array (h, w) or (h, w, c), as `datasets.MNIST` gives it or `numpy.asarray` makes it of a PIL image, or
a tensor (..., c, h, w). Random transforms draw from minitorch's default generator, so `manual_seed` repeats them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import functional
from minitorch.autograd.tensor import Tensor
from minitorch.creation import as_tensor, from_numpy, rand, randint
from minitorch.ops.shape import flip


class Compose:
    """Apply transforms one after another."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms: Any = list(transforms)

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


class Lambda:
    """Apply a function."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: expected a function, got {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)


class ToTensor:
    """An image (h, w) or (h, w, c) as a tensor (c, h, w); uint8 becomes float32 from 0 to 1, other dtypes stay."""

    def __call__(self, image: Any) -> Tensor:
        return to_tensor(image)


def to_tensor(pic: Any) -> Tensor:
    """See `ToTensor`; raises ValueError unless the image has two or three dimensions."""
    array = np.asarray(pic)
    if array.ndim not in (2, 3):
        raise ValueError(f"to_tensor: expected an image (h, w) or (h, w, c), got shape {tuple(array.shape)}")
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    array = array.astype(np.float32) / np.float32(255) if array.dtype == np.uint8 else np.ascontiguousarray(array)
    return from_numpy(array)


class PILToTensor:
    """An image (h, w) or (h, w, c) as a tensor (c, h, w) of the same dtype."""

    def __call__(self, image: Any) -> Tensor:
        array = np.asarray(image)
        return as_tensor(np.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1)))


class ToPILImage:
    """A tensor (c, h, w) from 0 to 1 as a uint8 array (h, w) or (h, w, c), which stands for torchvision's PIL image here."""

    def __call__(self, image: Tensor) -> np.ndarray:
        array = image.detach().cpu().numpy()
        if array.dtype.kind == "f":
            array = (array * 255).astype(np.uint8)
        return array[0] if len(array) == 1 else array.transpose(1, 2, 0)


class Normalize:
    """(image - mean) / std, one mean and one standard deviation for each channel or one for all."""

    mean: Any
    std: Any

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std = (np.asarray(value, np.float64).reshape(-1, 1, 1) for value in (mean, std))
        if (self.std == 0).any():
            raise ValueError(f"Normalize: std must not be zero, got {std}")

    def __call__(self, image: Tensor) -> Tensor:
        if not isinstance(image, Tensor) or not image.is_floating_point():
            raise TypeError("Normalize: expected a floating-point tensor; put ToTensor() before it")
        mean, std = (as_tensor(value, dtype=image.dtype) for value in (self.mean, self.std))
        return (image - mean) / std


class Grayscale:
    """Keep grey images as they are; colours become their luminance (ITU-R 601-2), repeated in `num_output_channels`."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.channels = num_output_channels

    def __call__(self, image: Any) -> Any:
        if isinstance(image, Tensor):
            one = image if image.shape[-3] == 1 else _luminance(image, -3)
            return one.expand(*one.shape[:-3], self.channels, *one.shape[-2:])
        array = np.asarray(image)
        grey = array if array.ndim == 2 else (array @ np.array([0.299, 0.587, 0.114])).astype(array.dtype)
        return grey if self.channels == 1 else np.stack([grey] * self.channels, -1)


def _luminance(image: Tensor, dim: int) -> Tensor:
    weights = as_tensor([0.2989, 0.587, 0.114], dtype=image.dtype).reshape(3, 1, 1)
    return (image * weights).sum(dim, keepdim=True)


class Resize:
    """Resize to (h, w), or the shorter side to `size`, bilinear."""

    def __init__(self, size: int | Sequence[int], interpolation: Any = None, antialias: bool | None = True) -> None:
        self.size = size

    def __call__(self, image: Any) -> Any:
        h, w = _extent(image)
        if isinstance(self.size, int):
            size = (self.size, round(self.size * w / h)) if h <= w else (round(self.size * h / w), self.size)
        else:
            size = (self.size[0], self.size[1])
        return _on_tensor(image, lambda x: functional.interpolate(x, size=size, mode="bilinear", align_corners=False))


class CenterCrop:
    """The middle of an image, (size, size) or (h, w)."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size: tuple[int, int] | tuple[int, ...] = (size, size) if isinstance(size, int) else tuple(size)

    def __call__(self, image: Any) -> Any:
        (h, w), (height, width) = _extent(image), self.size
        return _cropped(image, round((h - height) / 2), round((w - width) / 2), height, width)


class RandomCrop:
    """A random part of an image, (size, size) or (h, w), after `padding` zeros at each side."""

    size: tuple[int, int] | tuple[int, ...]
    padding: int

    def __init__(self, size: int | Sequence[int], padding: int | None = None) -> None:
        self.size, self.padding = ((size, size) if isinstance(size, int) else tuple(size)), padding or 0

    def __call__(self, image: Any) -> Any:
        p = self.padding
        image = _on_tensor(image, lambda x: functional.pad(x, (p, p, p, p))) if p else image
        (h, w), (height, width) = _extent(image), self.size
        if h < height or w < width:
            raise ValueError(f"RandomCrop: expected an image of at least {self.size}, got {(h, w)}")
        top, left = (int(randint(0, room + 1, ()).item()) for room in (h - height, w - width))
        return _cropped(image, top, left, height, width)


class RandomHorizontalFlip:
    """Mirror left and right with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, image: Any) -> Any:
        return _on_tensor(image, lambda x: flip(x, (-1,))) if rand(()).item() < self.p else image


class RandomVerticalFlip(RandomHorizontalFlip):
    """Mirror top and bottom with probability `p`."""

    def __call__(self, image: Any) -> Any:
        return _on_tensor(image, lambda x: flip(x, (-2,))) if rand(()).item() < self.p else image


def _extent(image: Any) -> tuple[int, int]:
    shape = image.shape[-2:] if isinstance(image, Tensor) else np.asarray(image).shape[:2]
    return shape[0], shape[1]


def _cropped(image: Any, top: int, left: int, height: int, width: int) -> Any:
    if isinstance(image, Tensor):
        return image[..., top : top + height, left : left + width]
    return np.asarray(image)[top : top + height, left : left + width]


def _on_tensor(image: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """`function`, which takes (n, c, h, w) floats, of an image in whichever form; uint8 comes back rounded."""
    if isinstance(image, Tensor):
        batch = image.reshape(-1, *image.shape[-3:])
        result = function(batch if batch.is_floating_point() else batch.float())
        result = result if batch.is_floating_point() else result.round().to(image.dtype)
        return result.reshape(*image.shape[:-3], *result.shape[1:])
    array = np.asarray(image)
    channels = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    out = function(from_numpy(channels[None].astype(np.float32))).array[0].round().astype(array.dtype)
    return out[0] if array.ndim == 2 else out.transpose(1, 2, 0)
