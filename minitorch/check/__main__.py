"""Check the backward rules in a file, exercise by exercise.

    python -m minitorch.check --stubs my_ops.py      write the exercises into a new file
    python -m minitorch.check my_ops.py              check all of them
    python -m minitorch.check my_ops.py tanh linear  check some

For each wrong rule the earliest mistake is named, with its line, but never the solution. The exit status is 0 only if every
exercise that was asked for is right.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
import textwrap
from pathlib import Path
from typing import Any, Final

from minitorch.autograd.explain import QUESTIONS, first_mistake
from minitorch.autograd.function import Function
from minitorch.autograd.mistakes import found
from minitorch.autograd.op import Op
from minitorch.autograd.trial import Trial
from minitorch.check.exercises import EXERCISES, Exercise
from minitorch.check.properties import broadcasting, empty, layouts, value

HEAD: Final = '''"""Write each `backward`, then run `python -m minitorch.check {file}`."""

import numpy as np

from minitorch.autograd import Op


'''


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m minitorch.check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, help="the file with the operations")
    parser.add_argument("names", nargs="*", metavar="NAME", help="the exercises to check (default: all)")
    parser.add_argument("--stubs", type=Path, metavar="FILE", help="write the exercises to a new file")
    parser.add_argument("--list", action="store_true", help="list the exercises")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--exercises", type=Path, metavar="FILE", help="a Python file whose list EXERCISES is added")
    options = parser.parse_intermixed_args(arguments)
    rows = {row.name: row for row in EXERCISES}
    if options.exercises:
        added = load(options.exercises, parser).get("EXERCISES") or parser.error(f"{options.exercises} has no list EXERCISES")
        rows |= {row.name: row for row in added}
    names = [str(options.file), *options.names] if options.file and (options.stubs or options.list) else options.names
    if unknown := [name for name in names if name not in rows]:
        parser.error(f"no exercise is called {unknown[0]!r}; there are {', '.join(rows)}")
    asked = [rows[name] for name in names or rows]
    if options.list:
        print("\n".join(f"{row.name:<14} {(row.op.__doc__ or '').splitlines()[0]}" for row in asked))
    elif options.stubs:
        try:
            with options.stubs.open("x", encoding="utf-8") as file:
                file.write(HEAD.format(file=options.stubs.name) + "\n\n".join(row.stub() for row in asked))
        except OSError as reason:
            parser.error(f"{options.stubs} cannot be written: {reason.strerror}; name a new file")
        print(f"{options.stubs}: {len(asked)} exercises")
    elif options.file is None:
        parser.error("expected a file, --stubs or --list")
    else:
        defined = load(options.file, parser)
        results = [result(row, defined) for row in asked]
        print(json.dumps(results, indent=1) if options.json else "\n".join(map(shown, results)))
        return 0 if all(each["status"] == "right" for each in results) else 1
    return 0


def load(path: Path, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """What a file defines; ends the program with the error if it cannot be run."""
    try:
        return runpy.run_path(str(path))
    except (Exception, SystemExit) as reason:  # a file that ends the program has not been checked
        parser.error(f"{path} cannot be run: {type(reason).__name__}: {reason}")


def result(row: Exercise, defined: dict[str, Any]) -> dict[str, Any]:
    """The result of an exercise: its name, "right" or "wrong", and either the errors or the mistake."""
    name, op = row.op.__name__, defined.get(row.op.__name__)
    cases = row.cases if isinstance(op, type) and issubclass(op, (Op, Function)) else ()
    trials = [Trial(op, case, row.parameters, row.strict) for case in cases]
    asked = [QUESTIONS[0], lambda t: value(t, row.op.apply), *QUESTIONS[1:-1], broadcasting, layouts, empty]
    asked += QUESTIONS[-1:][: row.orders - 1]
    missing = found({"no class": not trials}, name=name, file=Path(defined.get("__file__", "")).name)
    for mistake in filter(None, (*missing, *(first_mistake(trial, asked) for trial in trials))):
        status = mistake.kind if mistake.kind in ("unwritten", "no class") else "wrong"
        return {"name": row.name, "status": status, **mistake._asdict()}
    errors = [max(trial.errors[order] for trial in trials) for order in range(1, row.orders + 1)]
    return {"name": row.name, "status": "right", "errors": errors}


def shown(result: dict[str, Any]) -> str:
    """A result in at most ten lines."""
    head = f"{result['name']:<14} {result['status']:<10} "
    if "errors" in result:
        return head + ", ".join(f"order {k} error {error:.0e}" for k, error in enumerate(result["errors"], 1))
    lines = *textwrap.wrap(result["says"], 100)[:5], *textwrap.wrap(result["hint"], 100)[:3], result["place"]
    return head + f"\n{' ' * len(head)}".join(filter(None, lines))


if __name__ == "__main__":
    sys.exit(main())
