"""What several test modules share: memory that shows when it is read unwritten, and the devices to run on."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from tests import fakecupy, poison

poison.install()


def _has_gpu() -> bool:
    try:
        import cupy

        return cupy.cuda.is_available()
    except ImportError:
        return False


@pytest.fixture
def cupy() -> Iterator[ModuleType]:
    """What `device="cuda"` computes with: CuPy itself on a machine with a GPU, else the strict stand-in, installed in its place."""
    if _has_gpu():
        import cupy

        yield cupy
    else:
        with fakecupy.install() as module:
            yield module


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> str:
    """Each device in turn, usable."""
    if request.param == "cuda":
        request.getfixturevalue("cupy")
    return request.param
