"""Jobs killed at random moments, which must go on to the same figures: measured by `tests.killed_jobs`, where that exists."""

from __future__ import annotations

import importlib.util

from tests.report.figure import Figure, not_run
from tests.report.process import python


def figures(jobs: int) -> list[Figure]:
    """Its exit status says whether all is well, its last line what it found."""
    what = "jobs killed at random moments, then resumed"
    if importlib.util.find_spec("tests.killed_jobs") is None:
        return [not_run(what, "there is no tests/killed_jobs.py")]
    done = python("-m", "tests.killed_jobs", "--jobs", jobs, check=False)
    last = (done.stdout.strip() or done.stderr.strip() or "nothing said").splitlines()[-1]
    return [Figure(what, "exit status 0", last, f"{jobs} jobs", None, done.returncode == 0)]
