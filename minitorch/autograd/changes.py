"""Changes in place: memory that was written after an operation saved it must not be read by the operation's rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.anomaly import ran_at
from minitorch.autograd.node import next_number

# When memory was last changed in place, and by what: {id of its owner: (number, name)}. A node with a lower number that
# saved it must not run. An entry that outlives its memory is harmless: a node that saves a later array there has a higher one.
_changed: dict[int, tuple[int, str]] = {}
_latest = 0  # the number of the last of these changes: nodes made since then, as those of the next training step, are safe


class _Freed:
    """What a node holds in place of `saved` once a backward pass has used it."""

    def __iter__(self, *at: Any) -> Any:
        raise RuntimeError("another backward pass has just freed this graph")

    __getitem__ = __len__ = __iter__

    def __bool__(self) -> bool:
        return True


FREED: Any = _Freed()


def mark_changed(array: Any, by: str) -> None:
    """Note that the memory of `array` was changed in place, by the method called `by`."""
    global _latest
    _latest = next_number()
    _changed[id(backend.memory_of(array))] = (_latest, by)


def check_saved(node: Any) -> None:
    """Raise RuntimeError if what `node` saved has been freed by an earlier pass, or changed in place."""
    if node.saved is FREED:
        said = "an earlier backward went through this graph and freed it. Add the losses and call backward once"
        raise RuntimeError(f"{node.title}: {said}, or pass retain_graph=True the first time.")
    if _latest > node._number:
        check_unchanged(node, node.saved)


def check_unchanged(node: Any, arrays: Iterable[Any]) -> None:
    """Raise RuntimeError if one of `arrays`, which `node` saved, has been changed in place since."""
    for array in arrays:
        if array is not None and (type(array) is np.ndarray or backend.is_array(array)):
            owner = array if array.base is None else backend.memory_of(array)
            number, by = _changed.get(id(owner), (0, ""))
            if number > node._number:
                said = f"an array of shape {tuple(array.shape)} that it saved for its backward was changed in place by {by}"
                mend = "change a clone() of it, or change it after backward()"
                raise RuntimeError(f"{node.title}: {said}; {mend}.{ran_at(node)}")
