"""A job: tasks done in processes, each finished one kept on disk, so that a stopped job goes on where it was.

A task depends on its arguments alone. Whatever the number of processes, each computes with one BLAS thread, so the same seed
gives the same figures bit for bit on one machine.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from minitorch.data import Digits
from minitorch.files.atomic import atomic_write
from runner.processes import outcomes


class SettingsDiffer(Exception):
    """Finished tasks in the output folder were made with other settings."""


@dataclass(frozen=True)
class Task:
    """Something to compute once: `function(*arguments())`, a dictionary of numbers, kept under `key`.

    `arguments` is called when the task's turn has come, so that the data of thousands of tasks need not exist at once.
    """

    key: str
    function: Callable[..., dict[str, Any]]
    arguments: Callable[[], tuple]


class Job:
    """The digits, the settings and the folder of one command, and the processes that do its tasks.

    Raises SettingsDiffer if `resume` finds tasks in `folder` that were made with other settings.
    """

    def __init__(
        self,
        digits: Digits,
        settings: Mapping[str, Any],
        folder: Path,
        jobs: int = 1,
        backend: str = "loky",
        resume: bool = False,
    ) -> None:
        self.digits, self.settings, self.folder = digits, dict(settings), folder
        self.jobs, self.backend = jobs, backend
        self._kept, self._clock = folder / "tasks", folder / "clock.json"
        self._start(resume)
        self._began = time.perf_counter() - self._spent()

    def _start(self, resume: bool) -> None:
        self._kept.mkdir(parents=True, exist_ok=True)
        known, now = self._kept / "settings.json", {**self.settings, "data": self.digits.name}
        if resume and known.exists():
            before = json.loads(known.read_text())
            changes = [
                f"{name}: {before.get(name)} -> {now.get(name)}"
                for name in sorted({*before, *now})
                if before.get(name) != now.get(name)
            ]
            if changes:
                raise SettingsDiffer(
                    f"{self.folder} holds results made with other settings ({', '.join(changes)}). Resume with the same, leave "
                    "out --resume to start anew there, or choose another --out."
                )
        else:
            for old in self._kept.glob("*.json"):
                old.unlink()
            self._clock.unlink(missing_ok=True)
            _write(known, now)

    def _spent(self) -> float:
        """The wall seconds up to the last finished task of the job that is resumed; 0 of a new one."""
        return json.loads(self._clock.read_text())["seconds"] if self._clock.exists() else 0.0

    def seconds(self) -> float:
        """The wall time so far, without the time between a stop and `resume`."""
        return time.perf_counter() - self._began

    def do(self, tasks: Iterable[Task], label: str = "") -> dict[str, dict[str, Any]]:
        """The result of every task by its key; those finished earlier are read back. Shows progress and the time left.

        An interruption loses at most the tasks under way.
        """
        tasks = list(tasks)
        todo = [task for task in tasks if not self._path(task.key).exists()]
        calls = (joblib.delayed(_compute)(task.key, task.function, task.arguments()) for task in todo)
        finished = len(tasks) - len(todo)
        with tqdm(total=len(tasks), initial=finished, unit="run", desc=label, dynamic_ncols=True) as progress:
            for key, result in outcomes(calls, self.backend, self.jobs):
                _write(self._path(key), _for_json({"key": key, **result}))
                _write(self._clock, {"seconds": self.seconds()})
                progress.update()
        return {task.key: json.loads(self._path(task.key).read_text()) for task in tasks}

    def _path(self, key: str) -> Path:
        name = "-".join("".join(c if c.isalnum() else " " for c in key.lower()).split())[:60]
        return self._kept / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.json"

    def seed(self, run: int) -> int:
        """The seed of run number `run`: the nets of one run share it, hence pairs and shuffles."""
        return int(np.random.SeedSequence([self.settings["seed"], run]).generate_state(1)[0])


def _compute(key: str, function: Callable[..., dict[str, Any]], arguments: tuple) -> tuple[str, dict[str, Any]]:
    with threadpool_limits(1):
        return key, function(*arguments)


def _write(path: Path, content: Any) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(content, indent=1, allow_nan=False).encode())


def _for_json(value: Any) -> Any:
    """The same with None for numbers that JSON does not know, as a diverged run leaves them."""
    if isinstance(value, dict):
        return {key: _for_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
