"""A few threads of our own, which share out large computations on arrays: NumPy uses one core for all but matrix products.

NumPy's functions release the interpreter's lock while they compute. Results do not depend on the number of threads: arrays are
cut in the same way for any number, and what pieces contribute to a sum is added in the order of the pieces.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Final

import numpy as np

from minitorch.backend import array_module

# From how many elements on work is shared out. With two threads and two idle cores, where a thread wakes after 20 to 50
# microseconds, exp of 2**17 elements takes 0.98 of one thread's time, of 2**18 0.69, of 2**20 0.56, of 2**22 0.52.
LEAST: Final = 2**18
CHEAP: Final = 2**20  # the same for a pass or two that are bound by memory: relu of 2**19 elements takes 1.2, of 2**22 0.55
PIECE: Final = 2**18  # elements in a piece of work that uses temporary arrays, adds rows up or only copies


def _at_start() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        number = os.environ.get(name, "").split(",")[0]
        if number.isdecimal() and int(number):
            return min(int(number), cores)
    return min(4, cores)  # more have to wait for the interpreter's lock


class _Share:
    """Pieces of work that threads take in turn: one that has to wait for its core takes fewer."""

    def __init__(self, work: Callable[..., object], pieces: list[Any]) -> None:
        self.work: Any = work
        self.pieces, self.left = pieces, iter(pieces)  # threads may take turns at a list's iterator
        self.helping: list[Any] = []  # a lock for each other thread that has begun, held until it has finished
        self.failed: list[BaseException] = []

    def take(self) -> None:
        """Work until no piece is left, or one has failed."""
        work, _inside.piece = self.work, True
        try:
            for piece in self.left:
                work(*piece)
        except BaseException as reason:  # raised again by `run`
            self.failed.append(reason)
            self.pieces.clear()
        finally:
            _inside.piece = False

    def wait(self) -> None:
        """Wait for the other threads, also if interrupted: nothing is written any more when `run` has returned."""
        for helping in self.helping:
            while True:
                try:
                    with helping:
                        break
                except BaseException as reason:
                    self.failed.append(reason)
        self.work = None  # a thread that wakes later keeps no array alive
        self.pieces.clear()


class _Inside(threading.local):
    piece = False  # whether this thread is at work on a piece: what is shared out within that stays in the thread


_inside = _Inside()
_number = _at_start()
_started = 0
_shares: SimpleQueue[tuple[_Share, contextvars.Context]] = SimpleQueue()


def _forget() -> None:
    global _started, _shares
    _started, _shares = 0, SimpleQueue()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a forked process has none of the threads


def _help(shares: SimpleQueue[Any]) -> None:
    while True:
        share, context = shares.get()
        helping = threading.Lock()
        with helping:
            share.helping.append(helping)
            context.run(share.take)


def run(work: Callable[..., object], pieces: list[Any], least: int = LEAST) -> None:
    """Call `work(*piece)` for each piece, a tuple whose first array tells its size; from `least` elements on in threads.

    Each piece is computed in a copy of the caller's context, which holds how NumPy reports errors. An exception in a piece is
    raised here, when no piece is under way any more.
    """
    global _started
    if len(pieces) < 2 or _number == 1 or sum(piece[0].size for piece in pieces) < least or _inside.piece:
        for piece in pieces:
            work(*piece)
        return
    others = min(_number, len(pieces)) - 1
    try:
        while _started < others:
            threading.Thread(target=_help, args=(_shares,), daemon=True).start()
            _started += 1
    except RuntimeError:  # the system gives no more, or Python is about to end
        others = _started
    share = _Share(work, pieces.copy())
    try:
        for _ in range(others):
            _shares.put((share, contextvars.copy_context()))
        share.take()
    finally:
        share.wait()
    if share.failed:
        raise share.failed.pop(0)  # the share may be referred to by a thread that sleeps


def cut(axis: int, arrays: Sequence[Any], elements: int = PIECE) -> list[tuple[Any, ...]]:
    """Pieces of arrays that are as long along `axis`, as views; those of the first have about so many elements."""
    length, before = arrays[0].shape[axis], (slice(None),) * axis
    each = max(1, elements * length // max(1, arrays[0].size))
    pieces = [(*before, slice(start, start + each)) for start in range(0, length, each)]
    return list(zip(*([array[piece] for piece in pieces] for array in arrays)))


def copied(array: Any) -> Any:
    """`array.copy()`, shared out among threads if it is large."""
    if array.size < CHEAP or array_module(array) is not np:
        return array.copy()
    out = array_module(array).empty(array.shape, array.dtype)
    run(array_module(array).copyto, cut(0, (out, array)), CHEAP)
    return out


def set_num_threads(number: int) -> None:
    """Set how many threads share out work on large arrays; raises RuntimeError unless `number` is a whole number above 0.

    At the start there are as many as OPENBLAS_NUM_THREADS or OMP_NUM_THREADS says, else 4, but no more than the cores that the
    process may use. Matrix products are computed by NumPy's BLAS, whose number of threads is fixed when NumPy is imported.
    """
    global _number
    if type(number) is not int or number < 1:
        raise RuntimeError(f"set_num_threads: expected a whole number above 0, got {number!r}")
    _number = number


def get_num_threads() -> int:
    """How many threads share out work on large arrays: see `set_num_threads`."""
    return _number
