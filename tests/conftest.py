"""What several test modules share: memory that shows when it is read unwritten, the devices to run on, and Ctrl-C."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests import fakecupy, poison

poison.install()
# programs that tests start find this tree, installed or not
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))


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


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Signals stop what runs, here and in programs started here, even where a background job or nohup ignores them."""
    defaults = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
    numbers = {getattr(signal, name): handler for name, handler in defaults.items() if hasattr(signal, name)}
    before = {number: signal.signal(number, handler) for number, handler in numbers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
