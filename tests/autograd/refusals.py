"""Errors of anomaly mode, and the lines of a test that they name."""

import contextlib
import re
import sys
from pathlib import Path

import pytest

import minitorch as mt


def leaf(*values, **kwargs):
    return mt.tensor(values, requires_grad=True, **kwargs)


def refused(*parts):
    """The block raises an error that contains `parts`; one that ends in a comment is the line of the caller's file that is named."""
    return _refused(sys._getframe(1).f_code.co_filename, parts)


@contextlib.contextmanager
def _refused(file, parts):
    with pytest.raises(RuntimeError) as caught:
        yield
    message, lines = str(caught.value), Path(file).read_text(encoding="utf-8").splitlines()
    for part in parts:
        if "# " in part:
            (number,) = (i for i, line in enumerate(lines, 1) if line.strip() == part)
            assert re.search(rf'  File "{re.escape(file)}", line {number}, in \w+\n    {re.escape(part)}(\n|$)', message)
        else:
            assert part in message
