"""Random numbers: `Generator`, and the default one that `manual_seed` seeds.

Weights, shuffles and data are drawn on the host, so a seed gives the same start on the CPU and on a GPU; only dropout draws on
its input's device. The numbers are NumPy's (SFC64), not PyTorch's: the same seed gives other numbers there.
"""

from __future__ import annotations

import os
import struct
import threading
from typing import Any, Final

import numpy as np

from minitorch import backend
from minitorch.autograd.tensor import Tensor, wrap

_STATE = struct.Struct("<4QqIQ")  # the four words of SFC64, its spare half word, and the seed
_starting = threading.Lock()


class Generator:
    """A stream of random numbers, at first seeded by the operating system; `.numpy` is NumPy's generator that draws."""

    def __init__(self, device: backend.Device | str = "cpu") -> None:
        backend.as_device(device)
        self._numpy: Any = None
        self._on_device: Any = None
        self.seed()

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of `seed`, a whole number, which may be negative; returns the generator."""
        self._seed = int(seed) % 2**64
        self._numpy = self._on_device = None
        return self

    @property
    def numpy(self) -> Any:
        """NumPy's generator, made when it is first used, so that `import minitorch` does not take 7 ms for `numpy.random`."""
        drawing = self._numpy
        if drawing is None:
            with _starting:  # two threads share one stream
                drawing = self._numpy = self._numpy or np.random.Generator(np.random.SFC64(np.random.SeedSequence(self._seed)))
        return drawing

    def seed(self) -> int:
        """Start a stream from a seed drawn by the operating system; returns that seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 1)
        return self._seed

    def initial_seed(self) -> int:
        """The seed of this stream."""
        return self._seed

    def cupy(self) -> Any:
        """A generator on the GPU, seeded from this one when it is first used."""
        if self._on_device is None:
            self._on_device = backend.cupy().random.default_rng(int(self.numpy.integers(2**63)))
        return self._on_device

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor of 52 bytes.

        CuPy cannot save the stream on the GPU (dropout's), so it ends here and at `set_state`, and the next one is seeded from
        this state. So the same numbers follow `get_state` and `set_state`, but on a GPU not those that a run without it draws.
        """
        self._on_device = None
        state = self.numpy.bit_generator.state
        words = [int(word) for word in state["state"]["state"]]
        return wrap(np.frombuffer(_STATE.pack(*words, state["has_uint32"], state["uinteger"], self._seed), np.uint8).copy())

    def set_state(self, state: Tensor) -> Generator:
        """Continue from a state of `get_state`; raises ValueError for anything else."""
        raw = bytes(state.numpy()) if isinstance(state, Tensor) and state.dtype == backend.uint8 else b""
        if len(raw) != _STATE.size:
            raise ValueError(f"set_state: expected a uint8 tensor of {_STATE.size} bytes, as get_state gives")
        *words, has_half, half, self._seed = _STATE.unpack(raw)
        inner = {"state": np.array(words, np.uint64)}
        self.numpy.bit_generator.state = {"bit_generator": "SFC64", "state": inner, "has_uint32": has_half, "uinteger": half}
        self._on_device = None
        return self


default_generator: Final = Generator()  # from which weights, shuffles and dropout are drawn


def stream(generator: Generator | None) -> Any:
    """NumPy's generator of `generator`, or of the default one if None; raises TypeError for anything else, such as a seed."""
    if not isinstance(generator, Generator | None):
        expected = "a minitorch.Generator, as Generator().manual_seed(seed) gives"
        raise TypeError(f"generator: expected {expected}, got {type(generator).__name__}")
    return (default_generator if generator is None else generator).numpy


manual_seed: Final = default_generator.manual_seed
seed: Final = default_generator.seed
initial_seed: Final = default_generator.initial_seed
get_rng_state: Final = default_generator.get_state
set_rng_state: Final = default_generator.set_state
