"""Files written completely or not at all, even if the process or the machine stops meanwhile."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where no lock is needed: an open file can be neither removed nor renamed
    fcntl = None  # type: ignore[assignment]  # mypy reads this on a system that has it


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open `path` for writing bytes so that every reader, even after a crash, finds the old file or the complete new one.

    The `with` block writes to a temporary file beside `path`, which is flushed and renamed when the block ends, and removed if
    it raises; temporary files of killed writers are removed first. Of several writers, the last to finish wins. The new file
    gets the permissions of the old one, and its owner if that is allowed. A device or a pipe is written to, never replaced.
    Raises OSError as `open` and `write` do, naming `path`.
    """
    before = _opened(path)
    if before is not None and not stat.S_ISREG(before.st_mode):
        with open(path, "wb") as given:
            yield given
        return
    path = Path(os.path.realpath(path))  # a link stays a link: its target is replaced
    _sweep(path)
    file = _open_temporary(path)
    try:
        with file:
            # before anything is written: a private file must never be readable by others
            if before is not None and hasattr(os, "fchmod"):  # missing on Windows before Python 3.13
                with suppress(PermissionError):  # only root may change the owner
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            if fcntl is None:
                file.close()
            os.replace(file.name, path)  # before closing releases the lock
    except BaseException as reason:
        Path(file.name).unlink(missing_ok=True)
        if isinstance(reason, OSError) and reason.errno is not None and reason.filename is None:  # from write or flush
            said = f"{reason.strerror} (nothing was replaced: the file that was there, if any, is unchanged)"
            raise OSError(reason.errno, said, str(path)) from reason
        raise
    if os.name != "nt":  # Windows cannot open folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _opened(path: str | os.PathLike[str]) -> os.stat_result | None:
    """The status of the file at `path`, None if there is none; raises OSError if it may not be written."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISFIFO(found.st_mode):  # opening a pipe would wait for a reader
        open(path, "ab").close()
    return found


def _open_temporary(path: Path) -> BinaryIO:
    """A new file beside `path`, locked while it is open, so that `_sweep` can tell that its writer is running."""
    while True:
        try:
            file = open(path.with_name(f".{path.name}.{os.urandom(8).hex()}.part"), "xb")  # noqa: SIM115  the caller closes it
        except OSError as reason:
            raise OSError(reason.errno, reason.strerror, str(path)) from reason
        if fcntl is None:
            return file
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: `_sweep` cannot lock it either and keeps it
            return file
        if os.path.exists(file.name):
            return file
        file.close()  # removed by a `_sweep` between opening and locking


def _sweep(path: Path) -> None:
    """Remove the temporary files of `path` whose writers have died, which no process has locked."""
    temporary = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.part")
    for name in filter(temporary.fullmatch, os.listdir(path.parent) if path.parent.is_dir() else ()):
        stray = path.with_name(name)
        with suppress(OSError):  # its writer is running, or another process has removed it
            with open(stray, "rb") as file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    stray.unlink()
            if fcntl is None:
                stray.unlink()
