"""``cupyx``, of which only the switch for errors of linear algebra is modelled."""

import contextlib

linalg = "ignore"


@contextlib.contextmanager
def errstate(*, divide=None, over=None, under=None, invalid=None, linalg=None):
    """Within this context a singular matrix raises LinAlgError, for ``linalg="raise"``; CuPy has no other errors."""
    if any(each is not None for each in (divide, over, under, invalid)) or linalg not in (None, "ignore", "raise"):
        raise NotImplementedError
    before = globals()["linalg"]
    globals()["linalg"] = linalg or before
    try:
        yield
    finally:
        globals()["linalg"] = before
