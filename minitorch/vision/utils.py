"""Grids of images, under torchvision's names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.grad_mode import no_grad
from minitorch.autograd.tensor import Tensor
from minitorch.backend import uint8
from minitorch.creation import full
from minitorch.ops.joining import stack


@no_grad()
def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    pad_value: float = 0.0,
) -> Tensor:
    """Images (n, c, h, w) side by side, `nrow` in a row, as one image (3, H, W); grey ones are repeated in three channels.

    `normalize` maps `value_range`, by default the smallest and largest value, to 0 and 1. A single image gets no border.
    Raises ValueError without images, and for an `nrow` or `padding` that is too small.
    """
    images = tensor if isinstance(tensor, Tensor) else stack(list(tensor))
    images = images.reshape(-1, *images.shape[-3:]) if images.ndim > 2 else images.reshape(1, 1, *images.shape)
    if images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    n, channels, h, w = images.shape
    if not n or nrow < 1 or padding < 0:
        raise ValueError(f"make_grid: expected images, nrow > 0 and padding >= 0, got {n}, {nrow} and {padding}")
    if normalize:
        low, high = value_range or (images.min().item(), images.max().item())
        images = (images.clamp(low, high) - low) / max(high - low, 1e-5)
    if n == 1:
        return images[0].clone()
    columns, high, wide = min(nrow, n), h + padding, w + padding
    size = (channels, -(-n // columns) * high + padding, columns * wide + padding)
    grid = full(size, pad_value, dtype=images.dtype, device=images.device)
    for i in range(n):
        top, left = i // columns * high + padding, i % columns * wide + padding
        grid[:, top : top + h, left : left + w] = images[i]
    return grid


def save_image(tensor: Tensor | Sequence[Tensor], fp: str | os.PathLike[str], **kwargs: Any) -> None:
    """Write `make_grid(tensor, **kwargs)` to an image file; needs matplotlib."""
    from matplotlib.image import imsave

    grid = (make_grid(tensor, **kwargs) * 255 + 0.5).clamp(0, 255).to(uint8)
    imsave(fp, grid.permute(1, 2, 0).cpu().numpy())
