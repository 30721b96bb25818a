"""Milliseconds of common operations and small nets, forward and backward, with two settings of the memory allocator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.cases import CASES, NETS, TABLE, TEACHING, Engine
from benchmarks.peers import MINITORCH, TORCH
from benchmarks.report import Options, Row, geometric_mean, markdown, measured, measured_together, ranged
from benchmarks.timing import Entry, Work

TITLE = "Operations and small nets"
NOTE = """Each row is one operation, forward and backward, with the gradients of its inputs, weights and biases. "no dx" means
that the input needs no gradient, as in the first layer of a net. A "step" is an optimizer's step, or a whole training step of
a net. The name conv3 64->64 (8,56,56) stands for a convolution with 3x3 filters from 64 to 64 channels, on 8 images of 56x56;
other names have the same form. Both libraries run the same lines of code. Images have the memory order that each library's own
layers use: channels-last in minitorch, channels first in PyTorch.

"As installed" is what a new user gets: minitorch keeps freed memory in the process, and PyTorch returns large blocks to the
system, which costs it time on large arrays. With the "same allocator settings", the C library keeps freed memory for both
(MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ are large, and MINITORCH_KEEP_MEMORY=0)."""
ROUNDS = 7
BESIDE = [TORCH.name]
INSTALLED, SAME = "as installed", "same allocator settings"
SETTINGS: dict[str, dict[str, str]] = {
    INSTALLED: {},
    SAME: {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**31), "MINITORCH_KEEP_MEMORY": "0"},
}
GROUPS = {"common operations": TABLE, "small nets": NETS, "operations of teaching code": TEACHING}
QUICK = [
    "matmul 1024^3",
    "conv3 32->64 (100,6,6)",
    "relu (100,200)",
    "MNIST MLP 784-128-10 step B64",
    "topk10 dim1 (1000,3000)",
]


def run(options: Options) -> list[Row]:
    """A row for each case, number of threads and allocator setting."""
    names = QUICK if options.quick else list(CASES)
    if options.device == "cuda":
        return measured_together("benchmarks.ops:work", {name: {"name": name} for name in names}, options, INSTALLED)
    peers = [peer for peer in (MINITORCH, TORCH) if peer is MINITORCH or peer.name in options.peers]
    rows = []
    for name in names:
        for threads in (1,) if options.quick else (1, 2):
            for setting in SETTINGS:
                arguments = {"name": name, "device": options.device}
                entries = [
                    Entry(peer.name, "benchmarks.ops:work", {**arguments, "peer": peer.module}, threads, SETTINGS[setting])
                    for peer in peers
                ]
                rows += [replace(row, quantity=setting) for row in measured(name, entries, options, threads=threads)]
    return rows


def work(peer: str, name: str, device: str) -> Work:
    """A case in minitorch or PyTorch; on a GPU, a call ends when the GPU has finished."""
    engine = Engine(peer, device)
    call = CASES[name](engine)

    def finished() -> None:
        call()
        engine.T.cuda.synchronize()

    return Work(finished if device == "cuda" else call)


def summary(rows: Sequence[Row]) -> str:
    """The table of geometric means of the ratios to PyTorch, by group, setting and number of threads."""
    lines = []
    for group, names in GROUPS.items():
        for kind in dict.fromkeys((row.quantity, row.threads) for row in rows if row.quantity in SETTINGS):
            seen = [row for row in rows if (row.quantity, row.threads) == kind and row.case in names and row.ratio(TORCH.name)]
            ratios = [row.ratio(TORCH.name)["median"] for row in seen]
            above = [str(sum(ratio > limit for ratio in ratios)) for limit in (1.5, 2)]
            lines.append([group, *map(str, kind), str(len(seen)), ranged(geometric_mean(seen, TORCH.name)), *above])
    head = ["minitorch / PyTorch", "setting", "threads", "cases", "geometric mean", "above 1.5", "above 2"]
    return markdown(head, lines) if lines else ""
