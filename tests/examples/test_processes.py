"""Jobs on a cluster that is running: the same figures as in processes of this machine, and a message for a cluster that does not fit."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@contextmanager
def cluster(folder: Path, pythonpath: str, threads: int = 1) -> Iterator[str]:
    """A Dask scheduler with two workers, in processes of their own; its address."""
    pytest.importorskip("distributed", reason="Dask, an extra, is not installed")
    environment, known = {**os.environ, "PYTHONPATH": pythonpath}, folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(known)]
    worker = [
        *dask,
        "worker",
        "--scheduler-file",
        str(known),
        "--nworkers",
        "2",
        "--nthreads",
        str(threads),
        "--no-dashboard",
        "--host",
        "127.0.0.1",
        "--local-directory",
        str(folder),
    ]
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


def run(out: Path, *more: str, **environment: str) -> subprocess.CompletedProcess:
    small = ["--data", "digits", "--runs", "1", "--epochs", "1"]
    others = {name: value for name, value in os.environ.items() if name not in ("DASK_SCHEDULER_ADDRESS", "RAY_ADDRESS")}
    command = [sys.executable, str(ROOT / "examples/weight_sharing.py"), *small, "--out", str(out), *more]
    return subprocess.run(command, cwd=ROOT, env={**others, **environment}, capture_output=True, text=True, timeout=300)


def figures(out: Path) -> list[dict]:
    nets = json.loads((out / "results.json").read_text())["nets"]
    for net in nets:
        for one in net["runs"]:
            del one["seconds"]
    return nets


def test_a_dask_cluster_of_two_workers_gives_the_same_figures_bit_for_bit(tmp_path):
    with cluster(tmp_path, pythonpath="examples") as address:
        done = run(tmp_path / "dask", "--backend", "dask", DASK_SCHEDULER_ADDRESS=address)
        assert done.returncode == 0, done.stderr
    assert run(tmp_path / "loky", "--jobs", "2").returncode == 0
    assert figures(tmp_path / "dask") == figures(tmp_path / "loky")


@pytest.mark.parametrize(
    "unfit, words", [({"pythonpath": ""}, "PYTHONPATH=examples"), ({"pythonpath": "examples", "threads": 2}, "--nthreads 1")]
)
def test_a_cluster_without_our_modules_or_of_several_threads_is_refused(unfit, words, tmp_path):
    with cluster(tmp_path, **unfit) as address:
        refused = run(tmp_path / "out", "--backend", "dask", DASK_SCHEDULER_ADDRESS=address)
    assert refused.returncode == 1
    assert words in refused.stderr and "Traceback" not in refused.stderr


def test_a_ray_cluster_gives_the_same_figures_bit_for_bit(tmp_path, unused_port):
    pytest.importorskip("ray", reason="Ray, an extra, is not installed")
    head = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--head",
        "--block",
        "--num-cpus",
        "2",
        "--port",
        unused_port,
        "--node-ip-address",
        "127.0.0.1",
        "--include-dashboard=false",
    ]
    with open(tmp_path / "log", "w") as log:
        ray = subprocess.Popen(head, env={**os.environ, "RAY_AUTH_MODE": "disabled"}, stdout=log, stderr=log)
        try:
            for _ in range(300):
                if "Ray runtime started" in (tmp_path / "log").read_text():
                    break
                time.sleep(0.2)
            address = {"RAY_ADDRESS": f"127.0.0.1:{unused_port}", "RAY_AUTH_MODE": "disabled"}
            done = run(tmp_path / "ray", "--backend", "ray", "--jobs", "2", **address)
        finally:
            ray.terminate()
            ray.wait(60)
    assert done.returncode == 0, done.stderr
    assert run(tmp_path / "loky", "--jobs", "2").returncode == 0
    assert figures(tmp_path / "ray") == figures(tmp_path / "loky")


@pytest.fixture
def unused_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def test_dask_without_an_address_asks_for_one(tmp_path):
    pytest.importorskip("distributed", reason="Dask, an extra, is not installed")
    refused = run(tmp_path, "--backend", "dask")
    assert refused.returncode == 1
    assert "DASK_SCHEDULER_ADDRESS" in refused.stderr and "Traceback" not in refused.stderr
