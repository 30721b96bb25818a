"""The transforms that MNIST scripts use, under torchvision's names, for arrays and tensors of images.

An image is a tensor (..., c, h, w) or a uint8 array (h, w) or (h, w, c), as from `datasets.MNIST` or `numpy.asarray` of a PIL
image. Random transforms draw from minitorch's default generator, so that `manual_seed` repeats them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minitorch import functional
from minitorch.autograd.tensor import Tensor
from minitorch.backend import float32, float64, get_default_dtype
from minitorch.creation import as_tensor, from_numpy, ones_like
from minitorch.ops.dims import whole, wholes
from minitorch.ops.shape import flip
from minitorch.sampling import rand, randint


@dataclass
class Compose:
    """Apply transforms one after another."""

    transforms: Sequence[Callable[[Any], Any]]

    def __call__(self, image: Any) -> Any:
        for transform in self.transforms:
            image = transform(image)
        return image


@dataclass
class Lambda:
    """Apply a function."""

    lambd: Callable[[Any], Any]

    def __call__(self, image: Any) -> Any:
        return self.lambd(image)


class ToTensor:
    """An image (h, w) or (h, w, c) as a tensor (c, h, w); uint8 becomes the default dtype, from 0 to 1, other dtypes stay."""

    def __call__(self, image: Any) -> Tensor:
        if isinstance(image, Tensor):
            raise TypeError("to_tensor: expected an array or a PIL image, got a tensor; leave ToTensor out")
        black_and_white = getattr(image, "mode", None) == "1"  # of PIL, which has booleans there
        array = _channels_first(np.asarray(image, np.uint8) * 255 if black_and_white else np.asarray(image))
        dtype = get_default_dtype()
        return from_numpy(array.astype(dtype, "C") / dtype.type(255) if array.dtype == np.uint8 else array.copy())


class Normalize:
    """(image - mean) / std, with one mean and standard deviation for each channel or for all."""

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float], inplace: bool = False) -> None:
        self.mean: Any
        self.std: Any
        self.mean, self.std = (np.asarray(value, np.float64).reshape(-1, 1, 1) for value in (mean, std))
        if (self.std == 0).any():
            raise ValueError(f"Normalize: std must not be zero, got {std}")
        self.inplace: bool = inplace

    def __call__(self, image: Tensor) -> Tensor:
        if not isinstance(image, Tensor) or not image.is_floating_point():
            raise TypeError("Normalize: expected a floating-point tensor; put ToTensor() before it")
        if image.ndim < 3 or not {len(self.mean), len(self.std)} <= {1, image.shape[-3]}:
            given = f"{len(self.mean)} means and {len(self.std)} standard deviations"
            raise ValueError(f"Normalize: {given} do not fit an image (..., c, h, w) of shape {tuple(image.shape)}")
        mean, std = (as_tensor(value, image.dtype, image.device) for value in (self.mean, self.std))
        return image.sub_(mean).div_(std) if self.inplace else (image - mean) / std


@dataclass
class Resize:
    """Resize to (h, w), or the shorter side to `size`, bilinearly; `antialias` takes means over what shrinks.

    Raises ValueError for lengths below 1 and for other interpolations.
    """

    size: int | Sequence[int]
    interpolation: Any = None
    antialias: bool | None = True

    def __post_init__(self) -> None:
        if getattr(self.interpolation, "value", self.interpolation) not in (None, 2, "bilinear"):  # 2 is PIL's
            raise ValueError(f"Resize: only bilinear interpolation is there, got {self.interpolation}")
        _lengths("Resize", self.size)  # said now, not at the first image

    def __call__(self, image: Any) -> Any:
        (h, w), size = _extent(image), _lengths("Resize", self.size)
        if len(size) == 1:
            size = (*size, int(size[0] * w / h)) if h <= w else (int(size[0] * h / w), *size)
        rows, columns = (_triangles(n, m, bool(self.antialias)) for n, m in zip((h, w), size))

        def resized(x: Tensor) -> Tensor:
            wide = x if x.dtype in (float32, float64) else x.float()
            out = from_numpy(rows).to(wide) @ wide @ from_numpy(columns).to(wide).T
            return (out if x.is_floating_point() else out.round()).to(x.dtype)

        return _on_tensor(image, resized)


def _triangles(n: int, m: int, antialias: bool) -> np.ndarray:
    """The weights (m, n) of n pixels in each of m: a triangle round its middle, as wide as two pixels of the larger kind."""
    scale = n / m
    middles = ((np.arange(m) + 0.5) * scale)[:, None] - 0.5
    middles = middles if antialias else middles.clip(0, n - 1)
    weights = (1 - abs(np.arange(n) - middles) / (max(scale, 1.0) if antialias else 1.0)).clip(0)
    return weights / weights.sum(1, keepdims=True)


class CenterCrop:
    """The middle of an image, (size, size) or (h, w); raises ValueError for a smaller image, which torchvision pads."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size: Any = (_lengths(type(self).__name__, size) * 2)[:2]

    def __call__(self, image: Any) -> Any:
        return self.cropped(image, [round(room / 2) for room in self.rooms(image)])

    def rooms(self, image: Any) -> list[int]:
        """How many rows and columns are left out; raises ValueError if the image is smaller than what is to be left."""
        rooms = [length - size for length, size in zip(_extent(image), self.size)]
        if min(rooms) < 0:
            raise ValueError(f"{type(self).__name__}: expected an image of at least {self.size}, got {_extent(image)}")
        return rooms

    def cropped(self, image: Any, corner: list[int]) -> Any:
        """The part of the image that begins at `corner` (top, left)."""
        part = tuple(slice(start, start + length) for start, length in zip(corner, self.size))
        return image[(..., *part)] if isinstance(image, Tensor) else np.asarray(image)[part]


