"""Where the tasks of a job are computed: in processes of this machine, or on a cluster that is running.

A local Dask cluster of two workers, and a job on it. What they run is in the folder `examples`, so all must find that:

    export PYTHONPATH=examples DASK_SCHEDULER_ADDRESS=tcp://127.0.0.1:8786
    dask scheduler --host 127.0.0.1 &
    dask worker $DASK_SCHEDULER_ADDRESS --nworkers 2 --nthreads 1 &
    python examples/architecture_search.py --study genetic --quick --backend dask

A Ray cluster is found by RAY_ADDRESS, or a local one is started, and `--jobs` of its processors are used.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain, islice
from multiprocessing import get_context
from pkgutil import resolve_name
from typing import Any

from joblib.externals import loky

NEEDS: dict[str, list[str]] = {"loky": [], "multiprocessing": [], "dask": ["dask", "distributed"], "ray": ["ray"]}
"""The back ends, and the packages that each needs besides those of the examples."""

LOCAL = ("loky", "multiprocessing")
DEATHS = 3  # of workers, without a result in between: then the job ends
LOOK = 0.5  # seconds after which a worker looks again whether its job is alive

Pool = Iterator[tuple[Callable[..., futures.Future], int]]  # a function that submits a call, and how many may be under way


class WorkersDie(Exception):
    """Workers died again and again without a result."""


def missing(backend: str) -> list[str]:
    """The packages that a back end needs and that are not installed."""
    return [name for name in NEEDS[backend] if find_spec(name) is None]


def outcomes(calls: Iterable[tuple], backend: str, jobs: int) -> Iterator[Any]:
    """`function(*arguments)` of each call (function, *arguments), as they finish: in `jobs` processes, or on a cluster.

    If a worker dies, its call is given to another. An exception, also one in the code that reads the outcomes, ends local
    workers at once. Raises WorkersDie for workers that die again and again, ConnectionError for a cluster that cannot be
    reached, or that would hang or compute something else.
    """
    if jobs <= 1 and backend in LOCAL:
        yield from (function(*arguments) for function, *arguments in calls)
        return
    waiting, deaths = iter(calls), 0
    while True:
        with BACKENDS[backend](jobs) as (submit, room):
            under_way: dict[futures.Future, tuple] = {}
            dead = False
            while not dead:
                for call in islice(waiting, room - len(under_way)):
                    under_way[_submitted(submit, call)] = call
                if not under_way:
                    return
                done, _ = futures.wait(under_way, return_when=futures.FIRST_COMPLETED)
                for future in done:
                    if isinstance(future.exception(), BrokenProcessPool):
                        dead = True
                    else:
                        del under_way[future]
                        deaths = 0
                        yield future.result()
        deaths += 1
        if deaths == DEATHS:
            raise WorkersDie(f"workers died {DEATHS} times, one after another. Is memory short? Fewer --jobs need less.")
        print("A worker died; what was under way is done again.", file=sys.stderr)
        waiting = chain(under_way.values(), waiting)


def _submitted(submit: Callable[..., futures.Future], call: tuple) -> futures.Future:
    try:
        return submit(*call)
    except BrokenProcessPool as reason:  # a worker has died since the last look
        future: futures.Future = futures.Future()
        future.set_exception(reason)
        return future


# ---- workers of this machine ---------------------------------------------------------------------------------------------


@contextmanager
def _loky(jobs: int) -> Pool:
    """loky's processes, kept for the next call of `outcomes`. They can be sent classes that a script defines."""
    pool = loky.get_reusable_executor(jobs, initializer=_watch, initargs=(os.getpid(),))
    try:
        yield pool.submit, 2 * jobs
    except BaseException:
        pool.shutdown(wait=True, kill_workers=True)
        raise


@contextmanager
def _multiprocessing(jobs: int) -> Pool:
    """Processes of Python's standard library, which import the script."""
    with futures.ProcessPoolExecutor(jobs, get_context("spawn"), _watch, (os.getpid(),)) as pool:
        try:
            yield pool.submit, 2 * jobs
        except BaseException:
            for process in list(pool._processes.values()):
                process.kill()  # from Python 3.14 on this is pool.kill_workers()
            raise


def _watch(job: int) -> None:
    """In a worker: end when the process of the job is no more, and leave Ctrl-C to the job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def look() -> None:
        while os.getppid() == job:
            time.sleep(LOOK)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


# ---- clusters: extras, imported here alone -------------------------------------------------------------------------------


@contextmanager
def _dask(jobs: int) -> Pool:
    """All workers of a running Dask cluster. If a worker dies, Dask itself gives its tasks to another."""
    import dask
    import distributed

    address = dask.config.get("scheduler-address", None)  # from the environment or Dask's own configuration
    if address is None:
        raise ConnectionError("--backend dask: set DASK_SCHEDULER_ADDRESS to a running cluster's, as tcp://127.0.0.1:8786")
    with distributed.Client(address, set_as_default=False) as client:
        _check(client)
        try:
            yield client.get_executor(pure=False).submit, 2 * len(client.nthreads())
        except distributed.KilledWorker as reason:
            raise WorkersDie(f"workers of the Dask cluster died again and again. Is memory short? {reason}") from reason
        except futures.CancelledError as reason:
            raise ConnectionError("--backend dask: the cluster went away") from reason


def _check(client: Any) -> None:
    """Raise ConnectionError for a cluster that lacks our modules, where tasks hang, or that runs several in one process."""
    try:
        for run in (client.run_on_scheduler, client.run):
            run(resolve_name, "runner.job:__name__")
    except ImportError as error:
        raise ConnectionError(
            "--backend dask: scheduler and workers must have minitorch and find the folder of the examples "
            f"(PYTHONPATH=examples): {error}"
        ) from error
    threaded = [worker for worker, threads in client.nthreads().items() if threads > 1]
    if threaded:  # they would draw from one stream of random numbers
        raise ConnectionError(
            "--backend dask: each worker must have one thread (dask worker --nthreads 1), these have more: "
            + ", ".join(threaded)
        )


@contextmanager
def _ray(jobs: int) -> Pool:
    """`jobs` processors of a Ray cluster. If a worker dies, Ray itself tries its task again."""
    import ray

    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    call = ray.remote(num_cpus=1, max_retries=DEATHS)(_called)
    try:
        yield (lambda *one: call.remote(*one).future()), jobs
    except ray.exceptions.WorkerCrashedError as reason:
        raise WorkersDie(f"workers of the Ray cluster died again and again. Is memory short? {reason}") from reason


def _called(function: Callable, *arguments: Any) -> Any:
    return function(*arguments)


BACKENDS = {"loky": _loky, "multiprocessing": _multiprocessing, "dask": _dask, "ray": _ray}
