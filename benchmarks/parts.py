"""Where the time of a training step goes: each operation, forward and backward, beside its matrix products."""

from __future__ import annotations

import importlib
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks import nets, products
from benchmarks.peers import MINITORCH
from benchmarks.products import PRODUCTS
from benchmarks.report import Options, Row, measured
from benchmarks.timing import Entry, Work

TITLE = "Where the time of a step goes"
NOTE = """The training step of the main net, and of the nets that are slowest compared with PyTorch, with one thread, by
operation and the shape of its output. The times of both digits are added up. "Around the operations" contains the pass over
the recorded operations, the layers' own work, checks, random numbers, the release of memory, and reading the clock. NumPy
cannot compute an operation faster than its matrix products, if there is one product for each operation; a convolution that
makes several smaller products can be faster."""
NETS = [nets.MAIN_NET, "000 Shared + auxiliary loss", "002 LeNet", "002 ResNet", "002 AlexNet"]
ROUNDS = 15
BESIDE = [PRODUCTS]
SHARE = 0.01  # of a step; operations that take less are added up in one row
WHOLE, AROUND, REST = "the whole step", "around the operations", "other operations"


def run(options: Options) -> list[Row]:
    """A row for each operation of each net, the slowest first."""
    with tempfile.TemporaryDirectory() as folder:
        data = str(nets.save_pairs(Path(folder)))
        return [row for net in NETS[: 1 if options.quick else None] for row in of_net(net, data, options)]


def of_net(net: str, data: str, options: Options) -> list[Row]:
    """A row for each operation of a net, the slowest first."""
    entries = [Entry(MINITORCH.name, "benchmarks.parts:of_step"), Entry(PRODUCTS, "benchmarks.parts:of_products")]
    rows = measured(net, [replace(entry, arguments={"net": net, "data": data}) for entry in entries], options)
    rows.sort(key=lambda row: -statistics.median(row.rounds[MINITORCH.name]))
    least = SHARE * statistics.median(rows[0].rounds[MINITORCH.name])
    small = [row for row in rows if statistics.median(row.rounds[MINITORCH.name]) < least]
    added = [sum(one) for one in zip(*(row.rounds[MINITORCH.name] for row in small))]
    kept = [replace(row, case=row.quantity, quantity=net) for row in rows if row not in small]
    return kept + [Row(REST, net, "ms", 1, {MINITORCH.name: added})] * bool(small)


def of_step(net: str, data: str) -> Work:
    """The training step of a net, which measures the time of every operation in it."""
    import minitorch
    from benchmarks.minitorch_nets import training

    model, optimizer, loss_of = training(net, "cpu")
    turns = cycle([[minitorch.from_numpy(array) for array in batch] for batch in nets.batches(net, data)])
    clock = Clock()
    clock.watch()

    def step() -> dict[str, float]:
        clock.seconds.clear()
        inputs, targets, classes = next(turns)
        start = time.perf_counter()
        loss = loss_of(model(inputs), targets, classes)
        optimizer.zero_grad()
        loss.backward()
        clock.timed("optimizer.step()", optimizer.step)
        loss.item()
        whole = time.perf_counter() - start
        return {**clock.seconds, AROUND: whole - sum(clock.seconds.values()), WHOLE: whole}

    return Work(step)


class Clock:
    """Adds up the seconds of operations, by name and shape; an operation inside another one counts as part of it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inside = False

    def timed(self, what: str, work: Callable[[], Any]) -> Any:
        """Return `work()` and add its time to `what`, in which `{}` stands for the shape of the result."""
        if self._inside:
            return work()
        self._inside = True
        start = time.perf_counter()
        try:
            done = work()
        finally:
            elapsed = time.perf_counter() - start
            self._inside = False
        self.seconds[what.format(tuple(getattr(done, "shape", ())))] += elapsed
        return done

    def watch(self) -> None:
        """Measure every operation of this process from now on."""
        from minitorch.autograd.op import Op

        engine = importlib.import_module("minitorch.autograd.backward")  # the package itself has a function of this name
        apply, rule = Op.apply.__func__, engine.apply_rule

        def timed_apply(cls: type, *inputs: Any, **parameters: Any) -> Any:
            return self.timed(products.described(cls, "{}", "forward"), lambda: apply(cls, *inputs, **parameters))

        def timed_rule(node: Any, *arguments: Any) -> Any:
            return self.timed(products.described(type(node), tuple(node.shape), "backward"), lambda: rule(node, *arguments))

        Op.apply, engine.apply_rule = classmethod(timed_apply), timed_rule


def of_products(net: str, data: str) -> Work:
    """The matrix products of a net's training step, with the time for each operation."""
    import minitorch
    from benchmarks.minitorch_nets import training

    model, _, _ = training(net, "cpu")
    inputs = minitorch.from_numpy(nets.batches(net, data)[0][0])
    replays = [(what, products.replay(some)) for what, some in products.by_operation(model, lambda: model(inputs))]

    def call() -> dict[str, float]:
        seconds: Counter[str] = Counter()
        for what, replay in replays:
            start = time.perf_counter()
            replay()
            seconds[what] += time.perf_counter() - start
        return {**seconds, WHOLE: sum(seconds.values())}

    return Work(call)
