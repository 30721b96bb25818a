"""A job on a local Dask cluster or on Ray ends in the figures of a local one, bit for bit, also if a worker dies."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ["--quick", "--data", "digits", "--runs", "1", "--epochs", "1", "--jobs", "2"]
JOBS = {"a main job": ["weight_sharing.py"], "a study": ["fully_connected.py", "--study", "learning-rate"]}
BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed"))
    for name in ("dask", "ray")
]
PATH = os.pathsep.join([str(ROOT), str(ROOT / "examples")])
DIES = """
import sys
from runner.processes import outcomes
from tests.examples.test_jobs import die_once

if __name__ == "__main__":
    print(sorted(outcomes(((die_once, sys.argv[2], i) for i in range(6)), sys.argv[1], 2)))
"""


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which jobs find the clusters: a Dask cluster of two workers; Ray starts its own."""
    environment = {**os.environ, "PYTHONPATH": PATH, "RAY_USAGE_STATS_ENABLED": "0"}
    environment.pop("RAY_ADDRESS", None)
    # where Ray notes which cluster is running: one that was killed elsewhere must not be looked for here
    ray = environment["RAY_TMPDIR"] = tempfile.mkdtemp(prefix="ray")  # short, since it holds sockets
    try:
        yield from _with_dask(tmp_path_factory, environment)
    finally:
        shutil.rmtree(ray, ignore_errors=True)


def _with_dask(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    if find_spec("dask") is None:
        yield environment
        return
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"cwd": folder, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)], **quiet
    )
    options = ["--scheduler-file", str(file), "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    try:
        address = _address(file)
        workers = subprocess.Popen([*dask, "worker", *options], **quiet)
        try:
            yield {**environment, "DASK_SCHEDULER_ADDRESS": address}
        finally:
            workers.terminate()
            workers.wait(60)
    finally:
        scheduler.terminate()
        scheduler.wait(60)


def _address(file: Path) -> str:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            return json.loads(file.read_text())["address"]
        except (OSError, ValueError):  # not there yet, or not whole
            time.sleep(0.1)
    raise TimeoutError("the scheduler does not start")


def figures(words: list[str], backend: str, folder: Path, environment: dict[str, str]) -> list:
    """The runs of a job, without what a clock says."""
    command = [
        sys.executable,
        str(ROOT / "examples" / words[0]),
        *words[1:],
        *SMALL,
        "--backend",
        backend,
        "--out",
        str(folder),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    nets = json.loads((folder / "results.json").read_text())["nets"]
    return [[{**run, "seconds": None} for run in net["runs"]] for net in nets]


@pytest.fixture(scope="module")
def local(clusters: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """What the jobs find in processes of this machine."""
    folder = tmp_path_factory.mktemp("local")
    return {name: figures(words, "loky", folder / str(i), clusters) for i, (name, words) in enumerate(JOBS.items())}


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_figures_of_a_cluster_are_those_of_this_machine_bit_for_bit(backend, name, local, clusters, tmp_path):
    assert figures(JOBS[name], backend, tmp_path, clusters) == local[name]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="workers are killed as POSIX does")
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_of_a_cluster_that_dies_is_replaced_and_nothing_is_lost(backend, clusters, tmp_path):
    (tmp_path / "dies.py").write_text(DIES)
    command = [sys.executable, str(tmp_path / "dies.py"), backend, str(tmp_path)]
    done = subprocess.run(command, env=clusters, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[0, 1, 2, 3, 4, 5]"


TRAINS = """
import ray
import layers as nn
from tests.autograd.test_copies import train

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
net = nn.Linear(600, 600)  # 1.4 MB: Ray hands it over in memory that is read-only
for changed, trained in ray.get([ray.remote(train).remote(net) for _ in range(2)]):
    print(changed, train(trained)[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
def test_ray_trains_modules_with_large_weights(clusters):
    done = subprocess.run([sys.executable, "-c", TRAINS], env=clusters, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True"] * 4
