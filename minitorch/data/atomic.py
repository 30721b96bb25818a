"""Files written whole or not at all."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

STRAY_SECONDS = 3600
"""A temporary file older than this was left by a process that died; a younger one may still be being written."""

_SUFFIX = ".part"


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that every reader, also after a crash, sees the old file or the whole new one.

    The content goes to a temporary file of its own in the same folder, is flushed to the disk (fsync) and renamed; the
    folder is flushed too. Two processes that write one file do not meet: the later rename wins. Raises `OSError`, the
    old file untouched and the temporary one removed.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_SUFFIX}")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def sweep_strays(folder: Path) -> None:
    """Remove the temporary files that killed writers left in ``folder``, an hour or more ago."""
    for stray in folder.glob(f".*{_SUFFIX}"):
        try:
            if time.time() - stray.stat().st_mtime >= STRAY_SECONDS:
                stray.unlink()
        except FileNotFoundError:  # another process swept it, or finished it
            pass


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
