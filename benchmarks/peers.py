"""The frameworks that are measured beside minitorch, and which of them are installed here."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Collection
from typing import Any, NamedTuple


class Peer(NamedTuple):
    """A framework: its name in tables, the module to import, and its distribution on PyPI."""

    name: str
    module: str
    distribution: str


MINITORCH = Peer("minitorch", "minitorch", "minitorch-layers")
TORCH = Peer("PyTorch", "torch", "torch")
JAX = Peer("JAX", "jax", "jax")
MYGRAD = Peer("MyGrad", "mygrad", "mygrad")
AUTOGRAD = Peer("HIPS autograd", "autograd", "autograd")
PEERS = [MINITORCH, TORCH, JAX, MYGRAD, AUTOGRAD]


def missing(peers: list[Peer]) -> dict[str, str]:
    """The peers that cannot be imported here, by name, with Python's error message."""
    said = {}
    for peer in peers:
        tried = subprocess.run([sys.executable, "-W", "ignore", "-c", f"import {peer.module}"], capture_output=True, text=True)
        if tried.returncode:
            said[peer.name] = next((line for line in reversed(tried.stderr.splitlines()) if "Error" in line), "does not import")
    return said


SWITCHES = (
    "OPENBLAS_CORETYPE",
    "MINITORCH_KEEP_MEMORY",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
    "PYTHONDONTWRITEBYTECODE",
)


def machine(present: Collection[str]) -> dict[str, Any]:
    """The conditions of the figures: processor, NumPy's BLAS library, versions of the peers `present`, and the present load."""
    from minitorch.doctor import blas  # not above: the processes that measure others import this file, too

    library = blas()
    versions = {"python": platform.python_version(), "numpy": importlib.metadata.version("numpy")}
    for peer in PEERS:
        if peer.name in present:
            try:
                versions[peer.name] = importlib.metadata.version(peer.distribution)
            except importlib.metadata.PackageNotFoundError:
                versions[peer.name] = "(not installed, but found)"
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "blas": f"NumPy's {library['name']} {library['version']}, kernel {library['kernel'] or 'unknown'}",
        "switches": {name: os.environ[name] for name in SWITCHES if name in os.environ},
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "versions": versions,
    }


def gpu() -> dict[str, Any]:
    """The name of the GPU and the version of CuPy, as further conditions of figures."""
    import cupy

    from minitorch import cuda

    return {"gpu": cuda.get_device_name(), "cupy": cupy.__version__}


def others() -> float | None:
    """The seconds of CPU time that other processes than this one and its children have used; None where Linux does not say."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, *interrupts = map(int, file.readline().split()[1:8])
    except OSError:
        return None
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def _processor() -> str:
    """The model name of the processor as Linux gives it; some virtual machines give only a family and model number."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = dict(line.strip().split("\t", 1) for line in file if "\t" in line)
    except OSError:
        return platform.processor() or platform.machine()
    return lines.get("model name", "").lstrip("\t: ") or platform.machine()
