"""Jobs on a Dask cluster that is running: the same figures as in processes of this machine, and words for a cluster unfit."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="Dask, an extra, is not installed")

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@contextmanager
def cluster(folder: Path, pythonpath: str, threads: int = 1) -> Iterator[str]:
    """A Dask scheduler with two workers, in processes of their own; its address."""
    environment, known = {**os.environ, "PYTHONPATH": pythonpath}, folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(known)]
    worker = [*dask, "worker", "--scheduler-file", str(known), "--nworkers", "2", "--nthreads", str(threads), "--no-dashboard",
              "--host", "127.0.0.1", "--local-directory", str(folder)]  # fmt: skip
    with open(folder / "log", "w") as log:
        processes = [subprocess.Popen(one, cwd=ROOT, env=environment, stdout=log, stderr=log) for one in (scheduler, worker)]
        try:
            yield _address(known, processes)
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait(60)


def _address(known: Path, processes: list[subprocess.Popen]) -> str:
    """The address that a scheduler has written, once both workers have come."""
    import distributed

    for _ in range(600):
        assert all(process.poll() is None for process in processes), (known.parent / "log").read_text()
        try:
            address = json.loads(known.read_text())["address"]
            break
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.1)
    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    return address


def run(out: Path, *more: str, address: str | None = None) -> subprocess.CompletedProcess:
    small = ["--data", "digits", "--runs", "1", "--epochs", "1"]
    environment = {name: value for name, value in os.environ.items() if name != "DASK_SCHEDULER_ADDRESS"}
    if address:
        environment["DASK_SCHEDULER_ADDRESS"] = address
    command = [sys.executable, str(ROOT / "examples/weight_sharing.py"), *small, "--out", str(out), *more]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def figures(out: Path) -> list[dict]:
    nets = json.loads((out / "results.json").read_text())["nets"]
    for net in nets:
        for one in net["runs"]:
            del one["seconds"]
    return nets


def test_a_dask_cluster_of_two_workers_gives_the_same_figures_bit_for_bit(tmp_path):
    with cluster(tmp_path, pythonpath="examples") as address:
        done = run(tmp_path / "dask", "--backend", "dask", address=address)
        assert done.returncode == 0, done.stderr
    assert run(tmp_path / "loky", "--jobs", "2").returncode == 0
    assert figures(tmp_path / "dask") == figures(tmp_path / "loky")


@pytest.mark.parametrize(
    "unfit, words", [({"pythonpath": ""}, "PYTHONPATH=examples"), ({"pythonpath": "examples", "threads": 2}, "--nthreads 1")]
)
def test_a_cluster_without_our_modules_or_of_several_threads_is_refused(unfit, words, tmp_path):
    with cluster(tmp_path, **unfit) as address:
        refused = run(tmp_path / "out", "--backend", "dask", address=address)
    assert refused.returncode == 1
    assert words in refused.stderr and "Traceback" not in refused.stderr


def test_dask_without_an_address_asks_for_one(tmp_path):
    refused = run(tmp_path, "--backend", "dask")
    assert refused.returncode == 1
    assert "DASK_SCHEDULER_ADDRESS" in refused.stderr and "Traceback" not in refused.stderr
