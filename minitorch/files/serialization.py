"""`save` and `load`: tensors and checkpoints in safetensors files; nothing in a file is executed unless its reader asks for it.

The tensors are the body of the file, under readable names; a dict of tensors keeps its keys, so that
`safetensors.torch.load_file` can read it, and `load` reads files of `safetensors.torch.save_file`. The metadata hold the
structure around the tensors as JSON, and the SHA-256 of the whole file, so that `load` detects a single flipped bit. What
holds a whole module or optimizer is pickled, into a tensor of bytes, which `load` leaves alone without `weights_only=False`.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap
from minitorch.backend import Device
from minitorch.files import layout
from minitorch.files.atomic import atomic_write

_STRUCTURE, _DIGEST = "minitorch", "sha256"  # the two entries of the metadata, which other programs' files do not have
_VERSION = 1
_PICKLED = {"pickle": "pickle"}  # the structure of a file whose tensor "pickle" holds the bytes of a pickle
_BLANK = b"0" * 64
_DIGEST_ENTRY = re.compile(rb'"sha256"\s*:\s*"([0-9a-f]{64})"')
_BACK = "go back to an earlier checkpoint or to a fresh copy"
_BLOCK = 2**22  # bytes hashed and written at a time, so that they are still in the processor's cache

File = str | os.PathLike[str] | BinaryIO


class CheckpointError(ValueError):
    """A file that `load` cannot read: damaged, cut off, of another format, or with something unknown."""


def save(obj: Any, f: File) -> None:
    """Write tensors, modules, or dicts, lists and tuples of these, numbers, strings, booleans and None, to the file `f`.

    `f` is a path, or a file object open for writing bytes. A file is replaced completely or not at all (`atomic_write`).
    Tensors are stored without gradient and history; one that occurs twice, such as a tied weight, is loaded as two. If
    there is a whole module or optimizer in `obj`, and not its `state_dict()`, all of `obj` is pickled, so that they still share
    their parameters, and needs `load(f, weights_only=False)`. Raises TypeError, naming the place, for other objects and for
    complex128, which the format lacks, OSError from writing.
    """
    arrays: dict[str, Any] = {}
    if whole := _whole(obj):
        arrays, content = {"pickle": _pickled(obj, whole)}, _PICKLED
    else:
        content = _encoded(obj, (), arrays)
    structure = json.dumps({"version": _VERSION, "content": content}, separators=(",", ":"))
    arrays = dict(sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize))  # so that all are aligned
    head = layout.header(arrays, {_DIGEST: _BLANK.decode(), _STRUCTURE: structure})
    target: Any = f
    with atomic_write(target) if _is_path(f, "save", "write") else nullcontext(target) as file:
        digest = _sha256(head)
        _hand_over(arrays, digest.update)
        start, end = _digest_span(head)
        _write_all(file, head[:start] + digest.hexdigest().encode() + head[end:])
        _hand_over(arrays, partial(_write_all, file))  # read once more: they are never copied all at once


def load(f: File, map_location: Device | str | None = None, *, weights_only: bool = True) -> Any:
    """The object that `save` wrote to the file `f`, or the dict of tensors in another program's safetensors file.

    `f` is a path, or a file object open for reading bytes. Tensors are put on the CPU, or the device `map_location`. Floating
    formats that NumPy lacks (bfloat16, and those of 8, 6 and 4 bits) become float32, which holds their values exactly, with a
    warning. With `weights_only=False` whole modules are read too, which can run any code in the file: a module that was saved
    alone goes to `map_location`, whatever is saved together with one stays on the CPU. Raises CheckpointError, naming the file
    and what to do, for a file that is damaged (in other programs' files only the layout is checked), of another format, or
    with something unknown; MemoryError for one that is too large for this machine; OSError if it cannot be read.
    """
    where = backend.CPU if map_location is None else backend.as_device(map_location)
    with _opened(f) as (file, size, name):
        try:
            arrays, metadata = _read(file, size, name, where)
        except MemoryError as reason:
            said = f"the tensors of {name}, a file of {size:,} bytes, do not fit into memory; the file is not at fault"
            raise MemoryError(f"load: {said}") from reason
    if _STRUCTURE not in metadata and _DIGEST not in metadata:
        return arrays
    try:
        structure = json.loads(metadata[_STRUCTURE])
        version = structure["version"]
        if version <= _VERSION and structure["content"] != _PICKLED:
            return _decoded(structure["content"], arrays)
    except (LookupError, TypeError, ValueError, RecursionError) as reason:  # the checksum is right, so the file was forged
        said = f"was not written by minitorch, although it says so ({type(reason).__name__}: {reason})"
        raise CheckpointError(f"load: {name} {said}: go back to a file of your own.") from reason
    if version <= _VERSION:
        whole = _unpickled(arrays, name, weights_only)
        return whole.to(where) if map_location is not None and hasattr(whole, "to") else whole
    said = f"has format version {version}, this minitorch reads up to {_VERSION}; install a newer one"
    raise CheckpointError(f"load: {name} {said}")


def _is_path(f: Any, name: str, method: str) -> bool:
    """Whether `f` is a path, and not a file object; raises TypeError for anything else."""
    if isinstance(f, (str, os.PathLike)):
        return True
    if isinstance(f, io.TextIOBase) or not hasattr(f, method):
        how = "writing" if method == "write" else "reading"
        raise TypeError(f"{name}: expected a path, or a file open for {how} bytes, got {type(f).__name__}")
    return False


@contextmanager
def _opened(f: Any) -> Iterator[tuple[Any, int, str]]:
    """A file to read, its number of bytes from its current position, and its name for messages."""
    is_path = _is_path(f, "load", "read")
    with open(f, "rb") if is_path else nullcontext(f) as file:
        if not (hasattr(file, "seekable") and file.seekable()):  # a pipe
            file = io.BytesIO(file.read())
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        name = str(f if is_path else getattr(f, "name", "the file object"))
        yield file, size, f"{name} (from byte {start} on)" if start else name


def _hand_over(arrays: Mapping[str, Any], use: Callable[[memoryview], Any]) -> None:
    """Call `use` with the bytes of arrays, from any device, piece by piece; one array at a time may be a copy."""
    for array in arrays.values():
        view = layout.as_bytes(backend.to_array(array, None, backend.CPU))
        for start in range(0, len(view), _BLOCK):
            use(view[start : start + _BLOCK])
        del view


def _write_all(file: BinaryIO, view: bytes | memoryview) -> None:
    view = memoryview(view)
    while view:
        count = file.write(view)  # an unbuffered file may take less
        view = view[len(view) if count is None else count :]


def _read(file: BinaryIO, size: int, name: str, where: Device) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file; raises CheckpointError for one that `load` cannot read."""
    raw = b""
    try:
        raw = layout.read_header(file, size)
        stored, metadata = layout.parsed(raw, size)
        digest, tensors = _digest_of_header(raw), {}
        for each in stored:
            array, view = layout.read_tensor(each, file)
            digest.update(view)
            tensors[each.name] = wrap(backend.to_array(array, None, where))
    except layout.Unsupported as reason:
        if _digest_span(raw)[1]:  # a file of `save` has nothing unknown, unless it was damaged
            digest = _digest_of_header(raw)
            while block := file.read(_BLOCK):
                digest.update(block)
            _check(digest, raw, name)
        said = f"cannot be read by this minitorch, though nothing seems wrong with it: {reason}"
        mend = "A newer minitorch may read it; the program that wrote it does."
        raise CheckpointError(f"load: {name} {said}. {mend}") from reason
    except layout.Broken as reason:
        said = f"is not a whole safetensors file: {reason}. It was cut off or damaged: {_BACK}."
        raise CheckpointError(f"load: {name}, of {size:,} bytes, {said}") from reason
    except layout.Foreign as reason:
        (start,) = reason.args
        said = f"is not a safetensors file: it begins with {start!r}. Pass a file that minitorch.save or another program wrote"
        said += f" in this format; if this was one, it was damaged: {_BACK}."
        if start[:4] == b"PK\x03\x04" or start[:1] == b"\x80":
            said = "is a pickle file or a zip archive, as torch.save and numpy.savez write; it is not read, because reading "
            said += "one can run any code in it. Load it there and write its state dict with safetensors.torch.save_file."
        raise CheckpointError(f"load: {name} {said if start else f'is empty; {_BACK}.'}") from reason
    if _STRUCTURE in metadata or _DIGEST in metadata:
        _check(digest, raw, name)
    if changed := [each.name for each in stored if each.code in layout.AS_FLOAT32]:
        kinds = ", ".join(sorted({each.code for each in stored if each.code in layout.AS_FLOAT32}))
        warnings.warn(f"load: {len(changed)} tensors of {name} are of {kinds}, read as float32", stacklevel=3)
    return tensors, metadata


def _digest_span(raw: bytes) -> tuple[int, int]:
    """The position of the checksum's digits in the header; an empty span if there are none."""
    found = _DIGEST_ENTRY.search(raw, 8)
    return found.span(1) if found else (0, 0)


def _digest_of_header(raw: bytes) -> Any:
    """The SHA-256 of the header, with zeros in place of the checksum's own digits."""
    start, end = _digest_span(raw)
    return _sha256(raw[:start] + _BLANK + raw[end:])


def _sha256(raw: bytes) -> Any:
    import hashlib  # here, since `import minitorch` would take 3 ms longer with it

    return hashlib.sha256(raw)


def _check(digest: Any, raw: bytes, name: str) -> None:
    """Raise CheckpointError unless the digest equals the one in the header."""
    start, end = _digest_span(raw)
    if digest.hexdigest().encode() != raw[start:end]:
        raise CheckpointError(f"load: {name} does not match its checksum: it was damaged after it was written; {_BACK}.")


def _encoded(obj: Any, path: tuple[Any, ...], arrays: dict[str, Any]) -> Any:
    """`obj` as JSON: JSON's own types as they are, others as an object with one key; arrays go to `arrays`, under a name."""
    place = "obj" + "".join(f"[{key!r}]" for key in path)
    if isinstance(obj, Tensor):
        name = ".".join(map(str, path)) if path else "tensor"  # a flat dict of tensors keeps its keys
        if name == layout.METADATA:
            raise ValueError("save: safetensors files keep the key '__metadata__' for themselves; give the tensor another one")
        while name in arrays:  # {"a": {"b": x}, "a.b": y}
            name += "_"
        if obj.dtype.name not in layout.NAMES:
            raise TypeError(f"save: {place} is {obj.dtype}, which safetensors files cannot hold")
        arrays[name] = obj.array
        return {"tensor": name}
    if isinstance(obj, np.generic):
        obj = obj.item()
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, Mapping):
        for key in obj:
            if not (key is None or isinstance(key, (bool, int, float, str))):
                raise TypeError(f"save: {place} has a key of type {type(key).__name__}; expected strings, numbers or None")
        return {"dict": [[key, _encoded(value, (*path, key), arrays)] for key, value in obj.items()]}
    if isinstance(obj, (list, tuple)):
        items = [_encoded(value, (*path, i), arrays) for i, value in enumerate(obj)]
        return {"tuple": items} if isinstance(obj, tuple) else items
    expected = "tensors, numbers, strings, booleans, None, or dicts, lists and tuples of them"
    raise TypeError(f"save: {place} is a {type(obj).__module__}.{type(obj).__qualname__}; expected {expected}")


