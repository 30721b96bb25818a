"""The figures of correctness in docs/correctness.md: `python -m tests.figures` measures them anew.

One module for each subject. Its functions return `Figure`s, lines of the table; the tests call the same functions with smaller
numbers of cases.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What pytest puts on the path: the scripts of the reports.
if str(ROOT / "examples") not in sys.path:
    sys.path.append(str(ROOT / "examples"))
