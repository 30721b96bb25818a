"""The arrays of the page: each kept once, as a picture of at most 2,048 cells and, up to 8 by 8, as numbers."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from minitorch.explorer.words import number, numbers

CELLS: Final = 2048  # of a picture; a larger array is shown by rows and columns evenly spread


class Arrays:
    """The arrays of the page, each kept once, as pictures and, where they are small, as numbers."""

    def __init__(self) -> None:
        self.entries: list[dict[Any, Any]] = []
        self.places: dict[Any, int] = {}

    def add(self, array: np.ndarray) -> int:
        """Where `array` stands in the table."""
        key = array.shape, array.dtype.str, array.tobytes()
        if key not in self.places:
            self.places[key] = len(self.entries)
            self.entries.append(described(array))
        return self.places[key]

    def entry(self, array: np.ndarray) -> dict[Any, Any]:
        """What the table says of `array`."""
        return self.entries[self.add(array)]

    def picture(self, array: np.ndarray, **more: Any) -> dict[Any, Any]:
        """A piece of the page that shows `array`; `grey` for values, `turn` transposed, `most` for one scale over several."""
        most = more.pop("most", None)
        own = largest(array)
        if most and own:
            more["scale"] = round((own / most) ** 0.6, 4)
        return {"d": self.add(array) + 1, **more}


def largest(array: np.ndarray) -> float:
    """The largest absolute value among the finite ones."""
    known = np.abs(array[np.isfinite(array)]) if array.dtype.kind in "fc" else np.abs(array.astype(np.float64))
    return float(known.max()) if known.size else 0.0


def tiled(array: np.ndarray) -> np.ndarray:
    """As a stack of matrices: the last two dimensions, one after the other for all others."""
    return array.reshape((-1, *(1, 1, *array.shape)[-2:])) if array.size else np.zeros((1, 1, 1))


def described(array: np.ndarray) -> dict[Any, Any]:
    """Shape, the numbers of an array of at most 8 by 8, and a character a cell: 31 levels below 0, 0, 31 above, not finite."""
    real = tiled(np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64))
    known, most = np.isfinite(real), largest(array)
    entry: dict[str, Any] = {"s": list(array.shape), "d": list(real.shape)}
    if real.shape[0] == 1 and max(real.shape) <= 8:
        texts = numbers(real.ravel())
        entry["t"] = [texts[i : i + real.shape[2]] for i in range(0, len(texts), real.shape[2])]
    rows, columns = _spread(*real.shape[1:])
    cells = real[:, rows[:, None], columns]
    cells = cells[: max(1, CELLS // cells[0].size)]
    with np.errstate(invalid="ignore", over="ignore"):
        levels = np.sign(cells) * np.ceil(31 * (np.abs(cells) / (most or 1.0)) ** 0.6) + 31
    levels = np.where(np.isfinite(cells), levels, 63).astype(int)
    entry |= {"c": list(cells.shape), "q": "".join(chr(35 + level) for level in levels.ravel())}
    if not known.all():
        entry["bad"] = number(real[~known][0])
    values = real[known]
    entry["of"] = f"from {number(values.min())} to {number(values.max())}" if values.size else "no finite number"
    return entry


def _spread(rows: int, columns: int) -> list[np.ndarray]:
    """Which rows and columns a picture of at most CELLS cells shows."""
    shrink = max(1.0, math.sqrt(rows * columns / CELLS))
    few = max(1, min(rows, int(rows / shrink)))
    return [np.arange(n) * length // n for n, length in ((few, rows), (min(columns, CELLS // few), columns))]
