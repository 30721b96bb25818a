"""Where minitorch differs from PyTorch on purpose, for the tests on PyTorch's own inputs; `docs/differences.md` says it to users."""

from __future__ import annotations

import re
from typing import NamedTuple


class Difference(NamedTuple):
    """Calls by the name of the function, the message of the difference, both as regular expressions, and the row of the page."""

    name: str
    message: str
    row: str

    def covers(self, name: str, message: str) -> bool:
        return bool(re.search(self.name, name) and re.search(self.message, message, re.DOTALL))


# fmt: off
DIFFERENCES = [
    Difference("", r"unexpected keyword argument|positional arguments? but|only .* (is|are) supported, got|missing \d+ required", "what is not there is refused"),
    Difference("pool|conv|pairwise|triplet|unfold|fold", r"expected (one|a) floating", "floating-point images and distances"),
    Difference("cosine_similarity", "of one shape", "equal shapes"),
    Difference("norm", "got 'nuc'", "no nuclear norm"),
    Difference("bernoulli", "results with a gradient", "draws have no gradient"),
    Difference(r"^torch\.(arange|linspace|logspace)", "result", "fractional bounds"),
    Difference(r"^F\.(elu|selu|celu)", "second derivative", "kinks"),
    Difference("grid_sample", "got 'bicubic'", "not there"),
    Difference("multinomial", "computes", "many categories"),
    Difference("hardsigmoid", "gradient", "a sixth"),
]
# fmt: on


def known(name: str, message: str) -> bool:
    """Whether this is a documented difference."""
    return any(difference.covers(name, message) for difference in DIFFERENCES)
