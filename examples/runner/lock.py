"""One job at a time in a folder: a lock that the job holds as long as its process lives, on this machine or another."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import BinaryIO

from runner.kept import check_files

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed: that is lock enough
    fcntl = None

NAME = "job.lock"
_held: set[BinaryIO] = set()  # the files of locks that this process holds


class FolderInUse(Exception):
    """Another job, perhaps on another machine, is at work in the folder."""


class FolderLock:
    """The lock of `folder`, which must exist, held until `release` or the end of the process, however it ends.

    The operating system keeps it (flock; on NFS the server of the folder), so that nothing is left to clean up after a kill.
    The file says who holds it, for those who are refused. Raises FolderInUse, naming the holder's process and host, and
    OSError where the file system knows no locks, or something else stands in the place of the file.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / NAME
        check_files(path)
        self._file = _locked(path) if fcntl else _alone(path)
        holder = {"process": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        self._file.truncate(0)
        self._file.write(json.dumps(holder).encode())
        self._file.flush()
        _held.add(self._file)

    def release(self) -> None:
        """Let other jobs in. The file stays: if it were removed, two jobs could hold locks on files of one name."""
        _held.discard(self._file)
        self._file.close()


def _locked(path: Path) -> BinaryIO:
    file = open(path, "ab")  # noqa: SIM115  open as long as the lock is held
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as reason:
        file.close()
        raise _in_use(path) from reason
    except OSError as reason:
        file.close()
        said = f"no lock can be had there ({reason.strerror}), so that two jobs could mix; choose an --out on another disk"
        raise OSError(reason.errno, said, str(path)) from reason
    return file


def _alone(path: Path) -> BinaryIO:
    try:
        path.unlink(missing_ok=True)
        return open(path, "xb")
    except (PermissionError, FileExistsError) as reason:
        raise _in_use(path) from reason


def _in_use(path: Path) -> FolderInUse:
    try:
        holder = json.loads(path.read_text())
        who = f"process {holder['process']} on host {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, LookupError, TypeError):  # it has just begun, and has not written its name yet
        who = "another process"
    return FolderInUse(f"{path.parent} is in use: another job is at work there ({who}). Wait for it, or choose another --out.")


def _forget() -> None:
    """A forked process does not hold the locks of the one that it comes from."""
    for file in _held:
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
