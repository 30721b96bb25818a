"""Messages for the user on any console: one that has only ASCII, one that was closed, or none at all."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress
from typing import Any

PLAIN = {"±": "+-", "“": '"', "”": '"'}  # all that tables and conclusions use; others become "?"


class Console:
    """A stream that never raises: it replaces characters that it cannot show, and drops what a closed one cannot take.

    The results are in files, so a terminal or a pipe that goes away must not end the job.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="minitorch.plain")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # ValueError: the stream itself was closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def fit_any_console() -> None:
    """Make standard output and error streams that never raise, for this process; where they are missing, for workers too."""
    codecs.register_error("minitorch.plain", _plain)
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:  # a descriptor that the process was started without
        os.set_inheritable(free, True)
    os.close(free)
    for number, name in enumerate(("stdout", "stderr"), 1):
        stream = getattr(sys, name)
        if not isinstance(stream, Console):
            setattr(sys, name, Console(open(number, "w", closefd=False) if stream is None else stream))  # noqa: SIM115  for the process


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
