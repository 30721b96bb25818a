"""Shows how fast minitorch runs on this machine, and what would make it faster: `python -m minitorch.doctor`.

It measures a matrix product and a training step in new processes, with the present settings and with others.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
from typing import Any, Final, NamedTuple

import numpy as np

import minitorch
from minitorch import backend

THREADS: Final = {"openblas": "OPENBLAS_NUM_THREADS", "mkl": "MKL_NUM_THREADS", "accelerate": "VECLIB_MAXIMUM_THREADS"}
ONE, TWO = "one BLAS thread", "two BLAS threads"
WORTH: Final = 1.1  # a setting is recommended if it makes the step at least this many times as fast


class Measured(NamedTuple):
    """Speed in a new process: a product of 512x512 matrices, and a training step of a small convolutional net."""

    gflops: float
    step_ms: float


# Runs in its own process, since a BLAS reads its settings when NumPy is first imported.
PROBE: Final = """
import json, statistics, sys, time
import numpy as np
import minitorch as torch
import minitorch.functional as F

def median(run, seconds):
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)

seconds, square, images = float(sys.argv[1]), np.ones((512, 512), np.float32), torch.randn(100, 1, 14, 14)
classes, filters = torch.zeros(100, dtype=torch.int64), torch.randn(32, 1, 3, 3, requires_grad=True)
more, weights = torch.randn(64, 32, 3, 3, requires_grad=True), torch.randn(10, 256, requires_grad=True)

def step():
    hidden = F.max_pool2d(F.relu(F.conv2d(images, filters)), 2)
    scores = F.linear(F.max_pool2d(F.relu(F.conv2d(hidden, more)), 2).flatten(1), weights)
    F.cross_entropy(scores, classes).backward()

print(json.dumps([2 * 512**3 / median(lambda: square @ square, seconds) / 1e9, median(step, seconds) * 1e3]))
"""


def measure(seconds: float = 1.0, **environment: str | None) -> Measured:
    """Measure for `seconds` each in a new process with these environment variables (None removes one)."""
    wanted = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    done = subprocess.run([sys.executable, "-c", PROBE, str(seconds)], env=wanted, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"doctor: the measuring process failed with {environment}: {done.stderr.strip()}")
    return Measured(*json.loads(done.stdout))


def blas() -> dict[str, Any]:
    """NumPy's BLAS: `name`, `version`, and `kernel` and `threads`, which are None unless threadpoolctl is installed."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    found = {"name": built["name"], "version": built["version"], "kernel": None, "threads": None}
    if importlib.util.find_spec("threadpoolctl"):
        import threadpoolctl

        for pool in threadpoolctl.threadpool_info():
            if pool["user_api"] == "blas" and "numpy" in pool["filepath"]:
                found |= {"version": pool["version"], "kernel": pool.get("architecture"), "threads": pool["num_threads"]}
    return found


def has_avx512() -> bool:
    """Whether NumPy sees a processor with the AVX-512 instructions of Skylake-X and later."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return bool({"AVX512_SKX", "X86_V4"} & {*simd.get("baseline", ()), *simd.get("found", ())})


def choices(library: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings worth measuring: for each a name and its environment variables (None removes one)."""
    kind = next((kind for kind in THREADS if kind in library["name"].lower()), None)
    found: dict[str, dict[str, Any]] = {ONE: {THREADS[kind]: "1"}} if kind else {}
    if kind and (os.cpu_count() or 1) > 1:
        found[TWO] = {THREADS[kind]: "2"}
    if kind == "openblas" and os.environ.get("OPENBLAS_CORETYPE"):
        found["OpenBLAS's own choice of kernel"] = {"OPENBLAS_CORETYPE": None}
    if kind == "openblas" and has_avx512() and library["kernel"] not in (None, "SkylakeX", "Cooperlake", "SapphireRapids"):
        found["OpenBLAS kernel SkylakeX"] = {"OPENBLAS_CORETYPE": "SkylakeX"}
    return found


def facts() -> dict[str, str]:
    """The versions and libraries in use, by name."""
    library, pool = blas(), "kernel and threads unknown (pip install threadpoolctl)"
    if library["threads"]:
        pool = f"kernel {library['kernel']}, threads {library['threads']}"
    try:
        gpu = f"yes, CuPy {backend.cupy().__version__}"
    except RuntimeError as reason:
        gpu = f"none in use. {reason}"
    return {
        "versions": f"minitorch {minitorch.__version__}, NumPy {np.__version__}, Python {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, AVX-512: {has_avx512()}",
        "BLAS": f"{library['name']} {library['version']}, {pool}",
        "own threads": f"{minitorch.get_num_threads()}, for large arrays (minitorch.set_num_threads)",
        "freed memory": "kept by the process" if minitorch.memory.keep_freed_memory() else "given back to the system",
        "GPU": gpu,
    }


def advice(now: Measured, others: dict[str, Measured], variables: dict[str, dict[str, Any]]) -> list[str]:
    """A sentence for each setting that makes the step `WORTH` times as fast, and one if a second thread makes it slower."""
    slow = others[TWO].step_ms / others[ONE].step_ms if ONE in others and TWO in others else 0.0
    found = []
    for name, one in others.items():
        if (gain := now.step_ms / one.step_ms) >= WORTH and not (name == TWO and slow > 1):
            how = " ".join(f"Unset {key}" if value is None else f"Set {key}={value}" for key, value in variables[name].items())
            found.append(f"{name}: the step is {gain:.1f} times as fast. {how} before Python starts.")
    if slow >= WORTH:
        why = "other programs are using its processors, or the products are too small to be shared"
        found.append(f"{TWO}: with them the step takes {slow:.1f} times as long as with one, on this machine now; {why}.")
    return found


def main() -> None:
    """Print the facts, the measurements and the advice."""
    for name, value in facts().items():
        print(f"{name:14}{value}")
    variables = choices(blas())
    now, others = measure(), {name: measure(**environment) for name, environment in variables.items()}
    print(f"\n{'':28}{'product':>14}{'training step':>17}")
    for name, one in {"as it is": now, **others}.items():
        print(f"{name:28}{one.gflops:8.0f} GFLOP/s{one.step_ms:14.2f} ms")
    print("", *(advice(now, others, variables) or ["Nothing here would make the step a tenth faster."]), sep="\n")


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m minitorch.doctor", description=__doc__).parse_args()
    main()