def _whole(obj: Any, place: str = "obj") -> str | None:
    """Where there is a module or an optimizer within an object, in words; None if there is none."""
    if hasattr(type(obj), "state_dict"):
        return f"{place} is a whole {type(obj).__name__}"
    parts: Any = obj.items() if isinstance(obj, Mapping) else enumerate(obj) if isinstance(obj, (list, tuple)) else ()
    return next(filter(None, (_whole(value, f"{place}[{key!r}]") for key, value in parts)), None)


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        """Tensors with a history are stored without it, and arrays of a GPU as those of the CPU."""
        if isinstance(obj, Tensor) and not obj.is_leaf:
            return obj.detach().__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        if backend.is_array(obj) and not isinstance(obj, np.ndarray):
            return backend.to_array(obj, None, backend.CPU).__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return NotImplemented


def _pickled(obj: Any, whole: str) -> Any:
    """The pickle of `obj` as an array of bytes; raises TypeError if it cannot be pickled."""
    file = io.BytesIO()
    try:
        _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(obj)
    except (AttributeError, TypeError, pickle.PicklingError) as reason:  # a class within a function, a lambda, an open file
        raise TypeError(f"save: {whole}, and it cannot be pickled ({reason}); save its state_dict()") from reason
    return np.frombuffer(file.getbuffer(), np.uint8)


def _unpickled(arrays: dict[str, Tensor], name: str, weights_only: bool) -> Any:
    """The object whose pickle the file `name` holds; raises CheckpointError unless the caller trusts the file."""
    if weights_only is not False:
        said = "holds a whole module or optimizer, which is only read with load(f, weights_only=False), since that can run any "
        raise CheckpointError(f"load: {name} {said}code in the file: do so if you trust its writer, or save the state_dict()")
    try:
        return pickle.loads(arrays["pickle"].cpu().array)
    except MemoryError:
        raise
    except Exception as reason:  # anything, since rebuilding runs the code of the classes
        said = (
            f"cannot be rebuilt here ({type(reason).__name__}: {reason}); its classes must be where they were when it was saved"
        )
        raise CheckpointError(f"load: the object in {name} {said}") from reason


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
