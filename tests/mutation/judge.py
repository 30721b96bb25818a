"""The tests as judges: which of them reach a line, and whether one of those fails once it is mutated.

All tests are collected once. Each mutant then gets a process of its own, forked from the one that holds them, where its code
is grafted in and the tests that reach it are run until one fails: a tenth of a second where others start an interpreter.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import pytest

from tests.mutation.graft import graft, held
from tests.mutation.mutants import Mutant
from tests.mutation.scope import ROOT, module_of

Lines = set[tuple[str, int]]
PATIENCE = 3.0  # seconds of the processor that a test may take besides 10 times as many as it took without a mutant
WAITING = 600.0  # seconds besides 10 times these that may pass meanwhile, for a test that only waits
MEMORY = 6 * 2**30  # bytes that a process may take: what grows for ever ends in MemoryError


@dataclass(frozen=True)
class Trial:
    """A test as it ran on the unchanged code."""

    passed: bool
    seconds: float  # of the processor, which a busy machine does not make more
    lines: Lines  # (file, line) that it reached, of the files in scope


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    outcome: str  # "killed", "time-out", "survived", or "not reached" by any test
    by: str = ""  # the test that failed or took too long
    tests: int = 0  # how many were run

    @property
    def alive(self) -> bool:
        """Whether it survived."""
        return self.outcome in ("survived", "not reached")


class Court:
    """A pytest plugin that, in place of the usual loop over the tests, hands itself to `proceedings`."""

    def __init__(self, proceedings: Callable[[Court], None], mutants: Sequence[Mutant]) -> None:
        self.proceedings = proceedings
        self.places = sorted({(mutant.file, mutant.function) for mutant in mutants})
        self.items: list[pytest.Item] = []
        self.trials: list[Trial] = []
        self.failed = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        import hypothesis  # not before pytest, whose own plugin of it would warn

        # derandomized, and without the search for a simpler example, which nobody reads
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutation", derandomize=True, database=None, deadline=None, phases=phases)
        hypothesis.settings.load_profile("mutation")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = list(session.items)
        gc.collect()
        gc.freeze()  # what the collector does not visit is not copied into every process
        self.trials = apart(self.try_all)
        if failing := [item.nodeid for item, trial in zip(self.items, self.trials) if not trial.passed]:
            raise pytest.UsageError(f"these tests fail without any mutant: {' '.join(failing)}")
        self.proceedings(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid

    # ---- in a process of its own -----------------------------------------------------------------------------------------

    def run(self, position: int, following: int | None) -> bool:
        """Run one test, then clear what the next does not need; whether it passed."""
        self.failed = ""
        item, after = self.items[position], None if following is None else self.items[following]
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        except BaseException as reason:  # MemoryError within pytest itself, or a test that wants to exit
            self.failed = self.failed or repr(reason)
        return not self.failed

    def try_all(self) -> list[Trial]:
        """Every test on the unchanged code, put in place of itself, twice: for the time it takes, and for the lines it reaches."""
        for file, function in self.places:
            graft(module_of(file), function, (ROOT / file).read_text())
        caches = [one for file, name in self.places if hasattr(one := held(module_of(file), name), "cache_clear")]
        tracer, trials = Tracer({file for file, _ in self.places}), []
        once: dict[tuple[str, int], tuple[str, int]] = {}  # one object each, however many tests reach the line
        for position, following in enumerate([*range(1, len(self.items)), None]):
            start = time.process_time()
            passed = self.run(position, following)
            seconds = time.process_time() - start
            for cache in caches:  # or only the first test would run what it keeps
                cache.cache_clear()
            with tracer as lines:
                self.run(position, following)
            trials.append(Trial(passed, seconds, {once.setdefault(line, line) for line in lines}))
        return trials

    # ---- a mutant --------------------------------------------------------------------------------------------------------

    def judge(self, mutant: Mutant, budget: float, first: str = "") -> Verdict:
        """Run the tests that reach a mutant, `first` before the others, until one fails or `budget` is spent.

        `budget` is in seconds of the unchanged tests.
        """
        chosen = self.chosen({(mutant.file, line) for line in mutant.reach}, budget)
        chosen.sort(key=lambda i: self.items[i].nodeid != first)
        if not chosen:
            return Verdict("not reached")
        reader, writer = os.pipe()  # the number of the test under way, for when its process is killed

        def trial() -> int | None:
            import resource  # which Windows has not

            graft(module_of(mutant.file), mutant.function, mutant.source)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            for position, following in zip(chosen, [*chosen[1:], None]):
                os.write(writer, position.to_bytes(4, "big"))
                limit = PATIENCE + 10 * self.trials[position].seconds
                signal.setitimer(signal.ITIMER_PROF, limit)
                signal.setitimer(signal.ITIMER_REAL, WAITING + 10 * limit)
                if not self.run(position, following):
                    return position
            return None

        try:
            failing, outcome = apart(trial), "killed"
        except ChildProcessError as end:
            outcome = "time-out" if -end.args[0] in (signal.SIGPROF, signal.SIGALRM) else "killed"
            os.set_blocking(reader, False)
            failing = -1
            while block := _read(reader):
                failing = int.from_bytes(block, "big")
            if failing < 0:
                raise RuntimeError(f"it could not be put in place: {mutant}") from None
        finally:
            os.close(reader)
            os.close(writer)
        if failing is None:
            return Verdict("survived", tests=len(chosen))
        return Verdict(outcome, self.items[failing].nodeid, chosen.index(failing) + 1)

    def chosen(self, lines: Lines, budget: float) -> list[int]:
        """The tests that reach one of `lines`, the quickest first; each further case of one function counts as that much slower."""
        reaching = [i for i, trial in enumerate(self.trials) if not lines.isdisjoint(trial.lines)]
        reaching.sort(key=lambda i: self.trials[i].seconds)
        rows: dict[tuple[str, str], int] = {}
        order = []
        for i in reaching:
            function = str(self.items[i].path), getattr(self.items[i], "originalname", self.items[i].name)
            rows[function] = rows.get(function, 0) + 1
            order.append((rows[function] * self.trials[i].seconds, i))
        spent, within = 0.0, []
        for _, i in sorted(order, key=lambda entry: entry[0]):
            spent += self.trials[i].seconds
            if within and spent > budget:
                break
            within.append(i)
        return within


def apart(work: Callable[[], Any]) -> Any:
    """What `work` returns in a forked process; raises ChildProcessError with the signal, negative, that ended it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reader)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        try:
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(work(), pipe)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise ChildProcessError(code)
    return pickle.loads(answer)


def _read(reader: int) -> bytes:
    try:
        return os.read(reader, 4)
    except BlockingIOError:
        return b""


class Tracer:
    """Gathers the lines of some files that are run within `with tracer as lines:`, in any thread."""

    def __init__(self, files: Iterable[str]) -> None:
        self.paths = {str(ROOT / file): file for file in files}
        self.lines: Lines = set()

    def __enter__(self) -> Lines:
        self.lines = set()
        self.known: dict[CodeType, Any] = {}
        threading.settrace(self.enter)
        sys.settrace(self.enter)
        return self.lines

    def __exit__(self, *reason: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def enter(self, frame: Any, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code not in self.known:
            file = self.paths.get(code.co_filename)
            self.known[code] = None if file is None else self.line_of(file)
        return self.known[code]

    def line_of(self, file: str) -> Callable:
        def line(frame: Any, event: str, argument: Any) -> Callable:
            self.lines.add((file, frame.f_lineno))
            return line

        return line
