"""Fresh processes, in which no earlier work has left anything."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.figures import ROOT


def python(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """What Python says of the arguments, with this tree's modules; raises RuntimeError with its errors if it fails."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done
