"""`save` and `load`: tensors and checkpoints in safetensors files, without pickle: nothing in a file is ever executed.

The tensors are the body of the file, under readable names; a dict of tensors keeps its keys, so that
`safetensors.torch.load_file` reads it and `load` reads what `safetensors.torch.save_file` wrote. The metadata hold the
structure around the tensors as JSON, and the SHA-256 of the whole file, by which `load` notices a single flipped bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import Device
from minitorch.files.atomic import atomic_write

_STRUCTURE, _DIGEST = "minitorch", "sha256"  # our two entries of the metadata; other programs' files have neither
_VERSION = 1
_BLANK = b"0" * 64
_DIGEST_ENTRY = re.compile(rb'"sha256"\s*:\s*"([0-9a-f]{64})"')


class CheckpointError(ValueError):
    """A file that `load` refuses: damaged, cut off, of another format, or of a newer version."""


def save(obj: Any, f: str | os.PathLike[str]) -> None:
    """Write tensors, or dicts, lists and tuples of tensors, numbers, strings, booleans and None, to the file `f`.

    The file is replaced whole or not at all (`files.atomic.atomic_write`). Tensors are stored in C order without their
    gradients and history; one that occurs twice, as a tied weight does in a state dict, is stored under both names and comes
    back as two tensors. NumPy numbers become Python's. Unlike `torch.save` this needs the safetensors package and takes
    nothing else: raises TypeError, naming the place, for other objects and for complex128, which the format lacks; ValueError
    for a tensor with the key "__metadata__"; OSError if the file cannot be written.
    """
    safetensors = _safetensors("save")
    path = _as_path("save", f)
    arrays: dict[str, np.ndarray] = {}
    content = _encoded(obj, (), arrays)
    structure = json.dumps({"version": _VERSION, "content": content}, separators=(",", ":"))
    written = safetensors.save(arrays, {_STRUCTURE: structure, _DIGEST: _BLANK.decode()})
    start, end = _digest_span(written)
    with atomic_write(path) as file:
        file.write(written[:start])
        file.write(_checksum(written, start, end).encode())
        file.write(memoryview(written)[end:])


def load(f: str | os.PathLike[str], map_location: Device | str | None = None) -> Any:
    """What `save` wrote to the file `f`, or the dict of tensors in another program's safetensors file.

    Tensors come back on the CPU, or on the device `map_location`, without requiring a gradient. Raises CheckpointError,
    naming the file and what to do, for a file that is damaged or not in this format; OSError if it cannot be read. The
    checksum covers files that `save` wrote; of other programs' files only the layout is checked.
    """
    safetensors = _safetensors("load")
    path = _as_path("load", f)
    where = backend.CPU if map_location is None else backend.as_device(map_location)
    raw = path.read_bytes()
    try:
        arrays = safetensors.load(raw)
        metadata = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")]).get("__metadata__") or {}
    except Exception as reason:  # safetensors raises its own class, KeyError for a dtype NumPy lacks, and others
        raise CheckpointError(_refusal(path, raw, reason)) from reason
    tensors = {name: wrap(backend.to_array(array.copy(), None, where)) for name, array in arrays.items()}
    if _STRUCTURE not in metadata and _DIGEST not in metadata:
        return tensors
    if _checksum(raw, *_digest_span(raw)) != metadata.get(_DIGEST):
        raise CheckpointError(
            f"load: {path} does not match its checksum: it was damaged after it was written. Delete it and go back to an "
            "earlier checkpoint or to a fresh copy."
        )
    try:
        structure = json.loads(metadata[_STRUCTURE])
        version = structure["version"]
        if version <= _VERSION:
            return _decoded(structure["content"], tensors)
    except (LookupError, TypeError, ValueError, RecursionError) as reason:  # the checksum is right: somebody forged it
        raise CheckpointError(
            f"load: {path} was not written by minitorch, although it says so ({type(reason).__name__}: {reason}). Delete it "
            "and go back to a file of your own."
        ) from reason
    raise CheckpointError(
        f"load: {path} has format version {version}, this minitorch reads up to {_VERSION}; install a newer one"
    )


def _as_path(name: str, f: Any) -> Path:
    if not isinstance(f, (str, os.PathLike)):
        raise TypeError(f"{name}: expected the path of a file, got {type(f).__name__}")
    return Path(f)


def _safetensors(name: str) -> ModuleType:
    try:
        import safetensors.numpy
    except ImportError as reason:
        raise ImportError(
            f"{name}: files are written and read by the safetensors package, which is not installed: "
            "`pip install safetensors`, or install minitorch with its 'examples' extra"
        ) from reason
    return safetensors.numpy


def _digest_span(raw: bytes) -> tuple[int, int]:
    """Where in the header the checksum's digits stand; an empty span if they are not there."""
    found = _DIGEST_ENTRY.search(raw, 8, 8 + int.from_bytes(raw[:8], "little"))
    return found.span(1) if found else (0, 0)


