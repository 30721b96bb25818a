"""`torch.amp`: mixed precision. Operations compute in the dtype of their inputs, so nothing here has an effect."""

from __future__ import annotations

import contextlib
from typing import Any


class autocast(contextlib.nullcontext[None], contextlib.ContextDecorator):
    """A `with` block or decorator in which PyTorch would choose float16 or bfloat16; here the dtype of the inputs is kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


class GradScaler:
    """Scales nothing, as PyTorch's with `enabled=False`: the gradients of `autocast` keep their dtype and its range."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def scale(self, outputs: Any) -> Any:
        """Return `outputs` unchanged."""
        return outputs

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what the optimizer's `step` returns."""
        return optimizer.step(*args, **kwargs)

    def update(self, *args: Any) -> None:
        """Do nothing, like `unscale_` and `load_state_dict`: there is no scale."""

    unscale_ = load_state_dict = update

    def state_dict(self) -> dict[str, Any]:
        """An empty dictionary."""
        return {}
