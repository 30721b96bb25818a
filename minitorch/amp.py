"""`torch.amp`: mixed precision. Operations compute in the dtype of their inputs, so nothing here has an effect."""

from __future__ import annotations

import contextlib
from typing import Any


class autocast(contextlib.nullcontext[None], contextlib.ContextDecorator):
    """A `with` block or decorator in which PyTorch would choose float16 or bfloat16; here the dtype of the inputs is kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
