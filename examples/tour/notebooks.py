"""Write the chapters as Jupyter notebooks: `python examples/tour/notebooks.py DIR`."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATHS = [str(HERE), str(HERE.parents[1])]  # for `exercises`, and for minitorch if it is not installed


def cells(script: str) -> list[dict[str, object]]:
    """The cells of a script in percent format: `# %% [markdown]` starts text, `# %%` starts code."""
    found: list[dict[str, object]] = []
    for part in [f"\nimport sys\n\nsys.path[:0] = {PATHS}", *script.split("# %%")[1:]]:
        head, _, body = part.partition("\n")
        lines, text = body.strip().splitlines(keepends=True), "[markdown]" in head
        kind = {"cell_type": "markdown"} if text else {"cell_type": "code", "execution_count": None, "outputs": []}
        found.append({**kind, "metadata": {}, "source": [line[2:] or "\n" for line in lines] if text else lines})
    return found


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
