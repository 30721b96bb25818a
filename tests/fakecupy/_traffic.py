"""Counts what a GPU program pays for and a NumPy program never sees: waits for the device and copies to it."""

import contextlib
from collections.abc import Iterator

syncs = 0
h2d = 0
_forbidden = 0


def sync(what: str) -> None:
    """Count one wait of the host for the device; inside ``forbid_sync()`` raise AssertionError naming ``what``."""
    global syncs
    if _forbidden:
        raise AssertionError(f"{what} makes the host wait for the device inside forbid_sync()")
    syncs += 1


def upload() -> None:
    """Count one copy from the host to the device."""
    global h2d
    h2d += 1


@contextlib.contextmanager
def forbid_sync() -> Iterator[None]:
    """Within this context every operation that makes the host wait for the device raises AssertionError."""
    global _forbidden
    _forbidden += 1
    try:
        yield
    finally:
        _forbidden -= 1
