"""Messages for the user on any console: one that has only ASCII, one that was closed, or none at all."""

from __future__ import annotations

import codecs
import os
import sys
from typing import Any, TextIO

PLAIN = {"±": "+-", "“": '"', "”": '"'}  # all that tables and conclusions use; others become "?"


def take_any_encoding() -> None:
    """Let standard output and error replace characters that they cannot show, rather than raise."""
    codecs.register_error("minitorch.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="minitorch.plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


def say(*words: Any, sep: str = " ", file: TextIO | None = None) -> None:
    """Print. A console that was closed is not an error, because the results are in files."""
    stream = sys.stdout if file is None else file
    if stream is None:
        return
    try:
        print(*words, sep=sep, file=stream, flush=True)
    except (OSError, ValueError):  # a pipe or a terminal that was closed
        if stream is sys.stdout:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115  or Python would complain once more when it ends
