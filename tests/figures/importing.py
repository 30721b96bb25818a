"""Importing `minitorch` and `layers`: what it takes beyond NumPy."""

from __future__ import annotations

import json
import statistics

from tests.figures.figure import Figure, at_most
from tests.figures.process import python

BOUND = 0.15  # seconds
PROGRAM = """
import json, sys, time
start = time.perf_counter()
import numpy
middle = time.perf_counter()
known = set(sys.modules)
import minitorch, layers
end = time.perf_counter()
files = [name for name in set(sys.modules) - known if getattr(sys.modules[name], "__file__", None)]  # not what Cython makes
others = {name.partition(".")[0] for name in files} - {"minitorch", "layers", "numpy"}
print(json.dumps([middle - start, end - middle, sorted(others - set(sys.stdlib_module_names))]))
"""


def fresh_import() -> list:
    """Seconds of NumPy's import, of ours after it, and the packages of others that ours brought in, in a fresh process."""
    return json.loads(python("-c", PROGRAM).stdout)


def figures(processes: int) -> list[Figure]:
    """The median over fresh processes, each of which imports NumPy first and then ours."""
    numpy, ours, others = zip(*(fresh_import() for _ in range(processes)))
    where = f"NumPy's own: {statistics.median(numpy):.2g} s; slowest {max(ours):.2g} s"
    cases = f"median of {processes} fresh processes"
    brought = {name for names in others for name in names}
    return [
        at_most("import of minitorch and layers beyond NumPy's", BOUND, statistics.median(ours), cases, None, where, " s"),
        at_most("packages but NumPy that this imports", 0, len(brought), f"{processes} processes", None, ", ".join(brought)),
    ]
