"""Milliseconds per operation, forward and forward + backward, beside PyTorch's and the matrix products alone."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.peers import MINITORCH, TORCH
from benchmarks.products import PRODUCTS, convolution, linear, replay
from benchmarks.report import Options, Row, measured
from benchmarks.timing import Entry, Work

TITLE = "Operations"
NOTE = """One operation, its forward recorded, and forward + backward with the gradients of input, weights and biases (of the
weights alone where it says "no dx", as in the first layer of a net). Images lie in memory as each framework's own layers leave
them: channels-last in minitorch, channels first in PyTorch."""
ROUNDS = 11
BESIDE = [TORCH.name, PRODUCTS]

CURVES = ("gelu", "leaky_relu", "silu", "logsigmoid", "sigmoid", "tanh")

# by name: the operation, the shape of its input, and what else it takes
# fmt: off
OPS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "conv2d (100,1,14,14) to 32, k3, no dx": ("conv2d", (100, 1, 14, 14), {"filters": 32, "kernel": 3, "to_input": False}),
    "conv2d (100,1,14,14) to 32, k3": ("conv2d", (100, 1, 14, 14), {"filters": 32, "kernel": 3}),
    "conv2d (100,32,6,6) to 64, k3": ("conv2d", (100, 32, 6, 6), {"filters": 64, "kernel": 3}),
    "conv2d (200,16,14,14) to 16, k7 p3": ("conv2d", (200, 16, 14, 14), {"filters": 16, "kernel": 7, "padding": 3}),
    "conv2d (10,16,14,14) to 16, k7 p3": ("conv2d", (10, 16, 14, 14), {"filters": 16, "kernel": 7, "padding": 3}),
    "conv2d (10,192,3,3) to 128, k3 p1": ("conv2d", (10, 192, 3, 3), {"filters": 128, "kernel": 3, "padding": 1}),
    "conv2d (64,64,32,32) to 64, k3 p1": ("conv2d", (64, 64, 32, 32), {"filters": 64, "kernel": 3, "padding": 1}),
    "conv2d (64,64,32,32) to 128, k3 p1, stride 2": (
        "conv2d", (64, 64, 32, 32), {"filters": 128, "kernel": 3, "padding": 1, "stride": 2}),
    "conv2d (64,64,32,32) to 64, k3 p1, 4 groups": (
        "conv2d", (64, 64, 32, 32), {"filters": 64, "kernel": 3, "padding": 1, "groups": 4}),
    "conv2d (100,2,14,14) to 32, k3, 2 groups": ("conv2d", (100, 2, 14, 14), {"filters": 32, "kernel": 3, "groups": 2}),
    "max_pool2d (100,32,12,12), k2": ("max_pool2d", (100, 32, 12, 12), {"kernel": 2}),
    "max_pool2d (100,64,4,4), k2": ("max_pool2d", (100, 64, 4, 4), {"kernel": 2}),
    "max_pool2d (64,64,32,32), k2": ("max_pool2d", (64, 64, 32, 32), {"kernel": 2}),
    "avg_pool2d (10,16,14,14), k14": ("avg_pool2d", (10, 16, 14, 14), {"kernel": 14}),
    "avg_pool2d (64,64,32,32), k2": ("avg_pool2d", (64, 64, 32, 32), {"kernel": 2}),
    "batch norm 1d (100,200)": ("batch_norm", (100, 200), {}),
    "batch norm 2d (10,16,14,14)": ("batch_norm", (10, 16, 14, 14), {}),
    "batch norm 2d (64,64,32,32)": ("batch_norm", (64, 64, 32, 32), {}),
    "linear (100,20) to 150": ("linear", (100, 20), {"outputs": 150}),
    "linear (100,256) to 200": ("linear", (100, 256), {"outputs": 200}),
    "linear (1000,1024) to 1024": ("linear", (1000, 1024), {"outputs": 1024}),
    "softmax cross-entropy (100,10)": ("cross_entropy", (100, 10), {}),
    "softmax cross-entropy (1000,1000)": ("cross_entropy", (1000, 1000), {}),
    "dropout (100,200), p 0.2": ("dropout", (100, 200), {}),
    "dropout (1000,1000), p 0.2": ("dropout", (1000, 1000), {}),
    "relu (100,32,6,6)": ("relu", (100, 32, 6, 6), {}),
    "conv2d (8,64,56,56) to 64, k3 p1": ("conv2d", (8, 64, 56, 56), {"filters": 64, "kernel": 3, "padding": 1}),
    "conv2d (8,512,7,7) to 512, k3 p1": ("conv2d", (8, 512, 7, 7), {"filters": 512, "kernel": 3, "padding": 1}),
    "conv2d (8,128,28,28), k3 p1, depthwise": (
        "conv2d", (8, 128, 28, 28), {"filters": 128, "kernel": 3, "padding": 1, "groups": 128}),
    "avg_pool2d (16,512,7,7), k7": ("avg_pool2d", (16, 512, 7, 7), {"kernel": 7}),
    "linear (1,1024) to 1024": ("linear", (1, 1024), {"outputs": 1024}),
    "layer norm (2048,384)": ("layer_norm", (2048, 384), {}),
    "group norm (16,64,32,32), 8 groups": ("group_norm", (16, 64, 32, 32), {"groups": 8}),
    "softmax (64,50000)": ("softmax", (64, 50_000), {"dim": 1}),
    "softmax cross-entropy (4096,1000)": ("cross_entropy", (4096, 1000), {}),
    **{f"{kind} (4000000)": (kind, (4_000_000,), {}) for kind in CURVES},
    **{f"{kind} (4000000)": ("method", (4_000_000,), {"name": kind}) for kind in ("exp", "sin", "sum")},
    **{f"{kind} (3000,3000), dim 1": ("method", (3000, 3000), {"name": kind, "dim": 1}) for kind in ("sum", "cumsum", "var")},
    "x ** 3 (4000000)": ("method", (4_000_000,), {"name": "pow", "exponent": 3}),
}
# fmt: on
QUICK = [0, 2, 10, 15, 19]


def run(options: Options) -> list[Row]:
    """Two rows for each operation, of one thread."""
    rows = []
    names = list(OPS)
    for name in [names[place] for place in QUICK] if options.quick else names:
        arguments = {"name": name, "device": options.device}
        entries = [Entry(MINITORCH.name, "benchmarks.ops:work", {**arguments, "peer": "minitorch"})]
        if TORCH.name in options.peers:
            entries.append(Entry(TORCH.name, "benchmarks.ops:work", {**arguments, "peer": "torch"}))
        if OPS[name][0] in ("conv2d", "linear") and options.device == "cpu":
            entries.append(Entry(PRODUCTS, "benchmarks.ops:products", {"name": name}))
        rows += measured(name, entries, options)
    return rows


def work(peer: str, name: str, device: str) -> Work:
    """One operation of minitorch or PyTorch, whose functions have the same names and arguments."""
    engine = importlib.import_module(peer)
    functional = importlib.import_module("torch.nn.functional" if peer == "torch" else "minitorch.functional")
    if peer == "torch":
        engine.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        engine.backends.cudnn.allow_tf32 = False
    random = np.random.default_rng(0)

    def tensor(*shape: int) -> Any:
        array = random.standard_normal(shape, np.float32)
        if peer == "minitorch" and len(shape) == 4:
            array = np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        return engine.from_numpy(array).to(device)

    kind, shape, more = OPS[name]
    given = tensor(*shape)
    inputs, function = FUNCTIONS[kind](functional, tensor, given, **{k: v for k, v in more.items() if k != "to_input"})
    if kind == "cross_entropy":
        classes = engine.from_numpy(random.integers(0, shape[1], shape[0])).to(device)
        function = lambda: functional.cross_entropy(given, classes)  # noqa: E731  in the place of another lambda
    for one in inputs:
        one.requires_grad_(one is not given or more.get("to_input", True))
    shape_out = tuple(function().shape)
    gradient = (tensor(*shape_out),) if shape_out else ()
    wait = engine.cuda.synchronize if device == "cuda" else lambda: None

    def call() -> dict[str, float]:
        start = time.perf_counter()
        function()
        wait()
        forward = time.perf_counter() - start
        for one in inputs:
            one.grad = None
        start = time.perf_counter()
        function().backward(*gradient)
        wait()
        return {"forward": forward, "forward + backward": time.perf_counter() - start}

    return Work(call)


Built = tuple[list[Any], Callable[[], Any] | None]
"""Tensors that may need a gradient, and the operation on them."""


def _conv2d(
    F: Any, tensor: Any, x: Any, filters: int, kernel: int, padding: int = 0, stride: int = 1, groups: int = 1
) -> Built:
    w, b = tensor(filters, x.shape[1] // groups, kernel, kernel), tensor(filters)
    return [x, w, b], lambda: F.conv2d(x, w, b, stride=stride, padding=padding, groups=groups)


def _batch_norm(F: Any, tensor: Any, x: Any) -> Built:
    mean, w, b = (tensor(x.shape[1]) for _ in range(3))
    variance = tensor(x.shape[1]).abs()
    return [x, w, b], lambda: F.batch_norm(x, mean, variance, w, b, training=True)


def _linear(F: Any, tensor: Any, x: Any, outputs: int) -> Built:
    w, b = tensor(outputs, x.shape[1]), tensor(outputs)
    return [x, w, b], lambda: F.linear(x, w, b)


def _layer_norm(F: Any, tensor: Any, x: Any) -> Built:
    w, b = tensor(x.shape[1]), tensor(x.shape[1])
    return [x, w, b], lambda: F.layer_norm(x, (x.shape[1],), w, b)


def _group_norm(F: Any, tensor: Any, x: Any, groups: int) -> Built:
    w, b = tensor(x.shape[1]), tensor(x.shape[1])
    return [x, w, b], lambda: F.group_norm(x, groups, w, b)


def _alone(kind: str) -> Callable[..., Built]:
    """A function of one tensor."""
    return lambda F, tensor, x, **options: ([x], lambda: getattr(F, kind)(x, **options))


FUNCTIONS: dict[str, Callable[..., Built]] = {
    "conv2d": _conv2d,
    "max_pool2d": lambda F, tensor, x, kernel: ([x], lambda: F.max_pool2d(x, kernel)),
    "avg_pool2d": lambda F, tensor, x, kernel: ([x], lambda: F.avg_pool2d(x, kernel)),
    "batch_norm": _batch_norm,
    "linear": _linear,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "cross_entropy": lambda F, tensor, x: ([x], None),
    "dropout": lambda F, tensor, x: ([x], lambda: F.dropout(x, 0.2)),
    "method": lambda F, tensor, x, name, **options: ([x], lambda: getattr(x, name)(**options)),
    **{kind: _alone(kind) for kind in ("relu", "softmax", *CURVES)},
}


def products(name: str) -> Work:
    """The matrix products of a convolution or a linear layer."""
    kind, shape, more = OPS[name]
    if kind == "linear":
        parts = linear(shape[0], shape[1], more["outputs"])
    else:
        kernel, stride = more["kernel"], more.get("stride", 1)
        side = (shape[2] + 2 * more.get("padding", 0) - kernel) // stride + 1
        places = shape[0] * side * side
        parts = convolution(places, shape[1], more["filters"], kernel, more.get("groups", 1), more.get("to_input", True))
    forward, both = replay(parts[0]), replay(parts[0] + parts[1])

    def call() -> dict[str, float]:
        start = time.perf_counter()
        forward()
        between = time.perf_counter()
        both()
        return {"forward": between - start, "forward + backward": time.perf_counter() - between}

    return Work(call)
