"""Run a script that was written for PyTorch on minitorch: `python -m minitorch.run SCRIPT [ARGUMENTS]`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from minitorch import as_torch


def main(arguments: list[str] | None = None) -> None:
    """Run the script as `python SCRIPT` would, with `import torch` finding minitorch."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        sys.exit(0 if arguments else 2)
    script = Path(arguments[0])
    if not script.is_file():
        sys.exit(f"minitorch.run: no such file: {script}")
    as_torch.install()
    sys.argv = [str(script), *arguments[1:]]
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
