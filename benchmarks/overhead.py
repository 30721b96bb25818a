"""The time that an operation takes besides its arithmetic: small operations and long chains, forward and backward."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.peers import AUTOGRAD, JAX, MINITORCH, MYGRAD, TORCH
from benchmarks.report import Options, Row, measured
from benchmarks.timing import Entry, Work

TITLE = "Overhead"
NOTE = """The microseconds of y = x * w + b, whose three tensors all need gradients, which makes two operations; and the
microseconds per operation of chains x = x + 1. NumPy records nothing. JAX is jitted, so forward and backward are one compiled
call. HIPS autograd traces a function, so its forward time is that of `make_vjp`."""
ROUNDS = 11
BESIDE = [TORCH.name]
LOOP = 1000
LENGTHS = (1_000, 10_000, 100_000)
FRAMEWORKS = [MINITORCH, TORCH, MYGRAD, AUTOGRAD]


def run(options: Options) -> list[Row]:
    """Rows for the small operations, and for the chains of each length."""
    present = [peer for peer in FRAMEWORKS if peer is MINITORCH or peer.name in options.peers]
    rows = []
    for name, side in {"y = x * w + b, 1 element": 1, "y = x * w + b, 8x8": 8}.items():
        entries = [Entry(peer.name, "benchmarks.overhead:small", {"peer": peer.module, "side": side}) for peer in present]
        entries.append(Entry("NumPy", "benchmarks.overhead:small", {"peer": "numpy", "side": side}))
        if JAX.name in options.peers:
            entries.append(Entry("JAX jit", "benchmarks.overhead:small", {"peer": "jax", "side": side}))
        rows += measured(name, entries, options, unit="µs", scale=1e6 / LOOP)
    lengths = LENGTHS[:2] if options.quick else LENGTHS
    entries = [Entry(peer.name, "benchmarks.overhead:chain", {"peer": peer.module, "lengths": lengths}) for peer in present]
    for row in measured("chain", entries, options, unit="µs per operation", scale=1e6, calls=1, warm_up=0):
        if not row.rounds:
            rows.append(row)  # it contains only failures
            continue
        direction, length = row.quantity.split("/")
        rounds = {name: [value / int(length) for value in values] for name, values in row.rounds.items()}
        rows.append(replace(row, case=f"chain of {int(length):,}", quantity=direction, rounds=rounds))
    return rows


def small(peer: str, side: int) -> Work:
    """Compute y = x * w + b 1,000 times, then 1,000 times with its backward pass."""
    shape = (1,) if side == 1 else (side, side)
    arrays = [np.random.default_rng(seed).standard_normal(shape).astype(np.float32) for seed in range(3)]
    ways = {"numpy": _numpy, "jax": _jax, "autograd": _autograd}
    forward, both = ways.get(peer, _taped)(peer, arrays)

    def call() -> dict[str, float]:
        start = time.perf_counter()
        forward()
        between = time.perf_counter()
        if both is None:
            return {"forward": between - start}
        both()
        return {"forward": between - start, "forward + backward": time.perf_counter() - between}

    return Work(call)


Ways = tuple[Callable[[], None], Callable[[], None] | None]


def variables(peer: str, arrays: list[np.ndarray]) -> list[Any]:
    """The arrays as a framework's tensors that need gradients."""
    engine = importlib.import_module(peer)
    if peer == "mygrad":
        return [engine.tensor(array) for array in arrays]
    if peer == "torch":
        engine.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return [engine.from_numpy(array).requires_grad_() for array in arrays]


def _taped(peer: str, arrays: list[np.ndarray]) -> Ways:
    """minitorch, PyTorch and MyGrad: tensors record operations, `backward` computes gradients, which are then removed."""
    x, w, b = variables(peer, arrays)
    gradient = ()
    if x.shape != (1,):
        ones = np.ones(x.shape, np.float32)
        gradient = (ones if peer == "mygrad" else importlib.import_module(peer).from_numpy(ones),)

    def forward() -> None:
        for _ in range(LOOP):
            x * w + b

    def both() -> None:
        for _ in range(LOOP):
            y = x * w + b
            y.backward(*gradient)
            x.grad = w.grad = b.grad = None

    def both_of_mygrad() -> None:
        for _ in range(LOOP):
            y = x * w + b
            y.backward(*gradient)
            x.null_grad(), w.null_grad(), b.null_grad()

    return forward, both_of_mygrad if peer == "mygrad" else both


def _numpy(peer: str, arrays: list[np.ndarray]) -> Ways:
    x, w, b = arrays

    def forward() -> None:
        for _ in range(LOOP):
            x * w + b

    return forward, None


def _autograd(peer: str, arrays: list[np.ndarray]) -> Ways:
    from autograd import make_vjp

    record = make_vjp(lambda x, w, b: x * w + b, (0, 1, 2))
    gradient = np.ones_like(arrays[0])

    def forward() -> None:
        for _ in range(LOOP):
            record(*arrays)

    def both() -> None:
        for _ in range(LOOP):
            record(*arrays)[0](gradient)

    return forward, both


def _jax(peer: str, arrays: list[np.ndarray]) -> Ways:
    import jax

    arrays = [jax.numpy.asarray(array) for array in arrays]
    gradient = jax.numpy.ones_like(arrays[0])

    def f(x: Any, w: Any, b: Any) -> Any:
        return x * w + b

    compiled = jax.jit(f)
    compiled_both = jax.jit(lambda x, w, b: jax.vjp(f, x, w, b)[1](gradient))

    def forward() -> None:
        for _ in range(LOOP):
            y = compiled(*arrays)
        y.block_until_ready()

    def both() -> None:
        for _ in range(LOOP):
            slopes = compiled_both(*arrays)
        slopes[0].block_until_ready()

    return forward, both


def chain(peer: str, lengths: list[int]) -> Work:
    """Chains x = x + 1 of all lengths: the seconds of recording each, as "forward/1000", and of its backward pass."""
    array = np.ones(1, np.float32)

    def links(x: Any, length: int) -> Any:
        for _ in range(length):
            x = x + 1.0
        return x

    def one(length: int) -> dict[str, float]:
        if peer == "autograd":
            from autograd import make_vjp

            start = time.perf_counter()
            back, _ = make_vjp(lambda x: links(x, length))(array)
            between = time.perf_counter()
            back(array)
        else:
            (x,) = variables(peer, [array])
            start = time.perf_counter()
            y = links(x, length)
            between = time.perf_counter()
            y.backward()
        return {f"forward/{length}": between - start, f"backward/{length}": time.perf_counter() - between}

    def call() -> dict[str, float]:
        return {name: seconds for length in lengths for name, seconds in one(length).items()}

    call()  # the first call takes longer and is not measured
    return Work(call)
