"""How tensors are printed: exactly as PyTorch prints them, so that the screen shows what a book about PyTorch shows.

All numbers of a tensor are inspected first, since they get one width and one number of decimals. Large tensors are summarised,
and long rows are broken. The rules come from PyTorch's `torch/_tensor_str.py`, since they are documented nowhere else;
`tests/parity` compares the texts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from minitorch import backend


@dataclass(frozen=True)
class PrintOptions:
    """The options of `set_printoptions`."""

    precision: int = 4  # decimals
    threshold: float = 1000  # a tensor of more elements is summarised
    edgeitems: int = 3  # shown at each end of a dimension of a summarised tensor
    linewidth: int = 80  # characters
    sci_mode: bool | None = None  # scientific notation: always, never, or (None) where the numbers need it


PROFILES: Final = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}
options: PrintOptions = PrintOptions()  # for the whole process, as in PyTorch


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed; None keeps an option (automatic for `sci_mode`), a `profile` sets all of them first."""
    global options
    if profile is not None and profile not in PROFILES:
        raise ValueError(f"set_printoptions: expected the profile 'default', 'short' or 'full', got {profile!r}")
    base = options if profile is None else PROFILES[profile]
    given: dict[str, Any] = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    options = replace(base, **{name: value for name, value in given.items() if value is not None}, sci_mode=sci_mode)


def text_of(array: Any, device: list[str], gradient: list[str], usual: np.dtype) -> str:
    """The text of a tensor: numbers, `device`, size if it is empty, dtype unless it is a `usual` one, `gradient`."""
    host = backend.to_array(array, None, backend.CPU)
    notes = [*device]
    if host.size == 0 and host.ndim != 1:
        notes.append(f"size={tuple(host.shape)}")
    others = [backend.int64, backend.bool_, np.result_type(usual, backend.complex64)] if host.size else []
    if host.dtype not in [usual, *others]:
        notes.append(f"dtype=torch.{host.dtype}")
    indent = len("tensor(")
    text = "tensor(" + (_numbers(host, indent) if host.size else "[]")
    length = len(text) - text.rfind("\n") + 1
    for note in notes + gradient:
        breaks = length + len(note) + 2 > options.linewidth
        text += (",\n" + " " * indent if breaks else ", ") + note
        length = indent + len(note) if breaks else length + len(note) + 2
    return text + ")"


def _numbers(host: np.ndarray, indent: int) -> str:
    summarised = host.size > options.threshold
    shown = host
    for axis, length in enumerate(host.shape if summarised else ()):
        if length > 2 * options.edgeitems:
            shown = shown.take(np.r_[: options.edgeitems, length - options.edgeitems : length], axis)
    if host.dtype.kind != "c":
        column = _Column(shown)
        return _nested(host, indent, summarised, column, column.width)
    parts = _Column(shown.real), _Column(shown.imag)

    def write(value: Any) -> str:
        real, imaginary = parts[0](value.real), parts[1](value.imag).lstrip()
        return f"{real}{imaginary}j" if imaginary.startswith("-") else f"{real}+{imaginary}j"

    return _nested(host, indent, summarised, write, parts[0].width + parts[1].width + 1)


class _Column:
    """Writes the numbers of one tensor: all with the same decimals, padded to the same width."""

    def __init__(self, values: np.ndarray) -> None:
        self.floating = values.dtype.kind == "f"
        self.whole, self.scientific = True, False
        counted = values.ravel()
        if self.floating:
            counted = counted.astype(np.float64)
            counted = counted[np.isfinite(counted) & (counted != 0)]
        if self.floating and counted.size:
            low, high = float(np.abs(counted).min()), float(np.abs(counted).max())
            self.whole = bool((counted == np.ceil(counted)).all())
            self.scientific = high / low > 1000 or high > 1e8 or (not self.whole and low < 1e-4)
            self.scientific = self.scientific if options.sci_mode is None else options.sci_mode
        self.width = max((len(self._write(value)) for value in counted.tolist()), default=1)

    def _write(self, value: Any) -> str:
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{options.precision}e}"
        if self.whole:
            return f"{value:.0f}" + ("." if math.isfinite(value) else "")
        return f"{value:.{options.precision}f}"

    def __call__(self, value: Any) -> str:
        return self._write(value).rjust(self.width)


def _nested(array: np.ndarray, indent: int, summarised: bool, write: Any, width: int) -> str:
    if not array.ndim:
        return write(array.item())
    edge = options.edgeitems
    cut = summarised and len(array) > 2 * edge
    if array.ndim == 1:
        items = [write(value) for value in (np.concatenate([array[:edge], array[-edge:]]) if cut else array).tolist()]
        if cut:
            items.insert(edge, " ...")
        per_line = max(1, (options.linewidth - indent) // (width + 2))
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = [*array[:edge], *array[-edge:]] if cut else list(array)
    texts = [_nested(row, indent + 1, summarised, write, width) for row in rows]
    if cut:
        texts.insert(edge, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(texts) + "]"


def return_type(name: str, found: Any) -> str:
    """The text of a named tuple of tensors that the function of PyTorch's called `name` returns."""
    parts = ",\n".join(f"{field}={value!r}" for field, value in found._asdict().items())
    return f"torch.return_types.{name}(\n{parts})"
