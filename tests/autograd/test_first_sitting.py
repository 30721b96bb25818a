"""The engine can be read in one sitting: its first five files, and what a small example runs in them, keep to a size.

The two further sittings have the size that docs/architecture.md says.
"""

import ast
import io
import re
import sys
import tokenize
from pathlib import Path

import pytest

import minitorch as mt
from minitorch.autograd import node

ROOM = Path(node.__file__).parent
FIRST_SITTING = ("tensor.py", "node.py", "op.py", "backward.py", "gradients.py")


def lines_of_code(path, tree=None):
    """The numbers of the lines of a file, or of a part of it, that hold code: no blanks, comments, docstrings."""
    source = path.read_text(encoding="utf-8")
    whole = ast.parse(source)
    tree = tree or whole
    ignored = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    code = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in ignored:
            code.update(range(token.start[0], token.end[0] + 1))
    for each in ast.walk(whole):
        if isinstance(each, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(each):
            code -= set(range(each.body[0].lineno, each.body[0].end_lineno + 1))
    first, last = getattr(tree, "lineno", 1), getattr(tree, "end_lineno", len(source.splitlines()))
    return {line for line in code if first <= line <= last}


def entered(example):
    """For each file of the room, the first lines of the functions that `example` runs."""
    found = {}

    def look(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if path.parent == ROOM:
            found.setdefault(path.name, set()).add(frame.f_code.co_firstlineno)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        example()
    finally:
        sys.setprofile(before)
    return found


def test_the_first_sitting_has_at_most_400_lines_of_code():
    assert sum(len(lines_of_code(ROOM / name)) for name in FIRST_SITTING) <= 400


def test_what_an_example_runs_in_it_has_at_most_300():
    x, w, b = (mt.ones(2, 3, requires_grad=True) for _ in range(3))

    def example():
        y = (x * w + b).relu().sum()
        y.backward()

    total = 0
    for name, starts in entered(example).items():
        if name in FIRST_SITTING:
            for each in ast.walk(ast.parse((ROOM / name).read_text(encoding="utf-8"))):
                first = min([each.lineno, *(d.lineno for d in each.decorator_list)]) if isinstance(each, ast.FunctionDef) else 0
                if first in starts:
                    total += len(lines_of_code(ROOM / name, each))
    assert 50 < total <= 300


@pytest.mark.parametrize("sitting", ["Second", "Third"])
def test_a_sitting_has_the_lines_of_code_that_the_page_says(sitting):
    root = ROOM.parents[1]
    section = (root / "docs/architecture.md").read_text(encoding="utf-8").split(f"## {sitting} sitting")[1].split("\n## ")[0]
    files = re.findall(r"`([\w/]+\.py)`", section)
    found = [next(path for path in (root / "minitorch" / name, root / name) if path.exists()) for name in files]
    total, said = sum(len(lines_of_code(path)) for path in found), re.search(r"About ([\d,]+) lines of code", section)
    assert len(files) > 5 and total == pytest.approx(int(said[1].replace(",", "")), rel=0.05)
