"""Jobs that are killed at random moments end as if nothing had happened; `python -m tests.figures.killed_jobs` does 200."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name == "nt", reason="the jobs are forked and killed as POSIX does")
def test_killed_jobs_end_bit_for_bit_as_undisturbed_ones():
    done = subprocess.run(
        [sys.executable, "-m", "tests.figures.killed_jobs", "--jobs", "6"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kills = int(re.search(r"(\d+) kills,", done.stdout)[1])
    assert kills >= 6 and done.stdout.endswith("6 equal\n")
