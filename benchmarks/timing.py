"""The core: contenders in separate processes, their turns and rounds, and the statistics of their figures.

The process of a contender imports a function by name, for example "benchmarks.steps:train", and calls it with arguments that
JSON can hold; the function returns a `Work`. Nothing in this file imports any framework.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

ROOT = Path(__file__).parent.parent
PAUSE = 0.05  # seconds between turns, since OpenBLAS's idle threads spin for 2**26 cycles before they sleep
TURN = 0.2  # seconds that a turn should take
WARM_UP = 5  # calls before the first round, so that what is built, compiled or cached once is not measured

Figures = dict[str, list[float]]
"""One number for each call or each round, by quantity."""


class Failed(Exception):
    """A contender could not do its work; the message is the last line that it printed."""


@dataclass(frozen=True)
class Work:
    """What a contender does in one call, and `facts` about it (for example its first losses, which others must have, too).

    The seconds of `call` are measured as "time", unless it returns a dictionary of quantities that it measured itself.
    """

    call: Callable[[], Any]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A contender before it is started: its name in tables, the maker of its `Work` with arguments, threads, environment."""

    name: str
    maker: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)


class Contender:
    """The running process of an entry, and a context manager that ends it; raises `Failed` if the process ends by itself."""

    def __init__(self, entry: Entry) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  it stays open as long as the process runs
        threads = {f"{library}_NUM_THREADS": str(entry.threads) for library in ("OPENBLAS", "OMP", "MKL")}
        path = os.pathsep.join([str(ROOT), str(ROOT / "examples"), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.timing", entry.maker, json.dumps(dict(entry.arguments))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **threads, **entry.environment, "PYTHONPATH": path},
        )
        try:
            self.facts = self._answer()
        except Failed:
            self.__exit__()
            raise

    def turn(self, calls: int, warm_up: int) -> Figures:
        """The figures of `calls` calls, which follow `warm_up` calls that are not counted."""
        with suppress(BrokenPipeError):  # the process has ended, and its answer says why
            print(json.dumps([warm_up, calls]), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        if line := self._process.stdout.readline():
            return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines()
        raise Failed(said[-1][:300] if said else f"ended with status {self._process.returncode}")

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._process.stdin.close()  # the end of its input is the end of its work
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


def interleave(
    entries: Sequence[Entry],
    rounds: int,
    calls: int | None = None,
    warm_up: int = 1,
    check: Callable[[dict], None] | None = None,
) -> tuple[dict[str, Figures], dict[str, str]]:
    """Run the entries in turn, `rounds` times; return the medians of every turn by entry and quantity, and why entries failed.

    Each turn has `calls` calls, after `warm_up` calls that are not counted. By default, `calls` is the number, from 3 to 100,
    that takes the first entry about 0.2 s, and all entries make a few calls before the first round. `check` gets the facts of
    all entries by name and raises `Failed` if they do not do the same work.
    """
    running: dict[str, Contender] = {}
    failures: dict[str, str] = {}
    fixed = calls is not None
    with ExitStack() as stack:
        for entry in entries:
            try:
                contender = stack.enter_context(Contender(entry))
                first = {} if fixed else contender.turn(1, WARM_UP)
            except Failed as reason:
                failures[entry.name] = str(reason)
                continue
            if calls is None:
                calls = max(3, min(100, round(TURN / sum(values[0] for values in first.values()))))
            running[entry.name] = contender
        if check:
            check({name: contender.facts for name, contender in running.items()})
        figures: dict[str, Figures] = {name: {} for name in running}
        for _ in range(rounds):
            for name in list(figures):
                time.sleep(PAUSE)
                try:
                    turn = running[name].turn(calls, warm_up)
                except Failed as reason:
                    failures[name] = str(reason)
                    del figures[name]
                    continue
                for quantity, values in turn.items():
                    figures[name].setdefault(quantity, []).append(statistics.median(values))
    return figures, failures


def together(maker: str, each: Mapping[str, Mapping[str, Any]]) -> Work:
    """The works that `maker` makes of several arguments, as one: a call measures each by a few calls, under its name.

    This is for a GPU: starting a process takes longer there than measuring in it.
    """
    works: dict[str, Work] = {name: resolve_name(maker)(**arguments) for name, arguments in each.items()}

    def call() -> dict[str, float]:
        figures = {}
        for name, work in works.items():
            seconds: list[float] = []
            while len(seconds) < WARM_UP + 3 or (sum(seconds) < TURN / 4 and len(seconds) < 100):
                start = time.perf_counter()
                work.call()
                seconds.append(time.perf_counter() - start)
            figures[name] = statistics.median(seconds[WARM_UP:])
        return figures

    return Work(call, {name: dict(work.facts) for name, work in works.items()})


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median and the 10 % and 90 % quantiles (interpolated linearly) of values, as "median", "low" and "high"."""
    ordered = sorted(values)

    def quantile(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return {"median": quantile(0.5), "low": quantile(0.1), "high": quantile(0.9)}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """The spread of the ratios of two series, which are compared round by round."""
    return spread([a / b for a, b in zip(ours, theirs)])


def serve() -> None:
    """Run as a contender: make the work that the arguments name, and answer each [warm_up, calls] on the input by figures."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # so that what a framework prints does not mix with the answers
    work = resolve_name(sys.argv[1])(**json.loads(sys.argv[2]))
    print(json.dumps(dict(work.facts)), file=answers, flush=True)
    for line in sys.stdin:
        warm_up, calls = json.loads(line)
        for _ in range(warm_up):
            work.call()
        figures: Figures = {}
        for _ in range(calls):
            start = time.perf_counter()
            measured = work.call()
            elapsed = time.perf_counter() - start
            for quantity, value in (measured if isinstance(measured, dict) else {"time": elapsed}).items():
                figures.setdefault(quantity, []).append(value)
        print(json.dumps(figures), file=answers, flush=True)


if __name__ == "__main__":
    serve()
