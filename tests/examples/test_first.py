"""`examples/first.py` in a folder of its own: an accuracy that a net which learned nothing could not have, and a picture."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_first_example_learns_to_read_digits_and_draws_them(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    script = ROOT / "examples" / "first.py"
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    accuracies = [float(percent) for percent in re.findall(r"([\d.]+)% of 891 test digits right", done.stdout)]
    assert len(accuracies) == 10 and accuracies[-1] > 85  # by chance: 10 %
    assert (tmp_path / "results/first/digits.png").read_bytes().startswith(b"\x89PNG")


def test_the_first_example_fits_in_fifty_lines():
    assert len((ROOT / "examples" / "first.py").read_text().splitlines()) <= 50
