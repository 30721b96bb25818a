"""Write the chapters as Jupyter notebooks: `python examples/tour/notebooks.py DIR`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATHS = [str(HERE), str(HERE.parents[1])]  # of `exercises`, and of minitorch where it is not installed


def cells(script: str) -> list[dict[str, object]]:
    """The cells of a script in percent format: `# %% [markdown]` starts a text, `# %%` code."""
    found: list[dict[str, object]] = [_cell("code", f"import sys\n\nsys.path[:0] = {PATHS}")]
    for part in script.split("# %%")[1:]:
        head, _, body = part.partition("\n")
        if "[markdown]" in head:
            found.append(_cell("markdown", "\n".join(line[2:] for line in body.strip().splitlines())))
        else:
            found.append(_cell("code", body.strip()))
    return found


def _cell(kind: str, source: str) -> dict[str, object]:
    code = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True), **code}


def main(folder: Path) -> None:
    """Write a notebook for each chapter into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in sorted(HERE.glob("[0-9]*.py")):
        notebook = {"cells": cells(chapter.read_text(encoding="utf-8")), "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        (folder / f"{chapter.stem}.ipynb").write_text(json.dumps(notebook, indent=1), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
