"""Where the tasks of a job are computed: in processes of this machine, or on a cluster that is running.

A local Dask cluster of two workers, and a job on it. What they run is in the folder `examples`, so they must find that:

    export PYTHONPATH=examples DASK_SCHEDULER_ADDRESS=tcp://127.0.0.1:8786
    dask scheduler --host 127.0.0.1 &
    dask worker $DASK_SCHEDULER_ADDRESS --nworkers 2 --nthreads 1 &
    python examples/architecture_search.py --study genetic --quick --backend dask
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import Any

import joblib


@contextmanager
def processes(backend: str, jobs: int) -> Iterator[None]:
    """joblib's `backend` with `jobs` processes; for "dask" all workers of the cluster at DASK_SCHEDULER_ADDRESS.

    Raises ConnectionError where there is no such cluster, or one that would hang or compute something else.
    """
    if backend != "dask":
        with joblib.parallel_config(backend=backend, n_jobs=jobs):
            yield
        return
    import dask  # an extra: `pip install minitorch-layers[dask]`
    import distributed

    address = dask.config.get("scheduler-address", None)  # from the environment or Dask's own configuration
    if address is None:
        raise ConnectionError("--backend dask: set DASK_SCHEDULER_ADDRESS to a running cluster's, as tcp://127.0.0.1:8786")
    with distributed.Client(address, set_as_default=False) as client:
        _check(client)
        with joblib.parallel_config(backend="dask", client=client):
            yield


def _check(client: Any) -> None:
    """Raise ConnectionError for a cluster that lacks our modules, where tasks hang, or that runs several in one process."""
    try:
        for run in (client.run_on_scheduler, client.run):
            run(resolve_name, "reporting.job:__name__")
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
