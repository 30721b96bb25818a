"""The tape explorer: a page to step through your own backward pass, made by `with minitorch.explore("tape.html"):`."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from minitorch.autograd.grad_mode import Switch
from minitorch.autograd.tensor import Tensor
from minitorch.explorer.data import page_data
from minitorch.explorer.recorder import LIMIT, Recorder
from minitorch.explorer.words import described
from minitorch.files.atomic import atomic_write

__all__ = ["explore"]


class explore:
    """Write a page on which every number of the backward passes in this block can be seen: `with explore("tape.html"): ...`.

    `terms`, a dictionary that may be filled in the block, names scalar tensors; the loss is a sum of these times constants.
    Without a backward pass the page shows the forward pass. In a notebook the object shows the page. The block computes the
    same as without it, only slower. Raises RuntimeError within anomaly mode or another `explore`, if nothing was recorded, and
    for more than 1,500 operations or rules; ValueError for a named term that is not part of the loss.
    """

    def __init__(self, path: str | os.PathLike[str], terms: dict[str, Tensor] | None = None) -> None:
        self.path: Path = Path(path)
        self.terms: dict[str, Tensor] = {} if terms is None else terms
        self.page: str = ""

    def __enter__(self) -> explore:
        self._recorder = Recorder(sys._getframe(1), self.terms)
        self._switch = Switch(self._recorder, "watch")
        self._switch.__enter__()
        return self

    def __exit__(self, kind: Any, *exception: object) -> None:
        self._switch.__exit__()
        recorder: Recorder = self.__dict__.pop("_recorder")  # which holds the user's frames and nodes
        nodes = recorder.count or len(recorder.records)
        if kind is not None:
            return
        if not nodes:
            raise RuntimeError("explore: nothing that needs a gradient was computed in the block, so there is no tape to show")
        if nodes > LIMIT:
            said = f"{nodes:,} rules ran in the block, and a page holds {LIMIT:,}; put in it one forward and one backward pass"
            less = "of a small batch and, for a net that repeats a step, of fewer repetitions"
            raise RuntimeError(f"explore: {said}, {less}")
        self.page = page_of(page_data(recorder, recorder.names.title or self.path.stem))
        with atomic_write(self.path) as file:
            size = file.write(self.page.encode())
        print(f"{self.path}: {nodes} nodes, {size:,} bytes")

    def _repr_html_(self) -> str:
        """The page in a frame, for notebooks."""
        return f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="860" style="border:0" title="tape"></iframe>'


def page_of(data: dict[Any, Any]) -> str:
    """The page as one file: markup, style, script and `data`, with hashes that let the browser run nothing else."""
    arrays, places = list[Any](), dict[Any, int]()

    def place(array: Any) -> int:
        key = array.shape, array.dtype.str, array.tobytes()
        if key not in places:
            arrays.append(described(array))
        return places.setdefault(key, len(arrays))

    data |= {"arrays": arrays}  # each once; they are numbered from 1 while all else is written
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=place)
    page, style, script = ((Path(__file__).parent / f"page.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    parts = {"STYLE": _lean(style), "SCRIPT": _lean(script, r":+\-*/%")}
    hashes = {f"OF_{name}": base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for name, part in parts.items()}
    parts |= hashes | {"TITLE": html.escape(str(data["title"])), "DATA": text.replace("<", "\\u003c")}
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def _lean(source: str, blanks: str = "") -> str:
    """`source` without comment lines, indentation, and blanks beside punctuation, to which `blanks` adds, outside strings."""
    kept = "\n".join(line for line in map(str.strip, source.splitlines()) if not line.startswith("//"))
    pieces = re.split(r"""("[^"\n]*"|`[^`]*`)""", kept)
    pieces[::2] = (re.sub(rf"(?<!and) ?([{{}}();,=<>?|&!{blanks}]|:(?= )) ?", r"\1", piece) for piece in pieces[::2])
    return re.sub(r"(?<=[;{}(,:?])\n|\n(?=[?:.)}])|;(?=\n?})", "", "".join(pieces)).replace("const ", "let ")
