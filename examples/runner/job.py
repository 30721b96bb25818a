"""A job: tasks done in processes, each finished one kept on disk, so that a stopped job goes on where it was.

A task depends on its arguments alone. Whatever the number of processes, each computes with one thread, so the same seed
gives the same figures bit for bit on one machine.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import minitorch
from minitorch.data import Digits
from runner import kept
from runner.lock import FolderLock
from runner.processes import outcomes
from runner.versions import versions

WAYS_ON = (
    "Go on with --resume and the settings it was made with, choose another --out, or throw away what the job wrote there "
    "with --overwrite."
)


class FolderTaken(Exception):
    """The folder cannot be written to, or has what must not be touched: runs made otherwise or not asked for, others' files."""


@dataclass(frozen=True)
class Task:
    """Something to compute once: `function(*arguments())`, a dictionary of numbers, kept under `key`.

    `arguments` is called only when the task starts, so that the data of thousands of tasks need not exist at once.
    """

    key: str
    function: Callable[..., dict[str, Any]]
    arguments: Callable[[], tuple]


class Job:
    """The digits, the settings and the folder of one command, and the processes that do its tasks.

    It holds the folder's lock until `close`, or the end of a `with` block. Runs that are in the folder already are used with
    `resume`, or if the job that wrote them had ended; `overwrite` deletes what that job wrote, and nothing else. Raises
    FolderInUse while another job is at work there, FolderTaken for a folder that cannot be made, written to or locked, for runs
    made with other settings, for runs of a job that was stopped, unless `resume` or `overwrite` says what to do with them, and
    for files that no job wrote.
    """

    def __init__(
        self,
        digits: Digits,
        settings: Mapping[str, Any],
        folder: Path,
        jobs: int = 1,
        backend: str = "loky",
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.digits, self.settings, self.folder = digits, dict(settings), folder
        self.jobs, self.backend = jobs, backend
        self.identity = json.loads(json.dumps({**self.settings, "data": digits.name, "digits": _fingerprint(digits)}))
        self._kept, self._clock = folder / "tasks", folder / "clock.json"
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
            kept.check_files(*self._outputs(), *self.pictures(), *self._kept.glob("*.json"))
            self._lock = FolderLock(folder)
        except OSError as reason:
            raise FolderTaken(f"{folder} cannot hold results: {reason}. Choose another --out.") from reason
        try:
            self._start(resume, overwrite)
            self._spent, self._versions = self._clock_of_before()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other jobs use the folder."""
        self._lock.release()

    # ---- the folder ------------------------------------------------------------------------------------------------------

    def _start(self, resume: bool, overwrite: bool) -> None:
        known = self._kept / "settings.json"
        if overwrite:
            for path in self._written():
                path.unlink()
        if not known.exists():
            if others := [path.name for path in self._outputs() if path.exists()]:
                raise FolderTaken(f"{self.folder} holds {', '.join(others)}, which no job wrote. Choose another --out.")
        else:
            try:
                changes = kept.differences(kept.read(known), self.identity)
            except kept.NotOurs as reason:
                if not resume:
                    raise FolderTaken(f"{known} cannot be used: {reason}. {WAYS_ON}") from reason
                kept.set_aside(known, reason, "each run is taken up if its own settings are those of this job")
                changes = ""
            if changes:
                raise FolderTaken(f"{self.folder} holds runs made with other settings ({changes}). {WAYS_ON}")
            if not resume and not (self.folder / "results.json").exists():
                number = len(list(self._kept.glob("*.json"))) - 1
                raise FolderTaken(f"{self.folder} holds {number} finished runs of a job that was stopped. {WAYS_ON}")
        if not known.exists():
            kept.write(known, self.identity)

    def _outputs(self) -> list[Path]:
        """The files beside the tasks that every job writes."""
        return [self.folder / name for name in ("results.json", "table.md", "clock.json")]

    def pictures(self) -> list[Path]:
        """The pictures that the folder's results list; pictures that a user keeps there are not among them."""
        names = kept.json_in(self.folder / "results.json").get("figures", [])
        return [self.folder / name for name in names if isinstance(name, str) and Path(name).name == name]

    def _written(self) -> list[Path]:
        """The files that a job certainly wrote: tasks whose names fit their keys; with settings, the results."""
        ours = [path for path in self._kept.glob("*.json") if path == self._path(str(kept.json_in(path).get("key")))]
        if (self._kept / "settings.json").exists():
            ours += [self._kept / "settings.json", *self.pictures(), *self._outputs()]
        return [path for path in ours if path.is_file()]

    # ---- the clock -------------------------------------------------------------------------------------------------------

    def _clock_of_before(self) -> tuple[float, dict[str, Any]]:
        """Seconds and versions up to the last finished task of a job that goes on; 0 and the present versions of a new one."""
        if self._clock.exists():
            try:
                entry = kept.read(self._clock)
                return entry["seconds"], entry["versions"]
            except (kept.NotOurs, LookupError) as reason:
                kept.set_aside(self._clock, reason, "the time counts from now on")
        return 0.0, versions()

    def seconds(self) -> float:
        """The wall time spent in `do` up to the last finished task, before a stop and after it."""
        return self._spent

    def versions(self) -> dict[str, Any]:
        """The versions that the last finished task was computed with."""
        return self._versions

    # ---- tasks -----------------------------------------------------------------------------------------------------------

    def do(self, tasks: Iterable[Task], label: str = "") -> dict[str, dict[str, Any]]:
        """The result of every task by its key; those finished earlier are read back. Shows progress and the time left.

        A file of a task that is damaged, or of another job, is named and set aside, and the task is done again. An
        interruption loses at most the tasks under way. Raises ValueError for two tasks of one key.
        """
        asked: dict[str, Task] = {}
        for task in tasks:
            if asked.setdefault(task.key, task) is not task:
                raise ValueError(f"Job.do: two tasks are called {task.key!r}: one would get the result of the other")
        found = {key: result for key in asked if (result := self._read(key)) is not None}
        calls = ((_compute, task.key, task.function, task.arguments()) for task in asked.values() if task.key not in found)
        began, spent = time.perf_counter(), self._spent
        bar = {"total": len(asked), "initial": len(found), "unit": "run", "desc": label, "dynamic_ncols": True}
        results = outcomes(calls, self.backend, min(self.jobs, len(asked) - len(found)))
        # closed at once when something ends the loop, so that no worker outlives it
        with tqdm(**bar, disable=sys.stderr is None) as progress, closing(results):
            for key, result in results:
                found[key] = self._keep(key, result)
                self._spent = spent + time.perf_counter() - began
                self._versions = versions()
                kept.write(self._clock, {"seconds": self._spent, "versions": self._versions})
                progress.update()
        return {key: found[key] for key in asked}

    def _keep(self, key: str, result: dict[str, Any]) -> dict[str, Any]:
        entry = kept.write(self._path(key), {"key": key, **result, "job": self.identity})
        del entry["job"]
        return entry

    def _read(self, key: str) -> dict[str, Any] | None:
        """The result that an earlier start left; None if there is none that can be used."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            entry = kept.read(path)
            if changes := kept.differences(entry.pop("job", {}), self.identity):
                raise kept.NotOurs(f"it was made with other settings ({changes})")
            if entry.get("key") != key:
                raise kept.NotOurs(f"it holds the task {entry.get('key')!r}")
        except kept.NotOurs as reason:
            kept.set_aside(path, reason, f"{key} is done again")
            return None
        return entry

    def _path(self, key: str) -> Path:
        name = "-".join("".join(c if c.isalnum() else " " for c in key.lower()).split())[:60]
        return self._kept / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}.json"

    def seed(self, run: int) -> int:
        """The seed of run number `run`: all nets of a run have the same one, and so the same pairs in the same order."""
        return int(np.random.SeedSequence([self.settings["seed"], run]).generate_state(1)[0])


def _fingerprint(digits: Digits) -> str:
    """A hash of the digits, by which others of the same name are told from them."""
    content = hashlib.sha256()
    for array in (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels):
        content.update(np.ascontiguousarray(array))
    return content.hexdigest()[:16]


def _compute(key: str, function: Callable[..., dict[str, Any]], arguments: tuple) -> tuple[str, dict[str, Any]]:
    before = minitorch.get_num_threads()
    minitorch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            return key, function(*arguments)
    finally:
        minitorch.set_num_threads(before)
