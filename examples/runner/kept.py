"""What a job keeps on disk: entries in JSON that carry the job's settings and a checksum, so that none is taken for another."""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minitorch.files.atomic import atomic_write

CHECKSUM = "sha256"


class NotOurs(ValueError):
    """An entry is damaged, or belongs to another job or task."""


def check_files(*paths: Path) -> None:
    """Raise FileExistsError for a folder, pipe or device where a file belongs: to read one may never end."""
    for path in paths:
        if path.exists() and not path.is_file():
            raise FileExistsError(f"{path} is in the way: it is no file, but a file belongs there")


def write(path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Write an entry with its checksum, whole or not at all; the entry as `read` will give it."""
    entry = json.loads(json.dumps(_for_json(dict(entry)), allow_nan=False))
    with atomic_write(path) as file:
        file.write(json.dumps({**entry, CHECKSUM: _checksum(entry)}, indent=1).encode())
    return entry


def read(path: Path) -> dict[str, Any]:
    """The entry that `write` wrote. Raises NotOurs if the file holds anything else, OSError if it cannot be read."""
    try:
        entry = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as reason:
        raise NotOurs(f"it is not whole ({reason})") from reason
    if not isinstance(entry, dict) or CHECKSUM not in entry:
        raise NotOurs("it has no checksum: something else wrote it")
    if entry.pop(CHECKSUM) != _checksum(entry):
        raise NotOurs("it does not match its checksum: it was changed after it was written")
    return entry


def json_in(path: Path) -> dict[str, Any]:
    """The object in a JSON file, whoever wrote it; an empty one if the file has anything else."""
    try:
        check_files(path)
        entry = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def set_aside(path: Path, reason: object, then: str) -> None:
    """Say what is wrong with a file and what happens `then`, and give it another name: it is not ours to delete."""
    aside = path.with_name(f"{path.name}.aside-{secrets.token_hex(2)}")
    os.replace(path, aside)
    print(f"{path} cannot be used: {reason}. It is kept as {aside.name}; {then}.", file=sys.stderr)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The settings that differ, as "epochs: 2 -> 3"; empty if none does."""
    names = sorted({*before, *now})
    return ", ".join(f"{name}: {before.get(name)} -> {now.get(name)}" for name in names if before.get(name) != now.get(name))


def _checksum(entry: Any) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _for_json(value: Any) -> Any:
    """`value` in JSON: nan and infinity, which a diverged run has, are None there, NumPy's numbers Python's."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {key: _for_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
