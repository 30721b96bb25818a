"""Pages of the site that are made of other files: the tour's chapters, the API's pages, CONTRIBUTING and CHANGELOG."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from mkdocs.structure.files import File, Files

import minitorch.as_torch

minitorch.as_torch.uninstall()  # mkdocstrings imports every module; this one acts as it is imported, which was now

ROOT = Path(__file__).parents[1]
# The page of each module, and of the class that has the most methods.
API = {
    "minitorch": "minitorch",
    "tensor": "minitorch.Tensor",
    "autograd": "minitorch.autograd",
    "functional": "minitorch.functional",
    "optim": "minitorch.optim",
    "data": "minitorch.utils.data",
    "distributions": "minitorch.distributions",
    "onnx": "minitorch.onnx",
    "check": "minitorch.check",
    "layers": "layers",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that no file in docs/ holds."""
    pages = {f"tour/{path.stem}.md": chapter(path) for path in sorted((ROOT / "examples/tour").glob("[0-9]*.py"))}
    titles = {name: re.search(r"^# (.+)$", text, re.M) for name, text in pages.items()}
    pages["tour/index.md"] = tour({name: title[1] for name, title in titles.items() if title})
    pages |= {f"api/{name}.md": api(where) for name, where in API.items()}
    for name in ("contributing.md", "changelog.md"):  # which stand one folder up, and link from there
        pages[name] = (ROOT / name.upper().replace(".MD", ".md")).read_text(encoding="utf-8").replace("](docs/", "](")
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def api(where: str) -> str:
    """The page of a module or a class: its public names, except those that have a page of their own."""
    found = resolve_name(where)
    own = [name for name, value in vars(found).items() if getattr(value, "__module__", "").startswith(where)]
    members = [
        name
        for name in (dir(found) if isinstance(found, type) else sorted(getattr(found, "__all__", own)))
        if not name.startswith("_") and f"{where}.{name}" not in API.values()
        if callable(value := getattr(found, name)) or isinstance(value, property)  # no numbers and modules
    ]
    return f"# {where}\n\n::: {where}\n    options:\n      members: {members}\n"


def chapter(path: Path) -> str:
    """A chapter of the tour as Markdown: its texts, and its code between them."""
    parts = []
    for part in path.read_text(encoding="utf-8").split("# %%")[1:]:
        head, _, body = part.partition("\n")
        if "[markdown]" in head:
            parts.append("\n".join(line[2:] for line in body.strip().splitlines()))
        else:
            parts.append(f"```python\n{body.strip()}\n```")
    where = f"`python examples/tour/{path.name}` runs this chapter, and writes its picture or page to `results/tour/`."
    return "\n\n".join([*parts, f"---\n\n{where}"])


def tour(titles: dict[str, str]) -> str:
    """The list of chapters."""
    rows = "\n".join(f"{i}. [{title.partition('. ')[2]}]({Path(name).name})" for i, (name, title) in enumerate(titles.items()))
    return (
        "# The tour\n\nTen short chapters for someone who knows calculus and Python and has never seen a tape. Each is a "
        "script in `examples/tour/` that states one question, draws one figure, and ends with a checked exercise and two "
        "questions. VS Code, Spyder and Jupyter open them as notebooks; `python examples/tour/notebooks.py DIR` writes "
        f"`.ipynb` files.\n\n{rows}\n"
    )


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put the first example into the start page; links to source files, which the site does not hold, become their text."""
    markdown = markdown.replace("](../CONTRIBUTING.md)", "](contributing.md)")  # which `on_files` puts there
    markdown = re.sub(r"\[([^]]+)\]\(\.\./[^)]*\.py[^)]*\)", r"\1", markdown)
    return markdown.replace("# examples/first.py", (ROOT / "examples/first.py").read_text(encoding="utf-8").strip())