def _checksum(raw: bytes, start: int, end: int) -> str:
    """The SHA-256 of a file with zeros in place of its own digits, which stand from `start` to `end`."""
    digest = hashlib.sha256(raw[:start])
    digest.update(_BLANK)
    digest.update(memoryview(raw)[end:])
    return digest.hexdigest()


def _refusal(path: Path, raw: bytes, reason: Exception) -> str:
    if raw[:4] == b"PK\x03\x04" or raw[:1] == b"\x80":
        return (
            f"load: {path} is a pickle file, as torch.save writes; it is not read, because reading one can run any code in it. "
            "Load it in PyTorch and write its state dict with safetensors.torch.save_file."
        )
    return (
        f"load: {path}, of {len(raw)} bytes, is not a whole safetensors file ({type(reason).__name__}: {reason}). If it was "
        "one, it was damaged or cut off: delete it and go back to an earlier checkpoint or to a fresh copy."
    )


# ---- the structure around the tensors: what JSON has as it is, everything else as an object with one key -----------------


def _encoded(obj: Any, path: tuple, arrays: dict[str, np.ndarray]) -> Any:
    """`obj` as JSON; its arrays go into `arrays` under the name that stands for them."""
    if isinstance(obj, Tensor):
        name = _unused_name(path, arrays)
        if obj.dtype == backend.complex128:
            raise TypeError(f"save: {_place(path)} is complex128, which safetensors files cannot hold")
        arrays[name] = np.asarray(backend.to_array(obj.array, None, backend.CPU), order="C")
        return {"tensor": name}
    if isinstance(obj, np.generic):
        obj = obj.item()
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, Mapping):
        for key in obj:
            if not (key is None or isinstance(key, (bool, int, float, str))):
                raise TypeError(
                    f"save: {_place(path)} has a key of type {type(key).__name__}; expected strings, numbers or None"
                )
        return {"dict": [[key, _encoded(value, (*path, key), arrays)] for key, value in obj.items()]}
    if isinstance(obj, (list, tuple)):
        items = [_encoded(value, (*path, i), arrays) for i, value in enumerate(obj)]
        return {"tuple": items} if isinstance(obj, tuple) else items
    raise TypeError(
        f"save: {_place(path)} is a {type(obj).__module__}.{type(obj).__qualname__}; expected tensors, numbers, strings, "
        "booleans, None, or dicts, lists and tuples of them"
    )


def _place(path: tuple) -> str:
    return "obj" + "".join(f"[{key!r}]" for key in path)


def _unused_name(path: tuple, arrays: dict[str, np.ndarray]) -> str:
    """The keys that lead to a tensor, joined by dots: a flat dict of tensors keeps its keys."""
    name = ".".join(map(str, path)) if path else "tensor"
    if name == "__metadata__":
        raise ValueError("save: safetensors files keep the key '__metadata__' for themselves; give the tensor another one")
    while name in arrays:  # {"a": {"b": x}, "a.b": y}
        name += "_"
    return name


def _decoded(content: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(content, list):
        return [_decoded(item, tensors) for item in content]
    if not isinstance(content, dict):
        return content
    ((kind, value),) = content.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "tuple":
        return tuple(_decoded(item, tensors) for item in value)
    if kind != "dict":
        raise ValueError(f"unknown kind {kind!r}")
    return {key: _decoded(item, tensors) for key, item in value}
