"""Where the tasks of a job are computed: in processes of this machine, or on a cluster that is running.

A local Dask cluster of two workers, and a job on it. What they run is in the folder `examples`, so all must find that:

    export PYTHONPATH=examples DASK_SCHEDULER_ADDRESS=tcp://127.0.0.1:8786
    dask scheduler --host 127.0.0.1 &
    dask worker $DASK_SCHEDULER_ADDRESS --nworkers 2 --nthreads 1 &
    python examples/architecture_search.py --study genetic --quick --backend dask

A Ray cluster is found by RAY_ADDRESS, and `--jobs` of its processors are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pkgutil import resolve_name
from typing import Any

import joblib


def outcomes(calls: Iterable[Any], backend: str, jobs: int) -> Iterator[Any]:
    """What joblib's delayed calls return, as they finish: in `jobs` processes, or on all workers of a Dask cluster.

    Raises ConnectionError for a Dask cluster that cannot be reached, or that would hang or compute something else.
    """
    with _configured(backend, jobs):
        if backend in ("ray", "multiprocessing"):  # they return lists only: a few at a time, so that little can be lost
            calls = iter(calls)
            while some := list(islice(calls, 2 * jobs)):
                yield from joblib.Parallel()(some)
        else:
            yield from joblib.Parallel(return_as="generator_unordered", pre_dispatch="2*n_jobs")(calls)


@contextmanager
def _configured(backend: str, jobs: int) -> Iterator[None]:
    """joblib's configuration for a back end; Dask and Ray are extras, imported here alone."""
    if backend == "dask":
        import dask
        import distributed

        address = dask.config.get("scheduler-address", None)  # from the environment or Dask's own configuration
        if address is None:
            raise ConnectionError("--backend dask: set DASK_SCHEDULER_ADDRESS to a running cluster's, as tcp://127.0.0.1:8786")
        with distributed.Client(address, set_as_default=False) as client:
            _check(client)
            with joblib.parallel_config(backend="dask", client=client):
                yield
        return
    if backend == "ray":
        from ray.util.joblib import register_ray

        register_ray()
    with joblib.parallel_config(backend=backend, n_jobs=jobs):
        yield


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