class RandomCrop(CenterCrop):
    """A random part of an image, (size, size) or (h, w), after padding each side with `padding` zeros."""

    def __init__(self, size: int | Sequence[int], padding: int | None = None) -> None:
        super().__init__(size)
        self.padding: int = whole("RandomCrop", "padding", padding or 0)

    def __call__(self, image: Any) -> Any:
        image = _on_tensor(image, lambda x: functional.pad(x, (self.padding,) * 4)) if self.padding else image
        return self.cropped(image, [int(randint(0, room + 1, ()).item()) for room in self.rooms(image)])


class RandomAffine:
    """Turn by an angle, in degrees, move, scale and shear about the middle, as drawn from the given ranges.

    A number d of `degrees` or `shear` stands for (-d, d); `translate` has the largest parts of the width and height. Beyond
    the image is `fill`, a number or one for each channel. Raises ValueError for ranges that are none, and other interpolations.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: Any = "nearest",
        fill: float | Sequence[float] = 0,
    ) -> None:
        name, self.interpolation = type(self).__name__, getattr(interpolation, "value", interpolation)
        self.interpolation = {0: "nearest", 2: "bilinear"}.get(self.interpolation, self.interpolation)  # PIL's numbers
        self.degrees, shear = (value if isinstance(value, Sequence) else (-value, value) for value in (degrees, shear or 0.0))
        self.translate, self.scale, self.shear = translate or (0.0, 0.0), scale or (1.0, 1.0), (*shear, 0.0, 0.0)[:4]
        self.fill: Any = np.asarray(fill, np.float64).reshape(-1, 1, 1)
        ranges = [self.degrees, self.scale, self.shear[:2], self.shear[2:]]
        parts = len(self.translate) == 2 and min(self.translate) >= 0 and max(self.translate) <= 1 and min(self.scale) > 0
        if not parts or any(len(each) != 2 or each[0] > each[1] for each in ranges):
            given = f"{degrees}, translate={translate}, scale={scale}, shear={shear}"
            raise ValueError(f"{name}: expected (low, high), parts of the image from 0 to 1, and scales above 0, got {given}")
        if self.interpolation not in ("nearest", "bilinear"):
            raise ValueError(f"{name}: only nearest and bilinear interpolation are there, got {interpolation}")

    def __call__(self, image: Any) -> Any:
        h, w = _extent(image)
        draws = [(-part * length, part * length) for part, length in zip(self.translate, (w, h))]
        angle, right, down, scale, x, y = (
            low + (high - low) * rand((), dtype=float64).item()
            for low, high in (self.degrees, *draws, self.scale, self.shear[:2], self.shear[2:])
        )
        return _on_tensor(image, lambda a: self.moved(a, angle, (round(right), round(down)), scale, (x, y)))

    def moved(self, x: Tensor, angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]) -> Tensor:
        """The images (..., c, h, w) turned clockwise and so on: each pixel is read where the inverse map puts it."""
        (turn, right, down), (h, w) = np.deg2rad((angle, *shear)), x.shape[-2:]
        first = np.array((np.cos(turn - down), np.sin(turn - down))) / np.cos(down)
        second = np.array((-np.sin(turn), np.cos(turn))) - first * np.tan(right)
        back, sides = np.linalg.inv(np.stack([first, second], 1) * scale), np.array((w, h)) / 2
        theta = np.concatenate([back * sides / sides[:, None], (-back @ translate / sides)[:, None]], 1)  # in halves of sides
        images = (x if x.is_floating_point() else x.float()).reshape(-1, *x.shape[-3:])
        fill = as_tensor(self.fill, images.dtype, x.device)
        grid = functional.affine_grid(as_tensor(theta[None], images.dtype, x.device), (1, 1, h, w), False)
        grid = grid.expand(len(images), -1, -1, -1)
        read = partial(functional.grid_sample, mode=self.interpolation, align_corners=False)
        inside = read(ones_like(images[:1, :1]), grid[:1])  # as torchvision's; less than 1 at an edge of the image
        out = read(images, grid) * inside + (1 - inside) * fill
        return (out if x.is_floating_point() else out.round()).to(x.dtype).reshape(x.shape)


class RandomRotation(RandomAffine):
    """Turn counter-clockwise by an angle drawn from `degrees`; a number d stands for (-d, d). Beyond the image is `fill`."""

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: Any = "nearest",
        expand: bool = False,
        center: None = None,
        fill: float | Sequence[float] = 0,
    ) -> None:
        if expand or center is not None:
            raise ValueError(f"RandomRotation: only expand=False and center=None are there, got {expand} and {center}")
        super().__init__(degrees, interpolation=interpolation, fill=fill)

    def moved(self, x: Tensor, angle: float, *rest: Any) -> Tensor:
        """The images turned counter-clockwise."""
        return super().moved(x, -angle, *rest)


@dataclass
class ToPILImage:
    """A tensor (c, h, w) or (h, w), or an array (h, w, c) or (h, w), as a PIL image.

    Fractions go from 0 to 1, but in mode "F". Raises ValueError for other shapes, and for a mode that is not the image's.
    """

    mode: str | None = None

    def __call__(self, pic: Any) -> Any:
        from PIL import Image

        array = np.asarray(pic.detach().cpu().numpy() if isinstance(pic, Tensor) else pic)
        array = array.transpose(1, 2, 0) if isinstance(pic, Tensor) and array.ndim == 3 else array
        array = np.ascontiguousarray((array * 255).astype(np.uint8) if array.dtype.kind == "f" and self.mode != "F" else array)
        if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] > 4):
            raise ValueError(f"ToPILImage: expected an image of 1 to 4 channels, got shape {np.shape(pic)}")
        image = Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)
        if self.mode not in (None, image.mode):
            raise ValueError(f"ToPILImage: expected mode {image.mode} for this image, got {self.mode}")
        return image


@dataclass
class RandomHorizontalFlip:
    """Mirror left and right with probability `p`."""

    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"RandomHorizontalFlip: expected a probability p from 0 to 1, got {self.p}")

    def __call__(self, image: Any) -> Any:
        return _on_tensor(image, lambda x: flip(x, (-1,))) if rand(()).item() < self.p else image


def _lengths(name: str, size: int | Sequence[int]) -> tuple[int, ...]:
    """The one or two lengths that `size` is."""
    lengths = wholes(name, "each length", tuple(size) if isinstance(size, (list, tuple)) else (size,))
    if len(lengths) not in (1, 2) or min(lengths) < 1:
        raise ValueError(f"{name}: expected one or two lengths of 1 or more, got {size}")
    return lengths


def _extent(image: Any) -> tuple[int, ...]:
    extent = tuple(image.shape[-2:] if isinstance(image, Tensor) else _channels_first(np.asarray(image)).shape[1:])
    if len(extent) < 2 or not min(extent):
        raise ValueError(f"transforms: expected an image of h times w pixels, got shape {tuple(np.shape(image))}")
    return extent


def _channels_first(array: np.ndarray) -> np.ndarray:
    if array.ndim not in (2, 3):
        raise ValueError(f"transforms: expected an image (h, w) or (h, w, c), got shape {array.shape}")
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _on_tensor(image: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Apply `function`, which takes tensors (..., h, w), to an image in any form."""
    if isinstance(image, Tensor):
        return function(image)
    array = np.asarray(image)
    out = function(from_numpy(_channels_first(array).copy())).array
    return out[0] if array.ndim == 2 else out.transpose(1, 2, 0)
