"""Every report's command: killed in the middle and resumed, it ends in the figures of a job that nobody disturbed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ["--quick", "--data", "digits", "--runs", "1", "--epochs", "1", "--jobs", "1"]
COMMANDS = {
    "000": ["fully_connected.py"],
    "000, a study": ["fully_connected.py", "--study", "learning-rate"],
    "000, a search": ["fully_connected.py", "--study", "recipe"],
    "001": ["weight_sharing.py"],
    "002": ["classify_then_compare.py"],
    "003": ["siamese.py"],
    "004": ["architecture_search.py"],
}


def command(words: list[str], out: Path, *more: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / words[0]), *words[1:], *SMALL, "--out", str(out), *more]


def finish(words: list[str], out: Path, *more: str) -> Any:
    done = subprocess.run(command(words, out, *more), cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert (out / "table.md").read_text().startswith("Report 00")
    pictures = list(out.glob("*.png"))
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    return without_clock(json.loads((out / "results.json").read_text())), {path.name for path in pictures}


def without_clock(results: Any) -> Any:
    """The results without what a clock says."""
    if isinstance(results, dict):
        return {key: without_clock(value) for key, value in results.items() if key != "seconds" and "time" not in key}
    return [without_clock(one) for one in results] if isinstance(results, list) else results


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_job_killed_in_the_middle_goes_on_to_the_same_figures(words, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    expected = finish(words, whole)
    number = len(list((whole / "tasks").glob("*.json")))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command(words, killed), cwd=ROOT, start_new_session=True, **quiet) as process:
        end = time.monotonic() + 600
        while len(list((killed / "tasks").glob("*.json"))) < number // 2 and time.monotonic() < end:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
    finished = {path: path.stat().st_mtime_ns for path in (killed / "tasks").glob("*.json")}
    assert number // 2 <= len(finished) < number, "the job was to be killed in the middle"
    assert not (killed / "results.json").exists()
    assert finish(words, killed, "--resume") == expected
    assert all(path.stat().st_mtime_ns == written for path, written in finished.items()), "a finished task was done again"
