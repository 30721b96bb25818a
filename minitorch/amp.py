"""`torch.amp`: mixed precision. Operations compute in the dtype of their inputs, so nothing here has an effect."""

from __future__ import annotations

import contextlib
from typing import Any

from minitorch.autograd.tensor import Tensor


class autocast(contextlib.ContextDecorator):
    """A `with` block or decorator in which PyTorch would choose float16 or bfloat16; here the dtype of the inputs is kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class GradScaler:
    """Keeps float16 gradients from vanishing in PyTorch; here losses are not scaled, and steps are the optimizer's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def scale(self, outputs: Tensor) -> Tensor:
        """The loss itself."""
        return outputs

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """`optimizer.step()`."""
        return optimizer.step(*args, **kwargs)

    def unscale_(self, optimizer: Any) -> None:
        """Does nothing, since nothing was scaled."""

    def update(self, new_scale: float | None = None) -> None:
        """Does nothing, since there is no scale."""
